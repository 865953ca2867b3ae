"""What came of a run: its figures beside those to beat, its classes, its thresholds, and its worst errors."""

from __future__ import annotations

from typing import Any

from components.service.runs.tasks import LOWER
from components.service.runs.titles import metric_title
from components.widgets.answers import answer_html, input_html, rich_table
from components.widgets.chart import Series, line_chart
from components.widgets.figures import baseline_title, between, figure, metrics_of
from components.widgets.html import empty, escape, notice, table
from components.widgets.rows import confusion

NO_RESULTS = "When the run has ended, its final figures, its errors and what they have in common stand here."
_WORST = 20


def results_view(state: dict[str, Any] | None) -> str:
    """The results of `/run_state` as HTML; empty until there are any."""
    results = (state or {}).get("results") or {}
    if state is None or not results:
        return empty(NO_RESULTS)
    labels = state["labels"] or [row["label"] for row in results.get("per_class") or []]
    return (
        _figures(state, results)
        + _per_class(results.get("per_class") or [])
        + confusion([str(label) for label in labels], results.get("confusion"))
        + _thresholds(results.get("thresholds") or [], labels)
        + _worst(results.get("worst") or [])
    )


def _figures(state: dict[str, Any], results: dict[str, Any]) -> str:
    task, final, test = state["spec"]["task"], results.get("final") or {}, results.get("test") or {}
    baselines = results.get("baselines") or state["facts"].get("baselines") or {}
    if not baselines and "majority" in results:
        baselines = {"majority": results["majority"]}
    untrained = results.get("untrained") or {}
    names = metrics_of(task, final or test, state["facts"].get("metric"))
    header = [
        "Metric, with its 95 % band",
        "Validation",
        *(["Test"] if test else []),
        "Untrained",
        *(baseline_title(*one).capitalize() for one in baselines.items()),
    ]
    rows = [
        [
            escape(metric_title(name, task)),
            _with_band(final, name),
            *([_with_band(test, name)] if test else []),
            figure(untrained.get(name)) or "–",
            *(figure(one.get(name)) or "–" for one in baselines.values()),
        ]
        for name in names
    ]
    shown = rich_table(header, rows, label="Final figures", numeric=range(1, len(header)))
    beaten = _beaten(names[0], task, final, {**baselines, "untrained": untrained}) if names else ""
    return notice(results.get("kept") or "") + beaten + shown


def _beaten(metric: str, task: str, final: dict[str, Any], others: dict[str, dict[str, Any]]) -> str:
    """A warning where something that was not trained does as well as the model; empty where nothing does."""
    value, way = final.get(metric), -1 if metric in LOWER else 1
    known = {baseline_title(*one): one[1][metric] for one in others.items() if one[1].get(metric) is not None}
    if value is None or not known:
        return ""
    best = max(known, key=lambda name: way * known[name])
    if way * known[best] < way * value:
        return ""
    return notice(
        f"{metric_title(metric, task)} is {figure(value)}, no better than {figure(known[best])} ({best}). Look at the "
        "labels, try a smaller learning rate, or train on more rows or for more epochs.",
        "warning",
    )


def _with_band(figures: dict[str, Any], name: str) -> str:
    """A figure, and below it its 95 % interval: beside it the table would be wider than the page."""
    interval = between(figures, name)
    return (figure(figures.get(name)) or "–") + (f"<small>{interval}</small>" if interval else "")


def _per_class(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    parts = ("precision", "recall", "f1")
    cells = [(row["label"], *(figure(row.get(part)) for part in parts), f"{row['support']:,}") for row in rows]
    header = ["Class", "Precision", "Recall", "F1", "Rows"]
    shown = table(header, cells, numeric=(1, 2, 3, 4), label="Figures of each class")
    return f'<p class="wb-lead">Each class</p>{shown}'


def _thresholds(rows: list[dict[str, Any]], labels: list[str]) -> str:
    """What would come of another threshold than one half."""
    if not rows:
        return ""
    series = [
        Series(title, [(row["threshold"], row[name]) for row in rows if row.get(name) is not None])
        for name, title in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"), ("accuracy", "accuracy"))
    ]
    best = max(rows, key=lambda row: row.get("f1") or 0.0)
    of = f"{labels[1]} is answered" if len(labels) == 2 else "a label is answered"
    said = f"F1 is highest, {best['f1']:.3f}, where {of} from a probability of {best['threshold']:g} on."
    chart = line_chart("Another threshold", [one for one in series if one.points], x_title="probability from which on",
                       y_title="share", x_max=1.0)  # fmt: skip
    return f'<div class="wb-charts wb-spaced">{chart}</div><p class="wb-lead">{escape(said)}</p>'


def _worst(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    known = [name for name in ("gold", "answer") if any(row.get(name) is not None for row in rows)]
    cells = [
        [
            input_html(row["input"]),
            *(answer_html(row["input"], row.get(name)) for name in known),
            figure(row.get("loss")) or "–",
        ]
        for row in rows[:_WORST]
    ]
    header = ["Input", *(name.capitalize() for name in known), "Loss"]
    lead = "Most wrong: the validation rows with the highest loss. Look for wrong labels here first."
    return f'<p class="wb-lead">{lead}</p>' + rich_table(header, cells, label="Rows that the model is most wrong about")
