"""A fine-tuning run as a person follows it: where it stands, its curves, its figures, before and after."""

from __future__ import annotations

from typing import Any

from components.widgets.chart import Series, line_chart
from components.widgets.html import bars, duration, empty, escape, facts, notice, table

ACTIVE = ("queued", "preparing", "running")
_STATUS = {
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
NO_RUN = "No run yet. Choose data and a model on the left, then press Start: the curves grow here while it trains."


def run_view(state: dict[str, Any] | None) -> str:
    """The state of `/run_state` as HTML; `None` is the empty view."""
    if state is None:
        return empty(NO_RUN)
    return _head(state) + _progress(state) + _message(state) + _pushes(state) + _charts(state) + _results(state)


def _head(state: dict[str, Any]) -> str:
    status = state["status"]
    spec = state["spec"]
    line = facts(
        [
            ("Model", spec["model"]),
            ("Epochs", spec["epochs"]),
            ("Batch size", spec["batch_size"]),
            ("Learning rate", f"{spec['learning_rate']:g}"),
            ("Seed", spec["seed"]),
            ("Device", state["device"]),
            ("Type", state["dtype"]),
        ]
    )
    return (
        f'<div class="wb-run"><h3>{escape(state["name"])}</h3>'
        f'<span class="wb-badge wb-{escape(status)}" role="status">{escape(_STATUS[status])}</span></div>{line}'
    )


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
        ]
    )
    return (
        f'<div class="wb-progress" role="progressbar" aria-label="Progress of the run" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent:.0f}"><i style="width:{percent:.1f}%"></i></div>{line}'
    )


def _message(state: dict[str, Any]) -> str:
    failure = state["failure"]
    if failure:
        return notice(f"{failure['message']} {failure.get('next') or ''}".strip(), "error")
    level = "warning" if state["status"] in ("interrupted", "stopped") else "info"
    return notice(state["message"], level) if state["message"] else ""


def _pushes(state: dict[str, Any]) -> str:
    """The newest push of a run that is shared while it trains; a push that failed is not the run's failure."""
    if not state["pushes"]:
        return ""
    newest = state["pushes"][-1]
    if newest["commit"] is None:
        return notice(f"The training goes on, but this push failed: {newest['message']}", "warning")
    return notice(f"{newest['message']} Commit {newest['commit'][:7]}.", "success")


def _charts(state: dict[str, Any]) -> str:
    train, evaluations = state["train"], state["eval"]
    steps = state["progress"]["steps"]
    every, smooth = _smoothed(_points(train, "loss"))
    loss = line_chart(
        "Loss",
        [
            Series("training" + (f", mean of {every} steps" if every > 1 else ""), smooth),
            Series("validation", _points(evaluations, "loss"), marked=True),
        ],
        x_title="step",
        y_title="loss",
        x_max=steps,
    )
    metric = next((name for name in ("accuracy", "perplexity") if _points(evaluations, name)), None)
    second = _metric_chart(state, metric, steps) if metric else ""
    return f'<div class="wb-charts" style="margin-top:14px">{loss}{second}</div>'


