"""A run on the page: chosen from those there are, followed while it trains, stopped by name, moved in line, resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.runs.outcomes import OUTCOMES
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.finetune.code import CodePanel
from components.tabs.finetune.log import LogPanel
from components.widgets import html
from components.widgets.answers import NO_SAMPLES, before_after, samples_view
from components.widgets.explain import explain
from components.widgets.rehearsal import changes
from components.widgets.run_results import NO_RESULTS, results_view
from components.widgets.run_view import ACTIVE, NO_RUN, run_title, run_view

POLL_SECONDS = 1.5
#: A run that has just ended is looked at once more: what it leaves on disk is put in order a moment later.
SETTLES = 5.0


class RunPanel:
    """The panel; `runs` holds the id of the run that is chosen, `task` its task.

    `seen` holds the run that the views show. An answer about the run before may come in after another one was chosen:
    then the two differ, and the chosen one is shown again.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        # What can be done with the run stands beside it and in a slot of its own: the views below stay where they are.
        with gr.Row(elem_classes="wb-bottom"):
            self.runs = gr.Dropdown(label="Run", choices=[], value=None, scale=2, min_width=220, elem_id="ft-runs")
            self._stopping()
        self.task = gr.State("text-classification")
        self.seen: gr.State = gr.State(None)
        self._buttons()
        self.told = gr.HTML(padding=False, elem_id="ft-told-run")
        with gr.Tabs(elem_id="ft-views", selected="progress", overflow_behavior="wrap") as self.views:
            self.data_tab = gr.Tab("Data", id="data")
            with gr.Tab("Progress", id="progress"):
                explain("finetune", "Progress")
                self.shown = gr.HTML(html.empty(NO_RUN), padding=False, elem_id="ft-run")
            with gr.Tab("Results", id="results"):
                explain("finetune", "Results")
                self.results = gr.HTML(html.empty(NO_RESULTS), padding=False, elem_id="ft-results")
            with gr.Tab("Before and after", id="samples"):
                explain("finetune", "Before and after")
                self.compared = gr.HTML(html.empty(NO_SAMPLES), padding=False, elem_id="ft-compared")
                self.compare = gr.Button("Compare on my inputs", interactive=False, elem_id="ft-compare")
            with gr.Tab("Code", id="code") as code_tab:
                explain("finetune", "Code")
                self.code = CodePanel(ctx, self.runs, code_tab)
            with gr.Tab("Log", id="log") as log_tab:
                explain("finetune", "Log")
                self.log = LogPanel(ctx, self.runs, log_tab)
            self.history_tab = gr.Tab("History", id="history")
        self.timer = gr.Timer(POLL_SECONDS, active=False)

    def _stopping(self) -> None:
        with (
            gr.Column(visible=False, scale=3, min_width=320) as self.stopping,
            gr.Row(elem_classes="wb-bottom"),
        ):
            self.how = gr.Dropdown(
                [(one.title, how) for how, one in OUTCOMES.items()],
                value="stop",
                label="How to stop",
                filterable=False,
                scale=3,
                min_width=200,
                elem_id="ft-how",
            )
            self.stop = gr.Button("Stop", scale=1, min_width=90, elem_id="ft-stop")

    def _buttons(self) -> None:
        with gr.Column(elem_classes="wb-slot"):
            self.effect = gr.HTML(padding=False, elem_id="ft-effect")
            with gr.Row():
                self.earlier = _small("Earlier in line", "ft-earlier", visible=False)
                self.later = _small("Later in line", "ft-later", visible=False)
                self.cancel = _small("Take out of the line", "ft-cancel", visible=False)
                self.resume = _small("Resume", "ft-resume", visible=False)
                self.mend = _small("Try again", "ft-mend", visible=False)
                # Where it goes from here is in sight beside the run, and not below its curves.
                self.to_playground = _small("Run it in the playground", "ft-to-play", visible=False)
                self.to_card = _small("Write its card", "ft-to-card", visible=False)
                self.again = _small("Run again with changes", "ft-again", visible=False)
        self.mending = gr.State({})

    @property
    def live(self) -> list[Any]:
        """What `view` updates."""
        moving = [self.earlier, self.later, self.cancel]
        ended = [self.resume, self.mend, self.mending, self.again]
        further = [self.compare, self.to_playground, self.to_card]
        shown = [self.shown, self.results, self.compared, self.task, self.seen, self.effect]
        return [*shown, self.timer, self.stopping, *moving, *ended, *further]

    def wire(self, page: gr.Blocks, samples: list[Component], read: Callable[..., list[Any]]) -> None:
        """Follow the run.

        Args:
            page: The Blocks, for what happens as it loads.
            samples: The fields with the visitor's own inputs, whose values `read` takes after the run's task.
        """
        wire, runs, live = self.ctx.wire, [self.runs], self.live
        quiet: dict[str, Any] = {"clears": False, "show_progress": "hidden"}
        wire(self.runs.input, self.view, runs, live, told=self.told)
        wire(self.runs.focus, self._listed, [], [self.runs], told=self.told, **quiet)
        wire(self.timer.tick, self.follow, [self.runs, self.how], live, told=self.told, **quiet)
        wire(self.seen.change, self._catch_up, [self.runs, self.seen], live, told=self.told, **quiet)
        wire(self.stop.click, self._stop, [self.runs, self.how], live, told=self.told)
        wire(self.cancel.click, self._cancel, runs, live, told=self.told)
        wire(self.earlier.click, self._earlier, runs, live, told=self.told)
        wire(self.later.click, self._later, runs, live, told=self.told)
        wire(self.resume.click, self._resume, runs, live, told=self.told)
        wire(self.mend.click, self._mend, [self.runs, self.mending], [self.runs, self.views, *live], told=self.told)
        wire(page.load, self._newest, [], [self.runs, *live], told=self.told, **quiet)
        self.how.input(
            lambda how: _effect(how),
            self.how,
            self.effect,
            api_visibility="private",
            queue=False,
            show_progress="hidden",
        )

        def try_both(visitor: Visitor, run: str | None, task: str, *values: Any) -> Updates:
            if not run:
                raise WorkbenchError("Start a run first.", field="run")
            answered = self.ctx.bench.runs.try_run(run, read(task, *values), visitor=visitor)
            return {self.compared: before_after(answered["rows"])}

        wire(self.compare.click, try_both, [self.runs, self.task, *samples], [self.compared], told=self.told)

    def show(self, visitor: Visitor, run: str) -> Updates:
        """Choose a run, new ones included, and show how it goes."""
        return {self.views: gr.Tabs(selected="progress"), **self._chosen(visitor, run)}

    def _chosen(self, visitor: Visitor, run: str) -> Updates:
        return {self.runs: gr.update(choices=self.known(visitor), value=run), **self.view(visitor, run)}

    def known(self, visitor: Visitor) -> list[tuple[str, str]]:
        """The visitor's runs, newest first, to choose from."""
        return [(run_title(state), state["id"]) for state in self.ctx.bench.runs.list(visitor=visitor)]

    def _listed(self, visitor: Visitor) -> Updates:
        """The runs that there are by now: others may have been started elsewhere, or told of out of turn."""
        return {self.runs: gr.update(choices=self.known(visitor))}

    def view(self, visitor: Visitor, run: str | None) -> Updates:
        """The run as it stands."""
        return self.follow(visitor, run, "stop")

    def follow(self, visitor: Visitor, run: str | None, how: str) -> Updates:
        """The run as it stands; `how` is the way to stop it that is chosen at the moment."""
        if not run:
            gone = (self.stopping, self.again, self.resume, self.mend, self.to_playground, self.to_card)
            hidden = dict.fromkeys(gone, gr.update(visible=False))
            return {self.shown: run_view(None), self.seen: run, self.timer: gr.Timer(active=False), **hidden}
        state = self.ctx.bench.runs.state(run, visitor=visitor)
        status = state["status"]
        has_model = bool(state["model"])
        trains = status in ACTIVE and status != "queued"
        return {
            self.shown: run_view(state),
            self.results: results_view(state),
            self.compared: samples_view(state) or html.empty(NO_SAMPLES),
            self.task: state["spec"]["task"],
            self.seen: run,
            self.timer: gr.Timer(active=status in ACTIVE or abs(time.time() - (state["ended"] or 0.0)) < SETTLES),
            self.stopping: gr.update(visible=trains),
            self.effect: _effect(how) if trains else "",
            **dict.fromkeys((self.earlier, self.later, self.cancel), gr.update(visible=status == "queued")),
            self.compare: gr.update(interactive=has_model),
            **dict.fromkeys((self.to_playground, self.to_card), gr.update(visible=has_model)),
            **self._ended(state),
        }

    def _catch_up(self, visitor: Visitor, run: str | None, seen: str | None) -> Updates:
        """Show the run that is chosen, where the views show another one."""
        return {} if run == seen else self.view(visitor, run)

    def _ended(self, state: dict[str, Any]) -> Updates:
        """What can be done with a run that has ended."""
        better = (state["failure"] or {}).get("changes") or {}
        return {
            self.resume: gr.update(visible=state["resumable"]),
            self.again: gr.update(visible=state["status"] not in ACTIVE),
            self.mend: gr.update(visible=bool(better), value=f"Try again with {changes(better)}"),
            self.mending: better,
        }

    def _newest(self, visitor: Visitor) -> Updates:
        listed = self.ctx.bench.runs.list(visitor=visitor)
        return self._chosen(visitor, listed[0]["id"]) if listed else self.view(visitor, None)

    def _stop(self, visitor: Visitor, run: str, how: str) -> Updates:
        self.ctx.bench.runs.stop(run, how, visitor=visitor)
        return self.follow(visitor, run, how)

    def _cancel(self, visitor: Visitor, run: str) -> Updates:
        self.ctx.bench.runs.stop(run, visitor=visitor)
        return self.view(visitor, run)

    def _earlier(self, visitor: Visitor, run: str) -> Updates:
        return self._moved(visitor, run, -1)

    def _later(self, visitor: Visitor, run: str) -> Updates:
        return self._moved(visitor, run, 1)

    def _moved(self, visitor: Visitor, run: str, by: int) -> Updates:
        runs = self.ctx.bench.runs
        place = runs.state(run, visitor=visitor)["place"]
        if place is not None:  # it may have started meanwhile
            runs.move(run, max(1, place + by), visitor=visitor)
        return self.view(visitor, run)

    def _resume(self, visitor: Visitor, run: str) -> Updates:
        self.ctx.bench.runs.resume(run, visitor=visitor)
        return self.view(visitor, run)

    def _mend(self, visitor: Visitor, run: str, better: dict[str, Any]) -> Updates:
        return self.show(visitor, self.ctx.bench.runs.rerun(run, better, visitor=visitor)["id"])


def _effect(how: str) -> str:
    return f'<p class="wb-lead">{html.escape(OUTCOMES[how].effect)}</p>'


def _small(title: str, elem_id: str, **look: Any) -> gr.Button:
    return gr.Button(title, size="sm", min_width=120, elem_id=elem_id, **look)
