"""Run a task on many rows at once, and hand the results out as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from components.service.data import Data, check_columns
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import chosen_model
from components.service.settings import Settings
from components.service.sizes import in_units
from components.service.tasks import TaskSpec, find_task, with_languages
from components.service.tasks.answers import answer
from components.service.visitor import Visitor

#: Texts that begin so are formulas to a spreadsheet, which would run them.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ROWS = (
    'Rows are a list of inputs, {"text": pasted lines or a pasted table}, {"file": path, "name": name} or '
    '{"dataset": id}.'
)


class Batch:
    """Runs batches in the worker.

    Args:
        settings: `batch_rows`, `batch_seconds`, `batch_bytes`, `upload_bytes`.
        hub: Where models come from.
        engine: Where they run.
        data: Where rows come from that are no list.
    """

    def __init__(self, settings: Settings, hub: Hub, engine: Engine, data: Data) -> None:
        self._settings = settings
        self._hub = hub
        self._engine = engine
        self._data = data

    def run_batch(
        self,
        task: str,
        model: str = "",
        rows: Any = None,
        parameters: dict[str, Any] | None = None,
        gold: Any = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Run a task on many rows.

        Args:
            task: A name of `TASKS`, or an alias.
            model: A model's id; empty for the task's default on the Hub in use.
            rows: A list of inputs; `{"text": pasted}`, an input a line, or a table whose first line names the task's
                inputs; `{"file": path, "name": name}`, a CSV, TSV, JSONL, JSON or Parquet file; or `{"dataset": id}`.
                A table's columns are found by the names of the task's inputs, or chosen with `"columns": {input name:
                column}` beside the source.
            parameters: As the task's `TaskSpec` names them, for all rows.
            gold: The right answers: a column's name, or a list with one for each row (None where there is none).
            revision: A branch, tag or commit; empty for the newest.

        Returns:
            `rows`: `[{input, output or error, seconds}]` in the order given, with `gold`; `metrics`: as the worker's
            `scoring.score` gives them, None without gold; `throughput`: `{rows_per_second, seconds, rows}`; `stopped`:
            why the last rows were not run, `"time"` or `"size"`, else None; `facts`: `{task, model, commit, seconds,
            load_seconds, device, dtype, stored_dtype, auto_class, parameters, notes}`.

        Raises:
            WorkbenchError: With the field that has to be mended; what is wrong with one row is told in that row.
        """
        return _collected(self._stream(task, model, rows, parameters, gold, revision, visitor))

    def measure_batch(
        self, task: str, model: str, rows: Any, parameters: Any, gold: Any, revision: str, sample: int, visitor: Visitor
    ) -> dict[str, Any]:
        """What `run_batch` returns, and `measured`: `{p50_seconds, p95_seconds, sample, load_seconds, bytes,
        rss_bytes}` from up to `sample` of the rows, run once more, one by one."""
        return _collected(self._stream(task, model, rows, parameters, gold, revision, visitor, sample))

    def stream_batch(
        self,
        task: str,
        model: str = "",
        rows: Any = None,
        parameters: dict[str, Any] | None = None,
        gold: Any = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> Iterator[dict[str, Any]]:
        """Run a task on many rows and follow it; arguments and errors as of `run_batch`.

        Yields:
            First `{total, notes}`; then `{rows: [[number, row]], done, total, remaining_seconds}` with the rows that
            are newly done; last `{finished: True}` with `metrics`, `throughput`, `stopped` and `facts`. Closing the
            generator stops the work.
        """
        return self._stream(task, model, rows, parameters, gold, revision, visitor)

    def _stream(
        self,
        task: str,
        model: str,
        rows: Any,
        parameters: dict[str, Any] | None,
        gold: Any,
        revision: str | None,
        visitor: Visitor,
        sample: int = 0,
    ) -> Iterator[dict[str, Any]]:
        spec = find_task(task)
        source = self._source(rows, visitor)
        checked = spec.check_parameters(with_languages(task, parameters), self._settings)
        self._check_gold(gold)
        snapshot = self._hub.model(chosen_model(spec, model, self._settings), revision, visitor=visitor)
        arguments = {
            "task": spec.name,
            "path": str(snapshot.path),
            "model": snapshot.id,
            "source": source,
            "gold": gold,
            "parameters": checked,
            "caps": {**self._data.caps(), "rows": self._settings.batch_rows},
            "seconds": self._settings.batch_seconds,
            "sample": sample,
        }
        known = {"task": spec.name, "model": snapshot.id, "commit": snapshot.commit}
        notes: list[str] = []
        seconds = self._settings.batch_seconds
        for item in self._engine.stream("run_batch", arguments, seconds=seconds, visitor=visitor):
            notes += item.get("notes", [])
            if "finished" in item:
                told = item["facts"]
                item = {**item, "facts": {**told, **known, "notes": [*notes, *told["notes"]]}}
            yield item

    def _source(self, rows: Any, visitor: Visitor) -> dict[str, Any]:
        """Where the worker finds the rows; what costs nothing to check is checked."""
        if isinstance(rows, list):
            self._check_json(rows, "rows")
            if not rows or len(rows) > self._settings.batch_rows:
                raise WorkbenchError(
                    f"A batch has 1 to {self._settings.batch_rows:,} rows; here are {len(rows):,}.", field="rows"
                )
            return {"rows": rows}
        if not isinstance(rows, Mapping):
            raise WorkbenchError(_ROWS, field="rows")
        columns = rows.get("columns")
        check_columns(columns)
        try:
            source = self._data.resolve(dict(rows), visitor=visitor)[1]
        except WorkbenchError as error:
            raise WorkbenchError(error.message, kind=error.kind, field="rows") from None
        return {**source, "columns": {name: column for name, column in (columns or {}).items() if column}}

    def _check_gold(self, gold: Any) -> None:
        if not isinstance(gold, str | list | None):
            raise WorkbenchError("Gold answers are a list, or the name of a column.", field="gold")
        self._check_json(gold, "gold")

    def _check_json(self, value: Any, field: str) -> None:
        try:
            size = len(orjson.dumps(value))
        except (TypeError, RecursionError):
            raise WorkbenchError(
                "These are no JSON values, or a text among them holds half of a character.",
                field=field,
            ) from None
        if size > self._settings.upload_bytes:
            raise WorkbenchError(
                f"This takes {in_units(size)}; at most {in_units(self._settings.upload_bytes)} are allowed.",
                field=field,
            )


def _collected(items: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """A followed batch as one value, its rows in order."""
    result: dict[str, Any] = {}
    done: dict[int, dict[str, Any]] = {}
    for result in items:
        done.update(result.get("rows", ()))
    del result["finished"]
    return {"rows": [done[number] for number in sorted(done)], **result}


def table(result: Mapping[str, Any], kind: str = "csv") -> str:
    """A batch's rows as text to be saved.

    Args:
        result: What `run_batch` returned.
        kind: `"csv"` or `"jsonl"`. In CSV an input of several parts takes a column for each, `answer` and `score` are
            the gist of `output`, which stands there as JSON; a text that a spreadsheet would run as a formula (it
            begins with =, +, - or @) has an apostrophe put before it. JSONL has the rows as they are.

    Raises:
        WorkbenchError: There is no such kind.
    """
    rows = result["rows"]
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if kind != "csv":
        raise WorkbenchError("A batch is saved as csv or jsonl.", field="kind")
    spec = find_task(result["facts"]["task"])
    flat = [_flat(spec, row) for row in rows]
    sink = io.StringIO(newline="")
    writer = csv.DictWriter(sink, list(dict.fromkeys(name for row in flat for name in row)))
    writer.writeheader()
    writer.writerows({name: _guarded(value) for name, value in row.items()} for row in flat)
    return sink.getvalue()


def _flat(spec: TaskSpec, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as named cells."""
    first = spec.inputs[0].name
    given = row["input"] if isinstance(row["input"], dict) else {first: row["input"]}
    output = row.get("output")
    best = output[0] if isinstance(output, list) and output else output
    return {
        **given,
        **({"gold": row["gold"]} if "gold" in row else {}),
        "answer": answer(spec.output, output),
        "score": best.get("score") if isinstance(best, dict) else None,
        "error": row.get("error"),
        "seconds": row["seconds"],
        "output": None if output is None else json.dumps(output, ensure_ascii=False),
    }


def _guarded(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
