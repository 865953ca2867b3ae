"""Run a task and keep what passes between its steps."""

from __future__ import annotations

import time
from typing import Any

from components.service.worker.calls import Call
from components.service.worker.run import facts, runner


def run_stages(
    call: Call, *, task: str, path: str, model: str, inputs: Any, parameters: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The output with the three steps that led to it; of a list of texts, the first one is shown."""
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    begun = time.perf_counter()
    if isinstance(inputs, list):
        if len(inputs) > 1:
            one.note(f"The stages show one text at a time: this is the first of {len(inputs)}.")
        inputs = inputs[0]
    stages, output = one.stages(inputs)
    return {"stages": stages, "output": output, **facts(one, begun, load_seconds)}
