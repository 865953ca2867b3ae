"""The rows of a batch: from a list, pasted text or a table to one input each, with their gold answers. Worker only."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks import InputSpec, TaskSpec
from components.service.worker.columns import label_name
from components.service.worker.roles import suggest
from components.service.worker.sources import load
from components.service.worker.tables import Caps, Table, sniff_delimiter

_MEDIA = ("image", "audio", "video")
_NAME = re.compile(r"[\w-]{1,40}")
_BREAK = re.compile(r"\r\n|\r|\n")
#: Which split of a data set is run: the first of these that it has.
_SPLITS = ("test", "validation", "train")


@dataclass
class Rows:
    """What a batch runs.

    Attributes:
        items: One input for each row, unchecked.
        gold: The gold answer of each row; None where there is none.
        notes: What was noticed while they were read.
    """

    items: list[Any]
    gold: list[Any] | None = None
    notes: list[str] = field(default_factory=list)


def read_rows(spec: TaskSpec, source: Mapping[str, Any], gold: Any, caps: Caps) -> Rows:
    """Read the rows of a batch.

    Args:
        spec: The task, whose inputs name the columns.
        source: `{"rows": [...]}`, or a table as `sources.load` takes it, with `columns`, input name to column name.
        gold: A column's name, a list of answers, or None.
        caps: The limits of a table.

    Raises:
        WorkbenchError: They cannot be read, or a column is missing; `field` is `rows` or `gold`.
    """
    if "rows" in source:
        rows = Rows(list(source["rows"]))
    elif "text" in source and (lines := _lines(spec, source, gold)):
        rows = lines
    else:
        rows = _from_table(spec, source, gold, caps)
    if isinstance(gold, list):
        rows.gold = gold
    elif gold and rows.gold is None:
        raise WorkbenchError(
            "Gold answers are a list with one for each row, unless the rows are a table: then a column's name will do.",
            field="gold",
        )
    if rows.gold is not None and len(rows.gold) != len(rows.items):
        raise WorkbenchError(
            f"There are {len(rows.gold):,} gold answers for {len(rows.items):,} rows. Give one for each row.",
            field="gold",
        )
    return rows


def _lines(spec: TaskSpec, source: Mapping[str, Any], gold: Any) -> Rows | None:
    """Pasted text as an input a line; None where it is a table of several columns, or a table must be."""
    lines = [line for line in _BREAK.split(source["text"].removeprefix("\ufeff")) if line.strip()]
    if not _is_table(spec, source, gold):
        return Rows(lines)
    needed = [one for one in spec.inputs if one.required]
    if len(lines) < 2 or source.get("columns") or gold or len(needed) != 1 or '"' in source["text"]:
        return None
    # Under the name of one column, and without quotes, a comma is the text's own.
    heading = lines[0].strip()
    notes = [f"Read from columns: {needed[0].name} from {heading}."]
    return Rows(lines[1:], notes=notes) if heading.lower() in _names(needed[0]) else None


def _is_table(spec: TaskSpec, source: Mapping[str, Any], gold: Any) -> bool:
    """Whether pasted text is a table: its first line names columns, or only a table will do."""
    if source.get("columns") or isinstance(gold, str) or sum(one.required for one in spec.inputs) > 1:
        return True
    first = source["text"].removeprefix("\ufeff").strip().partition("\n")[0]
    cells = [cell.strip().strip('"') for cell in first.split(sniff_delimiter(source["text"]))]
    names = {name for one in spec.inputs for name in _names(one)}
    return all(map(_NAME.fullmatch, cells)) and bool(names & {cell.lower() for cell in cells})


def _from_table(spec: TaskSpec, source: Mapping[str, Any], gold: Any, caps: Caps) -> Rows:
    try:
        splits = load(source, caps)
    except WorkbenchError as error:
        raise WorkbenchError(error.message, kind=error.kind, field="rows") from None
    split = next((name for name in _SPLITS if name in splits), next(iter(splits)))
    table = splits[split]
    columns = _columns(spec, table, source.get("columns") or {})
    notes = [found["message"] for found in table.findings]
    if len(splits) > 1:
        notes.append(f"These are the rows of {split}.")
    notes.append("Read from columns: " + ", ".join(f"{name} from {column}" for name, column in columns.items()) + ".")
    items = [_item(spec, table, columns, number) for number in range(len(table))]
    return Rows(items, _gold(spec, table, gold) if isinstance(gold, str) and gold else None, notes)


def _columns(spec: TaskSpec, table: Table, chosen: Mapping[str, str]) -> dict[str, str]:
    """The column of each input: as chosen, else by its name, else the one that looks like the text."""
    by_name = {column.lower(): column for column in reversed(list(table.columns))}
    has = ", ".join(table.columns)
    found: dict[str, str] = {}
    for one in spec.inputs:
        column = chosen.get(one.name) or next((by_name[name] for name in _names(one) if name in by_name), None)
        if column is not None and column not in table.columns:
            raise WorkbenchError(f"There is no column {column!r}. Choose one of: {has}.", field="rows")
        if column is not None:
            found[one.name] = column
    missing = [one for one in spec.inputs if one.required and one.name not in found]
    guess = suggest(table)["text"]
    if len(missing) == 1 and missing[0].kind in ("text", "chat") and guess and guess not in found.values():
        return {missing[0].name: guess, **found}
    if missing:
        raise WorkbenchError(
            f"No column is the {missing[0].title.lower()}. Name one {missing[0].name}, or choose one of: {has}.",
            field="rows",
        )
    return found


def _names(one: InputSpec) -> tuple[str, ...]:
    """The names, in small letters, by which a column is known as an input."""
    kind = (one.kind,) if one.kind in _MEDIA else ()
    return tuple(name.lower() for name in (one.name, *one.aliases, *kind))


def _item(spec: TaskSpec, table: Table, columns: Mapping[str, str], number: int) -> Any:
    values = {
        one.name: _value(one, table.columns[columns[one.name]][number]) for one in spec.inputs if one.name in columns
    }
    needed = [one.name for one in spec.inputs if one.required]
    others = [name for name, value in values.items() if name not in needed and value not in (None, "")]
    return values if len(needed) != 1 or others else values[needed[0]]


def _value(one: InputSpec, cell: Any) -> Any:
    """A cell as the input takes it. A file on this machine is never named by a table: only its bytes count."""
    if one.kind in _MEDIA:
        if isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes):
            return base64.b64encode(cell["bytes"]).decode()
        if isinstance(cell, bytes):
            return base64.b64encode(cell).decode()
        return {"sample": cell["sample"]} if isinstance(cell, dict) and "sample" in cell else _text(cell)
    if one.kind == "text":
        return _text(cell)
    if isinstance(cell, str) and cell[:1] in ("[", "{"):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return _text(cell) if one.kind == "chat" and not isinstance(cell, list) else cell


def _text(cell: Any) -> str:
    return "" if cell is None or isinstance(cell, (dict, list, bytes)) else str(cell)


def _gold(spec: TaskSpec, table: Table, column: str) -> list[Any]:
    if column not in table.columns:
        raise WorkbenchError(f"There is no column {column!r}. Choose one of: {', '.join(table.columns)}.", field="gold")
    names = table.names.get(column, [])
    values = table.columns[column]
    return [label_name(value, names) for value in values] if spec.output == "labels" else list(values)
