"""Let a model picker search, and say what is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html, model_picker
from components.widgets.model_picker import ModelPicker


def wire_picker(
    ctx: Context,
    page: gr.Blocks,
    picker: ModelPicker,
    told: gr.HTML,
    *,
    task: gr.Dropdown | gr.State,
    revision: gr.Dropdown | None = None,
) -> None:
    """Let a picker search, and say what is chosen.

    Args:
        told: Where failures are told.
        task: The task that the model is for; its value is empty where any will do.
        revision: The field of the revision, which is offered the model's branches and tags.
    """
    bench = ctx.bench
    describe = model_picker.describe(bench)

    def search(visitor: Visitor, query: str, name: str, *filters: Any) -> Updates:
        rows = model_picker.search(bench, visitor, query, name, *filters)
        if not rows:
            asked = f"for “{query}” " if query else ""
            return {
                picker.found: gr.update(visible=False),
                told: html.notice(f"Nothing found {asked}among the models of this task and these filters.", "warning"),
            }
        ids = [row["id"] for row in rows]
        return {picker.found: model_picker.found(rows), picker.model: gr.update(choices=ids)}

    def show_facts(visitor: Visitor, model: str | None, name: str, at: str | None) -> Iterator[Updates]:
        yield {picker.facts: ""}
        if (model or "").startswith("http"):  # a pasted address becomes the id in it, which changes the field again
            named, found_at = bench.hub.read_id(model, at)
            yield {picker.model: named, **({revision: found_at} if revision is not None and found_at else {})}
        else:
            yield {picker.facts: describe(visitor, model or "", name, at or "")}

    def show_revisions(visitor: Visitor, model: str) -> Updates:
        return {} if revision is None else {revision: gr.update(choices=model_picker.revisions(bench, visitor, model))}

    found = [picker.found, picker.model]
    for event in (picker.search.click, picker.query.submit):
        ctx.wire(event, search, [picker.query, task, *picker.filters], found, told=told)
    plain: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
    # What was wrong with one model does not stay under the next, nor what was found for one task under another.
    # In the browser itself: an answer of the server may come so late that it wipes off what Run has said by then.
    picker.found.input(None, picker.found, [picker.model, told], js="(chosen) => [chosen, '']", **plain)
    picker.model.input(None, None, told, js="() => ''", **plain)
    task.change(lambda: gr.update(choices=[], value=None, visible=False), None, picker.found, **plain)
    at = revision if revision is not None else gr.State("")
    quiet: dict[str, Any] = {"told": told, "clears": False, "show_progress": "hidden"}
    events = [picker.model.change, page.load, *([revision.change] if revision is not None else [])]
    shown = [picker.facts, picker.model, *([revision] if revision is not None else [])]
    for event in events:
        ctx.wire(event, show_facts, [picker.model, task, at], shown, **quiet)
    if revision is not None:
        ctx.wire(revision.focus, show_revisions, [picker.model], [revision], **quiet)
