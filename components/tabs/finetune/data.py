"""The first step of a run: the task, where the data comes from, which of its columns is what."""

from __future__ import annotations

from typing import Any

import gradio as gr
import orjson
from gradio.components import Component

from components.api import uploads_only
from components.service.errors import WorkbenchError
from components.service.runs.tasks import TRAIN_TASKS, Column, TrainTask
from components.tabs.context import Context, Updates
from components.tabs.finetune.examples import STARTS
from components.widgets.file_drop import file_drop

HUB, FILE, IMAGES, ROWS = SOURCES = ("Hub data set", "Upload a file", "Upload images", "Paste rows")
#: The data of an earlier run, which lies in that run's folder.
KEPT = "As in the run before"
_FILE_TYPES = [".csv", ".tsv", ".jsonl", ".json", ".parquet"]
_NONE = [("none", "")]
_LEARNED = ("label", "tags", "answers", "target")


class DataForm:
    """The fields of the task and the data; `dataset` is what other tabs send to.

    `remedies` holds what is done about the data doctor's findings, by name: `{"label", "effect"}`.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.remedies = gr.State({})
        first = next(iter(TRAIN_TASKS.values()))
        gr.HTML('<div class="wb-step"><b>1</b> Task and data</div>', padding=False)
        self.task = gr.Dropdown(
            [(task.title, name) for name, task in TRAIN_TASKS.items()],
            value=first.name,
            label="Task",
            elem_id="ft-task",
        )
        self.kind = gr.Radio(SOURCES, value=HUB, label="Where the data comes from", elem_id="ft-source")
        self._source_fields(first)
        self.look = gr.Button("Look at the data", elem_id="ft-look")
        self.told = gr.HTML(padding=False, elem_id="ft-told-data")
        with gr.Row(elem_classes="wb-even"):
            self.columns = {column.role: _column(column, first) for column in _every_role().values()}

    def _source_fields(self, first: TrainTask) -> None:
        dataset, config = STARTS[first.name].data(self.ctx.bench.settings)
        with gr.Row(visible=True, elem_classes="wb-even") as self.on_hub:
            self.dataset = gr.Textbox(
                label="Data set",
                value=dataset,
                info="Its id on the Hub in use.",
                max_lines=1,
                min_width=200,
                scale=2,
                elem_id="ft-dataset",
            )
            self.config = gr.Textbox(
                label="Configuration",
                value=config,
                info="If it has several.",
                max_lines=1,
                min_width=120,
                elem_id="ft-config",
            )
            self.revision = gr.Textbox(
                label="Revision", info="Empty: newest.", max_lines=1, min_width=120, elem_id="ft-data-revision"
            )
        self.file = gr.File(
            label="CSV, TSV, JSON Lines or Parquet",
            file_types=_FILE_TYPES,
            visible=False,
            height=120,
            elem_id="ft-file",
        )
        with gr.Column(visible=False) as self.images_part:
            self.images = file_drop("ft-images")
            gr.HTML(
                '<p class="wb-lead">The label of an image is the folder that it lies in, or the beginning of its name '
                "(cat_01.png), or stands in a metadata.csv beside them.</p>",
                padding=False,
            )
        self.rows = gr.Textbox(
            label="Rows",
            info="A table: the first line names its columns.",
            placeholder="text,label\nWhat a day!,positive\nNever again.,negative",
            lines=6,
            max_lines=14,
            visible=False,
            elem_id="ft-pasted",
        )

    @property
    def fields(self) -> list[Component]:
        """The fields that `read` takes the values of, in order."""
        place = [self.kind, self.dataset, self.config, self.revision, self.file, self.images, self.rows]
        return [self.task, *place, self.remedies, *self.columns.values()]

    def read(self, *values: Any) -> dict[str, Any]:
        """The task, the data and the columns as a spec has them; `data` is absent where it is an earlier run's."""
        task, kind, *place, remedies = values[:9]
        data = {} if kind == KEPT else {"data": _source(kind, *place)}
        return {"task": task, **data, "columns": self._chosen(task, *values[9:]), "remedies": list(remedies)}

    def _chosen(self, task: str, *columns: str | None) -> dict[str, str]:
        given = dict(zip(self.columns, columns, strict=True))
        return {role: str(given[role]) for role in TRAIN_TASKS[task].roles if given[role]}

    def source_shown(self, kind: str) -> Updates:
        """Show the fields of one kind of source."""
        parts = {HUB: self.on_hub, FILE: self.file, IMAGES: self.images_part, ROWS: self.rows}
        return {part: gr.update(visible=kind == name) for name, part in parts.items()}

    @property
    def sources(self) -> list[Any]:
        """What `source_shown` updates."""
        return [self.on_hub, self.file, self.images_part, self.rows]

    def offer(self, task: str, names: list[str], guess: dict[str, Any]) -> Updates:
        """The columns that the data really has, and which of them is probably what."""
        return {
            self.columns[column.role]: gr.update(choices=_choices(column, names), value=guess.get(column.role))
            for column in TRAIN_TASKS[task].columns
        }

    def of_task(self, task: str) -> Updates:
        """The roles of a task, none of them filled yet."""
        wanted = {column.role: column for column in TRAIN_TASKS[task].columns}
        shown = {role: {"visible": True, "label": _title(column)} for role, column in wanted.items()}
        return {
            field: gr.update(choices=[], value=None, **shown.get(role, {"visible": False}))
            for role, field in self.columns.items()
        }

    def start(self, task: str) -> Updates:
        """Data for a task that is chosen by hand: a data set where the Hub in use has one, else rows that show how."""
        begin = STARTS[task]
        dataset, config = begin.data(self.ctx.bench.settings)
        kind = HUB if dataset else ROWS if begin.pasted else IMAGES
        return {
            self.kind: gr.update(choices=list(SOURCES), value=kind),
            self.dataset: dataset,
            self.config: config,
            self.revision: "",
            self.rows: gr.update(value=begin.pasted),
        }

    def fill(self, spec: dict[str, Any]) -> Updates:
        """The task, the data and the columns of an earlier run; uploads and pasted rows stay in its folder."""
        data = spec["data"]
        kind = HUB if "dataset" in data else KEPT
        updates: Updates = {
            self.task: spec["task"],
            self.kind: gr.update(choices=[*SOURCES, *([KEPT] if kind == KEPT else [])], value=kind),
            self.remedies: {
                name: {"label": name.replace("_", " "), "effect": f"{name.replace('_', ' ').capitalize()}, as before."}
                for name in spec.get("remedies") or []
            },
        }
        if kind == HUB:
            given = {self.dataset: "dataset", self.config: "config", self.revision: "revision"}
            updates |= {field: data.get(name) or "" for field, name in given.items()}
        shown = self.of_task(spec["task"])
        for column in TRAIN_TASKS[spec["task"]].columns:
            name = spec["columns"].get(column.role)
            shown[self.columns[column.role]] |= {"choices": _choices(column, [name] if name else []), "value": name}
        return {**updates, **shown}


