"""Read a stranger's table (CSV, TSV, JSON, JSONL, Parquet) into plain columns, under limits.

Runs in the worker and in the training process only. A table is read from a local file, by its own parser, never
through a loading script. What can be mended is told as a finding; what cannot raises `WorkbenchError`.
"""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.sizes import MB, in_units
from components.service.worker.decoding import decode
from components.service.worker.findings import count, finding
from components.service.worker.nested import flatten, questions

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
DELIMITERS = (",", ";", "\t", "|")
#: A table that is larger than this many times its file limit once unpacked is refused before it is read.
UNPACKED = 8
#: A cell with more lines than this is looked at for rows that it has swallowed.
MANY = 8
#: What rows that were pasted are called, where a file has its name.
PASTED = "The pasted text"
_BREAK = re.compile(r"\r\n|\r|\n")
_END = "\x1eend of the table"


@dataclass(frozen=True)
class Caps:
    """The most that a table may hold: bytes of a file, rows of a split, columns, characters of one cell, pixels of an
    image."""

    bytes: int = 200 * MB
    rows: int = 1_000_000
    columns: int = 500
    cell: int = 1_000_000
    pixels: int = Settings.image_pixels


@dataclass
class Table:
    """One split: its columns by name, all of equal length, and what was noticed while reading.

    Attributes:
        columns: Values by column name; a missing value is `None`.
        names: The names of a column's classes, where the file knows them (an integer value is an index into them).
        findings: `{level, field, message, fix}`, as `Data.inspect` gives them.
        broken: Images of a column that cannot be opened, which `findings` tell of; their cells are missing.
        forms: The files that it was read from, by name, each with what another reader must be told to read the same:
            of CSV what pandas calls `sep`, `encoding`, `quoting`, `header`, `names`, `on_bad_lines`, and `uneven` where
            rows lack cells; of JSON `field`, `columns` where it is an object of lists, and `articles` where these hold
            the questions; and `drawn`, how many of its rows were drawn. Nothing where that is what one expects.
        loose: Whether the files are a configuration only by the folder that they lie in.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    forms: dict[str, dict[str, Any]] = field(default_factory=dict)
    loose: bool = False

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def read_table(path: Path, name: str, caps: Caps) -> Table:
    """Read one file.

    Args:
        path: The local file.
        name: The name that the visitor knows it by; its ending says the format.
        caps: What is refused or cut.

    Raises:
        WorkbenchError: It cannot be read as what its name says; the message says where and what to do.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise WorkbenchError(
            f"{name} is not a table that can be read here. Use a CSV, TSV, JSONL, JSON or Parquet file.", field="data"
        )
    size = path.stat().st_size
    if size > caps.bytes:
        raise WorkbenchError(
            f"{name} has {in_units(size)}; the limit is {in_units(caps.bytes)}. Use fewer rows.", field="data"
        )
    if suffix == ".parquet":
        return check(_parquet(path, name, caps), name, caps)
    text, encoding, findings = decode(path.read_bytes(), name)
    if suffix in (".csv", ".tsv"):
        table = read_csv(text, name, caps, tab=suffix == ".tsv")
    else:
        table = _json(text, name, lines=suffix == ".jsonl")
    if encoding != "utf-8-sig":
        table.forms[name]["encoding"] = encoding
    table.findings[:0] = findings
    return check(table, name, caps)


def check(table: Table, name: str, caps: Caps) -> Table:
    """Hold a table to the limits: too many columns or too long a cell is refused, too many rows are sampled."""
    if not len(table):
        raise WorkbenchError(f"{name} holds no rows. Give at least a header and a few rows.", field="data")
    if len(table.columns) > caps.columns:
        raise WorkbenchError(
            f"{name} has {len(table.columns)} columns; the limit is {caps.columns}. Keep those with text and label.",
            field="data",
        )
    for column, values in table.columns.items():
        for row, value in enumerate(values, 1):
            if isinstance(value, str) and len(value) > caps.cell:
                raise WorkbenchError(
                    f"Row {row} of {_within(name)} has {len(value):,} characters in {column}; the limit for one cell "
                    f"is {caps.cell:,}. Check the quotes of that row, or shorten it.",
                    field="data",
                )
    return _sample(table, name, caps)


