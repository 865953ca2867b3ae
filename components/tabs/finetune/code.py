"""The script that does what a run does: with the Trainer, and as a plain PyTorch loop."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.snippets.finetune import FACTS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets.script import script

_WAYS = [("With Trainer", "finetune"), ("As a plain PyTorch loop", "finetune_loop")]


class CodePanel:
    """The script of the run that is shown."""

    def __init__(self, ctx: Context, runs: gr.Dropdown, opened: gr.Tab) -> None:
        self.ctx = ctx
        self.way = gr.Radio(_WAYS, value=_WAYS[0][1], show_label=False, container=False, elem_id="ft-way")
        self.told = gr.HTML(padding=False, elem_id="ft-told-code")
        self.code = script("ft-code")
        for event in (self.way.input, runs.change, opened.select):
            ctx.wire(event, self._write, [runs, self.way], [self.code], told=self.told, show_progress="hidden")

    def _write(self, visitor: Visitor, run: str | None, way: str) -> Updates:
        if not run:
            return {self.code: "# Start a run: the script that does the same stands here."}
        state = self.ctx.bench.runs.state(run, visitor=visitor)
        given: dict[str, Any] = {name: state[name] for name in ("spec", "dtype", "labels")}
        given |= {name: state["facts"][name] for name in FACTS if name in state["facts"]}
        return {self.code: self.ctx.bench.snippet(way, given)}
