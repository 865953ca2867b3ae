"""Decode: ids, one list or several, as text, token by token."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.form import Form, at
from components.widgets.tokens.decode import decoded_view


class DecodePanel:
    """Ids, and what they read as. `made` is what it was last made from."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.made = gr.State({})
        self.ids = gr.Textbox(
            label="Ids",
            info="Those of your text, or others: one list a line, or several lists in brackets, for a batch.",
            placeholder="101, 7592, 102",
            lines=3,
            max_lines=8,
            elem_id="tok-ids",
        )
        with gr.Row():
            self.skip = gr.Checkbox(label="Leave out special tokens", value=True, min_width=150)
            self.clean = gr.Checkbox(label="Clean up spaces", min_width=150)
        self.run = gr.Button("Decode", variant="primary", elem_id="tok-decode")
        self.told = gr.HTML(padding=False, elem_id="tok-told-ids")
        self.view = gr.HTML(padding=False, elem_id="tok-decode-view")

    def wire(self, opened: gr.Tab) -> None:
        """Decode, and offer the ids of the text when the tab is opened."""
        ctx, form = self.ctx, self.form
        fields = [*form.chosen, self.ids, self.skip, self.clean]
        failed = {self.view: "", self.made: {}}
        ctx.wire(self.run.click, self._decode, fields, [self.view, self.made], told=self.told, failed=failed)
        quiet: dict[str, Any] = {"told": self.told, "clears": False, "show_progress": "hidden"}
        ctx.wire(opened.select, self._offer, [self.ids, *form.fields], [self.ids], **quiet)

    def _offer(self, visitor: Visitor, typed: str | None, *values: Any) -> Updates:
        if (typed or "").strip():
            return {}
        try:
            seen = self.ctx.bench.tokens.tokenize(**self.form.read(*values), visitor=visitor)
        except WorkbenchError:
            return {}  # what is wrong with the text is told where it is tokenized
        return {self.ids: in_a_row(seen["tokens"])}

    def _decode(self, visitor: Visitor, model: str, revision: str, typed: str, skip: bool, clean: bool) -> Updates:
        rows = read_ids(typed or "")
        ids: list[Any] = rows if len(rows) > 1 else rows[0]
        options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": clean}
        answer = self.ctx.bench.tokens.decode(model or "", ids, options, at(revision), visitor=visitor)
        made = {"model": answer["model"], "commit": answer["commit"], "ids": ids, "options": options}
        return {self.view: decoded_view(answer), self.made: asked("decode", made)}


def in_a_row(tokens: list[dict[str, Any]]) -> str:
    """The ids of tokens as `read_ids` takes them."""
    return ", ".join(str(token["id"]) for token in tokens)


#: Most digits of an id that may be in a vocabulary, its sign included.
_DIGITS = 12


def read_ids(typed: str) -> list[list[int]]:
    """Lists of ids, as people copy them: one a line, or each in brackets, with commas or spaces between.

    Raises:
        WorkbenchError: There are none, or something else than a whole number.
    """
    lists = re.findall(r"\[([^\[\]]*)\]", typed) or typed.splitlines()
    rows = [words for words in (re.findall(r"[^\s,;\[\]]+", line) for line in lists) if words]
    if not rows:
        raise WorkbenchError("Write the ids to decode, separated by commas or spaces.", field="ids")
    wrong = next((word for row in rows for word in row if not re.fullmatch(r"-?\d+", word)), None)
    if wrong is not None:
        raise WorkbenchError(f"“{wrong[:40]}” is not an id. Write whole numbers, such as 101, 7592, 102.", field="ids")
    large = next((word for row in rows for word in row if len(word) > _DIGITS), None)
    if large is not None:
        raise WorkbenchError(
            f"The id {large[:12]}… has {len(large):,} digits: it is beyond every vocabulary.", field="ids"
        )
    return [[int(word) for word in row] for row in rows]