def _within(name: str) -> str:
    """A name where it does not begin a sentence."""
    return name.lower() if name == PASTED else name


def _sample(table: Table, name: str, caps: Caps) -> Table:
    rows = len(table)
    if rows <= caps.rows:
        return table
    kept = sorted(random.Random(0).sample(range(rows), caps.rows))
    message = f"{name} has {rows:,} rows; {caps.rows:,} of them, drawn at random, are used."
    fix = "Run the app on your own machine to use all of them."
    columns = {column: [values[i] for i in kept] for column, values in table.columns.items()}
    forms = {file: {**form, "drawn": caps.rows} for file, form in table.forms.items()}
    return replace(table, columns=columns, findings=[*table.findings, finding("warning", message, fix)], forms=forms)


def read_csv(text: str, name: str, caps: Caps, *, tab: bool = False) -> Table:
    """Parse delimited text whose delimiter and header row are found out; `tab` where its name says the delimiter."""
    delimiter = "\t" if tab else sniff_delimiter(text)
    form: dict[str, Any] = {} if tab or delimiter == "," else {"sep": delimiter}
    csv.field_size_limit(caps.cell)
    findings: list[dict[str, Any]] = []
    rows, opened = _lines(text, delimiter, name)
    if opened and delimiter == "\t":
        # Tab-separated files are often written without any quoting, and a text may begin with a quote.
        rows, opened = _lines(text, delimiter, name, quoting=csv.QUOTE_NONE)[0], None
        message = "A quote is opened and never closed, so quotes were read as part of the text."
        findings.append(finding("info", message, "Check the first rows."))
        form["quoting"] = int(csv.QUOTE_NONE)
    if opened:
        raise WorkbenchError(
            f"Line {opened} of {_within(name)} opens a quote that is never closed, so all that follows would be one "
            'cell. Close it, or write a quote inside a text twice ("").',
            field="data",
        )
    if not rows:
        raise WorkbenchError(f"{name} is empty. Give at least a header and a few rows.", field="data")
    findings += _swallowed(rows, delimiter)
    header, numbered = _header(rows, findings)
    if header != rows[0][1]:
        form |= {"header": None if numbered is rows else 0, "names": header}
    if any(len(row) > len(header) for _, row in numbered):
        form["on_bad_lines"] = "skip"
    if any(len(row) < len(header) for _, row in numbered):
        form["uneven"] = True
    body = _even(numbered, len(header), findings)
    columns = {column: [row[i] if row[i].strip() else None for row in body] for i, column in enumerate(header)}
    return Table(columns, {}, findings, forms={name: form})


def _lines(
    text: str, delimiter: str, name: str, quoting: Any = csv.QUOTE_MINIMAL
) -> tuple[list[tuple[int, list[str]]], int | None]:
    """Each row with the line it ends in, and the line of the quote that is still open at the end, if one is."""
    # A row of its own is put behind the text: where a quote is open, it is swallowed like all the rest.
    source = io.StringIO(f"{text}\n{_END}\n", newline="")
    reader = csv.reader(source, delimiter=delimiter, quoting=quoting)
    rows: list[tuple[int, list[str]]] = []
    try:
        for row in reader:
            if len(row) > 1 or any(map(str.strip, row)):
                rows.append((reader.line_num, row))
    except csv.Error:  # all that is left to go wrong in a text without NUL
        line = rows[-1][0] + 1 if rows else 1
        raise WorkbenchError(
            f"The row that begins in line {line} of {_within(name)} has a cell of more than {csv.field_size_limit():,} "
            "characters, the limit for one cell. Look there for a quote that is never closed, or shorten the cell.",
            field="data",
        ) from None
    line, last = rows.pop()
    return rows, None if last == [_END] else line - len(_BREAK.findall(last[-1])) + 1


