"""A fine-tuning run as a person follows it: where it stands, how fast it goes, what it needs, its curves."""

from __future__ import annotations

import time
from typing import Any

from components.service.runs.titles import metric_title
from components.widgets.chart import Series, line_chart
from components.widgets.figures import band, baseline_title, better, figure, metrics_of
from components.widgets.html import counted, duration, empty, escape, facts, notice, says, size, table

ACTIVE = ("queued", "preparing", "running")
STATUS = {
    "queued": "Waiting for its turn",
    "preparing": "Preparing",
    "running": "Training",
    "finished": "Finished",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}
#: A curve of single steps is noise: more points than this are averaged, and the legend says so.
CURVE_POINTS = 60
#: Metrics that are drawn beside the loss; the others stand in the table.
_DRAWN = 2
NO_RUN = "No run yet. Press Start to train on the example in the form, or choose data and a model of your own first."
#: What went wrong, by the kind of a failure.
_FAILED = {
    "data": "The data.",
    "memory": "Memory.",
    "disk": "Disk space.",
    "hub": "The Hub.",
    "diverged": "The training diverged.",
    "code": "The program.",
}


def run_title(state: dict[str, Any]) -> str:
    """What a run is called in a list: its name and when it was made."""
    return f"{state['name']}, {time.strftime('%d %b %H:%M', time.localtime(state['created'] or time.time()))}"


def run_view(state: dict[str, Any] | None) -> str:
    """The state of `/run_state` as HTML; `None` is the empty view."""
    if state is None:
        return empty(NO_RUN)
    parts = (_head, _progress, _place, _message, _pushes, _charts, _evaluations)
    return "".join(part(state) for part in parts)


def _head(state: dict[str, Any]) -> str:
    status, spec = state["status"], state["spec"]
    rows = state["facts"].get("rows") or {}
    line = facts(
        [
            ("Task", spec["task"]),
            ("Model", spec["model"]),
            ("Rows", " + ".join(f"{number:,} {name}" for name, number in rows.items())),
            ("Epochs", spec["epochs"]),
            ("Batch size", spec["batch_size"]),
            ("Learning rate", f"{spec['learning_rate']:g}"),
            ("Trained", _trained(state)),
            ("Seed", spec["seed"]),
            ("Device", state["device"]),
            ("Type", state["dtype"]),
        ]
    )
    return (
        f'<div class="wb-run"><h2>{escape(state["name"])}</h2>'
        f'<span class="wb-badge wb-{escape(status)}">{escape(STATUS[status])}</span></div>{line}{says(_said(state))}'
    )


def _said(state: dict[str, Any]) -> str:
    """How the run goes, told anew at each tenth of the way, and what came of it."""
    title, tenths = STATUS[state["status"]], int(10 * state["progress"]["fraction"])
    if state["status"] == "running":
        return f"{title}, {10 * tenths} %"
    return " ".join(filter(None, (f"{title}.", *_outcome(state)))).removesuffix(".")


def _trained(state: dict[str, Any]) -> str | None:
    """What is trained, where that is not all weights."""
    if state["spec"].get("method") != "lora":
        return None
    trained = (state["facts"].get("lora") or {}).get("trained_parameters")
    return f"LoRA: {counted(trained, 'weight')}" if trained else "LoRA"


def _progress(state: dict[str, Any]) -> str:
    progress = state["progress"]
    percent = 100 * progress["fraction"]
    remaining = progress["remaining_seconds"]
    line = facts(
        [
            ("Step", f"{progress['step']:,} of {progress['steps']:,}" if progress["steps"] else None),
            ("Epoch", f"{progress['epoch']:.2f} of {progress['epochs']:g}" if progress["epochs"] else None),
            ("Time", duration(progress["seconds"])),
            ("Remaining", duration(remaining) if remaining is not None else None),
            ("Speed", _speed(state)),
            ("Memory", _memory(state)),
        ]
    )
    return (
        f'<div class="wb-progress" role="progressbar" aria-label="Progress of the run" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent:.0f}"><i style="width:{percent:.1f}%"></i></div>{line}'
    )


