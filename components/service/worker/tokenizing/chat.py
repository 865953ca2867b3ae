"""Messages rendered by a chat template, then tokenized: who said which token, and what commonly goes wrong there.

A template is a stranger's program. The library runs it in a sandbox (Jinja's immutable one), and the worker process
that this runs in has a deadline and a memory limit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import TemplateError

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.calls import Call
from components.service.worker.tokenizing.anatomy import inspecting
from components.service.worker.tokenizing.encoding import Encoded, encode
from components.service.worker.tokenizing.findings import chat_findings, unused_findings
from components.service.worker.tokenizing.kinds import describe
from components.service.worker.tokenizing.rows import printable, window_rows
from components.service.worker.tokenizing.segments import Segment, prompt_of, segments_of

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_TOLD_CHARS = 300


def render_chat(
    call: Call, *, path: str, model: str, messages: list[dict[str, Any]], options: dict[str, Any]
) -> dict[str, Any]:
    """The answer of `Tokens.render_chat`."""
    with inspecting(call, path, model) as anatomy:
        tokenizer = anatomy.tokenizer
        template = _Template(tokenizer, model, options)
        rendered = template.render(messages, generation=options["add_generation_prompt"])
        _check_length(rendered, call.settings.text_chars)
        bare = template.render(messages, generation=False) if options["add_generation_prompt"] else rendered
        prompt = prompt_of(rendered, bare)
        parts = segments_of(rendered, messages, prompt, template.render)
        encoded = encode(anatomy, rendered, special=False)
        learned, source = _learned(template, messages, parts, rendered)
        rows, grouped = window_rows(encoded, options["start"], options["start"] + options["count"])
        mask = _mask(len(rendered), learned)
        _add_speakers(rows, parts, mask)
        twice = tokenizer(rendered)["input_ids"]
        findings = chat_findings(tokenizer, messages, encoded.ids, twice, options, prompt)
        findings += unused_findings(messages, options, template.text, rendered)
        described = describe(tokenizer)
    return {
        "rendered": printable(rendered),
        "segments": [part.told(rendered) for part in parts],
        "generation_prompt": printable(prompt),
        "tokens": rows,
        "start": options["start"],
        "truncated": len(rows) < len(encoded.ids),
        "groups": grouped,
        "assistant_mask": {"source": source, "tokens": _masked(encoded, mask), "spans": learned[:1000]},
        "counts": {"tokens": len(encoded.ids), "characters": len(rendered), "messages": len(messages)},
        "findings": findings,
        "template": template.text,
        "templates": template.names,
        **described,
    }


class _Template:
    """The chat template in use: the tokenizer's, one of its named ones, or one that the visitor wrote.

    Attributes:
        text: Its Jinja source.
        names: The names of the tokenizer's templates, where it has several.
    """

    def __init__(self, tokenizer: Any, model: str, options: dict[str, Any]) -> None:
        self._tokenizer = tokenizer
        self._tools = options["tools"] or None
        self._documents = options["documents"] or None
        own = tokenizer.chat_template
        self.names = sorted(own) if isinstance(own, dict) else []
        if not own and not options["template"]:
            raise WorkbenchError(
                f"The tokenizer of {model} has no chat template: its model was not made for conversations. Choose a "
                "chat model, whose name often ends in -it, -Instruct or -Chat, or write a template.",
                field="model",
            )
        self._field = "options.template" if options["template"] else "model"
        self._check_name(options["template"])
        with blaming(f"The tokenizer of {model} has no template that fits. Name one of its own.", "options.template"):
            self.text: str = tokenizer.get_chat_template(options["template"] or None, self._tools)

    def _check_name(self, template: str) -> None:
        """A text without any Jinja in it is meant as a name."""
        if not template or "{" in template or template in self.names:
            return
        have = f"Its templates are {', '.join(self.names)}." if self.names else "It has no templates with names."
        raise WorkbenchError(
            f"This tokenizer has no template named {printable(template[:40])!r}. {have} Name one of its own, write "
            "Jinja, or leave the field empty.",
            field="options.template",
        )

    def render(self, messages: list[dict[str, Any]], *, generation: bool) -> str:
        """The text that the template makes of the messages."""
        with self._told():
            text: str = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=generation, **self._given()
            )
        return text

    def marked(self, messages: list[dict[str, Any]]) -> list[tuple[int, int]]:
        """The characters that the template's own `generation` blocks cover; none where it has no such block."""
        if not _GENERATION.search(self.text):
            return []
        from transformers.utils.chat_template_utils import render_jinja_template

        with self._told():
            _, spans = render_jinja_template(
                conversations=[messages],
                return_assistant_tokens_mask=True,
                **{**self._tokenizer.special_tokens_map, **self._given()},
            )
        return [(start, end) for start, end in spans[0]]

    def _given(self) -> dict[str, Any]:
        return {"chat_template": self.text, "tools": self._tools, "documents": self._documents}

    def _told(self) -> _template_errors:
        return _template_errors(self._field)