def _swallowed(rows: list[tuple[int, list[str]]], delimiter: str) -> list[dict[str, Any]]:
    """A warning of the first cell that holds many lines which look like rows: its quote was closed too late."""
    width = len(rows[0][1])
    for end, row in rows:
        for cell in row:
            inner = _BREAK.split(cell) if cell.count("\n") >= MANY else []
            like_rows = sum(line.count(delimiter) == width - 1 for line in inner)
            if width > 1 and len(inner) > MANY and like_rows > 0.8 * len(inner):
                message = f"A cell that ends in line {end} holds {len(inner)} lines which look like rows."
                fix = f"Look at line {end - len(inner) + 1}: a quote is probably opened there and not closed."
                return [finding("warning", message, fix)]
    return []


def sniff_delimiter(text: str) -> str:
    """The delimiter that cuts the first rows into the most cells, equally many in each."""

    def score(delimiter: str) -> tuple[float, int]:
        rows = []
        try:
            for row in csv.reader(io.StringIO(text[:65536], newline=""), delimiter=delimiter):
                rows.append(len(row))
                if len(rows) == 50:
                    break
        except csv.Error:
            return (0.0, 0)
        if not rows or rows[0] < 2:
            return (0.0, 0)
        return (sum(count == rows[0] for count in rows) / len(rows), -DELIMITERS.index(delimiter))

    best = max(DELIMITERS, key=score)
    return best if score(best)[0] > 0.5 else ","


