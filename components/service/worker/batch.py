"""Run a task on many rows: each failure stays in its row, progress is told, and what is done by the deadline counts."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from psutil import Process

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS, TaskSpec
from components.service.tasks.inputs import check_input
from components.service.worker.batch_rows import Rows, read_rows
from components.service.worker.calls import Call
from components.service.worker.run import facts, runner
from components.service.worker.runners.base import Runner
from components.service.worker.scoring import score
from components.service.worker.stacking import Row, alone, attempt, run_rows
from components.service.worker.tables import Caps

#: A file in base64, or as a data URL.
_ENCODED = re.compile(r"(data:[^,]{0,100},)?[\w+/=-]*", re.ASCII)
#: How often progress is told, in seconds.
TELL_SECONDS = 0.25
_UNDONE = {
    "time": "Not run: the time for one batch was up. Use fewer rows.",
    "size": "Not run: the results of the rows before took all the room there is for one batch. Use fewer rows.",
}


def run_batch(
    call: Call,
    *,
    task: str,
    path: str,
    model: str,
    source: Mapping[str, Any],
    gold: Any,
    parameters: dict[str, Any],
    caps: dict[str, int],
    seconds: float,
    sample: int = 0,
) -> Iterator[dict[str, Any]]:
    """Yield `{total, notes}` first, then `{rows: [[number, row]], done, total, remaining_seconds}` as rows are done,
    and last `{finished: True, stopped, metrics, throughput, facts}`.

    A row is `{input, output or error, seconds}`, with `gold` where there is one; `stopped` says why rows were left:
    `"time"`, `"size"`, or None where none was. With
    `sample`, the last item has `measured`: `latency`, and what the model's first load took.
    """
    spec = TASKS[task]
    rows = read_rows(spec, source, gold, Caps(**caps))
    most = call.settings.batch_rows
    if len(rows.items) > most:
        raise WorkbenchError(
            f"There are {len(rows.items):,} rows; at most {most:,} are run in one batch. Use fewer.",
            field="rows",
        )
    yield {"total": len(rows.items), "notes": rows.notes}
    before = Process().memory_info().rss
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    grown = Process().memory_info().rss - before if load_seconds else None
    for item in _Batch(call, spec, one, rows).run(load_seconds):
        if sample and "finished" in item:
            item["measured"] = {
                **latency(one, rows.items, sample),
                "load_seconds": one.loaded.seconds,
                "bytes": one.loaded.bytes,
                "rss_bytes": grown,
            }
        yield item


class _Batch:
    """One batch on its way: what is done, and what of it has been told."""

    def __init__(self, call: Call, spec: TaskSpec, one: Runner, rows: Rows) -> None:
        self._call = call
        self._spec = spec
        self._one = one
        self._rows = rows
        self._untold: list[list[Any]] = []
        self._done: set[int] = set()
        self._pairs: list[tuple[Any, Any]] = []
        self._bytes = 0

    def run(self, load_seconds: float) -> Iterator[dict[str, Any]]:
        begun = told = time.perf_counter()
        self._one.begin_list()
        stopped = None
        try:
            for row in run_rows(self._checked()):
                self._add(row)
                if self._bytes > self._call.settings.batch_bytes:
                    stopped = "size"
                    break
                if time.perf_counter() - told > TELL_SECONDS:
                    told = time.perf_counter()
                    yield self._progress(told - begun)
        except WorkbenchError as error:
            if error.kind != "timeout":
                raise
            stopped = "time"
        seconds = time.perf_counter() - begun
        done = len(self._done)
        how = facts(self._one, begun, load_seconds)
        self._leave(stopped)
        yield self._progress(seconds)
        yield {
            "finished": True,
            "stopped": stopped,
            "metrics": self._metrics(),
            "throughput": {"rows_per_second": done / seconds, "seconds": seconds, "rows": done},
            "facts": how,
        }

    def _checked(self) -> Iterator[Row]:
        """The rows whose input is sound; the others are done with their error."""
        for number, item in enumerate(self._rows.items):
            try:
                yield Row(self._one, number, check_input(self._spec, item, self._call.settings))
            except WorkbenchError as error:
                self._add(Row(self._one, number, None, error=error))

    def _add(self, row: Row) -> None:
        made = {"error": row.error.message} if row.error is not None else {"output": row.output}
        told = {"input": shown(self._rows.items[row.number]), **made, "seconds": row.seconds}
        gold = None if self._rows.gold is None else self._rows.gold[row.number]
        if self._rows.gold is not None:
            told["gold"] = gold
        if row.error is None and gold is not None:
            self._pairs.append((row.output, gold))
        self._bytes += len(orjson.dumps(told))
        self._untold.append([row.number, told])
        self._done.add(row.number)

    def _leave(self, stopped: str | None) -> None:
        """Tell of each row that was not run why."""
        for number, item in enumerate(self._rows.items):
            if number not in self._done:
                self._untold.append(
                    [number, {"input": shown(item), "error": _UNDONE[stopped or "time"], "seconds": 0.0}]
                )

    def _progress(self, seconds: float) -> dict[str, Any]:
        rows, self._untold = self._untold, []
        done, total = len(self._done), len(self._rows.items)
        remaining = seconds * (total - done) / done if done else None
        return {"rows": rows, "done": done, "total": total, "remaining_seconds": remaining}

    def _metrics(self) -> dict[str, Any] | None:
        if self._rows.gold is None:
            return None
        return score(self._spec, labels(self._one), self._pairs)


def latency(one: Runner, items: Sequence[Any], sample: int) -> dict[str, Any]:
    """`{p50_seconds, p95_seconds, sample}`: how long a row takes by itself, on rows spread over all that can be run."""
    seconds = []
    for item in items[:: max(1, len(items) // sample)][:sample]:
        row = Row(one, 0, None)
        with attempt(row):
            alone(checked := Row(one, 0, check_input(one.spec, item, one.call.settings)))
            if checked.error is None:
                seconds.append(checked.seconds)
        if row.error is not None and row.error.kind == "timeout":
            break
    seconds.sort()
    ranks = {"p50_seconds": 0.5, "p95_seconds": 0.95}
    found = {name: seconds[math.ceil(share * len(seconds)) - 1] if seconds else None for name, share in ranks.items()}
    return {**found, "sample": len(seconds)}


def labels(one: Runner) -> Sequence[str]:
    """The labels of a model's own head, in order; none where the labels are given with each call."""
    if "candidate_labels" in one.parameters:
        return list(one.parameters["candidate_labels"])
    names: dict[int, str] = getattr(one.loaded.model.config, "id2label", None) or {}
    return [name for _, name in sorted(names.items())] if one.spec.output == "labels" else []


def shown(item: Any) -> Any:
    """An input as it is told back: a file by its name, or by its size where it has none."""
    if isinstance(item, Mapping) and "file" in item:
        return str(item.get("name") or item["file"]).replace("\\", "/").rpartition("/")[2]
    if isinstance(item, Mapping):
        return {name: shown(value) for name, value in item.items()}
    if isinstance(item, str) and len(item) > 1000 and _ENCODED.fullmatch(item):
        return f"{item[:40]}… ({len(item):,} characters)"
    return item
