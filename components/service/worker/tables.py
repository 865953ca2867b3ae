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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from components.service.errors import WorkbenchError

SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
DELIMITERS = (",", ";", "\t", "|")
#: A table that is larger than this many times its file limit once unpacked is refused before it is read.
UNPACKED = 8


@dataclass(frozen=True)
class Caps:
    """The most that a table may hold: bytes of a file, rows of a split, columns, characters of one cell."""

    bytes: int = 200 * 1024**2
    rows: int = 1_000_000
    columns: int = 500
    cell: int = 1_000_000


@dataclass
class Table:
    """One split: its columns by name, all of equal length, and what was noticed while reading.

    Attributes:
        columns: Values by column name; a missing value is `None`.
        names: The names of a column's classes, where the file knows them (an integer value is an index into them).
        findings: `{level, field, message, fix}`, as `Data.inspect` gives them.
    """

    columns: dict[str, list[Any]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def finding(level: str, message: str, fix: str, field: str = "data") -> dict[str, Any]:
    """One thing to tell about the data."""
    return {"level": level, "field": field, "message": message, "fix": fix}


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
            f"{name} has {size / 1e6:.0f} MB; the limit is {caps.bytes / 1e6:.0f} MB. Use fewer rows.", field="data"
        )
    if suffix == ".parquet":
        table = _parquet(path, name, caps)
    elif suffix in (".csv", ".tsv"):
        table = read_csv(decode(path.read_bytes(), name), name, caps, tab=suffix == ".tsv")
    else:
        table = _json(path.read_bytes(), name, lines=suffix == ".jsonl")
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
                    f"Row {row} of {name} has {len(value):,} characters in {column}; the limit for one cell is "
                    f"{caps.cell:,}. Check the quotes of that row, or shorten it.",
                    field="data",
                )
    return _sample(table, name, caps)


def _sample(table: Table, name: str, caps: Caps) -> Table:
    rows = len(table)
    if rows <= caps.rows:
        return table
    kept = sorted(random.Random(0).sample(range(rows), caps.rows))
    message = f"{name} has {rows:,} rows; {caps.rows:,} of them, drawn at random, are used."
    fix = "Run the app on your own machine to use all of them."
    columns = {column: [values[i] for i in kept] for column, values in table.columns.items()}
    return Table(columns, table.names, [*table.findings, finding("warning", message, fix)])


def decode(data: bytes, name: str) -> str:
    """Text of a file: UTF-8 with or without a byte order mark, or UTF-16 with one."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WorkbenchError(
            f"Line {line} of {name} is not UTF-8 text; it was probably saved as Windows-1252 or Latin-1. Save it "
            'again as "CSV UTF-8" and upload that.',
            field="data",
        ) from None
    if "\0" in text:
        raise WorkbenchError(
            f"{name} holds NUL characters, so it is not a text file, or a damaged one. Export it again.", field="data"
        )
    return text


def read_csv(text: str, name: str, caps: Caps, *, tab: bool = False) -> Table:
    """Parse delimited text whose delimiter and header row are found out."""
    delimiter = "\t" if tab else sniff_delimiter(text)
    csv.field_size_limit(caps.cell)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if len(row) > 1 or any(map(str.strip, row))]
    except csv.Error as error:
        raise WorkbenchError(
            f"{name} cannot be read near line {reader.line_num}: {error}. Look for a quote that is never closed.",
            field="data",
        ) from None
    if not rows:
        raise WorkbenchError(f"{name} is empty. Give at least a header and a few rows.", field="data")
    findings: list[dict[str, Any]] = []
    header, numbered = _header(rows, findings)
    body = _even(numbered, len(header), findings)
    columns = {column: [row[i] if row[i].strip() else None for row in body] for i, column in enumerate(header)}
    return Table(columns, {}, findings)


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
        message = (
            f"{len(long)} rows have more cells than the header and were left out (the first ends in line {long[0]})."
        )
        findings.append(finding("warning", message, 'Put quotes around texts that hold the delimiter: "like, this".'))
    if short:
        message = f"{len(short)} rows have fewer cells than the header (the first ends in line {short[0]})."
        findings.append(finding("warning", message, "The cells that lack count as empty; check those rows."))
    return [row + [""] * (width - len(row)) for _, row in rows if len(row) <= width]


def _json(data: bytes, name: str, *, lines: bool) -> Table:
    text = decode(data, name)
    records = list(_records(text, name)) if lines else _whole(text, name)
    columns: dict[str, list[Any]] = {}
    for i, record in enumerate(records):
        for key in record.keys() - columns.keys():
            columns[key] = [None] * i
        for key, values in columns.items():
            values.append(_clean(record.get(key)))
    order = dict.fromkeys(key for record in records for key in record)
    return Table({key: columns[key] for key in order})


def _records(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            hint = " NaN is not JSON; write null." if "NaN" in line else ""
            raise WorkbenchError(
                f"Line {number} of {name} is not JSON ({error.msg}).{hint} Each line must be one object in braces.",
                field="data",
            ) from None
        if not isinstance(record, dict):
            raise WorkbenchError(f"Line {number} of {name} is not an object in braces.", field="data")
        yield record


def _whole(text: str, name: str) -> list[dict[str, Any]]:
    """The records of a JSON file: a list of objects, one under `data`, an object of lists, or JSON lines after all."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return list(_records(text, name))
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    if isinstance(value, dict) and value and all(isinstance(v, list) for v in value.values()):
        lengths = {len(v) for v in value.values()}
        if len(lengths) == 1:
            value = [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
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
    except (pa.ArrowException, OSError) as error:
        raise WorkbenchError(
            f"{name} is not a whole Parquet file ({type(error).__name__}). Export it again.", field="data"
        ) from None
    features = (content.schema.metadata or {}).get(b"huggingface")
    columns = {field: [_clean(v) for v in content.column(field).to_pylist()] for field in content.column_names}
    return Table(columns, _feature_names(features))


def _feature_names(metadata: bytes | None) -> dict[str, list[str]]:
    """Class names from the features that `datasets` writes into a Parquet schema."""
    if not metadata:
        return {}
    try:
        features = orjson.loads(metadata)["info"]["features"].items()
        return {column: [str(n) for n in value["names"]] for column, value in features if "names" in value}
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
    return Table(columns, names, [found for part in parts for found in part.findings])
