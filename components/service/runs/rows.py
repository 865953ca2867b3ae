"""From tables to the rows that are trained on: columns found, unusable rows left out, labels named, splits made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from components.service.errors import WorkbenchError
from components.service.runs.spec import RunSpec
from components.service.runs.splits import split_rows
from components.service.runs.tasks import TRAIN_TASKS
from components.service.worker.columns import label_name, order_labels, suggest
from components.service.worker.findings import count
from components.service.worker.tables import Table

#: One row: its values by the task's roles; a role that no column has is left out.
Row = dict[str, Any]


@dataclass
class Rows:
    """What is trained and evaluated on.

    Attributes:
        train, validation, test: Rows of each split; `test` may be empty.
        labels: Class names, in the order of their ids; empty where the task has none.
        problem: What the labels are, `single`, `multi` or `regression`; empty where the task has no such choice.
        columns: The column used for each role.
        dropped: Rows left out for want of text or label.
        duplicates: Rows left out because the same row came before, where no validation split was given.
    """

    train: list[Row]
    validation: list[Row]
    test: list[Row]
    labels: list[str]
    columns: dict[str, str]
    dropped: int = 0
    duplicates: int = 0
    given: bool = field(default=False)
    problem: str = ""

    def facts(self) -> dict[str, Any]:
        """What is recorded of the data."""
        splits = {"train": self.train, "validation": self.validation, "test": self.test}
        return {
            "rows": {name: len(rows) for name, rows in splits.items() if rows},
            "label_counts": {name: _counts(rows, self.labels) for name, rows in splits.items() if rows},
            "labels": self.labels,
            "problem": self.problem,
            "columns": self.columns,
            "dropped": self.dropped,
            "duplicates": self.duplicates,
            "validation_given": self.given,
            "data_fingerprint": hashlib.sha256(orjson.dumps(splits)).hexdigest()[:16],
        }


def _counts(rows: Sequence[Row], labels: Sequence[str]) -> dict[str, int]:
    counts = dict.fromkeys(labels, 0)
    for row in rows:
        if "label" in row:
            counts[row["label"]] += 1
    return counts


def choose_rows(splits: Mapping[str, Table], spec: RunSpec) -> Rows:
    """Rows for a run.

    Raises:
        WorkbenchError: A column is absent, there is one class only, or too little is left to train on.
    """
    train_name = "train" if "train" in splits else next(iter(splits))
    columns = _columns(splits[train_name], spec)
    found = {name: _rows(table, columns) for name, table in splits.items()}
    train, given = found[train_name], found.get("validation", [])
    total = sum(len(splits[name]) for name in found)
    dropped = total - sum(len(rows) for rows in found.values())
    test = found.get("test", []) if train_name != "test" else []
    duplicates = 0
    if not given or train_name == "validation":
        unique = list({orjson.dumps(row): row for row in reversed(train)}.values())[::-1]
        duplicates = len(train) - len(unique)
        kept, held = split_rows([row.get("label") for row in unique], spec.validation, spec.seed)
        train, given = [unique[i] for i in kept], [unique[i] for i in held]
    labels = _labels(splits[train_name], columns, [*train, *given, *test])
    if not train or not given:
        raise WorkbenchError(
            f"{count(len(train) + len(given), 'row is', 'rows are')} left once empty ones are taken out; at least 2 "
            "are needed, and better 50 or more. Check the columns, or add rows.",
            field="data",
        )
    was_given = "validation" in found and train_name != "validation" and bool(found["validation"])
    problem = "single" if TRAIN_TASKS[spec.task].problems else ""
    return Rows(train, given, test, labels, columns, dropped, duplicates, was_given, problem)


def _columns(table: Table, spec: RunSpec) -> dict[str, str]:
    roles = TRAIN_TASKS[spec.task].columns
    guess = suggest(table)
    # A pair is guessed only together with its first text: a chosen text column stands alone.
    chosen = {role: column for role, column in spec.columns.items() if column}
    start = guess if not chosen else {role: guess[role] for role in ("text", "label")}
    start = {role: column for role, column in start.items() if column not in chosen.values()}
    names = TRAIN_TASKS[spec.task].roles
    columns = {role: column for role, column in {**start, **chosen}.items() if column and role in names}
    for role in roles:
        column = columns.get(role.role)
        if column is None and role.required:
            raise WorkbenchError(
                f"Choose the column with the {role.role}. The data has: {', '.join(table.columns)}.",
                field=f"columns.{role.role}",
            )
        if column is not None and column not in table.columns:
            raise WorkbenchError(
                f"The data has no column {column!r}. It has: {', '.join(table.columns)}.",
                field=f"columns.{role.role}",
            )
    return columns


def _rows(table: Table, columns: Mapping[str, str]) -> list[Row]:
    empty = [None] * len(table)
    texts = table.columns.get(columns["text"], empty)
    pairs = table.columns.get(columns.get("text_pair", ""), empty)
    labels = table.columns.get(columns.get("label", ""), empty)
    names = table.names.get(columns.get("label", ""), [])
    rows: list[Row] = []
    for text, pair, label in zip(texts, pairs, labels, strict=True):
        name = label_name(label, names)
        if text is None or ("text_pair" in columns and pair is None) or ("label" in columns and name is None):
            continue
        values = {"text": str(text), "text_pair": None if pair is None else str(pair), "label": name}
        rows.append({role: value for role, value in values.items() if value is not None})
    return rows


def _labels(table: Table, columns: Mapping[str, str], rows: Sequence[Row]) -> list[str]:
    if "label" not in columns:
        return []
    used = {row["label"] for row in rows if "label" in row}
    known = table.names.get(columns["label"], [])
    labels = known if used <= set(known) else order_labels(used)
    if len(used) < 2:
        raise WorkbenchError(
            f"The column {columns['label']} holds one label only ({', '.join(used) or 'none'}); a classifier needs at "
            "least two. Choose another column, or add rows of another class.",
            field="columns.label",
        )
    if len(labels) > 1000:
        raise WorkbenchError(
            f"The column {columns['label']} holds {len(labels):,} different values, so it is not a label. Choose "
            "another column.",
            field="columns.label",
        )
    return list(labels)
