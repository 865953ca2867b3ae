"""Before the start: a rehearsal in the real process, which measures what the run will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.tabs.finetune.settings import SettingsForm
from components.widgets import html
from components.widgets.rehearsal import changes, rehearsal_view

_WAIT = """Rehearsing: all rows are tokenized, and the longest batch goes forward and backward, is evaluated, saved and
loaded again. This takes from a few seconds to a few minutes."""


class RehearsalPanel:
    """What a rehearsal measured, and one click to what would fit instead."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.shown = gr.HTML(padding=False, elem_id="ft-rehearsal")
        self.take = gr.Button("Use what fits", size="sm", visible=False, elem_id="ft-take-instead")
        self.instead = gr.State({})

    def wire(
        self,
        button: gr.Button,
        form: list[Component],
        read: Callable[..., tuple[dict[str, Any], str]],
        settings: SettingsForm,
        told: Component,
    ) -> None:
        """Rehearse when asked to.

        Args:
            button: Asks for it.
            form: The fields of the whole form, whose values `read` makes a spec and a repository of.
            settings: Takes what would fit instead.
            told: Where failures are told.
        """

        def rehearse(visitor: Visitor, *values: Any) -> Iterator[Updates]:
            spec, repo = read(*values)
            yield {self.shown: html.notice(_WAIT), self.take: gr.update(visible=False)}
            try:
                made = self.ctx.bench.runs.rehearse(spec, repo, visitor=visitor)
            except WorkbenchError:
                yield {self.shown: ""}
                raise
            instead = made.get("instead") or {}
            yield {
                self.shown: rehearsal_view(made),
                self.instead: instead,
                self.take: gr.update(visible=bool(instead), value=f"Use {changes(instead)}"),
            }

        def take(_visitor: Visitor, instead: dict[str, Any]) -> Updates:
            return {**settings.fill(instead), self.take: gr.update(visible=False)}

        shown = [self.shown, self.take, self.instead]
        self.ctx.wire(button.click, rehearse, form, shown, told=told)
        filled = [*settings.fields, settings.lora, self.take]
        self.ctx.wire(self.take.click, take, [self.instead], filled, told=told)
        bring_into_view(button.click, "ft-rehearsal")
