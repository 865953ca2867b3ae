"""The first step of a run: the task, where the data comes from, which of its columns is what."""

from __future__ import annotations

from typing import Any

import gradio as gr
import orjson
from gradio.components import Component

from components.api import uploads_only
from components.service.errors import WorkbenchError
from components.service.runs.tasks import TRAIN_TASKS, Column, TrainTask
from components.service.sizes import in_units
from components.service.visitor import Visitor
from components.service.worker.layout import SPLIT_NAMES
from components.tabs.context import Context, Updates
from components.tabs.finetune.examples import STARTS
from components.widgets.file_drop import file_drop

HUB, FILE, IMAGES, ROWS = SOURCES = ("Hub data set", "Upload a file", "Upload images", "Paste rows")
#: The data of an earlier run, which lies in that run's folder.
KEPT = "As in the run before"
_FILE_TYPES = [".csv", ".tsv", ".jsonl", ".json", ".parquet"]
_NONE = [("none", "")]
_BESIDE = "With the same columns. Without them, some rows of the first file are held out to evaluate on."
_LEARNED = ("label", "tags", "answers", "target")


class DataForm:
    """The fields of the task and the data; `dataset` is what other tabs send to.

    `remedies` holds what is done about the data doctor's findings, by name: `{"label", "effect"}`; `listed` the
    configurations of the data set that `asked_of` names, for which configuration and split are chosen.
    """

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.remedies = gr.State({})
        self.listed: gr.State = gr.State([])
        first = next(iter(TRAIN_TASKS.values()))
        gr.HTML('<div class="wb-step"><b>1</b> Task and data</div>', padding=False)
        self.task = gr.Dropdown(
            [(task.title, name) for name, task in TRAIN_TASKS.items()],
            value=first.name,
            label="Task",
            elem_id="ft-task",
        )
        self.kind = gr.Radio(sources_of(first.name), value=HUB, label="Where the data comes from", elem_id="ft-source")
        self._source_fields(first)
        self.look = gr.Button("Look at the data", elem_id="ft-look")
        self.told = gr.HTML(padding=False, elem_id="ft-told-data")
        with gr.Row(elem_classes="wb-even"):
            self.columns = {column.role: _column(column, first) for column in _every_role().values()}

    def _source_fields(self, first: TrainTask) -> None:
        dataset, config = STARTS[first.name].data(self.ctx.bench.settings)
        self.asked_of = gr.State(dataset)
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
            self.revision = gr.Textbox(
                label="Revision", info="Empty: newest.", max_lines=1, min_width=120, elem_id="ft-data-revision"
            )
            self.config = _choice("Configuration", "It has several.", config, "ft-config")
            self.split = _choice("Split to train on", "Those to evaluate on stay as they are.", "", "ft-split")
        self._file_fields()
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

    def _file_fields(self) -> None:
        with gr.Column(visible=False) as self.file_part:
            self.file = _file("CSV, TSV, JSON Lines or Parquet", "ft-file")
            with gr.Accordion("Files to evaluate and to test on (optional)", open=False):
                gr.HTML(f'<p class="wb-lead">{_BESIDE}</p>', padding=False)
                with gr.Row(elem_classes="wb-even"):
                    self.beside = {
                        "validation": _file("To evaluate on", "ft-file-validation"),
                        "test": _file("To test on", "ft-file-test"),
                    }

    @property
    def fields(self) -> list[Component]:
        """The fields that `read` takes the values of, in order."""
        place = [self.kind, self.dataset, self.config, self.split, self.revision, self.images, self.rows, *self.files]
        return [self.task, *place, self.remedies, *self.columns.values()]

    @property
    def files(self) -> list[gr.File]:
        """The fields of uploaded tables: to train on, to evaluate on, to test on."""
        return [self.file, *self.beside.values()]

    def read(self, *values: Any) -> dict[str, Any]:
        """The task, the data and the columns as a spec has them; `data` is absent where it is an earlier run's."""
        (task, kind, *place, remedies), columns = values[: -len(self.columns)], values[-len(self.columns) :]
        data = {} if kind == KEPT else {"data": _source(kind, *place)}
        return {"task": task, **data, "columns": self._chosen(task, *columns), "remedies": list(remedies)}

    def _chosen(self, task: str, *columns: str | None) -> dict[str, str]:
        given = dict(zip(self.columns, columns, strict=True))
        return {role: str(given[role]) for role in TRAIN_TASKS[task].roles if given[role]}

    def source_shown(self, kind: str) -> Updates:
        """Show the fields of one kind of source."""
        parts = {HUB: self.on_hub, FILE: self.file_part, IMAGES: self.images_part, ROWS: self.rows}
        return {part: gr.update(visible=kind == name) for name, part in parts.items()}

    @property
    def sources(self) -> list[Any]:
        """What `source_shown` updates."""
        return [self.on_hub, self.file_part, self.images_part, self.rows]

    def wire_configs(self) -> None:
        """Offer the configurations and splits of a data set once it is named, and forget those of another one."""
        chosen = [self.config, self.split, self.listed, self.asked_of]
        for event in (self.look.click, self.dataset.submit):
            self.ctx.wire(
                event,
                self._offer_configs,
                [self.kind, self.dataset, self.revision, self.config],
                chosen,
                told=self.told,
                clears=False,
                show_progress="hidden",
            )
        quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}

        def other(dataset: str | None, asked_of: str) -> list[Any]:
            if (dataset or "").strip() == asked_of:
                return [gr.skip()] * len(chosen)
            return [_only(""), _only(""), [], ""]

        self.dataset.change(other, [self.dataset, self.asked_of], chosen, **quiet)
        self.config.input(
            lambda config, listed: {**_of_config(config, listed), "value": ""},
            [self.config, self.listed],
            self.split,
            **quiet,
        )

    def _offer_configs(
        self, visitor: Visitor, kind: str, dataset: str | None, revision: str | None, config: str | None
    ) -> Updates:
        dataset = (dataset or "").strip()
        if kind != HUB or not dataset:
            return {}
        listed = self.ctx.bench.data.list_configs(dataset, (revision or "").strip() or None, visitor=visitor)["configs"]
        choices = [(_config_title(one), "" if one["default"] else one["name"]) for one in listed]
        return {
            self.listed: listed,
            self.asked_of: dataset,
            self.config: gr.update(choices=choices, visible=len(listed) > 1 or bool(config)),
            self.split: _of_config(config, listed),
        }

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
            self.kind: gr.update(choices=sources_of(task), value=kind),
            self.dataset: dataset,
            self.asked_of: dataset,
            self.config: _only(config),
            self.split: _only(""),
            self.revision: "",
            self.rows: gr.update(value=begin.pasted),
        }

    def fill(self, spec: dict[str, Any]) -> Updates:
        """The task, the data and the columns of an earlier run; uploads and pasted rows stay in its folder."""
        data = spec["data"]
        kind = HUB if "dataset" in data else KEPT
        updates: Updates = {
            self.task: spec["task"],
            self.kind: gr.update(choices=[*sources_of(spec["task"]), *([KEPT] if kind == KEPT else [])], value=kind),
            self.remedies: {
                name: {"label": name.replace("_", " "), "effect": f"{name.replace('_', ' ').capitalize()}, as before."}
                for name in spec.get("remedies") or []
            },
        }
        if kind == HUB:
            given = {self.dataset: "dataset", self.asked_of: "dataset", self.revision: "revision"}
            updates |= {field: data.get(name) or "" for field, name in given.items()}
            updates |= {self.config: _only(data.get("config")), self.split: _only(data.get("split"))}
        shown = self.of_task(spec["task"])
        for column in TRAIN_TASKS[spec["task"]].columns:
            name = spec["columns"].get(column.role)
            shown[self.columns[column.role]] |= {"choices": _choices(column, [name] if name else []), "value": name}
        return {**updates, **shown}


