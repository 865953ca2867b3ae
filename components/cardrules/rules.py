"""What the Hub refuses in the metadata of a card, each with its path: the one place where these rules stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from components.cardrules.keys import SPECIAL_LANGUAGES
from components.cardrules.snapshots import snapshot

Rule = Literal["type", "required", "empty", "licence", "language", "id", "dataset type", "choice"]
#: The name of a repository.
ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
_DATASET_TYPE = re.compile(r"(?:[\w-]+/)?[\w.-]+", re.ASCII)
#: The Hub takes any code of two or three letters, also such as no list has.
_CODE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_SDKS = ("gradio", "docker", "static", "streamlit")
_COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
_SPACE = {"sdk": _SDKS, "colorFrom": _COLORS, "colorTo": _COLORS}
#: Keys that hold one text.
TEXTS = (
    "library_name", "pipeline_tag", "thumbnail", "license_name", "license_link", "pretty_name",
)  # fmt: skip


@dataclass(frozen=True)
class Broken:
    """A rule that a card breaks.

    Attributes:
        path: Where, such as `license` or `model-index[0].results[0].dataset.config`.
        rule: Which rule.
        value: What stands there; `None` if nothing does.
        wanted: What is wanted, in the Hub's words: `a string`, `an array`, a list of choices.
    """

    path: str
    rule: Rule
    value: Any = None
    wanted: str = ""


def broken(data: Mapping[str, Any], kind: str = "model") -> Iterator[Broken]:
    """The rules that the metadata of a repository of that kind (`"model"`, `"dataset"`, `"space"`) breaks."""
    for key in TEXTS:
        yield from _string(data, key, key)
    for key, alone in (("tags", False), ("widget", False), ("datasets", True), ("metrics", True)):
        yield from _array(data, key, alone=alone, strings=key != "widget")
    for key in ("license", "language", "base_model"):
        yield from _array(data, key, alone=True)
    yield from _values(data)
    yield from _model_index(data)
    if kind == "space":
        for key, choices in _SPACE.items():
            if data.get(key) not in (None, *choices):
                yield Broken(key, "choice", data[key], ", ".join(choices))
        yield from _string(data, "title", "title")


def _values(data: Mapping[str, Any]) -> Iterator[Broken]:
    for path, value in listed(data, "license"):
        if value not in snapshot("licenses").names:
            yield Broken(path, "licence", value)
    for path, value in listed(data, "language"):
        if value not in SPECIAL_LANGUAGES and not _CODE.fullmatch(value):
            yield Broken(path, "language", value)
    for key in ("base_model", "datasets"):
        for path, value in listed(data, key):
            if not ID.fullmatch(value):
                yield Broken(path, "id", value, "models" if key == "base_model" else "datasets")


def _model_index(data: Mapping[str, Any]) -> Iterator[Broken]:
    index = data.get("model-index")
    if index is None:
        return
    if not isinstance(index, list):
        yield Broken("model-index", "type", index, "an array")
        return
    for number, model in enumerate(index):
        where = f"model-index[{number}]"
        if not isinstance(model, dict):
            yield Broken(where, "type", model, "of type object")
            continue
        yield from _string(model, "name", f"{where}.name", required=True)
        for place, result in _objects(model, "results", where):
            yield from _result(result, place) if isinstance(result, dict) else [result]


def _result(result: Mapping[str, Any], where: str) -> Iterator[Broken]:
    for key, required in (("task", ("type",)), ("dataset", ("type", "name"))):
        part = result.get(key)
        if not isinstance(part, dict):
            yield _missing(f"{where}.{key}", part, "of type object")
            continue
        for name in ("type", "name", "config", "split", "revision"):
            yield from _string(part, name, f"{where}.{key}.{name}", required=name in required)
        kind = part.get("type")
        if key == "dataset" and isinstance(kind, str) and kind.strip() and not _DATASET_TYPE.fullmatch(kind):
            yield Broken(f"{where}.dataset.type", "dataset type", kind)
    for place, metric in _objects(result, "metrics", where):
        if isinstance(metric, Broken):
            yield metric
            continue
        yield from _string(metric, "type", f"{place}.type", required=True)
        for name in ("name", "config"):
            yield from _string(metric, name, f"{place}.{name}")
        if metric.get("value") is None:
            yield Broken(f"{place}.value", "required")
        if not isinstance(metric.get("verified", False), bool):
            yield Broken(f"{place}.verified", "type", metric["verified"], "a boolean")
    source = result.get("source")
    if isinstance(source, dict) and source.get("name") and not source.get("url"):
        yield Broken(f"{where}.source.url", "required")


def _objects(parent: Mapping[str, Any], key: str, where: str) -> Iterator[tuple[str, dict[str, Any] | Broken]]:
    """The objects of an array with their places, or what is broken where it is not an array of objects."""
    value = parent.get(key)
    if not isinstance(value, list):
        yield where, _missing(f"{where}.{key}", value, "an array")
        return
    for number, item in enumerate(value):
        place = f"{where}.{key}[{number}]"
        yield place, item if isinstance(item, dict) else Broken(place, "type", item, "of type object")


def _missing(path: str, value: Any, wanted: str) -> Broken:
    return Broken(path, "required") if value is None else Broken(path, "type", value, wanted)


def _string(data: Mapping[str, Any], key: str, path: str, *, required: bool = False) -> Iterator[Broken]:
    value = data.get(key)
    if value is None:
        if required or key in data:
            yield Broken(path, "required") if required else Broken(path, "type", None, "a string")
    elif not isinstance(value, str):
        yield Broken(path, "type", value, "a string")
    elif required and not value.strip():
        yield Broken(path, "empty", value)


def _array(data: Mapping[str, Any], key: str, *, alone: bool, strings: bool = True) -> Iterator[Broken]:
    value = data.get(key)
    if value is None or (alone and isinstance(value, str)):
        return
    if not isinstance(value, list):
        yield Broken(key, "type", value, "a string or an array" if alone else "an array")
        return
    for number, item in enumerate(value):
        if not isinstance(item, str if strings else dict):
            yield Broken(f"{key}[{number}]", "type", item, "a string" if strings else "of type object")


def listed(data: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """The texts of a key that takes one or a list of them, with their paths."""
    value = data.get(key)
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if isinstance(item, str):
                yield f"{key}[{number}]", item


def sentence(one: Broken) -> str:
    """What the Hub says of a broken rule."""
    path, value = f'"{one.path}"', f'"{one.path}" with value "{one.value}"'
    match one.rule:
        case "required":
            return f"{path} is required"
        case "empty":
            return f"{path} is not allowed to be empty"
        case "licence":
            return f'{value} is not valid. Use an identifier such as "apache-2.0" or "other".'
        case "language":
            return (
                f"{value} is not valid. It must be an ISO 639-1, 639-2 or 639-3 code (two/three letters), "
                'or a special value like "code", "multilingual".'
            )
        case "id":
            return f"{value} is not valid. Use an id from the list of {one.wanted}."
        case "dataset type":
            return f"{value} fails to match the required pattern: /^{_DATASET_TYPE.pattern}$/"
        case "choice":
            return f"{path} must be one of [{one.wanted}]"
    return f"{path} must be {one.wanted}"
