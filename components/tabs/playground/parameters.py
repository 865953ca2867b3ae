"""The fields of the parameters: one for each name that any task knows, of which each task shows its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS, ParameterSpec, TaskSpec
from components.tabs.context import Updates
from components.tabs.labels import label
from components.widgets.glossary import field_help


class ParameterForm:
    """Every parameter's field. Tasks share those of the same name and kind, of which each shows its own.

    Build it in two places: `needed` first, beside the inputs, then `rest`, which may be folded.
    """

    def __init__(self, first: TaskSpec) -> None:
        self._first = first
        self._specs: dict[Key, ParameterSpec] = {}
        for task in TASKS.values():
            for spec in task.parameters:
                known = self._specs.setdefault(_key(spec), spec)
                if spec.required and not known.required:
                    self._specs[_key(spec)] = spec
        self._fields: dict[Key, Component] = {}

    def needed(self) -> None:
        """Place the fields without which a task cannot run."""
        self._place([spec for spec in self._specs.values() if spec.required])

    def rest(self) -> None:
        """Place the others."""
        self._place([spec for spec in self._specs.values() if not spec.required])

    def _place(self, specs: list[ParameterSpec]) -> None:
        own = {_key(spec): spec for spec in self._first.parameters}
        for spec in specs:
            self._fields[_key(spec)] = _field(own.get(_key(spec), spec), visible=_key(spec) in own)

    @property
    def fields(self) -> list[Component]:
        """The fields whose values `read` takes, in order."""
        return list(self._fields.values())

    def show(self, spec: TaskSpec, given: Mapping[str, Any] | None = None) -> Updates:
        """Show a task's own parameters, at their defaults or at the values given."""
        own = {_key(one): one for one in spec.parameters}
        given = given or {}
        updates: Updates = {}
        for key, field in self._fields.items():
            if key not in own:
                updates[field] = gr.update(visible=False)
                continue
            one = own[key]
            value = written(one, given.get(one.name, one.default))
            more = {"choices": ["", *one.choices]} if one.type == "choice" else {}
            updates[field] = gr.update(visible=True, info=field_help(one.name, one.help), value=value, **more)
        return updates

    def read(self, spec: TaskSpec, values: tuple[Any, ...]) -> dict[str, Any]:
        """The parameters that the visitor set away from their defaults, from the values of `fields`."""
        given = dict(zip(self._fields, values, strict=True))
        found = {one.name: typed(one, given[_key(one)]) for one in spec.parameters}
        known = {one.name: one for one in spec.parameters}
        return {
            name: value
            for name, value in found.items()
            if value not in (None, "", []) and (known[name].required or value != known[name].default)
        }


#: A parameter's name, and the kind of its field: a name may be a box in one task and a choice in another.
Key = tuple[str, str]


def _key(spec: ParameterSpec) -> Key:
    return spec.name, spec.type if spec.type in ("bool", "choice", "json") else "text"


def _field(spec: ParameterSpec, *, visible: bool) -> Component:
    """The field of one parameter; its bounds are the service's to check, which says them in a sentence."""
    named: dict[str, Any] = {"label": label(spec.name), "info": field_help(spec.name, spec.help), "visible": visible}
    if spec.type == "bool":
        return gr.Checkbox(value=bool(spec.default), **named)
    if spec.type == "choice":
        return gr.Dropdown(choices=["", *spec.choices], value=spec.default or "", **named)
    # A number field cannot be left empty, and left empty means: as the model has it.
    lines = {"lines": 3} if spec.type == "json" else {"max_lines": 1}
    placeholder = {"list": "one, two, three", "json": "JSON"}.get(spec.type, "not set")
    return gr.Textbox(value=written(spec, spec.default), placeholder=placeholder, **named, **lines)


def can_hold(spec: ParameterSpec, value: Any) -> bool:
    """Whether the field of a parameter can hold a value that a stranger may have written."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # half of a character, among others
        return False
    if spec.type == "list":
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    if spec.type == "choice":
        return value in spec.choices
    return isinstance(value, bool) if spec.type == "bool" else True


def written(spec: ParameterSpec, value: Any) -> Any:
    """A value as its field shows it."""
    if spec.type == "bool":
        return bool(value)
    if value is None:
        return ""
    if spec.type == "list":
        # What would be cut elsewhere is written as JSON.
        plain = ", ".join(value)
        return plain if _listed(plain) == value else json.dumps(value, ensure_ascii=False)
    if spec.type == "json":
        return json.dumps(value, ensure_ascii=False)
    return f"{value:.15g}" if spec.type == "float" and isinstance(value, float) else str(value)


def typed(spec: ParameterSpec, value: Any) -> Any:
    """What was typed as what it is; anything else as it stands, for the service to refuse by name."""
    if not isinstance(value, str):
        # A box that is left empty says nothing where the default is the model's own.
        return None if value is False and spec.default is None else value
    text = value.strip()
    if not text:
        return None
    if spec.type in ("int", "float"):
        try:
            number = float(text)
        except ValueError:
            return value
        return int(number) if number.is_integer() else number
    if spec.type == "list":
        return _listed(text)
    if spec.type == "json":
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise WorkbenchError(f"{label(spec.name)} is not JSON.", field=f"parameters.{spec.name}") from None
    return value


def _listed(text: str) -> list[str]:
    """Texts from a field: a list as JSON, else with line breaks or commas between them."""
    if text.startswith("["):
        with suppress(ValueError, RecursionError):
            texts = json.loads(text)
            if isinstance(texts, list) and all(isinstance(one, str) for one in texts):
                return texts
    return [part.strip() for part in text.split("\n" if "\n" in text else ",") if part.strip()]
