"""The fine-tune runner: data, model, settings, start; then a run that goes on whatever happens to the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.tabs.finetune.data import DataForm
from components.tabs.finetune.doctor import DoctorPanel
from components.tabs.finetune.examples import STARTS
from components.tabs.finetune.history import HistoryPanel
from components.tabs.finetune.jobs import JobPanel
from components.tabs.finetune.rehearsal import RehearsalPanel
from components.tabs.finetune.run import RunPanel
from components.tabs.finetune.samples import SampleForm
from components.tabs.finetune.settings import SettingsForm
from components.tabs.model_search import wire_picker
from components.widgets import html
from components.widgets.model_picker import ModelPicker

__all__ = ["Finetune", "build"]


@dataclass(frozen=True)
class Finetune:
    """The components that other tabs send to and take from.

    Attributes:
        task: That of the run that is shown.
        open_example: Fills the form with a task's example; its updates are over `opened`.
    """

    picker: ModelPicker
    dataset: gr.Textbox
    runs: gr.Dropdown
    task: gr.State
    to_playground: gr.Button
    to_card: gr.Button
    open_example: Callable[[str], Updates]
    opened: list[Any]


def build(ctx: Context, page: gr.Blocks) -> Finetune:
    """Lay out the tab and wire it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            form = RunForm(ctx)
        with gr.Column(scale=6, min_width=320):
            panel = RunPanel(ctx)
    doctor, history = DoctorPanel(ctx, form.data, panel), HistoryPanel(ctx, panel)
    form.wire(page, panel)
    doctor.wire(form.picker, form.settings)
    panel.wire(page, form.samples.fields, form.samples.read)
    history.wire()
    sent = (form.picker, form.data.dataset, panel.runs, panel.task, panel.to_playground, panel.to_card)
    return Finetune(*sent, form.open_example, form.opened)


