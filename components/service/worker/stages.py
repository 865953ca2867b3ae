"""Run a task and keep what passes between its steps."""

from __future__ import annotations

import time
from typing import Any

from components.service.tasks import TASKS
from components.service.tasks.inputs import is_batch
from components.service.worker.calls import Call
from components.service.worker.run import facts, runner


def run_stages(
    call: Call, *, task: str, path: str, model: str, inputs: Any, parameters: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The output with the three steps that led to it; of a list of inputs, the first one is shown."""
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    begun = time.perf_counter()
    if is_batch(TASKS[task], inputs):
        if len(inputs) > 1:
            one.note(f"The stages show one input at a time: this is the first of {len(inputs)}.")
        inputs = inputs[0]
    stages, output = one.stages(inputs)
    return {"stages": stages, "output": output, **facts(one, begun, load_seconds)}