def _smoothed(points: list[tuple[float, float]]) -> tuple[int, list[tuple[float, float]]]:
    """At most `CURVE_POINTS` points, each the mean of as many recorded ones as needed, and how many those are."""
    every = -(-len(points) // CURVE_POINTS) or 1
    groups = [points[i : i + every] for i in range(0, len(points), every)]
    return every, [(group[-1][0], sum(y for _, y in group) / len(group)) for group in groups]


def _metric_chart(state: dict[str, Any], metric: str, steps: float | None) -> str:
    evaluations = state["eval"]
    points = _points(evaluations, metric)
    band = [(row["step"], row[f"{metric}_low"], row[f"{metric}_high"]) for row in evaluations if f"{metric}_low" in row]
    series = [Series(metric, points, band, marked=True)]
    baseline = _majority(state)
    if metric == "accuracy" and baseline is not None:
        end = max(steps or 0, points[-1][0])
        series.append(Series("always the largest class", [(0, baseline), (end, baseline)], dashed=True))
    title = f"Validation {metric}" + (" with its 95 % band" if band else "")
    return line_chart(title, series, x_title="step", y_title=metric, x_max=steps)


def _majority(state: dict[str, Any]) -> float | None:
    baselines = state["facts"].get("baselines") or state["results"].get("baselines") or {}
    majority = baselines.get("majority")
    return majority.get("accuracy") if isinstance(majority, dict) else majority


def _points(rows: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    return [(row["step"], row[name]) for row in rows if row.get(name) is not None]


def _results(state: dict[str, Any]) -> str:
    if not state["eval"]:
        return ""
    names = [name for name in ("loss", "accuracy", "f1", "perplexity") if name in state["eval"][-1]]
    tested = _tested(state["results"].get("test") or {})
    rows = [
        [f"{row.get('epoch', 0):.2f}", row["step"], *(f"{row[name]:.4f}" for name in names)]
        for row in state["eval"]
        if all(row.get(name) is not None for name in names)
    ]
    return (
        f'<div style="margin-top:14px">{tested}'
        + table(
            ["Epoch", "Step", *(f"Validation {name}" for name in names)],
            rows,
            numeric=range(len(names) + 2),
            label="Evaluation after each epoch",
        )
        + "</div>"
    )


def _tested(test: dict[str, Any]) -> str:
    """The figures on rows that neither trained the model nor chose its epoch."""
    if not test:
        return ""
    band = f" ({test['accuracy_low']:.3f} to {test['accuracy_high']:.3f})" if "accuracy_low" in test else ""
    return facts(
        [
            ("Test accuracy", f"{test['accuracy']:.4f}{band}" if "accuracy" in test else None),
            ("Test F1", f"{test['f1']:.4f}" if "f1" in test else None),
            ("Test perplexity", f"{test['perplexity']:.3f}" if test.get("perplexity") else None),
        ]
    )


def before_after(rows: list[dict[str, Any]]) -> str:
    """The answers of `/try_run`: for each text what the model said before the run and says after it."""
    shown = [[row["text"], _answer(row["before"]), _answer(row["after"])] for row in rows]
    lead = "Before is the model that the run started from; a classification head that is new answers at random."
    return f'<p class="wb-lead">{lead}</p>' + table(
        ["Text", "Before", "After"], shown, label="Answers before and after the run"
    )


def samples_view(state: dict[str, Any]) -> str:
    """The run's own samples before and after, as they were recorded; empty while there are none."""
    recorded = state["samples"]
    if not recorded.get("after"):
        return ""
    before = recorded.get("before") or [{"output": None}] * len(recorded["after"])
    return before_after(
        [
            {"text": new["text"], "before": old["output"], "after": new["output"]}
            for old, new in zip(before, recorded["after"], strict=True)
        ]
    )


def _answer(answer: Any) -> str:
    if isinstance(answer, list) and answer and "score" in answer[0]:
        return f"{answer[0]['label']} {100 * answer[0]['score']:.1f} %"
    if isinstance(answer, list) and answer:
        return str(answer[0].get("generated_text", answer[0]))
    return str(answer)


def data_view(seen: dict[str, Any]) -> str:
    """The answer of `/inspect_data` as HTML: splits, findings, labels, first rows."""
    splits = facts([(name, f"{rows:,} rows") for name, rows in seen["splits"].items()])
    findings = "".join(
        notice(f"{finding['message']} {finding.get('fix') or ''}".strip(), finding["level"])
        for finding in seen["problems"]
    )
    labels = ""
    if seen["labels"]:
        labels = '<p class="wb-lead">Labels</p>' + bars(
            [(str(row["label"]), row["count"]) for row in seen["labels"][:12]],
            label="Rows a label",
            unit="rows",
            most=None,
        )
    names = [column["name"] for column in seen["columns"]]
    rows = [[_short(row.get(name)) for name in names] for row in seen["rows"][:6]]
    preview = '<p class="wb-lead">First rows</p>' + table(names, rows, label="First rows of the data")
    return splits + findings + labels + preview


def _short(value: Any, most: int = 160) -> str | None:
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