def _header(
    rows: list[tuple[int, list[str]]], findings: list[dict[str, Any]]
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    first = [cell.strip() for cell in rows[0][1]]
    if looks_headerless(first, [row for _, row in rows[1:200]]):
        header = [f"column {i}" for i in range(1, len(first) + 1)]
        message = f"The first row looks like data, so the columns were named {header[0]} to {header[-1]}."
        findings.append(
            finding("warning", message, "Add a first row with the names of the columns, such as text,label.")
        )
        return header, rows
    header = []
    for i, cell in enumerate(first, 1):
        column = cell or f"column {i}"
        if column in header:
            column = f"{column} {i}"
            findings.append(
                finding("warning", f"Two columns have one name; the second is now {column}.", "Rename one.")
            )
        header.append(column)
    return header, rows[1:]


def looks_headerless(first: list[str], others: list[list[str]]) -> bool:
    """Whether a first row holds values rather than names: a number, a sentence, or a value that comes again below."""
    for i, cell in enumerate(first):
        below = [row[i].strip() for row in others if i < len(row)]
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", cell) and all(re.fullmatch(r"[+-]?\d+(\.\d+)?", b) for b in below if b):
            return True
        if len(cell) > 60 or (len(cell.split()) > 5) or (cell.endswith((".", "!", "?")) and len(cell.split()) > 2):
            return True
        if cell and below and below.count(cell) * 20 > len(below) and len(set(below)) <= 50:
            return True
    return False


def _even(rows: list[tuple[int, list[str]]], width: int, findings: list[dict[str, Any]]) -> list[list[str]]:
    """Rows of one width: short ones are filled up with empty cells, long ones left out; both are told."""
    long = [line for line, row in rows if len(row) > width]
    short = [line for line, row in rows if len(row) < width]
    if long:
        told = count(len(long), "row has", "rows have")
        message = f"{told} more cells than the header and {'was' if len(long) == 1 else 'were'} left out"
        message += f" ({'it' if len(long) == 1 else 'the first'} ends in line {long[0]})."
        findings.append(finding("warning", message, 'Put quotes around texts that hold the delimiter: "like, this".'))
    if short:
        told = count(len(short), "row has", "rows have")
        message = (
            f"{told} fewer cells than the header ({'it' if len(short) == 1 else 'the first'} ends in line {short[0]})."
        )
        findings.append(finding("warning", message, "The cells that lack count as empty; check those rows."))
    return [row + [""] * (width - len(row)) for _, row in rows if len(row) <= width]


def _json(text: str, name: str, *, lines: bool) -> Table:
    form: dict[str, Any] = {}
    records = list(_records(text, name)) if lines else _whole(text, name, form)
    if asked := questions(records):
        records, form = asked, {"articles": True}
    columns: dict[str, list[Any]] = {}
    for i, record in enumerate(records):
        for key in record.keys() - columns.keys():
            columns[key] = [None] * i
        for key, values in columns.items():
            values.append(_clean(record.get(key)))
    order = dict.fromkeys(key for record in records for key in record)
    return Table(flatten({key: columns[key] for key in order}), forms={name: form})


def _records(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            hint = " NaN is not JSON; write null." if "NaN" in line else ""
            raise WorkbenchError(
                f"Line {number} of {name} is not JSON from character {error.colno} on.{hint} Each line must be one "
                "object in braces, with names and texts in double quotes.",
                field="data",
            ) from None
        if not isinstance(record, dict):
            raise WorkbenchError(f"Line {number} of {name} is not an object in braces.", field="data")
        yield record


def _whole(text: str, name: str, form: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a JSON file: a list of objects, one under `data`, an object of lists, or JSON lines after all."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return list(_records(text, name))
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value, form["field"] = value["data"], "data"
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        lengths = {len(v) for v in value.values()}
        if len(lengths) == 1:
            value = [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
            form["columns"] = True
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise WorkbenchError(f"{name} must be a list of objects, one for each row.", field="data")
    return value


def _clean(value: Any) -> Any:
    """A cell as everywhere here: blank text and NaN are missing."""
    if isinstance(value, str):
        return value if value.strip() else None
    return None if value != value else value


def _parquet(path: Path, name: str, caps: Caps) -> Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        meta = file.metadata
        unpacked = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if unpacked > UNPACKED * caps.bytes or meta.num_rows > 20 * caps.rows or meta.num_columns > 20 * caps.columns:
            raise WorkbenchError(f"{name} is too large once unpacked. Use fewer rows or columns.", field="data")
        content = file.read()
    except (pa.ArrowException, OSError):
        raise WorkbenchError(f"{name} is not a whole Parquet file. Export it again.", field="data") from None
    features = (content.schema.metadata or {}).get(b"huggingface")
    columns = {field: [_clean(v) for v in content.column(field).to_pylist()] for field in content.column_names}
    return Table(flatten(columns), _feature_names(features), forms={name: {}})


def _feature_names(metadata: bytes | None) -> dict[str, list[str]]:
    """Class names from the features that `datasets` writes into a Parquet schema."""
    if not metadata:
        return {}
    try:
        features = orjson.loads(metadata)["info"]["features"].items()
        # A list of classes (the tags of tokens, several labels) has them on its items.
        items = {column: value.get("feature", value) for column, value in features if isinstance(value, dict)}
        return {column: [str(n) for n in value["names"]] for column, value in items.items() if "names" in value}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return {}


def join(tables: Iterable[Table]) -> Table:
    """The rows of several files of one split, after each other; a column that one lacks is missing there."""
    parts = list(tables)
    if len(parts) == 1:
        return parts[0]
    columns = {column: [] for part in parts for column in part.columns}  # type: dict[str, list[Any]]
    for part in parts:
        for column, values in columns.items():
            values += part.columns.get(column, [None] * len(part))
    names = {column: value for part in parts for column, value in part.names.items()}
    forms = {file: form for part in parts for file, form in part.forms.items()}
    return Table(columns, names, [found for part in parts for found in part.findings], forms=forms)
