"""The fields of what a task reads: one set for all tasks, of which each task shows those that it needs."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.tasks import InputSpec, TaskSpec
from components.service.tasks.media import SAMPLES, sample_names
from components.tabs.context import Updates

#: Which fields can show an input of a kind; the first that is free is taken.
_FIELDS = {
    "text": ("text", "text2"),
    "chat": ("text", "text2"),
    "texts": ("texts",),
    "table": ("table",),
    "image": ("image", "image2"),
    "audio": ("audio",),
    "video": ("video",),
    "json": ("json", "json2"),
}
_TEXT = ("text", "chat")
_MEDIA = ("image", "audio", "video")
#: How JSON begins where a text may stand as well: of a chat the list of its messages.
_JSON = {"json": re.compile(r"\s*[{\[]"), "chat": re.compile(r'\s*\[\s*\{\s*"')}
_NAMES = (
    "text",
    "text2",
    "texts",
    "table",
    "json",
    "json2",
    "image",
    "image2",
    "audio",
    "video",
    "chat",
    "system",
    "history",
)


def _path_only(_field: gr.Image, payload: Any) -> str | None:
    """The path of an uploaded picture, unopened."""
    return payload.path if payload is not None else None


# Gradio opens a picture before it hands its path on. A stranger's file is the worker's to open, which says in a
# sentence what is wrong with it. A subclass would do too, but Gradio writes a stub file beside the source of each.
gr.Image.preprocess = _path_only


class InputForm:
    """The input fields; `text` is what other tabs send to and take from."""

    def __init__(self, first: TaskSpec) -> None:
        held = _values(first, first.example().inputs)
        start = {name: {**look, "value": held[name]} for name, look in _looks(first).items()}
        # A text that is given as an example may be long: the field grows with it.
        self.text = gr.Textbox(lines=4, max_lines=12, elem_id="pg-text", **start["text"])
        self.text2 = gr.Textbox(lines=2, max_lines=12, elem_id="pg-text2", **start["text2"])
        self.texts = gr.Textbox(lines=4, max_lines=12, elem_id="pg-texts", **start["texts"])
        self.table = gr.Textbox(lines=5, max_lines=14, elem_id="pg-table", **start["table"])
        self.json = gr.Code(language="json", lines=4, max_lines=20, elem_id="pg-json", **start["json"])
        self.json2 = gr.Code(language="json", lines=8, max_lines=20, elem_id="pg-json2", **start["json2"])
        with gr.Row():
            picture: dict[str, Any] = {"type": "filepath", "sources": ["upload", "clipboard"], "height": 260}
            self.image = gr.Image(min_width=150, elem_id="pg-image", **picture, **start["image"])
            self.image2 = gr.Image(min_width=150, elem_id="pg-image2", **picture, **start["image2"])
        self.audio = gr.Audio(type="filepath", sources=["upload", "microphone"], elem_id="pg-audio", **start["audio"])
        self.video = gr.Video(sources=["upload"], height=260, elem_id="pg-video", **start["video"])
        self.chat = gr.Checkbox(
            label="Talk to it as a chat",
            info="Through the model's own chat template, turn by turn.",
            elem_id="pg-chat",
            **start["chat"],
        )
        with gr.Row(visible=False, elem_classes="wb-bottom") as self._talk:
            self.system = gr.Textbox(label="System message (optional)", max_lines=3, scale=4, elem_id="pg-system")
            self.fresh = gr.Button("New chat", size="sm", scale=1, min_width=90, elem_id="pg-new-chat")
        self.history = gr.State([])
        self.chat.change(lambda on: gr.update(visible=on), self.chat, self._talk, api_visibility="private", queue=False)

    @property
    def fields(self) -> list[Component]:
        """The fields whose values `read` takes, in order."""
        return [getattr(self, name) for name in _NAMES]

    def show(self, spec: TaskSpec) -> Updates:
        """Show the fields that a task needs, under its own words."""
        updates: Updates = {getattr(self, name): gr.update(**look) for name, look in _looks(spec).items()}
        return {**updates, self.system: gr.skip(), self.history: gr.skip()}

    def read(self, spec: TaskSpec, values: tuple[Any, ...]) -> Any:
        """The inputs as the service takes them, from the values of `fields`."""
        given = dict(zip(_NAMES, values, strict=True))
        found = {one.name: _value(one, [given[name] for name in names], given) for one, names in places(spec)}
        if len(spec.inputs) == 1:
            return found[spec.inputs[0].name]
        given = {name: value for name, value in found.items() if value not in (None, "", [])}
        needed = [one.name for one in spec.inputs if one.required]
        return given.get(needed[0], "") if set(given) <= set(needed) and len(needed) == 1 else given

    def fill(self, spec: TaskSpec, inputs: Any) -> Updates:
        """Put inputs, in the service's own form, into the fields; those that nothing is given for become empty."""
        return {getattr(self, name): value for name, value in _values(spec, inputs).items()}

    def said(self, messages: list[dict[str, Any]]) -> Updates:
        """A chat goes on: what was said is kept, and the field is free for the next message."""
        return {self.history: [one for one in messages if one["role"] != "system"], self.text: ""}


