"""Runs side by side: the curves together, the settings that differ, and what may be concluded."""

from __future__ import annotations

import re
from typing import Any

from components.service.runs.titles import metric_title
from components.widgets.chart import Series, line_chart
from components.widgets.figures import figure
from components.widgets.html import notice, table
from components.widgets.rows import short

_COLOURS = 4
#: A commit, of which the first digits are enough to tell it from others.
_SHA = re.compile(r"\b([0-9a-f]{7})[0-9a-f]{33}\b")


def run_compare_view(made: dict[str, Any]) -> str:
    """The answer of `/compare_runs`."""
    level = "success" if made.get("within_noise") is False else "info"
    return notice(made["verdict"], level) + _figures(made) + _charts(made) + _differences(made)


def _figures(made: dict[str, Any]) -> str:
    metric = _metric(made)
    title = metric_title(metric, made["task"]) if metric else "Metric"
    rows = [
        (
            run["name"],
            run["status"].capitalize(),
            figure(run["value"]),
            f"{run['low']:.3f} to {run['high']:.3f}" if run["low"] is not None and run["high"] is not None else None,
        )
        for run in made["runs"]
    ]
    return table(["Run", "Status", title, "95 % band"], rows, numeric=(2, 3), label="Final figures of the runs")


def _metric(made: dict[str, Any]) -> str | None:
    return next((run["metric"] for run in made["runs"] if run["metric"]), None)


def _charts(made: dict[str, Any]) -> str:
    curves, metric = made["curves"], _metric(made)
    loss = _series(curves, "train")
    drawn = line_chart("Training loss", loss, x_title="step", y_title="loss")
    if metric:
        title = metric_title(metric, made["task"])
        drawn += line_chart(title, _series(curves, "eval"), x_title="step", y_title=title)
    return f'<div class="wb-charts wb-spaced">{drawn}</div>'


def _series(curves: list[dict[str, Any]], name: str) -> list[Series]:
    """A curve a run; there are four colours, so a fifth run and those after it are dashed."""
    return [
        Series(one["name"], [(x, y) for x, y in one[name]], dashed=number >= _COLOURS, marked=name == "eval")
        for number, one in enumerate(curves)
    ]


def _differences(made: dict[str, Any]) -> str:
    if not made["differs"]:
        return notice("All settings of these runs are the same.")
    names = [run["name"] for run in made["runs"]]
    rows = [
        (one["setting"].replace("_", " "), *(_setting(value) for value in one["values"])) for one in made["differs"]
    ]
    lead = '<p class="wb-lead">Settings that differ</p>'
    return lead + table(["Setting", *names], rows, label="Settings that differ")


def _setting(value: Any) -> str | None:
    """A setting as people write it: without parts that are not given, with short commits, lists without brackets."""
    if isinstance(value, dict):
        parts = (part for key, part in value.items() if part and key not in ("file", "files"))
        value = " · ".join(", ".join(part) if isinstance(part, list) else str(part) for part in parts)
    if isinstance(value, list | tuple):
        value = ", ".join(str(one).replace("_", " ") for one in value) or "none"
    return None if value is None else short(_SHA.sub(r"\1", str(value)))