def _speed(state: dict[str, Any]) -> str | None:
    progress, rows = state["progress"], (state["facts"].get("rows") or {}).get("train", 0)
    if not progress["step"] or not progress["seconds"]:
        return None
    steps, through = (done / progress["seconds"] for done in (progress["step"], rows * (progress["epoch"] or 0.0)))
    return f"{steps:,.1f} steps/s, {through:,.0f} rows/s"


def _memory(state: dict[str, Any]) -> str | None:
    peak = state["results"].get("peak_memory_bytes")
    if peak:
        return f"{size(peak)} at most"
    return size(state["train"][-1].get("memory_bytes")) if state["train"] else None


def _place(state: dict[str, Any]) -> str:
    """Where a run stands in line."""
    place, ahead = state.get("place"), state.get("ahead")
    if state["status"] != "queued" or place is None:
        return ""
    waiting, training = place - 1, (ahead or 0) - (place - 1)
    said = (
        f"{waiting:,} {'run waits' if waiting == 1 else 'runs wait'} before it"
        if waiting
        else "It is the next to start"
    )
    if training > 0:
        said += f"; {training:,} {'trains' if training == 1 else 'train'} now"
    return notice(f"Place {place:,} in line. {said}.", spoken=False)


def _message(state: dict[str, Any]) -> str:
    title, said = _outcome(state)
    ended_early = state["status"] in ("interrupted", "stopped")
    level = "error" if state["failure"] else "warning" if ended_early else "info"
    return notice(said, level, title=title, spoken=False) + _left(state)


def _outcome(state: dict[str, Any]) -> tuple[str, str]:
    """What came of the run, by its title and in words; both empty where its status says it all."""
    failure, outcome = state["failure"], state.get("outcome") or {}
    if failure:
        return _FAILED.get(failure.get("kind"), ""), f"{failure['message']} {failure.get('next') or ''}".strip()
    if state["message"].rstrip(".") == STATUS[state["status"]]:
        return "", ""
    return f"{outcome['title']}." if outcome else "", state["message"]


def _left(state: dict[str, Any]) -> str:
    """What an ended run has left on disk."""
    disk = state.get("on_disk")
    if not disk or state["status"] == "finished":
        return ""
    steps = [f"{step:,}" for step in disk["checkpoints"]]
    return facts(
        [
            ("Model", "kept" if disk["model"] else "none"),
            ("Checkpoints", f"step {' and '.join(steps)}" if steps else "none"),
            ("On disk", size(disk["bytes"])),
        ]
    )


def _pushes(state: dict[str, Any]) -> str:
    """The newest push of a run that is shared while it trains; a push that failed is not the run's failure."""
    if not state["pushes"]:
        return ""
    newest = state["pushes"][-1]
    if newest["commit"] is None:
        return notice(f"The training goes on, but this push failed: {newest['message']}", "warning", spoken=False)
    return notice(f"{newest['message']} Commit {newest['commit'][:7]}.", "success", spoken=False)


def _charts(state: dict[str, Any]) -> str:
    """Loss, metrics with what there is to beat, and what shows whether training is sound."""
    if not state["train"] and not state["eval"]:
        return empty("The curves grow here while it trains.") if state["status"] in ACTIVE else ""
    steps = _end(state)
    evaluations = state["eval"]
    every, smooth = _smoothed(_points(state["train"], "loss"))
    curves = [
        Series("training" + (f", mean of {every} steps" if every > 1 else ""), smooth),
        Series("validation", _points(evaluations, "loss"), marked=True),
        *_constant("untrained", (state["facts"].get("untrained") or {}).get("loss"), state),
    ]
    drawn = [line_chart("Loss", curves, x_title="step", y_title="loss", x_max=steps)]
    chosen = state["facts"].get("metric") or state["spec"].get("metric")
    names = metrics_of(state["spec"]["task"], evaluations[-1] if evaluations else {}, chosen)
    drawn += [_metric_chart(state, name) for name in [name for name in names if name != "loss"][:_DRAWN]]
    drawn += [_train_chart(state, *one) for one in _WATCHED]
    return f'<div class="wb-charts wb-spaced">{"".join(drawn)}</div>'


