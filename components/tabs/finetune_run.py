"""A run on the page: chosen from those there are, followed while it trains, stopped, resumed, tried."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html
from components.widgets.run_view import ACTIVE, NO_RUN, before_after, run_view, samples_view

POLL_SECONDS = 1.5
_NO_SAMPLES = "When the run has a model, its answers to your sentences stand here beside those from before."


class RunPanel:
    """The panel; `runs` holds the id of the run that is shown."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.runs = gr.Dropdown(label="Run", choices=[], value=None, elem_id="ft-runs")
        with gr.Row():
            self.stop = gr.Button("Stop", size="sm", interactive=False, elem_id="ft-stop", min_width=100)
            self.resume = gr.Button("Resume", size="sm", interactive=False, min_width=100)
        self.told = gr.HTML(padding=False)
        with gr.Tabs():
            with gr.Tab("Progress"):
                self.shown = gr.HTML(html.empty(NO_RUN), padding=False, elem_id="ft-run")
            with gr.Tab("Before and after"):
                self.compared = gr.HTML(html.empty(_NO_SAMPLES), padding=False, elem_id="ft-compared")
                self.compare = gr.Button("Compare on my sentences", interactive=False, elem_id="ft-compare")
            with gr.Tab("Code"):
                self.code = gr.Code(language="python", show_label=False, interactive=False, elem_id="ft-code")
        gr.HTML('<p class="wb-lead">Take it further</p>', padding=False)
        with gr.Row():
            self.to_playground = _further("Run it in the playground", "ft-to-play")
            self.to_card = _further("Write its card", "ft-to-card")
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    @property
    def live(self) -> list[Any]:
        """What `view` updates."""
        further = [self.compare, self.to_playground, self.to_card]
        return [self.shown, self.timer, self.stop, self.resume, *further, self.code, self.compared]

    def wire(self, page: gr.Blocks, samples: gr.Textbox) -> None:
        """Follow the run; `samples` holds the visitor's own sentences, one a line."""
        wire, runs = self.ctx.wire, [self.runs]
        quiet: dict[str, Any] = {"clears": False, "show_progress": "hidden"}
        wire(self.runs.input, self.view, runs, self.live, told=self.told)
        wire(self.timer.tick, self.view, runs, self.live, told=self.told, **quiet)
        wire(self.stop.click, self._stop, runs, self.live, told=self.told)
        wire(self.resume.click, self._resume, runs, self.live, told=self.told)
        wire(self.compare.click, self._try_both, [self.runs, samples], [self.compared], told=self.told)
        wire(page.load, self._newest, [], [self.runs, *self.live], told=self.told, **quiet)

    def show(self, visitor: Visitor, run: str) -> Updates:
        """Choose a run, new ones included, and show it."""
        known = [(run_title(state), state["id"]) for state in self.ctx.bench.runs.list(visitor=visitor)]
        return {self.runs: gr.update(choices=known, value=run), **self.view(visitor, run)}

    def view(self, visitor: Visitor, run: str | None) -> Updates:
        """The run as it stands."""
        if not run:
            return {self.shown: run_view(None), self.timer: gr.Timer(active=False)}
        state = self.ctx.bench.runs.state(run, visitor=visitor)
        active = state["status"] in ACTIVE
        usable = gr.update(interactive=bool(state["model"]))
        return {
            self.shown: run_view(state),
            self.timer: gr.Timer(active=active),
            self.stop: gr.update(interactive=active),
            self.resume: gr.update(interactive=state["resumable"]),
            **dict.fromkeys((self.compare, self.to_playground, self.to_card), usable),
            self.code: self.ctx.bench.snippet("finetune", {"spec": state["spec"], "dtype": state["dtype"]}),
            self.compared: samples_view(state) or html.empty(_NO_SAMPLES),
        }

    def _newest(self, visitor: Visitor) -> Updates:
        listed = self.ctx.bench.runs.list(visitor=visitor)
        return self.show(visitor, listed[0]["id"]) if listed else self.view(visitor, None)

    def _stop(self, visitor: Visitor, run: str) -> Updates:
        self.ctx.bench.runs.stop(run, visitor=visitor)
        return self.view(visitor, run)

    def _resume(self, visitor: Visitor, run: str) -> Updates:
        self.ctx.bench.runs.resume(run, visitor=visitor)
        return self.view(visitor, run)

    def _try_both(self, visitor: Visitor, run: str | None, samples: str | None) -> Updates:
        if not run:
            raise WorkbenchError("Start a run first.", field="run")
        answered = self.ctx.bench.runs.try_run(run, sentences(samples), visitor=visitor)
        return {self.compared: before_after(answered["rows"])}


def run_title(state: dict[str, Any]) -> str:
    """What a run is called in a list: its name and when it was made."""
    return f"{state['name']}, {time.strftime('%d %b %H:%M', time.localtime(state['created'] or time.time()))}"


def sentences(typed: str | None) -> list[str]:
    """The visitor's own sentences, one a line."""
    return [line for line in (typed or "").splitlines() if line.strip()]


def _further(title: str, elem_id: str) -> gr.Button:
    return gr.Button(title, size="sm", min_width=120, interactive=False, elem_id=elem_id)
