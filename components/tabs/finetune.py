"""The fine-tune runner: data, model, settings, start; then a run that goes on whatever happens to the page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.tabs.playground import wire_picker
from components.widgets import html
from components.widgets.model_picker import ModelPicker
from components.widgets.run_view import ACTIVE, NO_RUN, before_after, data_view, run_view, samples_view

TASK = "text-classification"
POLL_SECONDS = 1.5
SAMPLES = "I could not stop smiling.\nA complete waste of an evening.\nNot bad at all."
_SOURCES = ("Hub data set", "Upload a file", "Paste rows")
_NO_SAMPLES = "When the run has a model, its answers to your sentences stand here beside those from before."
_NO_DATA = "Press Look at the data: its columns, labels and anything that would spoil a run are shown here."


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
    embedded = ctx.bench.settings.embedded
    base = "starter/encoder" if embedded else "distilbert/distilbert-base-uncased"
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            gr.HTML('<div class="wb-step"><b>1</b> Data</div>', padding=False)
            source = gr.Radio(_SOURCES, value=_SOURCES[0], label="Where from", elem_id="ft-source")
            dataset = gr.Textbox(
                label="Data set",
                value="starter/reviews" if embedded else "stanfordnlp/sst2",
                info="Its id on the Hub in use.",
                max_lines=1,
                elem_id="ft-dataset",
            )
            file = gr.File(
                label="CSV, TSV, JSON Lines or Parquet",
                file_types=[".csv", ".tsv", ".jsonl", ".json", ".parquet"],
                visible=False,
                height=120,
                elem_id="ft-file",
            )
            pasted = gr.Textbox(
                label="Rows",
                placeholder="text,label\nWhat a day!,positive\nNever again.,negative",
                lines=6,
                max_lines=14,
                visible=False,
                elem_id="ft-pasted",
            )
            look = gr.Button("Look at the data", elem_id="ft-look")
            told_data = gr.HTML(padding=False, elem_id="ft-told-data")
            with gr.Row():
                text_column = gr.Dropdown(
                    label="Text column", choices=["text"], value="text", allow_custom_value=True, elem_id="ft-text-col"
                )
                label_column = gr.Dropdown(
                    label="Label column",
                    choices=["label"],
                    value="label",
                    allow_custom_value=True,
                    elem_id="ft-label-col",
                )
            with gr.Accordion("What the data holds", open=False) as preview_fold:
                preview = gr.HTML(html.empty(_NO_DATA), padding=False, elem_id="ft-preview")
            gr.HTML('<div class="wb-step"><b>2</b> Model to start from</div>', padding=False)
            picker = ModelPicker.build("Model", base)
            gr.HTML('<div class="wb-step"><b>3</b> Settings</div>', padding=False)
            with gr.Row():
                epochs = gr.Number(label="Epochs", value=2, min_width=90, elem_id="ft-epochs")
                batch = gr.Number(label="Batch size", value=32, min_width=90)
                rate = gr.Number(label="Learning rate", value=5e-4 if embedded else 5e-5, min_width=120)
                seed = gr.Number(label="Seed", value=42, min_width=90)
            samples = gr.Textbox(
                label="Your own sentences, for before and after",
                info="One a line.",
                value=SAMPLES,
                lines=3,
                elem_id="ft-samples",
            )
            name = gr.Textbox(label="Name of the run", placeholder="optional", max_lines=1)
            with gr.Accordion("Push to the Hub while it trains", open=False):
                repo = gr.Textbox(
                    label="Repository",
                    placeholder="my-model",
                    info="Each checkpoint goes there as it is made, and the model with its card at the end. "
                    "A new private repository in your namespace; leave it empty to push later, or not at all.",
                    max_lines=1,
                    elem_id="ft-repo",
                )
            start = gr.Button("Start", variant="primary", elem_id="ft-start")
            told = gr.HTML(padding=False, elem_id="ft-told")
        with gr.Column(scale=6, min_width=320):
            runs = gr.Dropdown(label="Run", choices=[], value=None, elem_id="ft-runs")
            with gr.Row():
                stop = gr.Button("Stop", size="sm", interactive=False, elem_id="ft-stop", min_width=100)
                resume = gr.Button("Resume", size="sm", interactive=False, min_width=100)
            told_run = gr.HTML(padding=False)
            with gr.Tabs():
                with gr.Tab("Progress"):
                    shown = gr.HTML(html.empty(NO_RUN), padding=False, elem_id="ft-run")
                with gr.Tab("Before and after"):
                    compared = gr.HTML(html.empty(_NO_SAMPLES), padding=False, elem_id="ft-compared")
                    compare = gr.Button("Compare on my sentences", interactive=False, elem_id="ft-compare")
                with gr.Tab("Code"):
                    code = gr.Code(language="python", show_label=False, interactive=False, elem_id="ft-code")
            gr.HTML('<p class="wb-lead">Take it further</p>', padding=False)
            with gr.Row():
                to_playground = gr.Button(
                    "Run it in the playground", size="sm", min_width=120, interactive=False, elem_id="ft-to-play"
                )
                to_card = gr.Button("Write its card", size="sm", min_width=120, interactive=False, elem_id="ft-to-card")
    timer = gr.Timer(POLL_SECONDS, active=False)

    def describe_source(kind: str, hub: str, upload: str | None, rows: str) -> dict[str, Any]:
        if kind == _SOURCES[1]:
            if not upload:
                raise WorkbenchError("Upload a file first.", field="data")
            return {"file": upload, "name": upload.replace("\\", "/").rpartition("/")[2]}
        return {"text": rows} if kind == _SOURCES[2] else {"dataset": hub.strip()}

    def inspect(visitor: Visitor, *values: Any) -> Updates:
        seen = ctx.bench.data.inspect(describe_source(*values), visitor=visitor)
        names = [column["name"] for column in seen["columns"]]
        guess = seen["suggested"]
        return {
            preview: data_view(seen),
            preview_fold: gr.update(open=True),
            text_column: gr.update(choices=names, value=guess.get("text") or names[0]),
            label_column: gr.update(choices=names, value=guess.get("label") or names[-1]),
        }

    def begin(visitor: Visitor, *values: Any) -> Updates:
        text_name, label_name, model, n_epochs, size, lr, number, own, called, shared_with = values[4:]
        # A text box in a fold that was never opened gives None.
        own, called, shared_with = own or "", called or "", (shared_with or "").strip()
        numbers = {"epochs": n_epochs, "batch_size": size, "learning_rate": lr, "seed": number}
        if shared_with:
            ctx.bench.publisher.namespaces(visitor)
        spec = {
            "task": TASK,
            "model": model,
            "data": describe_source(*values[:4]),
            "columns": {"text": text_name, "label": label_name},
            **{key: _filled(key, value) for key, value in numbers.items()},
            "samples": [line for line in own.splitlines() if line.strip()],
            "name": called,
        }
        state = ctx.bench.runs.start(spec, visitor=visitor)
        updates = {**view(visitor, state["id"]), runs: choose(visitor, state["id"])}
        if shared_with:
            try:
                ctx.bench.sharing.share_run(state["id"], shared_with, visitor=visitor)
            except WorkbenchError as error:
                updates[told] = html.notice(f"The run goes on, but it is not pushed. {error.message}", "warning")
        return updates

    def choose(visitor: Visitor, chosen: str | None = None) -> Any:
        known = [(run_title(state), state["id"]) for state in ctx.bench.runs.list(visitor=visitor)]
        return gr.update(choices=known, value=chosen or (known[0][1] if known else None))

    def view(visitor: Visitor, run: str | None) -> Updates:
        if not run:
            return {shown: run_view(None), timer: gr.Timer(active=False)}
        state = ctx.bench.runs.state(run, visitor=visitor)
        return {
            shown: run_view(state),
            timer: gr.Timer(active=state["status"] in ACTIVE),
            stop: gr.update(interactive=state["status"] in ACTIVE),
            resume: gr.update(interactive=state["resumable"]),
            **dict.fromkeys((compare, to_playground, to_card), gr.update(interactive=bool(state["model"]))),
            code: ctx.bench.snippet("finetune", {"spec": state["spec"], "dtype": state["dtype"]}),
            compared: samples_view(state) or html.empty(_NO_SAMPLES),
        }

    def reload(visitor: Visitor) -> Updates:
        listed = ctx.bench.runs.list(visitor=visitor)
        return {runs: choose(visitor), **view(visitor, listed[0]["id"] if listed else None)}

    def try_both(visitor: Visitor, run: str | None, own: str) -> Updates:
        if not run:
            raise WorkbenchError("Start a run first.", field="run")
        texts = [line for line in (own or "").splitlines() if line.strip()]
        return {compared: before_after(ctx.bench.runs.try_run(run, texts, visitor=visitor)["rows"])}

    def halt(visitor: Visitor, run: str) -> Updates:
        ctx.bench.runs.stop(run, visitor=visitor)
        return view(visitor, run)

    def go_on(visitor: Visitor, run: str) -> Updates:
        ctx.bench.runs.resume(run, visitor=visitor)
        return view(visitor, run)

    def switch(kind: str) -> list[Any]:
        return [gr.update(visible=kind == known) for known in _SOURCES]

    source.input(switch, source, [dataset, file, pasted], api_visibility="private", queue=False)
    place = [source, dataset, file, pasted]
    form = [text_column, label_column, picker.model, epochs, batch, rate, seed, samples, name, repo]
    live = [shown, timer, stop, resume, compare, to_playground, to_card, code, compared]
    looked = [preview, preview_fold, text_column, label_column]
    for event in (look.click, dataset.submit, file.upload):
        ctx.wire(event, inspect, place, looked, told=told_data)
    # What was said of other data may not stand beside this one.
    for event in (source.input, dataset.change, pasted.change, file.clear):
        event(lambda: ("", html.empty(_NO_DATA)), None, [told_data, preview], api_visibility="private", queue=False)
    ctx.wire(start.click, begin, [*place, *form], [runs, *live], told=told)
    ctx.wire(runs.input, view, [runs], live, told=told_run)
    ctx.wire(timer.tick, view, [runs], live, told=told_run, clears=False, show_progress="hidden")
    ctx.wire(stop.click, halt, [runs], live, told=told_run)
    ctx.wire(resume.click, go_on, [runs], live, told=told_run)
    ctx.wire(compare.click, try_both, [runs, samples], [compared], told=told_run)
    ctx.wire(page.load, reload, [], [runs, *live], told=told_run, clears=False, show_progress="hidden")
    bring_into_view(start.click, "ft-run")
    wire_picker(ctx, page, picker, told, task=gr.State(""))
    return Finetune(picker, dataset, runs, to_playground, to_card)


def _filled(name: str, value: float | None) -> float:
    """A number of the form: a whole one as such, and none left out."""
    if value is None:
        raise WorkbenchError(f"Give a number for the {name.replace('_', ' ')}.", field=name)
    return int(value) if float(value).is_integer() else value


def run_title(state: dict[str, Any]) -> str:
    return f"{state['name']}, {time.strftime('%d %b %H:%M', time.localtime(state['created'] or time.time()))}"
