"""Let a model picker search, and say what is chosen."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html, model_picker
from components.widgets.model_picker import ModelPicker


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
