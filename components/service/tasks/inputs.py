"""The inputs of a call, checked before anything is fetched or loaded."""

from __future__ import annotations

import json
from typing import Any

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks.media import check_media
from components.service.tasks.spec import JSON_CHARS, InputSpec, TaskSpec
from components.service.tasks.texts import check_characters, check_text

_MEDIA = ("image", "audio", "video")
_ROLES = ("system", "user", "assistant", "tool", "developer")


def check_inputs(spec: TaskSpec, inputs: Any, settings: Settings) -> Any:
    """One input of a task, or a list of them, as the worker takes it.

    Raises:
        WorkbenchError: With the field that has to be mended.
    """
    if not is_batch(spec, inputs):
        return check_input(spec, inputs, settings)
    if not inputs:
        raise WorkbenchError("The list of inputs is empty. Give one at least.", field="inputs")
    if len(inputs) > settings.texts:
        raise WorkbenchError(
            f"The list has {len(inputs):,} inputs; at most {settings.texts:,} are allowed in one call.",
            field="inputs",
        )
    checked = [check_input(spec, item, settings) for item in inputs]
    total = sum(map(_characters, checked))
    if total > settings.text_chars:
        raise WorkbenchError(
            f"The texts have {total:,} characters together; at most {settings.text_chars:,} are allowed in one call.",
            field="inputs",
        )
    return checked


def is_batch(spec: TaskSpec, inputs: Any) -> bool:
    """Whether `inputs` is a list of inputs, in distinction from one input that is a list."""
    if not isinstance(inputs, list):
        return False
    first = spec.inputs[0]
    if len(spec.inputs) == 1 and first.kind == "chat" and inputs and _is_message(inputs[0]):
        return False
    if len(spec.inputs) == 1 and first.kind == "texts":
        return bool(inputs) and isinstance(inputs[0], list)
    if len(spec.inputs) == 1 and first.several:
        return bool(inputs) and isinstance(inputs[0], list)
    return True


def check_input(spec: TaskSpec, item: Any, settings: Settings) -> Any:
    """One value where the task has one input, or an object of values where it has several."""
    needed = [one for one in spec.inputs if one.required]
    if len(spec.inputs) == 1 or (len(needed) == 1 and not _is_object(item)):
        return _check_value(needed[0] if needed else spec.inputs[0], item, settings, "inputs")
    names = [one.name for one in spec.inputs]
    if isinstance(item, dict):
        own = {alias: one.name for one in spec.inputs for alias in one.aliases}
        item = {own.get(name, name): value for name, value in item.items()}
    missing = [one.name for one in needed if item.get(one.name) in (None, "")] if isinstance(item, dict) else names
    if missing or not set(item) <= set(names):
        also = f"{needed[0].title.lower()}, or " if len(needed) == 1 else ""
        raise WorkbenchError(f"{spec.title} takes {also}an object with {' and '.join(names)}.", field="inputs")
    values = {
        one.name: _check_value(one, item[one.name], settings, f"inputs.{one.name}")
        for one in spec.inputs
        if item.get(one.name) not in (None, "")
    }
    return values if len(values) > 1 or len(needed) > 1 else values[needed[0].name]


def _is_object(item: Any) -> bool:
    return isinstance(item, dict) and not {"file", "sample"} & set(item)


def _check_value(one: InputSpec, value: Any, settings: Settings, field: str) -> Any:
    if one.several:
        if not isinstance(value, list) or len(value) < 2:
            raise WorkbenchError(f"{one.title} takes a list of two.", field=field)
        return [_check_single(one, part, settings, field) for part in value[:8]]
    return _check_single(one, value, settings, field)


def _check_single(one: InputSpec, value: Any, settings: Settings, field: str) -> Any:
    if one.kind in _MEDIA:
        return check_media(value, one.kind, settings, field)
    if one.kind == "chat" and not isinstance(value, str):
        return _check_chat(value, settings, field)
    if one.kind == "texts":
        return _check_texts(one, value, settings, field)
    if one.kind == "table":
        return _check_table(value, settings, field)
    if one.kind == "json" and not isinstance(value, str):
        return _check_json(value, settings, field)
    return check_text(value, settings.text_chars, field)


def _check_texts(one: InputSpec, value: Any, settings: Settings, field: str) -> list[str]:
    if not isinstance(value, list) or not value or len(value) > settings.texts:
        raise WorkbenchError(f"{one.title} takes a list of 1 to {settings.texts:,} texts.", field=field)
    return [check_text(text, settings.text_chars, field) for text in value]


def _check_chat(value: Any, settings: Settings, field: str) -> Any:
    if not isinstance(value, list) or not value or not all(map(_is_message, value)):
        raise WorkbenchError(
            'A text is needed here, or a chat: a list of messages such as {"role": "user", "content": "Hello"}. '
            f"Roles are {', '.join(_ROLES)}.",
            field=field,
        )
    return _check_json(value, settings, field)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and value.get("role") in _ROLES and "content" in value


def _check_table(value: Any, settings: Settings, field: str) -> dict[str, list[str]]:
    """A table as columns of texts; numbers become texts, as the models read them."""
    columns = value if isinstance(value, dict) else {}
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in columns.values()}
    if len(lengths) != 1 or min(lengths) < 1:
        raise WorkbenchError(
            'A table is an object of columns of one length, such as {"City": ["Paris", "Rome"], "People": ["2", "3"]}.',
            field=field,
        )
    _check_json(value, settings, field)
    return {str(name): ["" if cell is None else str(cell) for cell in cells] for name, cells in columns.items()}


def _check_json(value: Any, settings: Settings, field: str) -> Any:
    try:
        written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise WorkbenchError("A JSON value is needed here.", field=field) from None
    # Pictures in a chat's messages are in base64, which takes a third more than their bytes.
    most = max(settings.text_chars, JSON_CHARS, settings.media_bytes * 4 // 3 if "base64" in written else 0)
    if len(written) > most:
        raise WorkbenchError(f"This has {len(written):,} characters; at most {most:,} are allowed here.", field=field)
    check_characters(written, field)
    return value


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_characters(one) for name, one in value.items() if name not in ("data", "path"))
    return sum(map(_characters, value)) if isinstance(value, list) else 0
