"""The playground: choose a task and a model, run it, look at what happened, take the code along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.tasks import TASKS
from components.tabs.context import Context, Updates
from components.tabs.model_search import wire_picker
from components.tabs.playground.about import AboutPanel
from components.tabs.playground.batch import BatchPanel
from components.tabs.playground.compare import ComparePanel
from components.tabs.playground.form import Form
from components.tabs.playground.hood import Hood
from components.tabs.playground.inputs import has_text
from components.tabs.playground.result import ResultPanel
from components.widgets.explain import explain
from components.widgets.model_picker import ModelPicker

__all__ = ["Playground", "build"]


@dataclass(frozen=True)
class Playground:
    """The components that other tabs send to and take from.

    Attributes:
        last: The last answer, with its `inputs`.
        open_example: Fills the form with a task's example, by its number, and clears what was there; its updates are
            over `opened`.
        runs: The events that run, to be cancelled by what fills the form anew.
    """

    task: gr.Dropdown
    picker: ModelPicker
    text: gr.Textbox
    to_tokens: gr.Button
    to_finetune: gr.Button
    to_card: gr.Button
    to_example: gr.Button
    last: gr.State
    told: gr.HTML
    open_example: Callable[[str, int], Updates]
    opened: list[Any]
    runs: list[Any]


def build(ctx: Context, page: gr.Blocks) -> Playground:
    """Lay out the tab and wire it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            form = Form(ctx)
        with gr.Column(scale=6, min_width=320):
            with gr.Tabs(overflow_behavior="wrap") as views:
                with gr.Tab("Result", id="result"):
                    explain("playground", "Result")
                    result = ResultPanel(ctx, form)
                with gr.Tab("Under the hood", id="hood") as hood:
                    explain("playground", "Under the hood")
                    hood_views = Hood(ctx, form)
                with gr.Tab("Code", id="code"):
                    explain("playground", "Code")
                    result.code_part()
                with gr.Tab("Batch", id="batch"):
                    explain("playground", "Batch")
                    batch = BatchPanel(ctx, form)
                with gr.Tab("Compare", id="compare") as compare_tab:
                    explain("playground", "Compare")
                    compare = ComparePanel(ctx, form)
                with gr.Tab("About", id="about") as about_tab:
                    explain("playground", "About")
                    about = AboutPanel(ctx, form)
            gr.HTML('<p class="wb-lead">Take it further</p>', padding=False)
            with gr.Row():
                to_tokens = gr.Button("See its tokens", size="sm", min_width=96)
                to_finetune = gr.Button("Fine-tune it", size="sm", min_width=96)
                to_card = gr.Button("Write its card", size="sm", min_width=96)
                to_example = gr.Button("Add to its card", size="sm", min_width=96, elem_id="pg-to-example")
                to_link = gr.Button("Copy a link", size="sm", min_width=96, elem_id="pg-make-link")
            result.link_part()
    quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    form.task.change(lambda task: gr.update(visible=has_text(TASKS[task])), form.task, to_tokens, **quiet)
    view = gr.State("other")
    views.select(_selected, None, view, api_visibility="private", queue=False)
    cleared = {**result.cleared, **hood_views.cleared}
    form.wire(page, cleared)
    runs = result.wire(to_link)
    hood_views.wire(view, hood, runs)
    batch.wire()
    compare.wire(view, compare_tab)
    about.wire(view, about_tab)
    wire_picker(ctx, page, form.picker, form.told, task=form.task, revision=form.revision)
    return Playground(
        task=form.task,
        picker=form.picker,
        text=form.inputs.text,
        to_tokens=to_tokens,
        to_finetune=to_finetune,
        to_card=to_card,
        to_example=to_example,
        last=result.last,
        told=form.told,
        open_example=lambda task, number: {**form.open_example(task, number), **cleared},
        opened=[*form.opened, *cleared],
        runs=runs,
    )


def _selected(event: gr.SelectData) -> str:
    return {"Under the hood": "hood", "Compare": "compare", "About": "about"}.get(str(event.value), "other")
