"""All runs of the visitor: to look at again, to compare with each other, to delete."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.runs.titles import metric_title
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.finetune.run import RunPanel
from components.widgets import html
from components.widgets.explain import explain
from components.widgets.figures import between, figure, metrics_of
from components.widgets.run_compare import run_compare_view
from components.widgets.run_view import STATUS, run_title

_EMPTY = "Choose two runs or more, and press Compare: their curves together, the settings that differ, and the verdict."

#: As many of the runs to be deleted are named.
_NAMED = 5


class HistoryPanel:
    """The list of runs with its buttons."""

    def __init__(self, ctx: Context, panel: RunPanel) -> None:
        self.ctx, self.panel = ctx, panel
        with panel.history_tab:
            explain("finetune", "History")
            self.chosen = gr.CheckboxGroup(
                [], label="Your runs, newest first", show_label=False, container=False, elem_classes="wb-list",
                elem_id="ft-history",
            )  # fmt: skip
            with gr.Row():
                self.compare = gr.Button(
                    "Compare", variant="primary", size="sm", min_width=90, elem_id="ft-history-compare"
                )
                self.look = gr.Button("Show", size="sm", min_width=90, elem_id="ft-history-show")
                self.delete = gr.Button(
                    "Delete", size="sm", min_width=90, elem_classes="wb-danger", elem_id="ft-history-delete"
                )
            with gr.Row(visible=False, elem_classes="wb-bottom") as self.asking:
                self.warned = gr.HTML(padding=False, elem_id="ft-history-warned")
                self.sure = gr.Button(
                    "Delete for good", size="sm", min_width=140, scale=0, elem_classes="wb-danger",
                    elem_id="ft-history-sure",
                )  # fmt: skip
                self.keep = gr.Button("Keep", size="sm", min_width=90, scale=0, elem_id="ft-history-keep")
            self.told = gr.HTML(padding=False, elem_id="ft-told-history")
            self.result = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="ft-history-result")

    def wire(self) -> None:
        """List, compare, show, delete."""
        wire, panel = self.ctx.wire, self.panel
        wire(panel.history_tab.select, self._list, [self.chosen], [self.chosen], told=self.told, show_progress="hidden")
        wire(self.compare.click, self._compare, [self.chosen], [self.result], told=self.told)
        wire(self.look.click, self._show, [self.chosen], [panel.runs, panel.views, *panel.live], told=self.told)
        gone = [self.chosen, self.result, panel.runs, self.asking, *panel.live]
        wire(self.delete.click, self._ask, [self.chosen], [self.asking, self.warned], told=self.told)
        wire(self.sure.click, self._delete, [self.chosen, panel.runs], gone, told=self.told)
        plain: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
        for event in (self.keep.click, self.chosen.input):  # what was asked about may not be another choice by then
            event(lambda: gr.update(visible=False), None, self.asking, **plain)

    def _list(self, visitor: Visitor, chosen: list[str]) -> Updates:
        states = self.ctx.bench.runs.list(visitor=visitor)
        ids = {state["id"] for state in states}
        listed = [(_line(state), state["id"]) for state in states]
        return {self.chosen: gr.update(choices=listed, value=[one for one in chosen or [] if one in ids])}

    def _compare(self, visitor: Visitor, chosen: list[str]) -> Updates:
        return {self.result: run_compare_view(self.ctx.bench.runs.compare(chosen or [], visitor=visitor))}

    def _show(self, visitor: Visitor, chosen: list[str]) -> Updates:
        if len(chosen or []) != 1:
            raise WorkbenchError("Choose one run to show.", field="run")
        return self.panel.show(visitor, chosen[0])

    def _ask(self, visitor: Visitor, chosen: list[str]) -> Updates:
        """Say what would be gone before it is."""
        if not chosen:
            raise WorkbenchError("Choose the runs to delete: their models and checkpoints go with them.", field="run")
        names = [name for name, run in self.panel.known(visitor) if run in chosen]
        listed = "; ".join([*names[:_NAMED], *([f"{len(names) - _NAMED} more"] if len(names) > _NAMED else [])])
        said = f"{listed}: their models, checkpoints and logs go with them, and do not come back."
        return {self.asking: gr.update(visible=True), self.warned: html.notice(said, "warning")}

    def _delete(self, visitor: Visitor, chosen: list[str], shown: str | None) -> Updates:
        for run in chosen:
            self.ctx.bench.runs.delete(run, visitor=visitor)
        left = self.panel.known(visitor)
        now = shown if shown not in chosen else (left[0][1] if left else None)
        return {
            **self._list(visitor, []),
            self.asking: gr.update(visible=False),
            self.result: html.notice(f"{len(chosen)} deleted.", "success"),
            **self.panel.view(visitor, now),
            self.panel.runs: gr.update(choices=left, value=now),
        }


def _line(state: dict[str, Any]) -> str:
    """A run in the list: its name on the first line, below it what came of it."""
    spec, final = state["spec"], state["results"].get("final") or {}
    names = metrics_of(spec["task"], final, state["facts"].get("metric"))
    metric = names[0] if names else None
    came = f"{metric_title(metric, spec['task'])} {figure(final[metric])}" if metric else None
    interval = between(final, metric) if metric else None
    known = [
        spec["task"],
        spec["model"],
        STATUS[state["status"]].lower(),
        f"{came} ({interval})" if interval else came,
        html.duration(state["progress"]["seconds"]),
        html.size((state.get("on_disk") or {}).get("bytes")),
    ]
    return f"{run_title(state)}\n{' · '.join(str(part) for part in known if part)}"
