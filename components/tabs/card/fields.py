"""The metadata of a card as the form shows it: one declaration a field, and its value to and from the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.service.errors import WorkbenchError

_CO2 = "co2_eq_emissions"


@dataclass(frozen=True)
class Field:
    """One field of the form.

    Attributes:
        path: Its place in the metadata.
        label, info: What people call it, and what it is for.
        kind: `text`, `lines` (of text), `number`, `choice` (one), `choices` (any number) or `json`.
        of: The list that it is chosen from, as `search_lists` calls it; empty where anything may be typed.
        options: What may be chosen where the list is short and closed.
    """

    path: str
    label: str
    info: str = ""
    kind: str = "text"
    of: str = ""
    options: tuple[str, ...] = ()

    def shown(self, values: Mapping[str, Any]) -> Any:
        """The value as the form holds it; values that do not fit a form are shown as they are written."""
        value = _value(values, self.path)
        if self.kind == "choices":
            return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]
        if value is None:
            return None if self.kind in ("choice", "number") else ""
        if self.kind == "number":
            return value if isinstance(value, int | float) and not isinstance(value, bool) else None
        if self.kind == "json" or not isinstance(value, str):
            return json.dumps(value, ensure_ascii=False, indent=2)
        return value

    def changes(self, values: Mapping[str, Any], given: Any) -> list[dict[str, Any]]:
        """What lets the card say what the form now holds; nothing where it says so already.

        Raises:
            WorkbenchError: What was typed is no JSON.
        """
        wanted = self._read(given)
        if wanted == self._read(self.shown(values)):
            return []
        before = _value(values, self.path)
        # One language or base model is written as a text, as the Hub's own examples do; a list stays a list.
        alone = self.path in ("language", "base_model") and not isinstance(before, list)
        if isinstance(wanted, list) and len(wanted) == 1 and self.kind == "choices" and alone:
            wanted = wanted[0]
        return _written(values, self.path, wanted)

    def _read(self, given: Any) -> Any:
        """What the form holds as a value of the metadata; None where it is empty."""
        if self.kind == "json":
            try:
                return json.loads(given) if given and given.strip() else None
            except ValueError as error:
                raise WorkbenchError(
                    f"{self.label} is no JSON ({error}). Give a list such as [] or an object such as {{}}.",
                    field=self.path,
                ) from None
        if self.kind == "number":
            return given
        if isinstance(given, list):
            return [one.strip() for one in given if one.strip()] or None
        return (given or "").strip() or None


def _value(values: Mapping[str, Any], path: str) -> Any:
    key, _, inner = path.partition(".")
    value = values.get(key)
    if not inner:
        return value
    if isinstance(value, Mapping):
        return value.get(inner)
    # Emissions may be given as a bare number of grams.
    return value if inner == "emissions" else None


def _written(values: Mapping[str, Any], path: str, wanted: Any) -> list[dict[str, Any]]:
    key, _, inner = path.partition(".")
    whole = values.get(key)
    if inner and whole is not None and not isinstance(whole, Mapping):
        kept = {} if inner == "emissions" else {"emissions": whole}
        return [{"field": key, "value": {**kept, **({inner: wanted} if wanted is not None else {})} or None}]
    if inner and wanted is None and isinstance(whole, Mapping) and set(whole) <= {inner}:
        return [{"field": key, "value": None}]
    return [{"field": path, "value": wanted}]


_RELATIONS = ("finetune", "adapter", "quantized", "merge")
#: The fields in their groups.
GROUPS: dict[str, tuple[Field, ...]] = {
    "What it is": (
        Field("pipeline_tag", "Task", "The Hub's task filter finds the model by it.", "choice", "tasks"),
        Field("library_name", "Library", "What loads the model.", "choice", "libraries"),
        Field("language", "Languages", "Codes such as en, or type a name.", "choices", "languages"),
        Field("license", "Licence", "Without one nobody may use the model.", "choice", "licenses"),
        Field("license_name", "Name of another licence", "Where the licence is other."),
        Field("license_link", "Link to that licence", "An address, or a file such as LICENSE."),
        Field("tags", "Tags", "Anything else that one may search for.", "choices"),
    ),
    "Where it comes from": (
        Field("base_model", "Base model", "What it was made from, namespace/name.", "choices"),
        Field("base_model_relation", "How it was made from it", "", "choice", options=_RELATIONS),
        Field("datasets", "Data sets", "Ids on the Hub.", "choices"),
        Field("metrics", "Metrics", "What was measured.", "choices", "metrics"),
    ),
    "Examples, access and emissions": (
        Field("widget", "Examples to try", 'A list such as [{"text": "I like it."}].', "json"),
        Field("extra_gated_prompt", "What is asked before access", "Gates the model on the Hub.", "lines"),
        Field("extra_gated_fields", "Fields to fill in for access", 'Such as {"Company": "text"}.', "json"),
        Field(f"{_CO2}.emissions", "Emissions in grams of CO2", "", "number"),
        Field(f"{_CO2}.source", "How they were measured"),
        Field(f"{_CO2}.training_type", "Kind of training", "Such as fine-tuning or pre-training."),
        Field(f"{_CO2}.geographical_location", "Where it was trained"),
        Field(f"{_CO2}.hardware_used", "On which hardware"),
    ),
}
FIELDS: tuple[Field, ...] = tuple(field for group in GROUPS.values() for field in group)


def field_of(path: str) -> str:
    """The field of the form in which a path of the metadata is changed; empty where there is none."""
    if path == _CO2:
        return f"{_CO2}.emissions"
    known = (*(field.path for field in FIELDS), "model-index")
    return next((field for field in known if path == field or path.startswith((f"{field}.", f"{field}["))), "")