def _every_role() -> dict[str, Column]:
    """Every role of any task: what is read first, what is learned last."""
    found: dict[str, Column] = {}
    for task in TRAIN_TASKS.values():
        for column in task.columns:
            found.setdefault(column.role, column)
    return dict(sorted(found.items(), key=lambda one: one[0] in _LEARNED))


def _column(column: Column, first: TrainTask) -> gr.Dropdown:
    own = {one.role: one for one in first.columns}
    return gr.Dropdown(
        label=_title(own.get(column.role, column)),
        choices=[],
        value=None,
        allow_custom_value=True,
        visible=column.role in own,
        min_width=150,
        elem_id=f"ft-{column.role.replace('_', '-')}-col",
    )


def _title(column: Column) -> str:
    if not column.required:
        return f"{column.title} (optional)"
    return column.title if " in " in column.title else f"{column.title} column"


def _choices(column: Column, names: list[str]) -> list[Any]:
    return [*names, *([] if column.required and not column.instead else _NONE)]


def _source(
    kind: str, dataset: str | None, config: str | None, revision: str | None, file: str | None, images: str, rows: str
) -> dict[str, Any]:
    """The data as the service takes it."""
    if kind == HUB:
        named = {"config": (config or "").strip(), "revision": (revision or "").strip()}
        return {"dataset": (dataset or "").strip(), **{name: value for name, value in named.items() if value}}
    if kind == ROWS:
        return {"text": rows or ""}
    if kind == IMAGES:
        return _images(images)
    if not file:
        raise WorkbenchError("Upload a file first.", field="data")
    return {"file": file, "name": file.replace("\\", "/").rpartition("/")[2]}


def _images(dropped: str | None) -> dict[str, Any]:
    """The images of the field, which comes from the browser: each must be one that was uploaded."""
    try:
        given = [(str(one["file"]), str(one["path"])) for one in orjson.loads(dropped or "[]")]
    except (orjson.JSONDecodeError, TypeError, KeyError):
        raise WorkbenchError("The images did not arrive. Choose them again.", field="data") from None
    if not given:
        raise WorkbenchError("Choose images first.", field="data")
    source: dict[str, Any] = uploads_only({"files": [file for file, _ in given], "names": [path for _, path in given]})
    return source
