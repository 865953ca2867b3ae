"""From tables to the rows that are trained on: cells read by role, remedies applied, labels named, splits made."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from components.service.errors import WorkbenchError
from components.service.runs.cells import (
    labels_value,
    messages_value,
    number_value,
    problem_of,
    tags_value,
    text_value,
    tokens_value,
)
from components.service.runs.checks import REMEDIES
from components.service.runs.remedies import REMEDY, Splits, labels_of, row_key
from components.service.runs.remedies import Row as Row
from components.service.runs.spec import RunSpec
from components.service.runs.splits import split_groups, split_rows, strata
from components.service.runs.tasks import TRAIN_TASKS
from components.service.runs.values import Picture, answers_value, digest, image_value, target_value
from components.service.worker.columns import label_name, order_labels
from components.service.worker.findings import count
from components.service.worker.roles import choose
from components.service.worker.sources import split_of
from components.service.worker.tables import Table

#: Most classes of a classifier.
MOST_LABELS = 1000


@dataclass
class Rows:
    """What is trained and evaluated on.

    Attributes:
        train, validation, test: Rows of each split; `test` may be empty.
        labels: Class names, in the order of their ids; empty where the task has none.
        columns: The column used for each role.
        dropped: Rows left out because they lack what is read or learned.
        duplicates: Rows left out because the same row came before, where no validation split was given.
        given: Whether the data has a validation split of its own.
        problem: What the labels are, `single`, `multi` or `regression`; empty where the task has no such choice.
        remedied: Rows that each remedy changed or left out.
        splits: What the data calls each split.
        reading: How each file was read; see `Table.forms`.
        data_files: The files of each split, where no configuration that the data declares names them.
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
    remedied: dict[str, int] = field(default_factory=dict)
    splits: dict[str, str] = field(default_factory=dict)
    reading: dict[str, dict[str, Any]] = field(default_factory=dict)
    data_files: dict[str, list[str]] = field(default_factory=dict)

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
            "remedied": self.remedied,
            "splits": self.splits,
            "validation_given": self.given,
            "reading": self.reading,
            "data_files": self.data_files,
            **({"shared_contexts": shared} if (shared := self.shared_contexts()) else {}),
            "data_fingerprint": self.fingerprint(),
            "evaluation_fingerprint": _digest({"validation": self.validation, "test": self.test}),
        }

    def shared_contexts(self) -> dict[str, int]:
        """For each split that is evaluated on, how many of its questions are about a context that stands in train."""
        known = {row["context"] for row in self.train if "context" in row}
        splits = {"validation": self.validation, "test": self.test}
        shared = {name: sum(row.get("context") in known for row in rows) for name, rows in splits.items()}
        return {name: number for name, number in shared.items() if number}

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with any row of any split, and with their order."""
        return _digest({"train": self.train, "validation": self.validation, "test": self.test})


def _digest(splits: Mapping[str, list[Row]]) -> str:
    return hashlib.sha256(orjson.dumps(splits, default=digest)).hexdigest()[:16]


def _counts(rows: Sequence[Row], labels: Sequence[str]) -> dict[str, int]:
    """Rows of each class; of a tag, tokens."""
    return {**dict.fromkeys(labels, 0), **Counter(label for row in rows for label in labels_of(row))}


@dataclass
class Read:
    """The rows of a source by split, `train` among them, before any is held out.

    Attributes:
        splits: Rows that have a value for each role that has a column.
        columns: The column of each role.
        problem: As in `Rows`.
        names: Class names that the data itself declares.
        unusable: For each split, how many rows were left out for want of which role.
        remedied: Rows that each remedy changed or left out.
        called: What the data calls each split.
        absent: Columns that a split has not, of those that train has.
        reading, data_files: As in `Rows`.
    """

    splits: Splits
    columns: dict[str, str]
    problem: str
    names: list[str]
    unusable: dict[str, Counter[str]]
    remedied: dict[str, int] = field(default_factory=dict)
    called: dict[str, str] = field(default_factory=dict)
    absent: dict[str, list[str]] = field(default_factory=dict)
    reading: dict[str, dict[str, Any]] = field(default_factory=dict)
    data_files: dict[str, list[str]] = field(default_factory=dict)


def choose_rows(splits: Mapping[str, Table], spec: RunSpec) -> Rows:
    """Rows for a run.

    Raises:
        WorkbenchError: A column is absent, there is one class only, or too little is left to train on.
    """
    table = splits[split_names(splits)["train"]]
    chosen = choose(table, spec.task, spec.columns)
    columns = {role: column for role, column in chosen.items() if column}
    _check_columns(table, columns, spec)
    return arrange(cure(read_rows(splits, columns, spec), spec), spec)


def split_names(splits: Mapping[str, Any]) -> dict[str, str]:
    """What the data calls its `train`, `validation` and `test` split; the first one there is stands for train."""
    spoken = {name: name if name in ("train", "validation", "test") else split_of(name) for name in splits}
    found = {"train": next((name for name in splits if spoken[name] == "train"), next(iter(splits)))}
    for kind in ("validation", "test"):
        # A split that is called just so comes before one whose name only speaks of it, as validation_matched does.
        names = [name for name in splits if spoken[name] == kind and name != found["train"]]
        if names:
            found[kind] = kind if kind in names else names[0]
    return found


def read_rows(splits: Mapping[str, Table], columns: Mapping[str, str], spec: RunSpec) -> Read:
    """Read the cells of the columns as what their roles hold."""
    names = split_names(splits)
    table = splits[names["train"]]
    label = columns.get("label", columns.get("tags", ""))
    known = table.names.get(label, [])
    problem = ""
    if TRAIN_TASKS[spec.task].problems:
        problem = problem_of(table.columns.get(label, []), known) if spec.problem == "auto" else spec.problem
    read: dict[str, tuple[list[Row], Counter[str]]] = {}
    for kind, name in names.items():
        readers = _readers(columns, splits[name].names.get(label) or known, problem)
        read[kind] = _rows(splits[name], columns, readers)
    rows = {kind: one for kind, (one, _) in read.items()}
    unusable = {kind: lacking for kind, (_, lacking) in read.items()}
    absent = {
        kind: [one for one in columns.values() if one not in splits[name].columns] for kind, name in names.items()
    }
    used = {name: splits[name] for name in names.values()}
    reading = {file: form for one in used.values() for file, form in one.forms.items()}
    loose = {name: list(one.forms) for name, one in used.items() if one.loose}
    return Read(
        rows, dict(columns), problem, list(known), unusable, called=names, absent=absent, reading=reading,
        data_files=loose,
    )  # fmt: skip


#: Reads a cell, given what has been read of its row so far; `None` means that the row cannot be used.
Reader = Callable[[Any, Row], Any]


def _readers(columns: Mapping[str, str], names: Sequence[str], problem: str) -> dict[str, Reader]:
    """For each role that has a column, what reads its cells, in the order in which they need each other."""
    label: Callable[[Any], Any] = partial(labels_value if problem == "multi" else label_name, names=names)
    if problem == "regression":
        label = number_value
    readers: dict[str, Reader] = {
        **{role: lambda cell, _: text_value(cell) for role in ("text", "text_pair", "question", "context")},
        "tokens": lambda cell, _: tokens_value(cell),
        # Only what was opened when the table was read is a `Picture`.
        "image": lambda cell, _: image_value(cell) if isinstance(cell, Picture) else None,
        "messages": lambda cell, _: messages_value(cell),
        "target": lambda cell, _: target_value(cell),
        "label": lambda cell, _: label(cell),
        "tags": lambda cell, row: tags_value(cell, row.get("tokens"), names),
        "answers": lambda cell, row: answers_value(cell, row.get("context")),
    }
    return {role: reader for role, reader in readers.items() if role in columns}


def _rows(table: Table, columns: Mapping[str, str], readers: Mapping[str, Reader]) -> tuple[list[Row], Counter[str]]:
    empty = [None] * len(table)
    cells = [table.columns.get(columns[role], empty) for role in readers]
    rows: list[Row] = []
    lacking: Counter[str] = Counter()
    for values in zip(*cells, strict=True):
        row: Row = {}
        for (role, reader), value in zip(readers.items(), values, strict=True):
            read = reader(value, row)
            if read is None:
                lacking[role] += 1
                break
            row[role] = read
        else:
            rows.append(row)
    return rows, lacking


def cure(read: Read, spec: RunSpec) -> Read:
    """The rows after the remedies that are asked for."""
    splits, remedied = read.splits, {}
    for name in REMEDIES:
        if name in spec.remedies:
            splits, remedied[name] = REMEDY[name](splits)
    return replace(read, splits=splits, remedied=remedied)


def arrange(read: Read, spec: RunSpec) -> Rows:
    """The rows of a run; some of train are held out where the data has no validation split.

    Raises:
        WorkbenchError: There is one class only, or too little is left to train on.
    """
    train, validation, test = (read.splits.get(name, []) for name in ("train", "validation", "test"))
    if "files" in spec.data and "validation" in read.called and not validation:
        raise WorkbenchError(_no_validation(read), field="data")
    given, duplicates = bool(validation), 0
    if not given:
        unique = list({row_key(row): row for row in reversed(train)}.values())[::-1]
        duplicates = len(train) - len(unique)
        train, validation = _hold_out(unique, spec)
    if len(train) > 1 and not validation:
        raise WorkbenchError(
            f"None of the {len(train):,} rows can be held out to evaluate on: each label has one row only, from which "
            "it is learned. Add rows, better 50 or more.",
            field="data",
        )
    if not train or not validation:
        alike = " Rows that are alike count as one." if duplicates else ""
        raise WorkbenchError(
            f"{count(len(train) + len(validation), 'row is', 'rows are')} left once those are taken out that cannot "
            f"be used; at least 2 are needed, and better 50 or more.{alike} Check the columns, or add rows.",
            field="data",
        )
    labels = _labels(read, spec, [*train, *validation, *test])
    dropped = sum(lacking.total() for lacking in read.unusable.values())
    return Rows(
        train, validation, test, labels, read.columns, dropped, duplicates, given, read.problem, read.remedied,
        read.called, read.reading, read.data_files,
    )  # fmt: skip


def _no_validation(read: Read) -> str:
    """Why none of the rows that were uploaded to evaluate on can be used."""
    why = "None of them has all that is needed."
    if absent := read.absent["validation"]:
        why = f"They have no column {absent[0]}, which train has. Call the columns of all files alike."
    return f"No row of those to evaluate on can be used. {why} Or leave their file out, and some of train are held out."


def _hold_out(rows: list[Row], spec: RunSpec) -> tuple[list[Row], list[Row]]:
    if spec.validation >= len(rows) > 0:
        raise WorkbenchError(
            f"{spec.validation:,.0f} rows cannot be held out of {len(rows):,}: none would be left to train on. Hold "
            "fewer out.",
            field="validation",
        )
    if rows and "context" in rows[0]:
        # What is learned of a context helps with each of its questions: none is trained and evaluated on.
        kept, held = split_groups([row["context"] for row in rows], spec.validation, spec.seed)
    else:
        labels = [row.get("label", row.get("tags")) for row in rows]
        kept, held = split_rows(strata(labels), spec.validation, spec.seed)
    return [rows[i] for i in kept], [rows[i] for i in held]


def _check_columns(table: Table, columns: Mapping[str, str], spec: RunSpec) -> None:
    for role in TRAIN_TASKS[spec.task].columns:
        column = columns.get(role.role)
        if column is None and role.required and role.instead not in columns:
            raise WorkbenchError(
                f"Choose the column with the {role.role}. The data has: {', '.join(table.columns)}.",
                field=f"columns.{role.role}",
            )
        if column is not None and column not in table.columns:
            raise WorkbenchError(
                f"The data has no column {column!r}. It has: {', '.join(table.columns)}.",
                field=f"columns.{role.role}",
            )


def _labels(read: Read, spec: RunSpec, rows: Sequence[Row]) -> list[str]:
    """The classes in the order of their ids: as the data declares them, else in their own order."""
    role = "label" if "label" in read.columns else "tags"
    if role not in read.columns:
        return []
    column = read.columns[role]
    if read.problem == "regression":
        if len({row["label"] for row in rows}) < 2:
            message = f"All rows have one number in {column}. Choose another column, or add rows of other numbers."
            raise WorkbenchError(message, field="columns.label")
        return []
    used = {label for row in rows for label in labels_of(row)}
    known = read.names
    if "drop_rare" in spec.remedies:
        known = [name for name in known if name in used]
    labels = known if used <= set(known) else order_labels(used)
    if len(used) < (1 if read.problem == "multi" else 2):
        raise WorkbenchError(
            f"The column {column} holds one label only ({', '.join(used) or 'none'}); a classifier needs at "
            "least two. Choose another column, or add rows of another class.",
            field=f"columns.{role}",
        )
    if len(labels) > MOST_LABELS:
        raise WorkbenchError(
            f"The column {column} holds {len(labels):,} different values, so it is not a label. Choose another column.",
            field=f"columns.{role}",
        )
    return list(labels)
