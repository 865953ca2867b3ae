"""Look into data before training on it: what it holds, what is wrong with it, and how it would be read. Worker only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.service.errors import WorkbenchError
from components.service.runs.rows import Rows, arrange, cure, read_rows, split_names
from components.service.runs.spec import RunSpec, defaults
from components.service.runs.tasks import TRAIN_TASKS
from components.service.worker.columns import Kind, describe, kinds_of
from components.service.worker.doctor import labels, rows, splits
from components.service.worker.doctor.first_rows import first_rows, picture_rows
from components.service.worker.doctor.looked import Looked, applied
from components.service.worker.doctor.words import words
from components.service.worker.findings import finding
from components.service.worker.roles import Columns, choose
from components.service.worker.sources import load
from components.service.worker.tables import Caps, Table

if TYPE_CHECKING:
    from components.service.worker.doctor.tokens import Measured

_ORDER = {"error": 0, "warning": 1, "info": 2}


def inspect_data(
    _call: Any,
    source: dict[str, Any],
    columns: dict[str, str] | None = None,
    caps: dict[str, int] | None = None,
    task: str = "text-classification",
    model: dict[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What `Data.inspect` returns, but for the source.

    Args:
        source: As `sources.load` takes it.
        columns: The columns chosen, by role.
        caps: Limits of `Caps`.
        task: A key of `TRAIN_TASKS`.
        model: `{path, name, tokens}`: folder and id of a model, and the most tokens of a sequence here.
        options: Checked settings of a `RunSpec`.
    """
    spec = _spec(task, columns or {}, options or {}).with_(data=source)
    tables = load(source, Caps(**(caps or {})))
    table = tables[split_names(tables)["train"]]
    kinds = kinds_of(table)
    looked, refused = _look(tables, table, spec, kinds)
    # Files of one kind are often wrong in one way.
    problems = list({found["message"]: found for one in tables.values() for found in one.findings}.values())
    for about in (rows.about_columns, rows.about_rows, labels.about_labels, splits.about_splits, applied):
        problems += about(looked)
    # What refuses a run has mostly been told by then, and better.
    if refused and all(problem["level"] != "error" for problem in problems):
        problems.append(
            finding("error", refused.message, "Until then nothing can be trained.", refused.field or "data")
        )
    measured = _measure(looked, model)
    problems += measured.problems if measured else []
    return {
        "columns": describe(table, kinds),
        "suggested": looked.chosen,
        "roles": _roles(task),
        "problem": looked.read.problem,
        "splits": {name: len(one) for name, one in tables.items()},
        "rows": first_rows(table),
        "labels": labels.histogram(looked),
        "problems": sorted(({"remedy": None, **one} for one in problems), key=lambda one: _ORDER[one["level"]]),
        "lengths": words(looked.train),
        "tokens": measured.tokens if measured else None,
        "preview": measured.preview if measured else _pictures(looked),
        "split": splits.split(looked),
    }


def _spec(task: str, columns: Mapping[str, str], options: Mapping[str, Any]) -> RunSpec:
    given = {**defaults(task), **options, "remedies": tuple(options.get("remedies", ()))}
    return RunSpec(**{**given, "task": task, "model": "", "data": {}, "columns": dict(columns)})


def _roles(task: str) -> list[dict[str, Any]]:
    return [
        {"role": role.role, "title": role.title, "required": role.required, "instead": role.instead}
        for role in TRAIN_TASKS[task].columns
    ]


def _look(
    tables: Mapping[str, Table], table: Table, spec: RunSpec, kinds: Mapping[str, Kind]
) -> tuple[Looked, WorkbenchError | None]:
    """What the doctor looks at, and what refuses a run on it, if anything does."""
    chosen: Columns = choose(table, spec.task, spec.columns, kinds)
    there = {role: column for role, column in chosen.items() if column in table.columns and column}
    read = cure(read_rows(tables, there, spec), spec)
    arranged: Rows | None = None
    refused: WorkbenchError | None = None
    needed = [role for role in TRAIN_TASKS[spec.task].columns if role.required]
    if all(role.role in there or role.instead in there for role in needed):
        try:
            arranged = arrange(read, spec)
        except WorkbenchError as error:
            refused = error
    named = frozenset(role for role, column in spec.columns.items() if column)
    used = (tables[name] for name in split_names(tables).values())
    broken = sum(one.broken.get(chosen.get("image") or "", 0) for one in used)
    return Looked(spec, table, chosen, named, broken, read, arranged), refused


def _measure(looked: Looked, model: dict[str, Any] | None) -> Measured | None:
    if model is None:
        return None
    # Brings torch and the Trainer, which a look at the data alone does without.
    from components.service.worker.doctor.tokens import look_at_tokens

    return look_at_tokens(looked, model)


def _pictures(looked: Looked) -> list[dict[str, Any]]:
    return picture_rows(looked.rows.train) if looked.rows and "image" in looked.read.columns else []
