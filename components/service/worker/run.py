"""Run a task: load its model, hand the inputs to the task's runner, say how the result came about."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.tasks.inputs import is_batch
from components.service.worker.calls import Call
from components.service.worker.runners.base import Runner
from components.service.worker.stacking import Row, run_rows

#: The part of a call's time, from its begin, that work may take that can stop early; then it returns what it has.
TIME_SHARE = 0.8


def runner(
    call: Call, task: str, path: str, model: str, parameters: dict[str, Any], seconds: float
) -> tuple[Runner, float]:
    """What runs `task`, with its model loaded, and the seconds that loading took."""
    until = time.monotonic() + TIME_SHARE * seconds
    loaded, load_seconds = call.models.load(path, TASKS[task], model)
    return runner_class(task)(call, loaded, parameters, until), load_seconds


def runner_class(task: str) -> type[Runner]:
    """The class that the task's `TaskSpec` names."""
    module, _, name = TASKS[task].runner.partition(":")
    found: type[Runner] = getattr(import_module(f"components.service.worker.runners.{module}"), name)
    return found


def facts(one: Runner, begun: float, load_seconds: float) -> dict[str, Any]:
    """How a result came about: seconds, device, number type, parameters as used, notes, and what the task adds."""
    return {
        "seconds": time.perf_counter() - begun,
        "load_seconds": load_seconds,
        **one.loaded.facts(),
        "parameters": one.parameters,
        "notes": one.notes,
        **one.stated(),
    }


def run_task(
    call: Call, *, task: str, path: str, model: str, inputs: Any, parameters: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The output for one input, or a list of outputs for a list of inputs, which go through the model together."""
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    begun = time.perf_counter()
    if not is_batch(TASKS[task], inputs):
        return {"output": one.run(inputs), **facts(one, begun, load_seconds)}
    one.begin_list()
    outputs = [None] * len(inputs)
    for row in run_rows(Row(one, number, item) for number, item in enumerate(inputs)):
        if (error := row.error) is not None:
            raise WorkbenchError(f"Input {row.number + 1}: {error.message}", kind=error.kind, field=error.field)
        outputs[row.number] = row.output
    return {"output": outputs, **facts(one, begun, load_seconds)}
