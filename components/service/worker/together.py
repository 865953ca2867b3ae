"""Several visitors' calls of one task, model and parameters in as few passes through the model as can be.

Each call has a runner of its own, which takes its notes, and gets the answer that it would get alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Iterator
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.tasks.inputs import is_batch
from components.service.worker.lanes import Job
from components.service.worker.run import facts, runner
from components.service.worker.stacking import STACKED, Row, run_rows


def lane_of(name: str, arguments: dict[str, Any]) -> Hashable | None:
    """What a call has in common with those that it can be run with, or None where it is run alone."""
    if name != "run_task":
        return None
    task, inputs = arguments["task"], arguments["inputs"]
    if task not in STACKED or is_batch(TASKS[task], inputs):
        return None
    return task, arguments["path"], arguments["model"], json.dumps(arguments["parameters"], sort_keys=True)


def run_together(jobs: list[Job]) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield each job with its value as `run_task` gives it. What cannot be run is left out: alone it gets its error."""
    rows, load_seconds = [], {}
    for number, job in enumerate(jobs):
        asked = {name: value for name, value in job.arguments.items() if name != "inputs"}
        try:
            one, load_seconds[number] = runner(job.call, **asked)
        except WorkbenchError:
            continue
        rows.append(Row(one, number, job.arguments["inputs"]))
    begun = time.perf_counter()
    for row in run_rows(rows):
        if row.error is None:
            job = jobs[row.number]
            yield job, {"output": row.output, **facts(row.one, begun, load_seconds[row.number])}
