"""Rows of results from and to the files of `.eval_results`, with which a model takes part in a benchmark of the Hub.

Such a file knows no metric, split and task: the benchmark has its own. Rows that go there say them in the notes, so
that they come back as they were.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml
from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml, parse_eval_result_entries

from components.cardrules.reading import Unreadable, read
from components.service.cards.document import FRONT_BYTES
from components.service.cards.results import Row, check_rows
from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters

_DATASET = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
#: Parts of a row that an entry has no place for.
_NOTED = ("metric", "name", "split", "task", "task_name", "dataset_name", "config")
_PAIR = re.compile(r"(\w+): ((?:[^;\\]|\\.)*)(?:; |$)", re.DOTALL)
#: What the Hub calls the only task of a benchmark.
_DEFAULT = "default"


def to_files(rows: Any) -> dict[str, Any]:
    """The files of `.eval_results` that hold rows.

    Args:
        rows: As `read_rows` gives them.

    Returns:
        `{"files": [{"path", "text"}], "left_out": [{"row", "message"}]}`: a file for each data set, and the rows (by
        their places) that none can hold, with the reason.

    Raises:
        WorkbenchError: They are no rows.
    """
    entries: dict[str, list[EvalResultEntry]] = {}
    left_out = []
    for number, row in enumerate(check_rows(rows)):
        if not _DATASET.fullmatch(row["dataset"]):
            message = f"{row['dataset']} is no data set of the Hub, so no benchmark has this result."
            left_out.append({"row": number, "message": message})
        elif row["split"] == "train":
            message = "It was measured on rows of train, which no benchmark takes."
            left_out.append({"row": number, "message": message})
        else:
            entries.setdefault(row["dataset"], []).append(_entry(row))
    files = [
        {"path": f".eval_results/{dataset.replace('/', '--')}.yaml", "text": _dumped(some)}
        for dataset, some in entries.items()
    ]
    return {"files": files, "left_out": left_out}


def _dumped(entries: list[EvalResultEntry]) -> str:
    values = eval_result_entries_to_yaml(entries)
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000))


def _entry(row: Row) -> EvalResultEntry:
    return EvalResultEntry(
        dataset_id=row["dataset"],
        task_id=row["config"] or _DEFAULT,
        value=row["value"],
        dataset_revision=row["revision"],
        source_url=row["source"],
        source_name=row["source_name"],
        notes="; ".join(f"{name}: {_escaped(row[name])}" for name in _NOTED if row[name] is not None),
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;")


def from_file(text: Any) -> list[Row]:
    """The rows of a file of `.eval_results`, new ones for a card; task and metric are None where others wrote it.

    What it says beside them (who evaluated and when, remarks, the Hub's own seal) has no place in a row.

    Raises:
        WorkbenchError: It cannot be read, or an entry lacks its data set, task or value.
    """
    if not isinstance(text, str):
        raise WorkbenchError("The file of results is text.", field="text")
    check_characters(text, "text")
    if len(text.encode()) > FRONT_BYTES:
        raise WorkbenchError(f"The file is longer than {FRONT_BYTES:,} bytes.", field="text")
    try:
        value = read(text).value
    except Unreadable as error:
        raise WorkbenchError(f"{error.message} Mend line {error.line + 1}.", field="text") from None
    entries = value if isinstance(value, list) else []
    if not entries or not all(_whole(entry) for entry in entries):
        message = "Give a list of results, each with dataset (id, task_id) and value."
        raise WorkbenchError(message, field="text")
    return [_row(entry) for entry in parse_eval_result_entries(entries)]


def _whole(entry: Any) -> bool:
    dataset = entry.get("dataset") if isinstance(entry, Mapping) else None
    source = entry.get("source") if isinstance(entry, Mapping) else None
    return (
        isinstance(dataset, Mapping)
        and all(isinstance(dataset.get(key), str) for key in ("id", "task_id"))
        and entry.get("value") is not None
        and isinstance(source, Mapping | None)
        and (source is None or not source or isinstance(source.get("url"), str))
    )


def _row(entry: EvalResultEntry) -> Row:
    noted = {name: re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) for name, text in _PAIR.findall(entry.notes or "")}
    ours = bool(noted) and noted.keys() <= set(_NOTED) and "metric" in noted
    row = dict.fromkeys(_NOTED) | (noted if ours else {"config": entry.task_id})
    return {
        **row,
        "dataset": entry.dataset_id,
        "dataset_name": row["dataset_name"] or entry.dataset_id,
        "revision": entry.dataset_revision,
        "value": entry.value,
        "source": entry.source_url,
        "source_name": entry.source_name,
        "field": None,
    }
