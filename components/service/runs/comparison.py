"""Several runs side by side: their curves, the settings that differ, and whether the difference is more than noise."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from components.service.runs.tasks import LOWER, TRAIN_TASKS
from components.service.runs.titles import metric_name

#: Half the width of a 95 % interval in standard errors.
Z = 1.96
#: What says how a run is called or shown, and not how it is trained.
_UNCOMPARED = ("name", "samples", "track")
State = dict[str, Any]


def compare(states: Sequence[State]) -> dict[str, Any]:
    """Compare runs; see `Runs.compare`.

    Args:
        states: Of two runs or more, as `read_state` gives them.
    """
    metric, states = _metric(states), _told_apart(states)
    figures = [_figure(state, metric) for state in states]
    verdict, noise = _verdict(states, figures, metric)
    return {
        "task": states[0]["spec"]["task"] if metric else "",
        "runs": figures,
        "differs": _differences(states),
        "curves": [_curve(state, metric) for state in states],
        "verdict": verdict,
        "within_noise": noise,
    }


def _told_apart(states: Sequence[State]) -> list[State]:
    """The states; those whose names are the same are called by when they were made as well."""
    often = Counter(state["name"] for state in states)

    def made(state: State) -> str:
        return time.strftime("%d %b %H:%M:%S", time.localtime(state["created"]))

    return [
        {**state, "name": f"{state['name']}, {made(state)}"}
        if often[state["name"]] > 1 and state.get("created")
        else state
        for state in states
    ]


def _metric(states: Sequence[State]) -> str | None:
    """What all of them were judged by; rather one with an interval, since that says what a difference is worth."""
    if len({state["spec"].get("task") for state in states}) != 1:
        return None
    finals = [state["results"].get("final") or {} for state in states]
    asked = states[0]["facts"].get("metric") or states[0]["spec"].get("metric")
    task = TRAIN_TASKS.get(states[0]["spec"]["task"])
    names = [name for name in (asked, *(task.metrics if task else ())) if name]
    shared = [name for name in names if all(name in final for final in finals)]
    told = [name for name in shared if all(f"{name}_low" in final for final in finals)]
    return next(iter(told or shared or names), None)


def _figure(state: State, metric: str | None) -> dict[str, Any]:
    final = state["results"].get("final") or {}
    values = {key: final.get(f"{metric}{end}") for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
    return {"id": state["id"], "name": state["name"], "status": state["status"], "metric": metric, **values}


def _curve(state: State, metric: str | None) -> dict[str, Any]:
    return {
        "id": state["id"],
        "name": state["name"],
        "train": [[entry["step"], entry["loss"]] for entry in state["train"]],
        "eval": [[entry["step"], entry[metric]] for entry in state["eval"] if metric in entry],
    }


def _differences(states: Sequence[State]) -> list[dict[str, Any]]:
    specs = [state["spec"] for state in states]
    names = [name for name in dict.fromkeys(name for spec in specs for name in spec) if name not in _UNCOMPARED]
    values = {name: [spec.get(name) for spec in specs] for name in names}
    return [
        {"setting": name, "values": given}
        for name, given in values.items()
        if any(value != given[0] for value in given[1:])
    ]


def _verdict(
    states: Sequence[State], figures: list[dict[str, Any]], metric: str | None
) -> tuple[str, bool | None]:  # fmt: skip
    """What may be concluded, and whether the best is better than the next by chance alone; None if that is open."""
    if metric is None:
        return "These runs are of different tasks, so their figures cannot be compared.", None
    ended = [figure for figure in figures if figure["value"] is not None]
    if len(ended) < len(figures):
        return "Not every run has its final figures yet. Compare them again once all have ended.", None
    prints = _prints(states)
    name = metric_name(metric, states[0]["spec"]["task"])
    best, second = sorted(ended, key=lambda figure: figure["value"] * (1 if metric in LOWER else -1))[:2]
    gap = abs(best["value"] - second["value"])
    lead = f"{best['name']} has the best {name}, {best['value']:.3f} against {second['value']:.3f}"
    if gap == 0:
        lead = f"The best two have the same {name}, {best['value']:.3f}"
    if len(prints) > 1:
        return f"{lead}; but the runs were evaluated on different rows, so that says little.", None
    if gap == 0:
        return f"{lead}.", True
    differing = {difference["setting"] for difference in _differences(states)}
    if differing and differing <= {"seed"}:
        return f"{lead}. They differ in their seed alone, so this is how large chance is here.", True
    error = _error(best, second)
    if error is None:
        return f"{lead}. There is no interval for {name}; repeat the runs with another seed to see the noise.", None
    rows = states[0]["facts"].get("rows", {}).get("validation")
    on = f" on {rows:,} rows" if rows else ""
    if gap <= Z * error:
        return f"{lead}: the difference is within noise. More than {Z * error:.3f} would tell{on}.", True
    return f"{lead}: more than chance would give{on}, where differences up to {Z * error:.3f} are noise.", False


def _prints(states: Sequence[State]) -> set[str | None]:
    """What tells the rows that the runs were evaluated on; of older runs, which rows they had at all."""
    asked = "evaluation_fingerprint"
    if not all(asked in state["facts"] for state in states):
        asked = "data_fingerprint"
    return {state["facts"].get(asked) for state in states}


def _error(best: dict[str, Any], second: dict[str, Any]) -> float | None:
    """The standard error of the difference, from both intervals.

    The rows are the same for both, which makes the real error smaller than this: it errs on the careful side.
    """
    if any(figure[key] is None for figure in (best, second) for key in ("low", "high")):
        return None
    return math.hypot(*((figure["high"] - figure["low"]) / (2 * Z) for figure in (best, second)))
