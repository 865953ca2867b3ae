"""The playground: choose a task and a model, run it, look at what happened, take the code along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS, ParameterSpec, TaskSpec
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.widgets import html, model_picker
from components.widgets.model_picker import ModelPicker
from components.widgets.stages import stages_view

_WAYS = [("With pipeline", "pipeline"), ("Step by step", "stages")]
_EMPTY = "Press Run. The first result takes a few seconds, while the model is loaded."
_EMPTY_HOOD = "Run something first: its three steps are shown here with their real tensors."


@dataclass(frozen=True)
class Playground:
    """The components that other tabs send to and take from."""

    task: gr.Dropdown
    picker: ModelPicker
    text: gr.Textbox
    to_tokens: gr.Button
    to_finetune: gr.Button
    to_card: gr.Button


def build(ctx: Context, page: gr.Blocks) -> Playground:
    """Lay out the tab and wire it."""
    first = next(iter(TASKS.values()))
    settings = ctx.bench.settings
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            task = gr.Dropdown(
                label="Task",
                choices=[(spec.title, name) for name, spec in TASKS.items()],
                value=first.name,
                info=first.summary,
                elem_id="pg-task",
            )
            picker = ModelPicker.build("Model", first.default_model(settings))
            text = gr.Textbox(
                label="Text",
                value=str(first.examples[0]),
                lines=4,
                max_lines=12,
                elem_id="pg-text",
            )
            examples = gr.Dataset(
                label="Examples",
                components=[gr.Textbox(visible=False)],
                samples=[[example] for example in first.examples],
                type="values",
            )
            with gr.Accordion("Parameters", open=False):
                forms = {name: _form(spec, visible=spec is first) for name, spec in TASKS.items()}
                revision = gr.Textbox(
                    label="Revision", placeholder="main", info="A branch, a tag or a commit.", max_lines=1
                )
            with gr.Row():
                run = gr.Button("Run", variant="primary", elem_id="pg-run", scale=3)
                stop = gr.Button("Stop", elem_id="pg-stop", scale=1, min_width=80, interactive=False)
            told = gr.HTML(padding=False, elem_id="pg-told")
        with gr.Column(scale=6, min_width=320):
            with gr.Tabs() as views:
                with gr.Tab("Result", id="result"):
                    result = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="pg-result")
                    ran = gr.HTML(padding=False, elem_id="pg-facts")
                with gr.Tab("Under the hood", id="hood") as hood:
                    stages = gr.HTML(html.empty(_EMPTY_HOOD), padding=False, elem_id="pg-stages")
                with gr.Tab("Code", id="code"):
                    way = gr.Radio(_WAYS, value=_WAYS[0][1], show_label=False, container=False, elem_id="pg-way")
                    code = gr.Code(language="python", show_label=False, elem_id="pg-code", interactive=False)
            gr.HTML('<p class="wb-lead">Take it further</p>', padding=False)
            with gr.Row():
                to_tokens = gr.Button("See its tokens", size="sm", min_width=120)
                to_finetune = gr.Button("Fine-tune this model", size="sm", min_width=120)
                to_card = gr.Button("Write its card", size="sm", min_width=120)

    call = [task, picker.model, text, revision, *(field for form in forms.values() for field in form.fields)]
    view = gr.State("result")
    last = gr.State(None)

    def choose_task(visitor: Visitor, name: str) -> Updates:
        default = TASKS[name].default_model(settings)
        known = model_picker.choices(ctx.bench, visitor, task=name, first=default)
        return {
            text: str(TASKS[name].examples[0]),
            picker.model: gr.update(value=default, choices=known),
            result: html.empty(_EMPTY),
            ran: "",
            stages: html.empty(_EMPTY_HOOD),
            code: "",
            last: None,
        }

    def fit_form(_visitor: Visitor, name: str) -> Updates:
        """The form of a task, however it came to be chosen: by hand, or sent from another tab."""
        spec = TASKS[name]
        return {
            task: gr.update(info=spec.summary),
            text: gr.update(label=spec.inputs[0].title),
            examples: gr.update(samples=[[example] for example in spec.examples]),
            **{form.group: gr.update(visible=other == name) for other, form in forms.items()},
        }

    def execute(
        visitor: Visitor, kind: str, name: str, model: str, prompt: str, at: str, *values: Any
    ) -> Iterator[Updates]:
        spec = TASKS[name]
        parameters = _given(forms, name, values)
        yield {result: html.empty("Running …"), ran: "", stages: html.empty(_EMPTY_HOOD), stop: _on, code: ""}
        call = (name, model, prompt, parameters, at or None)
        try:
            answer: dict[str, Any] = {}
            for answer in _answers(ctx, spec, call, visitor):
                yield {result: _shown(spec, prompt, answer), ran: _facts(answer)}
        except WorkbenchError:
            yield {result: html.empty(_EMPTY)}
            raise
        done = {**answer, "inputs": prompt}
        yield {code: ctx.bench.snippet(kind, done), last: done, stop: _off}

    def look_inside(visitor: Visitor, name: str, model: str, prompt: str, at: str, *values: Any) -> Updates:
        inside = ctx.bench.inference.run_stages(
            name, model, prompt, _given(forms, name, values), at or None, visitor=visitor
        )
        return {stages: stages_view(inside)}

    def look_if_open(visitor: Visitor, open_view: str, *rest: Any) -> Updates:
        return look_inside(visitor, *rest) if open_view == "hood" else {}

    def show_code(_visitor: Visitor, kind: str, done: dict[str, Any] | None) -> Updates:
        return {code: ctx.bench.snippet(kind, done) if done else ""}

    fresh = [text, picker.model, result, ran, stages, code, last]
    fitted = [task, text, examples, *(form.group for form in forms.values())]
    ctx.wire(task.input, choose_task, [task], fresh, told=told)
    ctx.wire(task.change, fit_form, [task], fitted, told=told, clears=False, show_progress="hidden")
    started = [
        ctx.wire(event, execute, [way, *call], [result, ran, stages, code, last, stop], told=told)
        for event in (run.click, text.submit)
    ]
    for event in started:
        after = event.then(lambda: _off, None, stop, api_visibility="private", show_progress="hidden")
        ctx.wire(after.then, look_if_open, [view, *call], [stages], told=told, clears=False, show_progress="hidden")
    stop.click(lambda: _off, None, stop, cancels=started, api_visibility="private", queue=False)
    ctx.wire(way.input, show_code, [way, last], [code], told=told, show_progress="hidden")
    ctx.wire(hood.select, look_inside, call, [stages], told=told)
    views.select(_selected, None, view, api_visibility="private", queue=False)
    examples.click(lambda sample: sample[0], examples, text, api_visibility="private", queue=False)
    bring_into_view(run.click, "pg-result")
    wire_picker(ctx, page, picker, told, task=task)
    return Playground(task, picker, text, to_tokens, to_finetune, to_card)


def wire_picker(
    ctx: Context, page: gr.Blocks, picker: ModelPicker, told: gr.HTML, *, task: gr.Dropdown | gr.State
) -> None:
    """Let a picker search, and say what is chosen."""
    describe = model_picker.describe(ctx.bench)

    def search(visitor: Visitor, query: str, name: str) -> Updates:
        found = model_picker.choices(ctx.bench, visitor, task=name, query=query)
        if not found:
            return {told: html.notice(f"Nothing found for “{query}” among the models of this task.", "warning")}
        return {picker.model: gr.update(choices=found, value=found[0])}

    def show_facts(visitor: Visitor, model: str) -> Iterator[Updates]:
        yield {picker.facts: ""}
        yield {picker.facts: describe(visitor, model)}

    for event in (picker.search.click, picker.query.submit):
        ctx.wire(event, search, [picker.query, task], [picker.model], told=told)
    for event in (picker.model.change, page.load):
        ctx.wire(
            event,
            show_facts,
            [picker.model],
            [picker.facts],
            told=told,
            clears=False,
            show_progress="hidden",
        )


_on, _off = gr.update(interactive=True), gr.update(interactive=False)


def _selected(event: gr.SelectData) -> str:
    return {"Result": "result", "Under the hood": "hood", "Code": "code"}.get(str(event.value), "result")


@dataclass(frozen=True)
class _Form:
    """The parameters of one task as fields."""

    group: gr.Column
    names: list[str]
    fields: list[Component]


def _form(spec: TaskSpec, *, visible: bool) -> _Form:
    with gr.Column(visible=visible) as group:
        fields = [_field(parameter) for parameter in spec.parameters]
    return _Form(group, [parameter.name for parameter in spec.parameters], fields)


def _field(spec: ParameterSpec) -> Component:
    """The field of one parameter; its bounds are the service's to check, which says them in a sentence."""
    title = spec.name.replace("_", " ").capitalize()
    if spec.type == "bool":
        return gr.Checkbox(label=title, info=spec.help, value=bool(spec.default))
    if spec.type == "choice":
        return gr.Dropdown(label=title, info=spec.help, choices=["", *spec.choices], value=spec.default or "")
    if spec.type in ("int", "float") and spec.default is not None:
        return gr.Number(label=title, info=spec.help, value=spec.default)
    # A number field cannot be left empty, and left empty means: as the model has it.
    return gr.Textbox(label=title, info=spec.help, value=spec.default or "", placeholder="not set", max_lines=1)


