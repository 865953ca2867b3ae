"""What a visitor asks: a task, a model, its inputs and parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.settings import Settings
from components.service.tasks import TASKS, TaskSpec
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.playground.asked import Asked
from components.tabs.playground.inputs import InputForm, is_chat, reads_chats, summary
from components.tabs.playground.link import read_link
from components.tabs.playground.parameters import ParameterForm
from components.widgets import html, model_picker
from components.widgets.model_picker import ModelPicker


class Form:
    """The left side of the tab."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        first = next(iter(TASKS.values()))
        self.task = gr.Dropdown(
            label="Task",
            choices=[(_listed(spec, ctx.bench.settings), name) for name, spec in TASKS.items()],
            value=first.name,
            info=first.summary,
            elem_id="pg-task",
        )
        self.picker = ModelPicker.build("Model", first.default_model(ctx.bench.settings), filters=True)
        self._fitted = gr.State(first.name)
        self.inputs = InputForm(first)
        self.parameters = ParameterForm(first)
        self.parameters.needed()
        with gr.Row():
            self.run = gr.Button("Run", variant="primary", elem_id="pg-run", scale=3)
            self.stop = gr.Button("Stop", elem_id="pg-stop", scale=1, min_width=80, interactive=False)
        self.told = gr.HTML(padding=False, elem_id="pg-told")
        self.examples = gr.Dataset(
            label="Examples",
            components=[gr.Textbox(visible=False)],
            samples=_samples(first),
            type="index",
            elem_id="pg-examples",
        )
        with gr.Accordion("Parameters", open=False):
            self.parameters.rest()
            self.revision = gr.Dropdown(
                label="Revision",
                info="A branch, a tag or a commit; empty for the newest.",
                choices=[],
                value=None,
                allow_custom_value=True,
                elem_id="pg-revision",
            )
            settings = ctx.bench.settings
            self.where = gr.Radio(
                [("This machine", "here"), ("An inference provider, with your token", "remote")],
                value="here",
                label="Runs on",
                info="A model too large for this machine can run elsewhere, on your own account.",
                visible=bool(settings.remote) or not settings.embedded,
                elem_id="pg-where",
            )

    @property
    def fields(self) -> list[Component]:
        """The fields whose values `read` takes, in order."""
        return [self.task, self.picker.model, self.revision, *self.inputs.fields, *self.parameters.fields]

    def read(self, *values: Any) -> Asked:
        """What is asked for, from the values of `fields`."""
        setting = self.setting(*values)
        begin = len(self.fields) - len(self.inputs.fields) - len(self.parameters.fields)
        inputs = self.inputs.read(setting.spec, values[begin : begin + len(self.inputs.fields)])
        return replace(setting, inputs=inputs)

    def setting(self, task: str, model: str | None, revision: str | None, *values: Any) -> Asked:
        """The same without the inputs: the task, the model and the parameters."""
        spec = TASKS[task]
        parameters = self.parameters.read(spec, values[len(self.inputs.fields) :])
        return Asked(spec, model or "", None, parameters, (revision or "").strip() or None)

    def wire(self, page: gr.Blocks, cleared: Updates) -> None:
        """Follow the task that is chosen, take examples, and open what a link asks for.

        Args:
            page: The Blocks, for what happens as it loads.
            cleared: What another task leaves of the results.
        """
        wire, quiet = self.ctx.wire, {"told": self.told, "show_progress": "hidden"}

        def choose(visitor: Visitor, name: str) -> Updates:
            return self._chosen(visitor, TASKS[name])

        def fit(_visitor: Visitor, name: str, fitted: str) -> Updates:
            # A link has filled the form already.
            return {} if name == fitted else {**self._fit(TASKS[name]), **cleared}

        chosen = [self.picker.model, *self.inputs.fields]
        wire(self.task.input, choose, [self.task], chosen, told=self.told, clears=False)
        fields = [*self.inputs.fields, *self.parameters.fields]
        fitted = [self._fitted, self.task, self.examples, *fields, *cleared]
        fit_it = wire(self.task.change, fit, [self.task, self._fitted], fitted, clears=False, **quiet)
        for event in (fit_it.then, self.picker.model.change):
            asked = [self.task, self.picker.model, self.revision, self.inputs.text]
            wire(event, self._offer_chat, asked, [self.inputs.chat], clears=False, **quiet)
        wire(self.examples.click, self._take, [self.examples, self.task], [self.picker.model, *fields], **quiet)
        self._open_links(page)

    def _chosen(self, visitor: Visitor, spec: TaskSpec) -> Updates:
        """A model and an example for a task that is chosen by hand."""
        bench = self.ctx.bench
        default = spec.example().model(bench.settings) or spec.default_model(bench.settings)
        known = model_picker.choices(bench, visitor, task=spec.name, first=default)
        model = default or (known[0] if known else "")
        told = "" if model else html.notice(_no_model(spec), "warning")
        filled = self.inputs.fill(spec, spec.example().inputs)
        return {self.picker.model: gr.update(value=model, choices=known), self.told: told, **filled}

    def _fit(self, spec: TaskSpec) -> Updates:
        """The fields of a task, however it came to be chosen: by hand, or sent from another tab."""
        return {
            self._fitted: spec.name,
            self.task: gr.update(info=spec.summary),
            self.examples: gr.update(samples=_samples(spec)),
            **self.inputs.show(spec),
            **self.parameters.show(spec, spec.example().parameters),
        }

    def _offer_chat(
        self, visitor: Visitor, name: str, model: str | None, revision: str | None, text: str | None
    ) -> Updates:
        """Only a model with a chat template can be talked to; one that a link's messages are for is."""
        asked = reads_chats(TASKS[name]) and bool((model or "").strip())
        known = (
            self.ctx.bench.catalog.model_facts(model, revision or None, visitor=visitor) if asked else {"chats": False}
        )
        if not known["chats"]:
            return {self.inputs.chat: gr.update(visible=False, value=False)}
        return {self.inputs.chat: gr.update(visible=True, value=True) if is_chat(text) else gr.update(visible=True)}

    def _take(self, _visitor: Visitor, number: int, name: str) -> Updates:
        """An example that is clicked, with what it needs besides."""
        spec, example = TASKS[name], TASKS[name].example(number)
        model = example.model(self.ctx.bench.settings)
        return {
            **self.inputs.fill(spec, example.inputs),
            **self.parameters.show(spec, example.parameters),
            **({self.picker.model: model} if model else {}),
        }

    @property
    def opened(self) -> list[Any]:
        """What `open` updates."""
        chosen = [self._fitted, self.task, self.examples, self.revision, self.picker.model]
        return [*chosen, *self.inputs.fields, *self.parameters.fields]

    def open(self, asked: Asked) -> Updates:
        """Fill the form with all that is asked for; where no model is, with the task's own."""
        model = asked.model or asked.spec.default_model(self.ctx.bench.settings)
        return {
            self._fitted: asked.spec.name,
            self.task: gr.update(value=asked.spec.name, info=asked.spec.summary),
            self.examples: gr.update(samples=_samples(asked.spec)),
            self.revision: asked.revision,
            **_merged(self.inputs.show(asked.spec), self.inputs.fill(asked.spec, asked.inputs)),
            **self.parameters.show(asked.spec, asked.parameters),
            **({self.picker.model: model} if model else {}),
        }

    def open_example(self, task: str, number: int) -> Updates:
        """Fill the form with one of a task's examples."""
        spec, example = TASKS[task], TASKS[task].example(number)
        model = example.model(self.ctx.bench.settings)
        return self.open(Asked(spec, model, example.inputs, dict(example.parameters), None))

    def _open_links(self, page: gr.Blocks) -> None:
        """A link to a view fills the form as it was; it never runs anything by itself."""

        def open_link(request: gr.Request) -> Any:
            asked = read_link(dict(request.query_params))
            updates = self.open(asked) if asked is not None else {}
            return [updates.get(target, gr.skip()) for target in self.opened]

        quiet = {"api_visibility": "private", "queue": False, "show_progress": "hidden", "show_progress_on": self.told}
        page.load(open_link, None, self.opened, **quiet)


def _merged(shown: Updates, filled: Updates) -> Updates:
    """Both what a field looks like and what it holds."""
    return {field: {**update, "value": filled.get(field)} for field, update in shown.items()}


def _samples(spec: TaskSpec) -> list[list[str]]:
    return [[summary(spec.example(number).inputs)] for number in range(len(spec.examples))]


def _listed(spec: TaskSpec, settings: Settings) -> str:
    """A task in the list, which says where one has to bring a model."""
    return spec.title if spec.default_model(settings) else f"{spec.title} (no starter model)"


def _no_model(spec: TaskSpec) -> str:
    return (
        f"There is no starter model for {spec.title.lower()}. Type the id of one that is on the Hub in use, or search "
        "for one."
    )
