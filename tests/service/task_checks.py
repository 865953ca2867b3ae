"""What holds for the results of every task."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import pytest

from components.service.inference import Inference
from components.service.visitor import Visitor


def alike(one: Any, other: Any, same_text: Callable[[str, str], bool] = operator.eq) -> bool:
    """Whether two results are the same but for the last digits, which may depend on the number of threads."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key], same_text) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(alike(*pair, same_text) for pair in zip(one, other, strict=True))
    if isinstance(one, str) and isinstance(other, str):
        return same_text(one, other)
    return one == pytest.approx(other, rel=1e-4, abs=1e-5) if isinstance(one, float) else bool(one == other)


def near(value: Any, rel: float = 1e-5) -> Any:
    """The value with its numbers given or taken 1e-5, or as much of themselves as `rel` says."""
    if isinstance(value, dict):
        return {name: near(one, rel) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [near(one, rel) for one in value]
    return value if isinstance(value, str | int | None) else pytest.approx(float(value), rel=rel, abs=1e-5)


def check_stages(
    inference: Inference,
    visitor: Visitor,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
    tensors: tuple[str | None, ...],
) -> None:
    """The three steps lead to the output of `run_task`; each has its tensor of that name, and a sentence."""
    seen = inference.run_stages(task, f"local/{model}", inputs, parameters, visitor=visitor)
    whole = inference.run_task(task, f"local/{model}", inputs, parameters, visitor=visitor)
    assert alike(seen["output"], whole["output"])
    assert [stage["name"] for stage in seen["stages"]] == ["preprocess", "forward", "postprocess"]
    for stage, name in zip(seen["stages"], tensors, strict=True):
        assert name is None or name in [tensor["name"] for tensor in stage["tensors"]]
        assert stage["note"].endswith(".")
