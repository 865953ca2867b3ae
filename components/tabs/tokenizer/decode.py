"""Decode: ids, one list or several, as text, token by token."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.form import Form, at, read_ids
from components.widgets.tokens.decode import decoded_view


class DecodePanel:
    """What the ids of the form read as; the text itself stands in the form."""

    def __init__(self, ctx: Context, form: Form, views: gr.Tabs) -> None:
        self.ctx, self.form, self.views = ctx, form, views
        self.made = gr.State({})
        self.view = gr.HTML(padding=False, elem_id="tok-decode-view")

    def wire(self) -> None:
        """Decode, and open this tab."""
        form = self.form
        fields = [*form.chosen, form.ids, form.skip, form.clean]
        outputs = [form.decoded, self.view, self.made, self.views]
        self.ctx.wire(
            form.decode.click,
            self._decode,
            fields,
            outputs,
            told=form.told_ids,
            failed={form.decoded: "", self.view: "", self.made: {}},
        )

    def _decode(self, visitor: Visitor, model: str, revision: str, typed: str, skip: bool, clean: bool) -> Updates:
        rows = read_ids(typed or "")
        ids: list[Any] = rows if len(rows) > 1 else rows[0]
        options = {"skip_special_tokens": skip, "clean_up_tokenization_spaces": clean}
        answer = self.ctx.bench.tokens.decode(model or "", ids, options, at(revision), visitor=visitor)
        made = {"model": answer["model"], "commit": answer["commit"], "ids": ids, "options": options}
        return {
            self.form.decoded: "\n".join(row["text"] for row in answer["rows"]),
            self.view: decoded_view(answer),
            self.made: asked("decode", made),
            self.views: gr.Tabs(selected="decode"),
        }
