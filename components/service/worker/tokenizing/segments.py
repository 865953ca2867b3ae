"""Which part of a rendered chat comes from which message.

The messages are rendered a second time with marks around each content; where the text without the marks is the same
as before, the marks tell all. A template that cuts, counts or compares contents may trip over them; the contents are
then looked for in the text, one after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from components.service.errors import WorkbenchError
from components.service.worker.tokenizing.rows import printable

#: A special token that has only begun: `<|`, `[IN`.
_BEGUN = re.compile(r"[<\[][^<>\[\]\s]*$")
#: Most messages up to which each beginning of a chat is rendered by itself.
_MOST_BEGINNINGS = 64
#: Private-use characters that stand around the content of message 0, 1 ...
_OPENING, _CLOSING = 0xF1000, 0xF2000
_MOST_MARKED = 0x1000


class _Render(Protocol):
    """Renders messages, with or without the generation prompt."""

    def __call__(self, messages: list[dict[str, Any]], *, generation: bool) -> str: ...


@dataclass(frozen=True)
class Segment:
    """A part of a rendered chat.

    Attributes:
        part: `"content"` (a message's own words), `"template"` (what the template put around them), or `"prompt"`
            (what invites the assistant to answer).
        role, message: Of the message that it belongs to; None for what belongs to none.
    """

    start: int
    end: int
    part: str
    role: str | None
    message: int | None

    def told(self, rendered: str) -> dict[str, Any]:
        """The segment as a plain value, with its text."""
        text = printable(rendered[self.start : self.end])
        place = {"start": self.start, "end": self.end, "text": text}
        return {**place, "part": self.part, "role": self.role, "message": self.message}


def prompt_of(rendered: str, bare: str) -> str:
    """What the generation prompt added to a chat that reads `bare` without it.

    Some templates write it in place of something else, such as the token that ends a text: then it begins where the
    two part, but not inside of a special token of which both write the first letters.
    """
    if rendered.startswith(bare) or bare.startswith(rendered):
        return rendered[len(bare) :]
    parted = next(place for place, (here, there) in enumerate(zip(rendered, bare, strict=False)) if here != there)
    begun = _BEGUN.search(rendered[:parted])
    return rendered[begun.start() if begun else parted :]


def segments_of(rendered: str, messages: list[dict[str, Any]], prompt: str, render: _Render) -> list[Segment]:
    """The rendered text, which ends in the `prompt`, cut at the borders of contents, in order and without gaps."""
    end = len(rendered) - len(prompt)
    contents = _marked(rendered, messages, render, generation=bool(prompt))
    if contents is None:
        contents = list(_searched(rendered[:end], messages))
    before = [content for content in contents if content.end <= end]
    found = list(_with_gaps(rendered, before, end, _ends(rendered[:end], messages, render)))
    if prompt:
        found.append(Segment(end, len(rendered), "prompt", "assistant", None))
    return found


def _ends(rendered: str, messages: list[dict[str, Any]], render: _Render) -> dict[int, int]:
    """Where each message ends, by the chat up to it rendered by itself, where that is how the whole chat begins."""
    ends = {}
    for number in range(min(len(messages) - 1, _MOST_BEGINNINGS)):
        try:
            beginning = render(messages[: number + 1], generation=False)
        except WorkbenchError:
            continue  # the template asks for more messages than these
        if rendered.startswith(beginning):
            ends[number] = len(beginning)
    return ends


def _marked(
    rendered: str, messages: list[dict[str, Any]], render: _Render, *, generation: bool
) -> list[Segment] | None:
    if any(_is_mark(letter) for letter in rendered) or len(messages) > _MOST_MARKED:
        return None
    try:
        marked = [_mark(message, number) for number, message in enumerate(messages)]
        text = render(marked, generation=generation)
    except WorkbenchError:
        return None  # the template looks into the contents, and the marks are in its way
    plain: list[str] = []
    opened: dict[int, int] = {}
    found = []
    for letter in text:
        if not _is_mark(letter):
            plain.append(letter)
        elif ord(letter) < _CLOSING:
            opened[ord(letter) - _OPENING] = len(plain)
        elif (start := opened.pop(ord(letter) - _CLOSING, None)) is not None:
            number = ord(letter) - _CLOSING
            found.append(Segment(start, len(plain), "content", messages[number]["role"], number))
    return found if "".join(plain) == rendered and not opened else None


def _is_mark(letter: str) -> bool:
    return _OPENING <= ord(letter) < _CLOSING + _MOST_MARKED


def _mark(message: dict[str, Any], number: int) -> dict[str, Any]:
    """The message with marks around each text of it, inside of spaces at its ends, which many templates strip."""

    def around(text: str) -> str:
        core = text.strip()
        if not core:
            return text
        return text.replace(core, f"{chr(_OPENING + number)}{core}{chr(_CLOSING + number)}", 1)

    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": around(content)}
    if isinstance(content, list):
        blocks = [
            {**block, "text": around(block["text"])}
            if isinstance(block, dict) and isinstance(block.get("text"), str)
            else block
            for block in content
        ]
        return {**message, "content": blocks}
    return message


def _searched(rendered: str, messages: list[dict[str, Any]]) -> Iterator[Segment]:
    cursor = 0
    for number, message in enumerate(messages):
        content = message.get("content")
        core = content.strip() if isinstance(content, str) else ""
        place = rendered.find(core, cursor) if core else -1
        if place >= 0:
            cursor = place + len(core)
            yield Segment(place, cursor, "content", message["role"], number)


def _with_gaps(rendered: str, contents: list[Segment], end: int, ends: dict[int, int]) -> Iterator[Segment]:
    """The contents, and between them what the template wrote: what closes a message is of it, what opens the next one
    of that."""
    cursor = 0
    before: Segment | None = None
    for content in sorted(contents, key=lambda segment: segment.start):
        if content.start < cursor:
            continue
        if content.start > cursor:
            yield from _gap(rendered, cursor, content.start, before, content, ends)
        yield content
        before, cursor = content, content.end
    if cursor < end:
        yield from _gap(rendered, cursor, end, before, None, ends)


def _gap(
    rendered: str, start: int, end: int, before: Segment | None, after: Segment | None, ends: dict[int, int]
) -> Iterator[Segment]:
    border = start
    if before is not None:
        known = ends.get(before.message if before.message is not None else -1, -1)
        border = known if start <= known <= end else end if after is None else _border(rendered, start, end)
        if border > start:
            yield Segment(start, border, "template", before.role, before.message)
    if border < end:
        role, message = (after.role, after.message) if after is not None else (None, None)
        yield Segment(border, end, "template", role, message)


def _border(rendered: str, start: int, end: int) -> int:
    """Behind the first line break, or the end of the first special token, where the beginnings tell nothing."""
    for close in ("\n", ">", "]"):
        place = rendered.find(close, start, end)
        if 0 <= place < end - 1:
            return place + 1
    return start
