"""What the columns of a table hold: kinds, label names, examples."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from components.service.runs.values import is_answers, parsed, picture
from components.service.worker.tables import Table

#: Of lists: `labels` has few different items (classes, tags), `tokens` many.
Kind = Literal["text", "label", "number", "labels", "tokens", "answers", "messages", "image", "other"]
MOST_CLASSES = 200
#: Cells that are looked at to see whether a column holds lists, objects or images.
LOOKED = 200
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")


def label_name(value: Any, names: Sequence[str] = ()) -> str | None:
    """A label as text: the name of a class index, `1` for 1.0; `None` for a missing one (-1 of named classes too)."""
    if value is None or isinstance(value, list | dict | bytes):
        return None
    if names and isinstance(value, str) and value not in names and value.strip().isdigit():
        value = int(value)  # a CSV file has nothing but texts
    if names and isinstance(value, int | float) and not isinstance(value, bool):
        return names[int(value)] if 0 <= value < len(names) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def order_labels(labels: Iterable[str]) -> list[str]:
    """Class names in a stable order: by number where all are numbers, else by name."""
    names = list(labels)
    if all(_NUMBER.fullmatch(name) for name in names):
        return sorted(names, key=lambda name: (float(name), name))
    return sorted(names)


def _first(values: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value is not None:
            found.append(value)
            if len(found) == LOOKED:
                break
    return found


def kind_of(values: Sequence[Any], names: Sequence[str] = ()) -> Kind:
    """What a column really holds, whatever its name or declared type."""
    first = _first(values)
    if not first:
        return "other"
    if all(picture(value) is not None for value in first[:20]):
        return "image"
    cells = [parsed(value) for value in first]
    if all(isinstance(cell, list | dict) for cell in cells):
        return _kind_of_nested(cells, names)
    if any(isinstance(value, list | dict | bytes) for value in first):
        return "other"
    return _kind_of_plain([value for value in values if value is not None], names)


def _kind_of_nested(cells: Sequence[Any], names: Sequence[str]) -> Kind:
    filled = [cell for cell in cells if cell != []]
    if filled and all(is_answers(cell) for cell in filled):
        return "answers"  # an empty list is no answer
    if any(isinstance(cell, dict) for cell in cells):
        return "other"
    items = [item for cell in cells for item in cell]
    if items and all(isinstance(item, dict) for item in items):
        known = all({"role", "content"} <= item.keys() or {"from", "value"} <= item.keys() for item in items)
        return "messages" if known else "other"
    if any(not isinstance(item, str | int) for item in items):
        return "other"
    distinct = len(set(items))
    if names or distinct <= min(MOST_CLASSES, max(2, len(items) // 2)):
        return "labels"
    return "tokens" if all(isinstance(item, str) for item in items) else "other"


def _kind_of_plain(present: Sequence[Any], names: Sequence[str]) -> Kind:
    if names or all(isinstance(value, bool) for value in present):
        return "label"
    counts = Counter(str(value).strip() for value in present)
    few = len(counts) <= min(MOST_CLASSES, max(2, len(present) // 3))
    # Up to half of the rows where the values are names rather than sentences.
    names_only = all(len(text) <= 40 and len(text.split()) <= 4 for text in counts)
    few = few or (names_only and len(counts) <= min(MOST_CLASSES, len(present) // 2))
    if all(_NUMBER.fullmatch(text) for text in counts):
        whole = all(_WHOLE.fullmatch(text) for text in counts)
        return "label" if whole and few and len(counts) <= 50 else "number"
    short = max(len(text) for text in counts) <= 60
    if few and short:
        return "label"
    identifiers = len(counts) == len(present) and short and all(re.fullmatch(r"\S*\d\S*", text) for text in counts)
    return "other" if identifiers or not all(isinstance(value, str) for value in present[:1000]) else "text"


def kinds_of(table: Table) -> dict[str, Kind]:
    """The kind of each column."""
    return {name: kind_of(values, table.names.get(name, [])) for name, values in table.columns.items()}


def describe(table: Table, kinds: Mapping[str, Kind]) -> list[dict[str, Any]]:
    """Every column: name, kind, distinct values, missing values, a few examples."""
    described = []
    for name, values in table.columns.items():
        counts = Counter(str(value) for value in values if value is not None)
        described.append(
            {
                "name": name,
                "kind": kinds[name],
                "distinct": len(counts),
                "missing": len(values) - counts.total(),
                "examples": [shorten(text) for text in list(counts)[:3]],
            }
        )
    return described


def shorten(text: str, limit: int = 200) -> str:
    """The start of a long text."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
