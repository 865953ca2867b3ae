"""About this model: what it is made of, and its card."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from components.service.readable import readable
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.playground.form import Form
from components.widgets import html
from components.widgets.about import about_view


class AboutPanel:
    """The model that is chosen, looked at when the tab is opened; none of its weights is fetched."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.told = gr.HTML(padding=False)
        self.about = gr.HTML(html.empty("The model's parts are counted here."), padding=False, elem_id="pg-about")
        with gr.Accordion("Its card", open=False):
            self.card = gr.Markdown(elem_id="pg-card", container=True, max_height=640)

    def wire(self, view: gr.State, opened: gr.Tab) -> None:
        """Look at the model when the tab is opened, and at another one while it is open."""
        form, outputs = self.form, [self.about, self.card]
        fields = [form.picker.model, form.revision]
        self.ctx.wire(opened.select, self._look, fields, outputs, told=self.told)
        self.ctx.wire(form.picker.model.change, self._look_if_open, [view, *fields], outputs, told=self.told)

    def _look(self, visitor: Visitor, model: str, revision: str | None) -> Iterator[Updates]:
        yield {self.about: html.empty("Counting …"), self.card: ""}
        if not model:
            yield {self.about: html.empty("Choose a model first.")}
            return
        made = self.ctx.bench.about.about_model(model, revision, visitor=visitor)
        card = (made["card"] or {}).get("body") or "It has no card."
        yield {self.about: about_view(made), self.card: readable(card)}

    def _look_if_open(self, visitor: Visitor, view: str, model: str, revision: str | None) -> Iterator[Updates]:
        if view == "about":
            yield from self._look(visitor, model, revision)
        else:
            yield {}