class _template_errors(blaming):
    """A block in which a template runs: what it refuses or stumbles over is told with its own words. A template is a
    stranger's program and may end in any exception, but for a lack of memory, which is told by the worker."""

    def __init__(self, field: str) -> None:
        super().__init__(
            "The chat template failed on these messages. Change the messages, or the template.", "messages"
        )
        self._field = field

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        field = self._field if self._field == "options.template" else "messages"
        words = " ".join(printable(str(error)).split())[:_TOLD_CHARS]
        if isinstance(error, TemplateError):
            raise WorkbenchError(
                f"The chat template refused these messages, or is not in order. It says: “{words}”. Change the "
                "messages, or the template.",
                field=field,
            ) from None
        if isinstance(error, (ArithmeticError, LookupError, TypeError, ValueError, AttributeError, RecursionError)):
            raise WorkbenchError(
                f"The chat template failed on these messages, with {type(error).__name__}: “{words}”. Change the "
                "template, or the messages.",
                field=field,
            ) from None
        super().__exit__(kind, error, trace)


def _check_length(rendered: str, most: int) -> None:
    if len(rendered) > most:
        raise WorkbenchError(
            f"The template made a text of {len(rendered):,} characters; at most {most:,} are allowed here. "
            "Send fewer or shorter messages.",
            field="messages",
        )


def _learned(
    template: _Template, messages: list[dict[str, Any]], parts: list[Segment], rendered: str
) -> tuple[list[tuple[int, int]], str]:
    """The characters that a fine-tune on the assistant's words learns from, and who says so: the template's own
    `generation` blocks, or, where it has none, what was found of the assistant's messages."""
    marked = template.marked(messages)
    if marked:
        return [(start, end) for start, end in marked if start < len(rendered)], "template"
    return [(part.start, part.end) for part in parts if part.role == "assistant" and part.part == "content"], "computed"


def _mask(characters: int, learned: list[tuple[int, int]]) -> bytearray:
    """1 for each character that is learned."""
    mask = bytearray(characters)
    for start, end in learned:
        mask[start:end] = b"\1" * (min(end, characters) - start)
    return mask


def _masked(encoded: Encoded, mask: bytearray) -> int:
    """How many tokens begin in characters that are learned."""
    spans = (encoded.span(place) for place in range(len(encoded.ids)))
    return sum(1 for span in spans if span is not None and span[0] < len(mask) and mask[span[0]])


def _add_speakers(rows: list[dict[str, Any]], parts: list[Segment], mask: bytearray) -> None:
    """Put into each row the segment that it begins in, its role, and whether a fine-tune learns it."""
    for row, number in zip(rows, _segment_numbers(rows, parts), strict=True):
        row["segment"] = number
        row["role"] = None if number is None else parts[number].role
        row["learned"] = row["start"] is not None and row["start"] < len(mask) and bool(mask[row["start"]])


def _segment_numbers(rows: list[dict[str, Any]], parts: list[Segment]) -> Iterator[int | None]:
    for row in rows:
        found = (
            n for n, part in enumerate(parts) if row["start"] is not None and part.start <= row["start"] < part.end
        )
        yield next(found, None)