#: What else is recorded at a step: its name, title, axis and the size of its unit.
_WATCHED = (
    ("learning_rate", "Learning rate", "learning rate", 1.0),
    ("grad_norm", "Gradient norm", "norm", 1.0),
    ("memory_bytes", "Memory", "MB", 1e6),
)


def _train_chart(state: dict[str, Any], name: str, title: str, axis: str, unit: float) -> str:
    points = [(x, y / unit) for x, y in _points(state["train"], name)]
    if not points:
        return ""
    _, smooth = _smoothed(points)
    return line_chart(title, [Series("", smooth)], x_title="step", y_title=axis, x_max=_end(state), y_min=0.0)


def _metric_chart(state: dict[str, Any], name: str) -> str:
    evaluations, task = state["eval"], state["spec"]["task"]
    bands = [(row["step"], *found) for row in evaluations if (found := band(row, name))]
    named = "validation" + (", with its 95 % band" if bands else "")
    series = [Series(named, _points(evaluations, name), bands, marked=True)]
    baselines = state["facts"].get("baselines") or state["results"].get("baselines") or {}
    for key, figures in baselines.items():
        series += _constant(baseline_title(key, figures), figures.get(name), state)
    series += _constant("untrained", (state["facts"].get("untrained") or {}).get(name), state)
    return line_chart(metric_title(name, task), series, x_title="step", y_title=metric_title(name), x_max=_end(state))


def _end(state: dict[str, Any]) -> float:
    """Where the step axis ends: with the run, or while it trains with room for as much again as there is."""
    step, steps = state["progress"]["step"] or 0, state["progress"]["steps"] or 0
    return float(min(steps, 2 * step) if state["status"] in ACTIVE else step)


def _constant(name: str, value: Any, state: dict[str, Any]) -> list[Series]:
    """A dashed line across the chart for what there is to beat."""
    if not isinstance(value, int | float):
        return []
    rows = state["eval"] or [{"step": 1}]
    end = max(_end(state), rows[-1]["step"], 1)
    return [Series(name, [(0, value), (end, value)], dashed=True)]


def _smoothed(points: list[tuple[float, float]]) -> tuple[int, list[tuple[float, float]]]:
    """At most `CURVE_POINTS` points, each the mean of as many recorded ones as needed, and how many those are."""
    every = -(-len(points) // CURVE_POINTS) or 1
    groups = [points[i : i + every] for i in range(0, len(points), every)]
    return every, [(group[-1][0], sum(y for _, y in group) / len(group)) for group in groups]


def _points(rows: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(row["step"], row[name]) for row in rows if row.get(name) is not None]


def _evaluations(state: dict[str, Any]) -> str:
    if not state["eval"]:
        return ""
    task = state["spec"]["task"]
    names = metrics_of(task, state["eval"][-1], state["facts"].get("metric"))
    rows = [
        [f"{row.get('epoch') or 0:.2f}", f"{row['step']:,}", *(figure(row.get(name)) for name in names)]
        for row in state["eval"]
    ]
    titles = [metric_title(name, task) for name in names]
    lead = f"Evaluations on the validation rows; {metric_title(names[0], task)} decides, {better(names[0])}."
    return f'<p class="wb-lead">{escape(lead)}</p>' + table(
        ["Epoch", "Step", *titles], rows, numeric=range(len(names) + 2), label="Evaluations on the validation rows"
    )
