"""Choosing a model: a list that also takes any id, a search on the Hub in use, and the facts of what is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.service.workbench import Workbench
from components.widgets.html import count, facts, notice, size


@dataclass(frozen=True)
class ModelPicker:
    """The parts of one picker; `model` holds the id."""

    model: gr.Dropdown
    query: gr.Textbox
    search: gr.Button
    facts: gr.HTML

    @classmethod
    def build(cls, label: str, value: str, *, info: str | None = None) -> ModelPicker:
        """Place a picker on the page being built."""
        model = gr.Dropdown(
            label=label,
            info=info,
            choices=[value],
            value=value,
            allow_custom_value=True,
            filterable=True,
        )
        shown = gr.HTML(facts([]), padding=False)
        with gr.Row(equal_height=True):
            query = gr.Textbox(
                label="Search the Hub for a model",
                show_label=False,
                placeholder="Search the Hub for a model",
                container=False,
                scale=4,
                max_lines=1,
            )
            search = gr.Button("Search", size="sm", scale=1, min_width=80)
        return cls(model, query, search, shown)


def choices(bench: Workbench, visitor: Visitor, *, task: str, query: str = "", first: str = "") -> list[str]:
    """Ids to choose from: the default, the visitor's finished runs for that task, then what the Hub finds."""
    runs = [run["model"] for run in bench.runs.list(visitor=visitor) if run["model"] and run["spec"]["task"] == task]
    found = [row["id"] for row in bench.catalog.search_models(query, task, limit=30, visitor=visitor)]
    return list(dict.fromkeys([*([first] if first else []), *(runs if not query else []), *found]))


def describe(bench: Workbench) -> Callable[[Visitor, str], str]:
    """The line under a picker: what the model is, and why it would not be opened."""

    def line(visitor: Visitor, model: str) -> str:
        if not model:
            return ""
        known: dict[str, Any] = bench.catalog.model_facts(model, visitor=visitor)
        shown = facts(
            [
                ("Task", known["task"]),
                ("Architecture", known["architecture"]),
                ("Family", known["family"]),
                ("Parameters", count(known["parameters"])),
                ("Weights", size(known["bytes"])),
                ("Licence", known["license"]),
                ("Commit", known["commit"][:7]),
            ]
        )
        return shown + "".join(notice(reason, "warning") for reason in known["refusals"])

    return line
