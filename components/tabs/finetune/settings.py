"""How to train: the settings of a run, each explained; the common ones visible, the rest folded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.runs.checks import CHOICES
from components.service.runs.spec import RunSpec, defaults
from components.service.runs.tasks import TRAIN_TASKS
from components.service.runs.titles import metric_title
from components.tabs.context import Context, Updates
from components.widgets.figures import better
from components.widgets.glossary import field_help

_WRITING = ("summarization", "translation")
_PROBLEMS = {"auto": "As the data has it", "single": "One label a row", "multi": "Any number of labels a row",
             "regression": "A number"}  # fmt: skip


@dataclass(frozen=True)
class Setting:
    """One setting of `RunSpec` as the form has it.

    Attributes:
        name: Its field of `RunSpec`.
        title: Its label.
        help: What it does, in a sentence.
        titles: What its choices are called; a setting without any is typed.
        kind: `number`, `optional` (a number that may be left out) or `text`; for those that are typed.
        tasks: The tasks that know it; empty for all.
    """

    name: str
    title: str
    help: str
    titles: Mapping[str, str] | None = None
    kind: str = "number"
    tasks: tuple[str, ...] = ()

    def fits(self, task: str) -> bool:
        """Whether the task knows it."""
        return not self.tasks or task in self.tasks


_METHODS = {"full": "All weights", "lora": "LoRA"}
_COMMON = (
    Setting("epochs", "Epochs", "How often the rows are gone through."),
    Setting("batch_size", "Batch size", "Rows of one pass."),
    Setting("learning_rate", "Learning rate", "How far each step goes."),
    Setting("method", "What is trained", "LoRA: small matrices beside frozen weights.", _METHODS),
)
_ROWS = (
    Setting("validation", "Held out", "Where there is no validation split: a share below 1, or how many rows."),
    Setting("seed", "Seed", "Decides which rows are held out, their order, and where new weights begin."),
    Setting("max_length", "Longest sequence", "In tokens; longer ones are cut. Empty: what the model takes.", None,
            "optional"),
    Setting("max_target_length", "Longest target", "Most tokens of what is written.", tasks=_WRITING),
    Setting("problem", "Labels are", "What a label is.", _PROBLEMS, tasks=("text-classification",)),
    Setting("learn", "Learn from", "Of a chat: every token, or the assistant's alone.",
            {"all": "All tokens", "assistant": "The assistant's tokens"}, tasks=("text-generation",)),
    Setting("source_language", "Source language", "The code that a multilingual model is told, such as fra_Latn.",
            None, "text", ("translation",)),
    Setting("target_language", "Target language", "The code of the language that is written.", None, "text",
            ("translation",)),
)  # fmt: skip
_STEPS = (
    Setting("schedule", "Schedule", "How the learning rate falls.",
            {"linear": "Linear", "cosine": "Cosine", "constant": "Constant"}),
    Setting("warmup", "Warm-up", "Share of the steps in which the rate rises from 0."),
    Setting("weight_decay", "Weight decay", "Pulls weights towards 0 (AdamW)."),
    Setting("accumulation", "Accumulation", "Passes that make one step: large batches in little memory."),
    Setting("clipping", "Gradient clipping", "Longest gradient that is applied; 0 means no limit."),
    Setting("precision", "Precision", "Measured: bf16 where this machine is faster with it.",
            {"auto": "Measure", "fp32": "fp32", "bf16": "bf16"}),
)  # fmt: skip
_LORA = (
    Setting("lora_rank", "Rank", "Width of the matrices."),
    Setting("lora_alpha", "Alpha", "Weight of what they add, over the rank."),
    Setting("lora_dropout", "Dropout", "Share of their inputs that is left out."),
)
_EVALUATION = (
    Setting("evaluate", "Evaluate and save", "After every epoch, or every so many steps.",
            {"epoch": "Every epoch", "steps": "Every so many steps"}),
    Setting("every", "Steps between", "Where it is every so many steps."),
    Setting("metric", "Best by", "What the best checkpoint is chosen by.", {}),
    Setting("keep", "Keep", "Which weights become the model.", {"best": "The best", "last": "The last"}),
    Setting("patience", "Early stopping", "Evaluations without a better figure after which the run ends; 0: never."),
)  # fmt: skip
_TRACK = Setting("track", "Trackio project", "Its figures go there too, where trackio is installed.", None, "text")
_GROUPS = (("Rows and lengths", _ROWS), ("Steps", _STEPS), ("Evaluation, and which weights are kept", _EVALUATION))
_DEFAULTS = RunSpec(task="", model="", data={}).to_dict()
#: The starter models are tiny and learn at a higher rate; two epochs are over before one looks away.
_FORM = {"epochs": 2, "batch_size": 32}
_STARTER_RATE = 5e-4


class SettingsForm:
    """The third step of a run."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.first = next(iter(TRAIN_TASKS))
        self._settings: dict[str, Setting] = {}
        self._fields: dict[str, Component] = {}
        gr.HTML('<div class="wb-step"><b>3</b> Settings</div>', padding=False)
        self._place(_COMMON, 200)
        with gr.Accordion("LoRA", open=True, visible=False) as self.lora:
            self._place(_LORA, 110)
        self.name = gr.Textbox(label="Name of the run", placeholder="optional", max_lines=1)
        for title, settings in _GROUPS:
            with gr.Accordion(title, open=False):
                self._place(settings, 200)
        with gr.Accordion("Push to the Hub and track while it trains", open=False):
            self.repo = gr.Textbox(
                label="Repository", placeholder="my-model", info=_PUSH, max_lines=1, elem_id="ft-repo"
            )
            self._place((_TRACK,), 200)

    def _place(self, settings: Sequence[Setting], width: int) -> None:
        with gr.Row(elem_classes="wb-even"):
            for one in settings:
                self._settings[one.name] = one
                self._fields[one.name] = self._field(one, width)

    def _field(self, one: Setting, width: int) -> Component:
        look: dict[str, Any] = {
            "label": one.title,
            "info": field_help(one.name, one.help),
            "visible": one.fits(self.first),
            "min_width": width,
            "elem_id": f"ft-{one.name.replace('_', '-')}",
            "value": self.defaults(self.first)[one.name],
        }
        if one.titles is not None:
            return gr.Dropdown(choices=_choices(one, self.first), **look)
        if one.kind == "number":
            return gr.Number(**look)
        return gr.Textbox(max_lines=1, **look)

    @property
    def fields(self) -> list[Component]:
        """The fields whose values `read` takes, in order."""
        return [self.name, *self._fields.values()]

    def defaults(self, task: str, method: str = "full") -> dict[str, Any]:
        """What each field holds for a task before anybody has touched it."""
        rate = {"learning_rate": _STARTER_RATE} if self.ctx.bench.settings.embedded and method == "full" else {}
        return {**_DEFAULTS, **_FORM, **defaults(task, method), **rate, "metric": ""}

    def read(self, task: str, values: Sequence[Any]) -> dict[str, Any]:
        """The settings as a run's spec has them, from the values of `fields`; those of other tasks are left out."""
        given = dict(zip(self._fields, values[1:], strict=True))
        method = given["method"]
        spec: dict[str, Any] = {"name": values[0] or ""}
        for name, one in self._settings.items():
            if one.fits(task) and (not name.startswith("lora_") or method == "lora"):
                spec |= _typed(one, given[name])
        return spec

    def fill(self, spec: Mapping[str, Any]) -> Updates:
        """Put settings into their fields; those that the spec does not name stay as they are."""
        updates: Updates = {self.name: spec["name"]} if "name" in spec else {}
        for name, field in self._fields.items():
            if name in spec:
                updates[field] = _written(self._settings[name], spec[name])
        if "method" in spec:
            updates[self.lora] = gr.update(visible=spec["method"] == "lora")
        return updates

    def of_task(self, task: str) -> Updates:
        """The settings that a task knows, at its defaults; those that all tasks know keep what was typed."""
        known = self.defaults(task)
        updates: Updates = {}
        for name, one in self._settings.items():
            if one.tasks or name in ("metric", "learning_rate", "max_length"):
                more = {"choices": _choices(one, task)} if one.titles is not None else {}
                updates[self._fields[name]] = gr.update(
                    visible=one.fits(task), value=_written(one, known[name]), **more
                )
        return updates

    def wire(self, task: Component) -> None:
        """Follow the task and the method."""
        plain: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
        method, rate = self._fields["method"], self._fields["learning_rate"]
        method.input(
            lambda chosen, task: (gr.update(visible=chosen == "lora"), self.defaults(task, chosen)["learning_rate"]),
            [method, task],
            [self.lora, rate],
            **plain,
        )


