"""Under the hood: the three steps with their tensors, and what a language model does beneath them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.playground.batch import code_fold
from components.tabs.playground.form import Form
from components.widgets import generation, html
from components.widgets.stages import stages_view

_EMPTY = "Run something first: its three steps are shown here with their real tensors."


class Hood:
    """The views under the hood, of which each task shows those that it has."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        own = fits(form.task.value)
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Three steps"):
                self.stages = StagesPanel(ctx, form)
            with gr.Tab("Token by token", visible=own["steps"]) as self.steps_tab:
                self.steps = StepsPanel(ctx, form)
            with gr.Tab("Loss of a text", visible=own["score"]) as self.score_tab:
                self.score = ScorePanel(ctx, form)
            with gr.Tab("With and without a head"):
                self.heads = HeadsPanel(ctx, form)

    @property
    def cleared(self) -> Updates:
        """What another task leaves of the views."""
        panels = (self.steps, self.score, self.heads)
        views = {panel.view: html.empty(panel.empty) for panel in panels}
        codes = dict.fromkeys((panel.code for panel in panels), "")
        return {self.stages.stages: html.empty(_EMPTY), **views, **codes, self.steps.forced: []}

    def wire(self, view: gr.State, opened: gr.Tab, ran: list[Any]) -> None:
        """Wire every view, and show those that the task has."""
        self.stages.wire(view, opened, ran)
        for panel in (self.steps, self.score, self.heads):
            panel.wire()
        tabs = [self.steps_tab, self.score_tab]
        self.form.task.change(
            lambda task: [gr.update(visible=there) for there in fits(task).values()],
            self.form.task,
            tabs,
            api_visibility="private",
            queue=False,
        )


class StagesPanel:
    """The three steps of the last run, looked at when their tab is open."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.stages = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="pg-stages")

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


class Panel:
    """A button, and under it what it shows, with the code that gives it again."""

    def __init__(self, ctx: Context, form: Form, name: str, button: str, empty: str, **options: Any) -> None:
        self.ctx, self.form, self.empty = ctx, form, empty
        self.run = gr.Button(button, elem_id=f"pg-{name}-run")
        self.told = gr.HTML(padding=False, elem_id=f"pg-{name}-told")
        self.view = gr.HTML(html.empty(empty), padding=False, elem_id=f"pg-{name}", **options)
        self.code = code_fold(f"pg-{name}-code")


class StepsPanel(Panel):
    """Token by token: what was likely at each step, and going on from another token."""

    def __init__(self, ctx: Context, form: Form) -> None:
        empty = "Each token is shown with those that were likely in its place. Click one, and take another."
        super().__init__(ctx, form, "steps", "Write it token by token", empty, js_on_load=generation.PICKING)
        self.forced = gr.State([])

    def wire(self) -> None:
        """Write, and go on from an alternative that is clicked."""
        outputs = [self.view, self.code, self.forced]
        self.ctx.wire(self.run.click, self._write, self.form.fields, outputs, told=self.told)
        fields = [self.forced, *self.form.fields]
        self.ctx.wire(self.view.select, self._branch, fields, outputs, told=self.told, detailed=True)

    def _write(self, visitor: Visitor, *values: Any) -> Updates:
        return self._made(visitor, [], values)

    def _branch(self, visitor: Visitor, picked: dict[str, int], forced: list[dict[str, int]], *values: Any) -> Updates:
        before = [one for one in forced if one["step"] < picked["step"]]
        return self._made(visitor, [*before, {"step": picked["step"], "id": picked["id"]}], values)

    def _made(self, visitor: Visitor, forced: list[dict[str, int]], values: tuple[Any, ...]) -> Updates:
        asked, bench = self.form.read(*values), self.ctx.bench
        made = bench.generation.generation_steps(*asked.call, forced=forced, visitor=visitor)
        prompt = asked.inputs if asked.spec.name == "text-generation" and isinstance(asked.inputs, str) else ""
        code = bench.snippet("generation_steps", {**made, "inputs": asked.inputs, "forced": forced})
        return {self.view: generation.steps_view(made, prompt, forced), self.code: code, self.forced: forced}


class ScorePanel(Panel):
    """The loss of a text, token by token."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.text = gr.Textbox(
            label="Text",
            info="How likely is it to the model that is chosen on the left?",
            value="Once upon a time there was a little fox. Once upon a time there was a little spreadsheet.",
            lines=3,
            max_lines=10,
            elem_id="pg-score-text",
        )
        empty = "The loss of each token is shown here, and what the model held for likelier."
        super().__init__(ctx, form, "score", "Score it", empty)

    def wire(self) -> None:
        """Score when asked to."""
        fields = [self.text, self.form.task, self.form.picker.model, self.form.revision]
        for event in (self.run.click, self.text.submit):
            self.ctx.wire(event, self._score, fields, [self.view, self.code], told=self.told)

    def _score(self, visitor: Visitor, text: str, task: str, model: str, revision: str | None) -> Updates:
        bench = self.ctx.bench
        seen = bench.generation.score_text(model, text, revision, task, visitor=visitor)
        code = bench.snippet("score_text", {**seen, "text": text})
        return {self.view: generation.score_view(seen), self.code: code}


class HeadsPanel(Panel):
    """The same ids through the model without its head, and with it."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.texts = gr.Textbox(
            label="One or two texts, one a line",
            info="Of two, the shorter one is padded.",
            value="I've been waiting for a HuggingFace course my whole life.\nI hate this so much!",
            lines=2,
            max_lines=6,
            elem_id="pg-heads-texts",
        )
        self.labels = gr.Textbox(
            label="Labels (optional)",
            info="One for each text, with commas between; or the word inputs, for a model that foretells tokens.",
            max_lines=1,
            elem_id="pg-heads-labels",
        )
        empty = "The hidden states of the model stand here beside what its head makes of them."
        super().__init__(ctx, form, "heads", "Look with and without its head", empty)

    def wire(self) -> None:
        """Look when asked to."""
        fields = [self.texts, self.labels, self.form.task, self.form.picker.model, self.form.revision]
        self.ctx.wire(self.run.click, self._look, fields, [self.view, self.code], told=self.told)

    def _look(self, visitor: Visitor, texts: str, labels: str, task: str, model: str, revision: str | None) -> Updates:
        lines = [line for line in (texts or "").splitlines() if line.strip()]
        if not 1 <= len(lines) <= 2:
            raise WorkbenchError("Write one or two texts, one a line.", field="inputs")
        given = _labels(labels or "")
        bench = self.ctx.bench
        seen = bench.generation.hidden_states(task, model, lines, revision, given, visitor=visitor)
        code = bench.snippet("hidden_states", {**seen, "inputs": lines, "labels": given})
        return {self.view: generation.heads_view(seen), self.code: code}


def fits(task: str) -> dict[str, bool]:
    """Which of the views of writing a task has: steps and score."""
    return {"steps": TASKS[task].streams, "score": task in ("text-generation", "fill-mask")}


def _labels(typed: str) -> list[Any] | str | None:
    if not typed.strip():
        return None
    if typed.strip() == "inputs":
        return "inputs"
    parts = [part.strip() for part in typed.split(",")]
    return [int(part) if part.isdecimal() else part for part in parts]