def places(spec: TaskSpec) -> list[tuple[InputSpec, list[str]]]:
    """Each input of a task with the names of the fields that hold it."""
    taken: set[str] = set()
    placed = []
    for one in spec.inputs:
        free = [name for name in _FIELDS[one.kind] if name not in taken]
        names = free[:2] if one.several else free[:1]
        taken |= set(names)
        placed.append((one, names))
    return placed


def summary(inputs: Any) -> str:
    """An example in a few words, for the row of examples."""
    if isinstance(inputs, dict):
        if "sample" in inputs:
            return str(inputs["sample"])
        parts = [summary(value) for value in inputs.values() if isinstance(value, str | list) or "sample" in value]
        text = " · ".join(part for part in parts if part and not part.startswith("{"))
    elif isinstance(inputs, list):
        text = " · ".join(summary(one) for one in inputs)
    else:
        text = str(inputs)
    return text if len(text) <= 90 else f"{text[:89]}…"


def can_show(spec: TaskSpec, inputs: Any) -> bool:
    """Whether the fields of a task can hold inputs that a stranger may have written."""
    try:
        json.dumps(inputs, indent=2, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # half of a character, among others
        return False
    whole = _by_name(spec, inputs)
    return all(
        _showable(one, part)
        for one, names in places(spec)
        for part in (whole[one.name][: len(names)] if _is_several(one, whole) else [whole.get(one.name)])
    )


def _is_several(one: InputSpec, whole: dict[str, Any]) -> bool:
    return one.several and isinstance(whole.get(one.name), list)


def _showable(one: InputSpec, value: Any) -> bool:
    if value is None:
        return True
    if one.kind in _MEDIA:  # of a file only what the app itself brings; no path is taken from a link
        return not isinstance(value, dict) or "sample" not in value or value["sample"] in sample_names()
    if one.kind == "texts":
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    if one.kind == "table":
        columns = list(value.values()) if isinstance(value, dict) else []
        return bool(columns) and all(isinstance(cells, list) and len(cells) == len(columns[0]) for cells in columns)
    return True


def _looks(spec: TaskSpec) -> dict[str, dict[str, Any]]:
    """Whether each field is shown for a task, and under which words; a chat is offered once the model is known."""
    placed = {name: one for one, names in places(spec) for name in names}
    looks: dict[str, dict[str, Any]] = {}
    for name in _NAMES[:-3]:
        one = placed.get(name)
        looks[name] = {"visible": False} if one is None else {"visible": True, "label": _title(spec, one, name)}
    return {**looks, "chat": {} if reads_chats(spec) else {"visible": False}}


def is_chat(text: str | None) -> bool:
    """Whether a text is the messages of a chat, as JSON."""
    return bool(_JSON["chat"].match(text or ""))


def reads_chats(spec: TaskSpec) -> bool:
    """Whether an input of a task may be a chat."""
    return any(one.kind == "chat" for one in spec.inputs)


def has_text(spec: TaskSpec) -> bool:
    """Whether a task reads text, which has tokens to be seen."""
    return any(one.kind in _TEXT for one in spec.inputs)


def _values(spec: TaskSpec, inputs: Any) -> dict[str, Any]:
    """What each field holds for inputs in the service's own form."""
    whole = _by_name(spec, inputs)
    values: dict[str, Any] = dict.fromkeys(_NAMES)
    for one, names in places(spec):
        given = whole.get(one.name)
        for name, part in zip(names, given if _is_several(one, whole) else [given], strict=False):
            values[name] = _shown(one, part)
    values["chat"] = isinstance(inputs, list) and bool(inputs) and isinstance(inputs[0], dict) and "role" in inputs[0]
    return {**values, "system": "", "history": []}


def _title(spec: TaskSpec, one: InputSpec, name: str) -> str:
    hint = {"texts": " (one a line)", "table": " (CSV: the first line names the columns)"}.get(one.kind, "")
    if one.several:
        return f"{'Second' if name.endswith('2') else 'First'} {one.kind}"
    optional = "" if one.required or len(spec.inputs) == 1 else " (optional)"
    return f"{one.title}{hint}{optional}"


def _by_name(spec: TaskSpec, inputs: Any) -> dict[str, Any]:
    known = {one.name for one in spec.inputs}
    if len(spec.inputs) > 1 and isinstance(inputs, dict) and set(inputs) <= known:
        return inputs
    return {spec.inputs[0].name: inputs}


def _shown(one: InputSpec, value: Any) -> Any:
    """A value of the service as its field shows it."""
    if value is None:
        return None
    if one.kind in _MEDIA:
        return str(SAMPLES / value["sample"]) if isinstance(value, dict) and "sample" in value else None
    if one.kind == "texts":
        return "\n".join(value)
    if one.kind == "table":
        sink = io.StringIO()
        writer = csv.writer(sink, lineterminator="\n")
        writer.writerow(value)
        writer.writerows(zip(*value.values(), strict=True))
        return sink.getvalue().rstrip("\n")
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False)