def sources_of(task: str) -> list[str]:
    """Where the data of a task may come from: images are not pasted, and nothing else is uploaded as images."""
    unfit = ROWS if TRAIN_TASKS[task].sample == "image" else IMAGES
    return [source for source in SOURCES if source != unfit]


def _file(label: str, elem_id: str) -> gr.File:
    return gr.File(label=label, file_types=_FILE_TYPES, height=150, min_width=200, elem_id=elem_id)


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


def _choice(label: str, info: str, value: str, elem_id: str) -> gr.Dropdown:
    """A choice that is seen only where there is something to choose; an empty value is what is read by itself."""
    return gr.Dropdown(
        label=label,
        info=info,
        choices=[value] if value else [],
        value=value,
        allow_custom_value=True,
        visible=bool(value),
        min_width=200,
        elem_id=elem_id,
    )


def _only(value: str | None) -> Any:
    """A choice with one thing in it, or none and out of sight, until the data set has been asked for more."""
    return gr.update(choices=[value] if value else [], value=value or "", visible=bool(value))


def _config_title(config: dict[str, Any]) -> str:
    name = config["name"] or "all files together"
    return f"{name}, {in_units(config['bytes'])}" + (" (default)" if config["default"] else "")


def _of_config(config: str | None, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """The splits of a configuration that may be trained on."""
    one = next((one for one in listed if one["name"] == config or (not config and one["default"])), None)
    splits = one["splits"] if one else []
    choices = [(split, "" if one and split == one["train"] else split) for split in splits]
    shown: dict[str, Any] = gr.update(choices=choices, visible=len(splits) > 1)
    return shown


def _title(column: Column) -> str:
    if not column.required:
        return f"{column.title} (optional)"
    return column.title if " in " in column.title else f"{column.title} column"


def _choices(column: Column, names: list[str]) -> list[Any]:
    return [*names, *([] if column.required and not column.instead else _NONE)]


def _source(
    kind: str,
    dataset: str | None,
    config: str | None,
    split: str | None,
    revision: str | None,
    images: str,
    rows: str,
    *files: str | None,
) -> dict[str, Any]:
    """The data as the service takes it."""
    if kind == HUB:
        named = {"config": config, "split": split, "revision": revision}
        chosen = {name: value.strip() for name, value in named.items() if value and value.strip()}
        return {"dataset": (dataset or "").strip(), **chosen}
    if kind == ROWS:
        return {"text": rows or ""}
    if kind == IMAGES:
        return _images(images)
    given = {split: file for split, file in zip(SPLIT_NAMES, files, strict=True) if file}
    if "train" not in given:
        raise WorkbenchError("Upload a file to train on first.", field="data")
    names = [file.replace("\\", "/").rpartition("/")[2] for file in given.values()]
    if len(given) == 1:
        return {"file": given["train"], "name": names[0]}
    return {"files": [*given.values()], "names": names, "splits": [*given]}


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
