"""How the figures of a run are called and written."""

from __future__ import annotations

from typing import Any

from components.service.runs.tasks import LOWER, TRAIN_TASKS

#: What needs no model to be said.
_BASELINES = {
    "majority": "always the largest class",
    "mean": "always the mean",
    "lead": "the first sentences",
    "copy": "the text as it is",
}


def baseline_title(name: str, figures: dict[str, Any]) -> str:
    """What a score that needs no model comes from: always the same answer, where it is one."""
    said = figures.get("label")
    return f"always {said}" if said else _BASELINES.get(name, name.replace("_", " "))


def figure(value: Any) -> str | None:
    """A figure in four digits after the point; None where there is none."""
    return f"{value:.4f}" if isinstance(value, int | float) and not isinstance(value, bool) else None


def band(figures: dict[str, Any], name: str) -> tuple[float, float] | None:
    """The 95 % interval of a metric, where it has one."""
    low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
    return None if low is None or high is None else (low, high)


def between(figures: dict[str, Any], name: str) -> str | None:
    """The 95 % interval of a metric in words."""
    found = band(figures, name)
    return f"{found[0]:.3f} to {found[1]:.3f}" if found else None


def metrics_of(task: str, figures: dict[str, Any], chosen: str | None = None) -> list[str]:
    """The metrics of a task that an evaluation has, what the best checkpoint is chosen by first, the loss last."""
    known = TRAIN_TASKS[task].metrics if task in TRAIN_TASKS else ()
    names = [name for name in dict.fromkeys([*([chosen] if chosen else []), *known, "loss"]) if name in figures]
    return sorted(names, key=lambda name: name == "loss")


def better(name: str) -> str:
    """Which way a metric gets better."""
    return "less is better" if name in LOWER else "more is better"