class RunForm:
    """The left side of the tab: everything that makes a run's spec."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.before = gr.State("")
        self.data = DataForm(ctx)
        gr.HTML('<div class="wb-step"><b>2</b> Model to start from</div>', padding=False)
        first = STARTS["text-classification"].model(ctx.bench.settings)
        self.picker = ModelPicker.build("Model", first)
        self.settings = SettingsForm(ctx)
        self.samples = SampleForm(ctx)
        with gr.Column(elem_classes="wb-actions"):  # in sight wherever one is in the form, and its errors with it
            self.told = gr.HTML(padding=False, elem_id="ft-told")
            with gr.Row():
                self.rehearse = gr.Button("Rehearse", elem_id="ft-rehearse", scale=1, min_width=120)
                self.start = gr.Button("Start", variant="primary", elem_id="ft-start", scale=3, min_width=160)
        self.rehearsal = RehearsalPanel(ctx)
        self.jobs = JobPanel(ctx)

    @property
    def fields(self) -> list[Component]:
        """The fields whose values `read` takes, in order."""
        parts = (self.samples, self.settings, self.data)
        return [self.picker.model, *(field for part in parts for field in part.fields)]

    def read(self, model: str | None, *values: Any) -> dict[str, Any]:
        """The spec of the run, from the values of `fields`; without `data` where it is an earlier run's."""
        own = len(self.samples.fields)
        asked = self.data.read(*values[own + len(self.settings.fields) :])
        return {
            **asked,
            "model": model or "",
            **self.settings.read(asked["task"], values[own : own + len(self.settings.fields)]),
            "samples": self.samples.read(asked["task"], *values[:own]),
        }

    def wire(self, page: gr.Blocks, panel: RunPanel) -> None:
        """Start, rehearse, follow the task, and fill the form from an earlier run."""
        ctx, data = self.ctx, self.data
        form = [self.before, self.settings.repo, *self.fields]
        started = [panel.runs, panel.views, *panel.live]
        ctx.wire(self.start.click, self._starter(panel), form, started, told=self.told)
        bring_into_view(self.start.click, "ft-runs")
        self.settings.wire(data.task)
        self.rehearsal.wire(self.rehearse, [self.settings.repo, *self.fields], self._whole, self.settings, self.told)
        self.jobs.wire(self.fields, self._at_hand)
        plain: dict[str, Any] = {"told": self.told, "show_progress": "hidden"}
        ctx.wire(data.task.input, self._choose, [data.task], [*self._chosen, *self._of_task], **plain)
        ctx.wire(
            data.kind.change,
            lambda _visitor, kind: data.source_shown(kind),
            [data.kind],
            data.sources,
            clears=False,
            **plain,
        )
        pair = data.columns["text_pair"]
        ctx.wire(pair.change, lambda _visitor, *given: self.samples.pair(*given), [data.task, pair],
                 [self.samples.second], clears=False, **plain)  # fmt: skip
        filled = [self.before, *self.opened, self.settings.name, data.remedies]
        everything = list(dict.fromkeys([*filled, *self.settings.fields, self.settings.lora]))
        ctx.wire(panel.again.click, self._again, [panel.runs], everything, **plain)
        wire_picker(ctx, page, self.picker, self.told, task=gr.State(""))

    @property
    def _chosen(self) -> list[Any]:
        """The data and the model that another task begins with."""
        data = self.data
        place = [data.kind, data.dataset, data.asked_of, data.config, data.split, data.revision, data.rows]
        return [*place, self.picker.model]

    @property
    def opened(self) -> list[Any]:
        """What `open_example` updates."""
        return [self.data.task, *self._chosen, *self._of_task]

    def open_example(self, task: str) -> Updates:
        """Fill the form with what a task's example is."""
        return {self.data.task: task, **self._begin(task)}

    @property
    def _of_task(self) -> list[Any]:
        """What another task changes."""
        return [*self.data.columns.values(), *self.settings.fields, *self.samples.fields]

    def _choose(self, _visitor: Visitor, task: str) -> Updates:
        return self._begin(task)

    def _begin(self, task: str) -> Updates:
        """Another task: what it reads, its settings, and an example to start from."""
        model = STARTS[task].model(self.ctx.bench.settings)
        return {
            **self.data.start(task),
            **self.data.of_task(task),
            **self.settings.of_task(task),
            **self.samples.of_task(task),
            self.picker.model: gr.update(value=model, choices=[model]),
        }

    def _again(self, visitor: Visitor, run: str | None) -> Updates:
        """Fill the form with the settings of the run that is shown."""
        if not run:
            raise WorkbenchError("Start a run first.", field="run")
        state = self.ctx.bench.runs.state(run, visitor=visitor)
        spec = state["spec"]
        shown = self.settings.of_task(spec["task"])
        for field, value in self.settings.fill(spec).items():
            known = shown.get(field, {})
            shown[field] = {**known, **(value if isinstance(value, dict) else {"value": value, "__type__": "update"})}
        return {
            self.before: run,
            **self.data.fill(spec),
            **shown,
            **self.samples.fill(spec),
            self.picker.model: spec["model"],
            self.told: html.notice(f"The form holds the settings of {state['name']}. Change some, then press Start."),
        }

    def _whole(self, repo: str | None, *values: Any) -> tuple[dict[str, Any], str]:
        """The spec for a rehearsal, and where the model is to be pushed."""
        return self._at_hand(*values), (repo or "").strip()

    def _at_hand(self, *values: Any) -> dict[str, Any]:
        """The spec, for what needs its data at hand."""
        spec = self.read(*values)
        if "data" not in spec:
            raise WorkbenchError(
                "The data of the earlier run lies in its own folder, which only a run here reads. Start the run, or "
                "choose the data again.",
                field="data",
            )
        return spec

    def _starter(self, panel: RunPanel) -> Any:
        bench = self.ctx.bench

        def begin(visitor: Visitor, before: str, repo: str | None, *values: Any) -> Updates:
            spec = self.read(*values)
            repo = (repo or "").strip()
            if repo:
                bench.publisher.namespaces(visitor)
            if "data" in spec:
                run = bench.runs.start(spec, visitor=visitor)["id"]
            else:
                run = bench.runs.rerun(before, spec, visitor=visitor)["id"]
            return {**panel.show(visitor, run), **share(visitor, run, repo)}

        def share(visitor: Visitor, run: str, repo: str) -> Updates:
            try:
                if repo:
                    bench.sharing.share_run(run, repo, visitor=visitor)
            except WorkbenchError as error:
                return {self.told: html.notice(f"The run goes on, but it is not pushed. {error.message}", "warning")}
            return {}

        return begin
