"""The fine-tune runner: data, model, settings, start; then a run that goes on whatever happens to the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.tabs.finetune_data import DataForm
from components.tabs.finetune_run import RunPanel, sentences
from components.tabs.model_search import wire_picker
from components.widgets import html
from components.widgets.model_picker import ModelPicker

TASK = "text-classification"
SAMPLES = "I could not stop smiling.\nA complete waste of an evening.\nNot bad at all."
_PUSH = """Each checkpoint goes there as it is made, and the model with its card at the end. A new private repository in
your namespace; leave it empty to push later, or not at all."""


@dataclass(frozen=True)
class Finetune:
    """The components that other tabs send to and take from."""

    picker: ModelPicker
    dataset: gr.Textbox
    runs: gr.Dropdown
    to_playground: gr.Button
    to_card: gr.Button


def build(ctx: Context, page: gr.Blocks) -> Finetune:
    """Lay out the tab and wire it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            data = DataForm(ctx)
            gr.HTML('<div class="wb-step"><b>2</b> Model to start from</div>', padding=False)
            embedded = ctx.bench.settings.embedded
            picker = ModelPicker.build("Model", "starter/encoder" if embedded else "distilbert/distilbert-base-uncased")
            settings = _Settings(rate=5e-4 if embedded else 5e-5)
            start = gr.Button("Start", variant="primary", elem_id="ft-start")
            told = gr.HTML(padding=False, elem_id="ft-told")
        with gr.Column(scale=6, min_width=320):
            panel = RunPanel(ctx)

    def begin(visitor: Visitor, *values: Any) -> Updates:
        place, (text, label, model), typed = values[:4], values[4:7], values[7:]
        spec = {
            "task": TASK,
            "model": model,
            "data": data.source(*place),
            "columns": {"text": text, "label": label},
            **settings.read(*typed),
        }
        repo = settings.repository(*typed)
        if repo:
            ctx.bench.publisher.namespaces(visitor)
        run = ctx.bench.runs.start(spec, visitor=visitor)["id"]
        return {**panel.show(visitor, run), **share(visitor, run, repo)}

    def share(visitor: Visitor, run: str, repo: str) -> Updates:
        try:
            if repo:
                ctx.bench.sharing.share_run(run, repo, visitor=visitor)
        except WorkbenchError as error:
            return {told: html.notice(f"The run goes on, but it is not pushed. {error.message}", "warning")}
        return {}

    form = [*data.place, data.text, data.label, picker.model, *settings.fields]
    ctx.wire(start.click, begin, form, [panel.runs, *panel.live], told=told)
    data.wire()
    panel.wire(page, settings.samples)
    bring_into_view(start.click, "ft-run")
    wire_picker(ctx, page, picker, told, task=gr.State(""))
    return Finetune(picker, data.dataset, panel.runs, panel.to_playground, panel.to_card)


class _Settings:
    """The third step: how to train, what to try before and after, where to push."""

    def __init__(self, *, rate: float) -> None:
        gr.HTML('<div class="wb-step"><b>3</b> Settings</div>', padding=False)
        with gr.Row():
            self.epochs = gr.Number(label="Epochs", value=2, min_width=90, elem_id="ft-epochs")
            self.batch = gr.Number(label="Batch size", value=32, min_width=90)
            self.rate = gr.Number(label="Learning rate", value=rate, min_width=120)
            self.seed = gr.Number(label="Seed", value=42, min_width=90)
        self.samples = gr.Textbox(
            label="Your own sentences, for before and after",
            info="One a line.",
            value=SAMPLES,
            lines=3,
            elem_id="ft-samples",
        )
        self.name = gr.Textbox(label="Name of the run", placeholder="optional", max_lines=1)
        with gr.Accordion("Push to the Hub while it trains", open=False):
            self.repo = gr.Textbox(
                label="Repository", placeholder="my-model", info=_PUSH, max_lines=1, elem_id="ft-repo"
            )

    @property
    def fields(self) -> list[Any]:
        """The fields that `read` and `repository` take the values of."""
        return [self.epochs, self.batch, self.rate, self.seed, self.samples, self.name, self.repo]

    def read(
        self, epochs: Any, batch: Any, rate: Any, seed: Any, samples: Any, name: Any, _repo: Any
    ) -> dict[str, Any]:
        """The settings as a run's spec has them."""
        numbers = {"epochs": epochs, "batch_size": batch, "learning_rate": rate, "seed": seed}
        return {
            **{key: _filled(key, value) for key, value in numbers.items()},
            "samples": sentences(samples),
            "name": name or "",
        }

    def repository(self, *values: Any) -> str:
        """Where to push while it trains; a field in a fold that was never opened gives None."""
        return (values[-1] or "").strip()


def _filled(name: str, value: float | None) -> float:
    """A number of the form: a whole one as such, and none left out."""
    if value is None:
        raise WorkbenchError(f"Give a number for the {name.replace('_', ' ')}.", field=name)
    return int(value) if float(value).is_integer() else value
