"""Compare: a few models on the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.playground.asked import Asked
from components.tabs.playground.batch import NO_CODE, RowsForm, code_fold, inputs_of
from components.tabs.playground.form import Form
from components.widgets import html, model_picker
from components.widgets.compare import compare_view

_EMPTY = (
    "Choose two models or more of the task on the left: they answer the same rows, side by side. Your finished runs "
    "are among them."
)

_ALONE = (
    "The Hub in use has one model for this task, and a comparison needs two. Fine-tune it: your finished run is listed "
    "here beside it. Or choose a task with more models on the left, such as Fill-mask."
)


class ComparePanel:
    """Models, rows, and what each makes of them."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.models = gr.Dropdown(
            label="Models",
            info="Ids; id@revision for another revision than the newest.",
            choices=[],
            value=[],
            multiselect=True,
            max_choices=ctx.bench.settings.compared_models,
            allow_custom_value=True,
            elem_id="pg-compare-models",
        )
        self.rows = RowsForm("pg-compare", TASKS[form.task.value])
        self.run = gr.Button("Compare", variant="primary", elem_id="pg-compare-run")
        self.told = gr.HTML(padding=False, elem_id="pg-compare-told")
        self.different = gr.Checkbox(label="Only rows on which they differ", value=False, visible=False)
        self.result = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="pg-compare-result")
        self.code = code_fold("pg-compare-code")
        self.last = gr.State(None)

    def wire(self, view: gr.State, opened: gr.Tab) -> None:
        """Offer models when the tab is opened, others for another task, run, and fold out the rows that differ."""
        ctx, form = self.ctx, self.form
        self.rows.wire(ctx, self.told, form.task)
        fields = [form.task, form.picker.model, self.models, self.last]
        offered = [self.models, self.result]
        ctx.wire(opened.select, self._offer, fields, offered, told=self.told, show_progress="hidden")
        again = [*offered, self.different, self.last, self.code]
        ctx.wire(form.task.change, self._offer_anew, [view, form.task], again, told=self.told, show_progress="hidden")
        ctx.wire(
            self.run.click,
            self._run,
            [self.different, self.models, *self.rows.fields, *form.fields],
            [self.result, self.different, self.last, self.code],
            told=self.told,
            failed={self.result: html.empty(_EMPTY)},
        )
        ctx.wire(self.different.input, self._show, [self.different, self.last], [self.result], told=self.told)

    def _offer(
        self, visitor: Visitor, task: str, model: str | None, chosen: list[str], last: dict[str, Any] | None
    ) -> Updates:
        known = model_picker.choices(self.ctx.bench, visitor, task=task, first=model or "")
        models = gr.update(choices=known, value=chosen or known[:2])
        return {self.models: models, **({} if last else {self.result: html.empty(_EMPTY if known[1:] else _ALONE)})}

    def _offer_anew(self, visitor: Visitor, view: str, task: str) -> Updates:
        """Models of another task, and nothing of what those of the former one made."""
        model = TASKS[task].default_model(self.ctx.bench.settings)
        offered = self._offer(visitor, task, model, [], None) if view == "compare" else {}
        blank = {self.models: [], self.result: html.empty(_EMPTY), self.last: None, self.code: ""}
        return {**blank, self.different: gr.update(visible=False, value=False), **offered}

    def _run(self, visitor: Visitor, different: bool, models: list[str], *values: Any) -> Iterator[Updates]:
        (rows, gold), asked = self.rows.read(*values[:5]), self.form.setting(*values[5:])
        running = html.empty("Running one model after the other …") + html.says("The models run")
        yield {self.result: running, self.last: None}
        made = self.ctx.bench.compare.compare_models(
            asked.spec.name, models, rows, asked.parameters, gold, visitor=visitor
        )
        kept = {**made, "rows": [{**row, "outputs": None} for row in made["rows"]]}
        yield {
            self.result: compare_view(kept, only_different=different) + html.says("The models are compared"),
            self.different: gr.update(visible=True),
            self.last: kept,
            self.code: self._code(asked, made),
        }

    def _code(self, asked: Asked, made: dict[str, Any]) -> str:
        ran = [one for one in made["models"] if not one.get("error")]
        inputs = inputs_of(made["rows"])
        given = {"task": asked.spec.name, "models": ran, "inputs": inputs, "parameters": asked.parameters}
        return self.ctx.bench.snippet("compare", given) if inputs else NO_CODE

    def _show(self, _visitor: Visitor, different: bool, last: dict[str, Any] | None) -> Updates:
        return {self.result: compare_view(last, only_different=different)} if last else {}
