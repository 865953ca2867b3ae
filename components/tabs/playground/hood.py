"""Under the hood: the three steps with their tensors."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.playground.form import Form
from components.widgets import html
from components.widgets.stages import stages_view

_EMPTY = "Run something first: its three steps are shown here with their real tensors."


class StagesPanel:
    """The three steps of the last run, looked at when their tab is open."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.stages = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="pg-stages")

    @property
    def cleared(self) -> Updates:
        """What another task leaves of it."""
        return {self.stages: html.empty(_EMPTY)}

    def wire(self, view: gr.State, opened: gr.Tab, ran: list[Any]) -> None:
        """Look inside when the tab is opened, and again after a run while it is open."""
        ctx, form = self.ctx, self.form
        ctx.wire(opened.select, self._look, form.fields, [self.stages], told=form.told)
        for event in ran:
            ctx.wire(
                event.then,
                self._look_if_open,
                [view, *form.fields],
                [self.stages],
                told=form.told,
                clears=False,
                show_progress="hidden",
            )

    def _look(self, visitor: Visitor, *values: Any) -> Updates:
        asked = self.form.read(*values)
        return {self.stages: stages_view(self.ctx.bench.inference.run_stages(*asked.call, visitor=visitor))}

    def _look_if_open(self, visitor: Visitor, view: str, *values: Any) -> Updates:
        return self._look(visitor, *values) if view == "hood" else {}