def _value(one: InputSpec, values: list[Any], given: dict[str, Any]) -> Any:
    """The value of one input from those of its fields."""
    if one.several:
        return [_file(value) for value in values if value]
    value = values[0]
    if one.kind in _MEDIA:
        return _file(value) if value else None
    if one.kind == "texts":
        return [line.strip() for line in (value or "").splitlines() if line.strip()]
    if one.kind == "table":
        return typed_table(value or "")
    if one.kind in _JSON and _JSON[one.kind].match(value or ""):
        return _json(value or "")
    if one.kind == "chat" and given["chat"]:
        return _conversation(value or "", given["system"] or "", given["history"] or [])
    return value or ""


def _conversation(text: str, system: str, history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was said so far, and what is said now; an empty message is the service's to refuse."""
    if not text.strip():
        raise WorkbenchError("There is no message yet. Write one.", field="inputs")
    first = [{"role": "system", "content": system}] if system.strip() else []
    return [*first, *history, {"role": "user", "content": text}]


def _file(path: str) -> dict[str, str]:
    return {"file": path, "name": path.replace("\\", "/").rpartition("/")[2]}


def typed_table(text: str) -> dict[str, list[str]]:
    tab = "\t" in text.partition("\n")[0]
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter="\t" if tab else ",") if row]
    except csv.Error:  # all that is left to go wrong here
        raise WorkbenchError(
            f"A cell of the table has more than {csv.field_size_limit():,} characters. Look for a quote that is never "
            "closed, or shorten the cell.",
            field="inputs",
        ) from None
    if len(rows) < 2:
        raise WorkbenchError("A table needs a line with the names of its columns, and rows under it.", field="inputs")
    names, *cells = rows
    if any(len(row) != len(names) for row in cells):
        raise WorkbenchError("Every row of the table needs as many cells as there are columns.", field="inputs")
    if len(set(names)) < len(names):
        raise WorkbenchError("Every column of the table needs a name of its own.", field="inputs")
    return {name: [row[place] for row in cells] for place, name in enumerate(names)}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WorkbenchError(f"This is not JSON: {error}.", field="inputs") from None
