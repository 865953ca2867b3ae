"""What a visitor may ask of a tokenizer: options by name and type, texts, and lists of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters, read_ids

#: Each option with its default, or with the values that it may have, the default first.
Options = Mapping[str, Any]


def read_options(given: Any, known: Options) -> dict[str, Any]:
    """The options with their defaults. Each has to be of its default's type, or one of its values.

    Raises:
        WorkbenchError: With the field `options.NAME`.
    """
    if given is not None and not isinstance(given, dict):
        raise WorkbenchError("Options must be an object of names and values.", field="options")
    options = {name: value for name, value in (given or {}).items() if value is not None}
    for name, value in options.items():
        if name not in known:
            raise WorkbenchError(
                f"There is no option {str(name)[:40]!r}. Options are {', '.join(known)}.",
                field=f"options.{str(name)[:40]}",
            )
        if not _fits(value, known[name]):
            raise WorkbenchError(
                f"The option {name} must be {_expected(known[name])}, not {str(value)[:40]!r}.",
                field=f"options.{name}",
            )
        if isinstance(value, str):
            check_characters(value, f"options.{name}")
    defaults = {name: default[0] if isinstance(default, tuple) else default for name, default in known.items()}
    return defaults | {
        name: float(value) if isinstance(defaults[name], float) else value for name, value in options.items()
    }


def _fits(value: Any, known: Any) -> bool:
    if isinstance(known, tuple):
        return any(type(value) is type(one) and value == one for one in known)
    if isinstance(known, float):
        return type(value) in (int, float) and 0 <= value < 1e12 and math.isfinite(value)
    return type(value) is type(known) and (type(value) is not int or 0 <= value < 2**31)


def _expected(known: Any) -> str:
    if isinstance(known, tuple):
        return f"one of {', '.join(repr(one) for one in known)}"
    kinds = {
        bool: "true or false",
        int: "a whole number from 0",
        float: "a number from 0",
        str: "a text",
        list: "a list",
    }
    return kinds[type(known)]


def check_text(text: Any, most: int, field: str) -> None:
    """Raise a `WorkbenchError` where `text` is none, empty, too long, or has half of a surrogate pair."""
    if not isinstance(text, str) or not text:
        raise WorkbenchError("There is no text yet. Write one, or take an example.", field=field)
    if len(text) > most:
        raise WorkbenchError(
            f"The text has {len(text):,} characters; at most {most:,} are allowed here. Shorten it.", field=field
        )
    check_characters(text, field)


def read_id_rows(ids: Any) -> list[list[int]]:
    """One list of ids, or several, as several."""
    if isinstance(ids, list) and ids and all(isinstance(row, list) for row in ids):
        if len(ids) > 256:
            raise WorkbenchError(f"There are {len(ids):,} lists of ids; at most 256 are allowed.", field="ids")
        return [read_ids(row) for row in ids]
    return [read_ids(ids)]
