"""Front matter of a README: reading it safely, and the checks that the Hub makes before it takes a card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from components.localhub.values import DEPTH, NODES, plain

FRONT_MATTER_BYTES = 200_000
ALIASES = 20
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*|code|multilingual")
_ID = re.compile(r"[\w.-]{1,96}(/[\w.-]{1,96})?", re.ASCII)
_SDKS = ("gradio", "docker", "static", "streamlit")
_COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


#: libyaml where PyYAML was built with it: ten times as fast.
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Safe):  # type: ignore[misc]
    """A safe loader that refuses keys that are given twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.tag != "tag:yaml.org,2002:merge" and isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    mark = key.start_mark
                    raise yaml.constructor.ConstructorError(None, None, f"duplicated mapping key {key.value!r}", mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def front_matter(text: str) -> dict[str, Any] | None:
    """The metadata at the top of a README as plain JSON values, or None if there is none.

    Raises:
        ValueError: It is not YAML, not a mapping, or too large; the message says which.
    """
    match = _FRONT_MATTER.match(text)
    if match is None or not match[1].strip():
        return None
    if len(match[1].encode("utf-8", "replace")) > FRONT_MATTER_BYTES:
        raise ValueError(f"The YAML metadata is larger than {FRONT_MATTER_BYTES} bytes")
    try:
        _refuse_bombs(match[1])
        value = plain(yaml.load(match[1], Loader=_Loader))
    except yaml.YAMLError as error:
        raise ValueError(f"Invalid YAML metadata: {_reason(error)}") from error
    except RecursionError as error:
        raise ValueError("Invalid YAML metadata: it is nested too deeply") from error
    except (ValueError, LookupError, AttributeError, TypeError) as error:  # PyYAML's own converters, on odd scalars
        raise ValueError(f"Invalid YAML metadata: {error}") from error
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("The YAML metadata must be an object")
    return value


def _refuse_bombs(text: str) -> None:
    """Look through the events of a YAML text, which takes no memory, before anything is built from them."""
    depth = aliases = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Safe)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if aliases > ALIASES:
            raise ValueError(f"more than {ALIASES} aliases")
        if depth > DEPTH or number > NODES:
            raise ValueError("it is too large or nested too deeply")


def _reason(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 2}, column {mark.column + 1})" if mark else ""  # the first line is the `---`
    return f"{getattr(error, 'problem', None) or error}{where}"


def check(text: str, kind: str) -> tuple[list[str], list[str]]:
    """The errors and warnings of a README of a repository of that kind (`"model"`, `"dataset"`, `"space"`)."""
    try:
        data = front_matter(text)
    except ValueError as error:
        return [str(error)], []
    if data is None:
        return [], ["empty or missing yaml metadata in repo card"]
    errors = [*_common(data), *_model_index(data)]
    if kind == "space":
        errors += _space(data)
    return errors, []


def _common(data: dict[str, Any]) -> Iterator[str]:
    for key in ("library_name", "pipeline_tag", "thumbnail", "license_name", "license_link", "pretty_name"):
        yield from _string(data, key, f'"{key}"')
    for key in ("tags", "datasets", "metrics"):
        yield from _strings(data, key, alone=key != "tags")
    for key in ("license", "language", "base_model"):
        yield from _strings(data, key, alone=True)
    for value in _listed(data.get("license")):
        if not _LICENSE.fullmatch(value):
            yield f'"license" with value "{value}" is not valid. Use an identifier such as "apache-2.0" or "other".'
    for value in _listed(data.get("language")):
        if not _LANGUAGE.fullmatch(value):
            yield (
                f'"language" with value "{value}" is not valid. It must be an ISO 639-1, 639-2 or 639-3 code '
                '(two/three letters), or a special value like "code", "multilingual".'
            )
    for key, place in (("base_model", "models"), ("datasets", "datasets")):
        for value in _listed(data.get(key)):
            if not _ID.fullmatch(value):
                yield f'"{key}" with value "{value}" is not valid. Use an id from the list of {place}.'


def _space(data: dict[str, Any]) -> Iterator[str]:
    if data.get("sdk") not in (None, *_SDKS):
        yield f'"sdk" must be one of [{", ".join(_SDKS)}]'
    for key in ("colorFrom", "colorTo"):
        if data.get(key) not in (None, *_COLORS):
            yield f'"{key}" must be one of [{", ".join(_COLORS)}]'
    yield from _string(data, "title", '"title"')


def _model_index(data: dict[str, Any]) -> Iterator[str]:
    index = data.get("model-index")
    if index is None:
        return
    if not isinstance(index, list):
        yield '"model-index" must be an array'
        return
    for number, model in enumerate(index):
        where = f"model-index[{number}]"
        if not isinstance(model, dict):
            yield f'"{where}" must be of type object'
            continue
        yield from _string(model, "name", f'"{where}.name"', required=True)
        for place, result in _items(model, "results", where):
            if isinstance(result, str):
                yield result
            else:
                yield from _result(result, place)


def _result(result: dict[str, Any], where: str) -> Iterator[str]:
    fields = {"task": ("type",), "dataset": ("type", "name")}
    for key, required in fields.items():
        part = result.get(key)
        if not isinstance(part, dict):
            yield f'"{where}.{key}" {"is required" if part is None else "must be of type object"}'
            continue
        for name in ("type", "name", "config", "split", "revision"):
            yield from _string(part, name, f'"{where}.{key}.{name}"', required=name in required)
    for place, metric in _items(result, "metrics", where):
        if isinstance(metric, str):
            yield metric
            continue
        yield from _string(metric, "type", f'"{place}.type"', required=True)
        for name in ("name", "config"):
            yield from _string(metric, name, f'"{place}.{name}"')
        if metric.get("value") is None:
            yield f'"{place}.value" is required'
        if not isinstance(metric.get("verified", False), bool):
            yield f'"{place}.verified" must be a boolean'


def _items(parent: dict[str, Any], key: str, where: str) -> Iterator[tuple[str, dict[str, Any] | str]]:
    """The objects of an array with their places, or messages where it is not an array of objects."""
    value = parent.get(key)
    if not isinstance(value, list):
        yield where, f'"{where}.{key}" {"is required" if value is None else "must be an array"}'
        return
    for number, item in enumerate(value):
        place = f"{where}.{key}[{number}]"
        yield place, item if isinstance(item, dict) else f'"{place}" must be of type object'


def _string(data: dict[str, Any], key: str, where: str, *, required: bool = False) -> Iterator[str]:
    value = data.get(key)
    if value is None:
        if required or key in data:
            yield f"{where} {'is required' if required else 'must be a string'}"
    elif not isinstance(value, str):
        yield f"{where} must be a string"
    elif required and not value.strip():
        yield f"{where} is not allowed to be empty"


def _strings(data: dict[str, Any], key: str, *, alone: bool) -> Iterator[str]:
    value = data.get(key)
    if value is None or (alone and isinstance(value, str)):
        return
    if not isinstance(value, list):
        yield f'"{key}" must be {"a string or an array" if alone else "an array"}'
        return
    for number, item in enumerate(value):
        if not isinstance(item, str):
            yield f'"{key}[{number}]" must be a string'


def _listed(value: Any) -> list[str]:
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)]