def _given(forms: dict[str, _Form], task: str, values: tuple[Any, ...]) -> dict[str, Any]:
    """The parameters that the visitor set away from their default, from the values of every task's form."""
    start = 0
    for name, form in forms.items():
        if name == task:
            given = dict(zip(form.names, values[start : start + len(form.names)], strict=True))
            typed = {spec.name: _typed(spec, given[spec.name]) for spec in TASKS[task].parameters}
            defaults = {spec.name: spec.default for spec in TASKS[task].parameters}
            return {key: value for key, value in typed.items() if value not in (None, "", defaults[key])}
        start += len(form.names)
    return {}


def _typed(spec: ParameterSpec, value: Any) -> Any:
    """What was typed as the number that it is; anything else as it stands, for the service to refuse by name."""
    if spec.type in ("int", "float") and isinstance(value, str):
        try:
            return float(value) if value.strip() else None
        except ValueError:
            return value
    return value


def _answers(ctx: Context, spec: TaskSpec, call: tuple[Any, ...], visitor: Visitor) -> Iterator[dict[str, Any]]:
    """The answer as it grows where the task streams, else at once."""
    inference = ctx.bench.inference
    return (
        inference.stream_task(*call, visitor=visitor)
        if spec.streams
        else iter([inference.run_task(*call, visitor=visitor)])
    )


def _shown(spec: TaskSpec, prompt: str, answer: dict[str, Any]) -> str:
    return _continued(prompt, answer) if spec.output == "text" else _labels(answer["output"])


def _labels(output: list[dict[str, Any]]) -> str:
    return html.bars([(row["label"], row["score"]) for row in output[:50]], label="Labels with their scores", unit="%")


def _continued(prompt: str, answer: dict[str, Any]) -> str:
    text = answer["text"]
    new = text.removeprefix(prompt)
    before = html.escape(prompt) if new != text else ""
    return f'<div class="wb-text" aria-live="polite">{before}<mark>{html.escape(new)}</mark></div>'


def _facts(answer: dict[str, Any]) -> str:
    tokens, seconds = answer.get("tokens"), answer.get("seconds")
    pairs = [
        ("Time", html.duration(seconds)),
        ("Tokens", tokens),
        ("Speed", f"{tokens / seconds:.0f} tokens/s" if tokens and seconds else None),
        ("Device", answer.get("device")),
        ("Type", answer.get("dtype")),
        ("Commit", (answer.get("commit") or "")[:7]),
    ]
    notes = "".join(html.notice(note, "warning") for note in answer.get("notes") or [])
    return html.facts(pairs) + notes
