"""The evaluation results in the metadata, beyond what the Hub refuses."""

from __future__ import annotations

from typing import Any

from components.cardrules.names import nearest, task_of
from components.cardrules.snapshots import snapshot
from components.service.cards.checks.card import Card
from components.service.cards.checks.findings import Findings, put, shown

#: Most results that are compared with each other.
RESULTS = 2000


def check_results(card: Card, found: Findings) -> None:
    """Look over the model-index."""
    index = card.values.get("model-index")
    for number, model in enumerate(index if isinstance(index, list) else []):
        results = model.get("results") if isinstance(model, dict) else None
        if isinstance(results, list) and results:
            where = f"model-index[{number}].results"
            _check_merged(results[:RESULTS], where, card, found)
            for place, result in enumerate(results[:RESULTS]):
                if isinstance(result, dict):
                    _check_result(result, f"{where}[{place}]", card, found)


def _identity(result: Any) -> tuple[Any, ...] | None:
    """What two results have in common that the Hub's client takes for one."""
    task, dataset = (result.get(key) for key in ("task", "dataset")) if isinstance(result, dict) else (None, None)
    if not isinstance(task, dict) or not isinstance(dataset, dict):
        return None
    parts = (task.get("type"), *(dataset.get(key) for key in ("type", "config", "split", "revision")))
    return parts if all(isinstance(part, str | None) for part in parts) and parts[0] else None


def _check_merged(results: list[Any], where: str, card: Card, found: Findings) -> None:
    first: dict[tuple[Any, ...], int] = {}
    for number, result in enumerate(results):
        identity = _identity(result)
        if identity is None:
            continue
        before = first.setdefault(identity, number)
        if before == number:
            continue
        path = f"{where}[{number}]"
        message = (
            f"{path} has the task, data set, config, split and revision of {where}[{before}]; the client merges them."
        )
        fix = "Put the metrics under one result, or tell the data sets apart by config or split."
        remedy = [put(where, _joined(results, before, number))] if _alike(results[before], result) else None
        found.tell("warning", card.line(path), path, message, fix, remedy)


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two results differ in their metrics only."""
    both = all(isinstance(result.get("metrics"), list) for result in (one, other))
    return both and {**one, "metrics": None} == {**other, "metrics": None}


def _joined(results: list[Any], first: int, second: int) -> list[Any]:
    """The results with the metrics of the second put to those of the first."""
    metrics = [
        *results[first]["metrics"],
        *(m for m in results[second]["metrics"] if m not in results[first]["metrics"]),
    ]
    joined = [{**result, "metrics": metrics} if number == first else result for number, result in enumerate(results)]
    return joined[:second] + joined[second + 1 :]


def _check_result(result: dict[str, Any], path: str, card: Card, found: Findings) -> None:
    task = result.get("task")
    kind = task.get("type") if isinstance(task, dict) else None
    tasks = snapshot("tasks")
    if isinstance(kind, str) and kind not in tasks.names and kind not in tasks.more["subtasks"]:
        right = task_of(kind) or nearest(kind, tasks.names)
        if right:
            message = f"{shown(kind)} is not among the Hub's tasks; {right} is."
            at = f"{path}.task.type"
            found.tell("info", card.line(at), at, message, f"Write {right}, if that is meant.", [put(at, right)])
    metrics = result.get("metrics")
    if isinstance(metrics, list) and not metrics:
        at = f"{path}.metrics"
        found.tell("warning", card.line(at), at, "This result has no metrics.", "Add - type: accuracy and value: 0.9.")
    for number, metric in enumerate(metrics if isinstance(metrics, list) else []):
        at = f"{path}.metrics[{number}]"
        value = metric.get("value") if isinstance(metric, dict) else None
        if isinstance(value, str) and _is_number(value):
            fix = "Write the number without quotes."
            message = f"{shown(value)} stands as a text, so it cannot be compared."
            found.tell(
                "warning", card.line(f"{at}.value"), f"{at}.value", message, fix, [put(f"{at}.value", float(value))]
            )


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < 1e300
    except ValueError:
        return False
