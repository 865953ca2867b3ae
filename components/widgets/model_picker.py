"""Choosing a model: a list that also takes any id, a search on the Hub in use, and the facts of what is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.service.workbench import Workbench
from components.widgets.html import count, counted, facts, notice, size

LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "zh", "ja", "ko")
LIBRARIES = ("transformers", "sentence-transformers", "timm", "peft", "diffusers", "gguf", "onnx")
LICENSES = (
    "apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "openrail", "gpl-3.0", "other",
)  # fmt: skip
SORTS = [
    ("Most downloads", "downloads"),
    ("Trending", "trending_score"),
    ("Most likes", "likes"),
    ("Last changed", "last_modified"),
    ("Newest", "created_at"),
]
_ROWS = 30
_ANY = "any"


@dataclass(frozen=True)
class ModelPicker:
    """The parts of one picker; `model` holds the id.

    Attributes:
        found: What a search found, to choose from; the value of a row is its id.
        filters: Task, language, library, licence, order, and whether it fits: as `search` takes them.
    """

    model: gr.Dropdown
    query: gr.Textbox
    search: gr.Button
    facts: gr.HTML
    found: gr.Radio
    filters: tuple[Component, ...]

    @classmethod
    def build(
        cls, label: str, value: str, *, info: str | None = None, filters: bool = False, later: bool = False
    ) -> ModelPicker:
        """Place a picker on the page being built; with `filters`, its search has some, and lists what it finds.

        `later`: its choices arrive when it is entered. Until then it has none: Enter takes the place of a choice that
        was found by what is typed, and another model may stand there once the longer list has arrived.
        """
        model = gr.Dropdown(
            label=label,
            info=info,
            choices=[] if later else [value],
            value=value,
            allow_custom_value=True,
            filterable=True,
        )
        shown = gr.HTML(facts([]), padding=False)
        with gr.Accordion("Find another model", open=False) if filters else gr.Column():
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
            with gr.Column(visible=filters):
                fields = _filters()
                found = gr.Radio(
                    [], label="Models found", show_label=False, container=False, elem_classes="wb-list", visible=False
                )
        return cls(model, query, search, shown, found, fields)


def _filters() -> tuple[Component, ...]:
    tasks = [("As chosen", ""), ("Any", _ANY), *((spec.title, name) for name, spec in TASKS.items())]
    with gr.Row():
        task = gr.Dropdown(tasks, value="", label="Task", min_width=120)
        language = _choice("Language", LANGUAGES)
    with gr.Row():
        library = _choice("Library", LIBRARIES)
        license = _choice("Licence", LICENSES)
    with gr.Row():
        sort = gr.Dropdown(SORTS, value=SORTS[0][1], label="Order", min_width=120)
        fits = gr.Checkbox(label="Fits this machine", min_width=120)
    return task, language, library, license, sort, fits


def _choice(label: str, values: tuple[str, ...]) -> gr.Dropdown:
    choices = [("Any", ""), *((value, value) for value in values)]
    return gr.Dropdown(choices, value="", label=label, allow_custom_value=True, min_width=120)


def search(
    bench: Workbench,
    visitor: Visitor,
    query: str,
    task: str,
    *filters: Any,
) -> list[dict[str, Any]]:
    """What the Hub finds, as of `search_models`.

    Args:
        task: The one chosen on the page, which counts where the filter names none.
        filters: Values of the picker's `filters`.
    """
    wanted, language, library, license, sort, fits = filters
    kind = "" if wanted == _ANY else wanted or task
    return bench.catalog.search_models(
        query or "", kind, language or "", library or "", license or "", sort, _ROWS, fits=fits, visitor=visitor
    )


def found(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The list of what a search found, as an update of the picker's `found`."""
    return gr.update(choices=[(row_label(row), row["id"]) for row in rows], value=None, visible=bool(rows))


def row_label(row: dict[str, Any]) -> str:
    """A model in a list: its id on the first line, below it what speaks for or against it."""
    known = [
        "starter model" if row["starter"] else None,
        "on this machine" if row["cached"] and not row["starter"] else None,
        row["task"],
        counted(row["parameters"], "parameter"),
        row["license"],
        {True: "fits", False: "too large for this machine"}.get(row["fits"]),
        "gated" if row["gated"] else None,
        counted(row["downloads"], "download"),
    ]
    return f"{row['id']}\n{' · '.join(part for part in known if part)}"


def choices(bench: Workbench, visitor: Visitor, *, task: str, query: str = "", first: str = "") -> list[str]:
    """Ids to choose from: the default, the visitor's finished runs for that task, then what the Hub finds."""
    runs = [run["model"] for run in bench.runs.list(visitor=visitor) if run["model"] and run["spec"]["task"] == task]
    found = [row["id"] for row in bench.catalog.search_models(query, task, limit=_ROWS, visitor=visitor)]
    return list(dict.fromkeys([*([first] if first else []), *(runs if not query else []), *found]))


def revisions(bench: Workbench, visitor: Visitor, model: str) -> list[str]:
    """The branches and tags of a model, `main` first; none for a model of this machine."""
    if not model or bench.hub.local(model, visitor):
        return []
    model, _at = bench.hub.read_id(model)
    refs = bench.repositories.list_refs(model, visitor=visitor)
    names = [ref["name"] for kind in ("branches", "tags") for ref in refs[kind]]
    return sorted(dict.fromkeys(names), key=lambda name: name != "main")


def describe(bench: Workbench) -> Callable[..., str]:
    """The lines under a picker: what the model is, what it needs, and why it would not be opened or not fit.

    The function takes the visitor, the model and, where they are known, the task and the revision.
    """

    def lines(visitor: Visitor, model: str, task: str = "", revision: str = "") -> str:
        if not model.strip():
            return notice(_default(bench, task))
        known = bench.catalog.model_facts(model, revision or None, task, visitor=visitor)
        memory = known["memory"]
        shown = facts(
            [
                ("Task", known["task"]),
                ("Architecture", known["architecture"]),
                ("Family", known["family"]),
                ("Parameters", count(known["parameters"])),
                ("Weights", size(known["bytes"])),
                ("Memory", f"{size(memory['needed'])} of {size(memory['at_hand'])}" if memory else None),
                ("Licence", known["license"]),
                ("Commit", known["commit"][:7]),
            ]
        )
        refused = [*known["refusals"], *([memory["told"]] if memory and not memory["fits"] else [])]
        return shown + "".join(notice(reason, "warning") for reason in [*refused, *_unfit(known)])

    return lines


def _default(bench: Workbench, task: str) -> str:
    """What an empty field means."""
    default = TASKS[task].default_model(bench.settings) if task in TASKS else ""
    return f"No model is chosen: {default} counts, the one that this task starts with." if default else ""


def _unfit(known: dict[str, Any]) -> list[str]:
    """Why the model does not fit its task, and which would."""
    if not known["fit"]:
        return []
    others = known["alternatives"]
    return [f"{known['fit']} Choose one of these: {', '.join(others)}." if others else str(known["fit"])]