_PUSH = (
    "Each checkpoint goes there as it is made, and the model with its card at the end. A new private repository in "
    "your namespace; leave it empty to push later, or not at all."
)


def _choices(one: Setting, task: str) -> list[tuple[str, str]]:
    if one.name == "metric":
        named = [(f"{metric_title(name, task)} ({better(name)})", name) for name in TRAIN_TASKS[task].metrics]
        return [("What suits the task", ""), *named]
    known = CHOICES.get(one.name) or ("auto", *TRAIN_TASKS[task].problems)
    return [((one.titles or {}).get(value, value), value) for value in known]


def _written(one: Setting, value: Any) -> Any:
    """A value as its field shows it."""
    if one.kind == "number" and one.titles is None:
        return value
    return "" if value is None else str(value)


def _typed(one: Setting, value: Any) -> dict[str, Any]:
    """What was typed as what it is, by its name; what is left empty is not said, and so takes its default."""
    if one.kind == "text" or one.titles is not None:
        return {one.name: value.strip()} if isinstance(value, str) and value.strip() else {}
    if one.kind == "number" and value is None and one in _COMMON:
        raise WorkbenchError(f"Give a number for the {one.title.lower()}.", field=one.name)
    if value is None or (isinstance(value, str) and not value.strip()):
        return {}
    try:
        number = float(value)
    except ValueError:
        raise WorkbenchError(f"{one.title} must be a number, or empty.", field=one.name) from None
    return {one.name: int(number) if number.is_integer() else number}
