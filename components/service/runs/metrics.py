"""Figures of classes and numbers, and what they are worth. Training process and worker only (scikit-learn)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse, special, stats
from sklearn.metrics import (
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)

from components.service.runs.intervals import at_least_wilson, bootstrap, named, ratio, wilson

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: Most labels that a confusion matrix is made of.
MOST_LABELS = 100
_PARTS = ("precision", "recall", "f1")
#: Figures by name, (draws,), from sums, (draws, sums).
Figures = Callable[[np.ndarray], dict[str, np.ndarray]]


def scores(gold: Sequence[int], predicted: Sequence[int]) -> dict[str, float]:
    """Accuracy with its interval, and macro F1."""
    right = sum(int(a == b) for a, b in zip(gold, predicted, strict=True))
    low, high = wilson(right, len(gold))
    return {
        "accuracy": right / max(1, len(gold)),
        "f1": float(f1_score(gold, predicted, average="macro", zero_division=0.0)),
        "accuracy_low": low,
        "accuracy_high": high,
    }


def single(gold: Sequence[int], predicted: Sequence[int]) -> dict[str, float]:
    """Figures of one class a row.

    Returns:
        `accuracy`; `precision`, `recall` and `f1`, each the mean over the classes that occur (macro average);
        `matthews`, Matthews' correlation of all classes; and the 95 % interval of each: `NAME_low`, `NAME_high`.
    """
    classes = max(*gold, *predicted) + 1
    added = _added(*(_one_hot(ids, classes) for ids in (gold, predicted)))
    figures = _measured(added, lambda sums: {**_macro(sums), "matthews": _matthews(sums)})
    return {**scores(gold, predicted), **figures}


def multi(gold: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Figures of any number of labels a row, both (rows, labels) of 0 and 1.

    Returns:
        `accuracy`, the share of rows with all labels right; `precision`, `recall` and `f1`, each the mean over the
        labels that occur (macro average); `f1_micro`, of all labels of all rows together; and the 95 % interval of
        each: `NAME_low`, `NAME_high`.
    """
    right = int((gold == predicted).all(1).sum())
    added = _added(sparse.csr_array(gold), sparse.csr_array(predicted))
    figures = _measured(added, lambda sums: {**_macro(sums), "f1_micro": _micro(sums)})
    return {"accuracy": right / max(1, len(gold)), **named({"accuracy": wilson(right, len(gold))}), **figures}


def regression(gold: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Figures of one number a row.

    Returns:
        `mse` and `mae`, the means of the squared and of the absolute error; `pearson` and `spearman`, the correlations
        of the numbers and of their ranks, 0 where all are alike; and the 95 % interval of each: `NAME_low`,
        `NAME_high`. A prediction that is no number makes all figures NaN.
    """
    error = predicted - gold
    if not np.isfinite(predicted).all():
        return dict.fromkeys(("mse", "mae", "pearson", "spearman"), math.nan)
    ranks = [stats.rankdata(values) for values in (gold, predicted)]
    columns = [np.ones_like(error), error**2, np.abs(error), *_moments(gold, predicted), *_moments(*ranks)]
    added = np.stack(columns, 1)
    return {**_totals(added, _numbers), **named(bootstrap(added, _numbers))}


def majority(train: Sequence[int], gold: Sequence[int], labels: Sequence[str]) -> dict[str, Any]:
    """What always answering the commonest training label would score."""
    label = Counter(train).most_common(1)[0][0]
    return {"label": labels[label], **single(gold, [label] * len(gold))}


def compared(gold: Sequence[int], predicted: Sequence[int], labels: Sequence[str]) -> dict[str, Any]:
    """Per-class figures, and the confusion matrix (rows: gold, columns: predicted)."""
    every = list(range(len(labels)))
    parts = precision_recall_fscore_support(gold, predicted, labels=every, zero_division=0.0)
    found: dict[str, Any] = {"per_class": per_class(parts, labels)}
    if len(labels) <= MOST_LABELS:
        found["confusion"] = confusion_matrix(gold, predicted, labels=every).tolist()
    return found


def per_class(parts: Sequence[Any], labels: Sequence[str]) -> list[dict[str, Any]]:
    """`{label, precision, recall, f1, support}` of each label, from those four in an array each."""
    names = (*_PARTS, "support")
    return [
        {"label": label, **{name: _plain(part[i]) for name, part in zip(names, parts, strict=True)}}
        for i, label in enumerate(labels)
    ]


def label_figures(gold: np.ndarray, predicted: np.ndarray, labels: Sequence[str]) -> list[dict[str, Any]]:
    """`{label, precision, recall, f1, support}` of each label, from gold and predicted labels, (rows, labels)."""
    right, answered, support = (gold * predicted).sum(0), predicted.sum(0), gold.sum(0)
    parts = (ratio(right, answered), ratio(right, support), ratio(2 * right, answered + support), support)
    return per_class(parts, labels)


def details(gold: np.ndarray, logits: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """Per-class figures, the confusion matrix and, for two classes, thresholds."""
    result = compared(gold.tolist(), logits.argmax(-1).tolist(), labels)
    if len(labels) == 2:
        result["thresholds"] = thresholds(gold, logits)
    return result


def thresholds(gold: np.ndarray, logits: np.ndarray) -> list[dict[str, float]]:
    """Precision, recall, F1 of the second class and accuracy when it is answered from each probability on."""
    return _sweep(gold[:, None] == 1, special.softmax(logits, -1)[:, 1:2])


def label_thresholds(gold: np.ndarray, probability: np.ndarray) -> list[dict[str, float]]:
    """Macro precision, recall and F1, and the share of rows with all labels right, when each label is answered from
    each probability on; both (rows, labels)."""
    return _sweep(gold == 1, probability)


def _sweep(gold: np.ndarray, probability: np.ndarray) -> list[dict[str, float]]:
    rows = []
    for threshold in THRESHOLDS:
        predicted = probability >= threshold
        figures = _totals(_added(*(sparse.csr_array(marks.astype(int)) for marks in (gold, predicted))), _macro)
        rows.append({"threshold": threshold, **figures, "accuracy": float((predicted == gold).all(1).mean())})
    return rows


def _added(gold: Any, predicted: Any) -> Any:
    """What each row adds: right answers, answers and gold labels of each class, (rows, 3 x classes), sparse."""
    return sparse.hstack([gold.multiply(predicted), predicted, gold], format="csr")


def _one_hot(ids: Sequence[int], classes: int) -> Any:
    return sparse.csr_array((np.ones(len(ids)), (np.arange(len(ids)), ids)), shape=(len(ids), classes))


def _macro(sums: np.ndarray) -> dict[str, np.ndarray]:
    right, answered, gold = np.split(sums, 3, axis=-1)
    occurs = np.maximum(1, ((answered + gold) > 0).sum(-1))
    parts = (ratio(right, answered), ratio(right, gold), ratio(2 * right, answered + gold))
    return {name: part.sum(-1) / occurs for name, part in zip(_PARTS, parts, strict=True)}


def _micro(sums: np.ndarray) -> np.ndarray:
    right, answered, gold = (part.sum(-1) for part in np.split(sums, 3, axis=-1))
    return ratio(2 * right, answered + gold)


def _matthews(sums: np.ndarray) -> np.ndarray:
    """Matthews' correlation of any number of classes (Gorodkin, 2004)."""
    right, answered, gold = np.split(sums, 3, axis=-1)
    rows = gold.sum(-1)
    above = right.sum(-1) * rows - (answered * gold).sum(-1)
    below = np.sqrt((rows**2 - (answered**2).sum(-1)) * (rows**2 - (gold**2).sum(-1)))
    return ratio(above, below)


def _moments(one: np.ndarray, two: np.ndarray) -> list[np.ndarray]:
    """What a correlation is made of; mean 0 and deviation 1 first, which changes nothing but rounding."""
    one, two = ((values - values.mean()) / (values.std() or 1.0) for values in (one, two))
    return [one, two, one * one, two * two, one * two]


def _correlations(sums: np.ndarray) -> dict[str, np.ndarray]:
    rows = sums[:, 0]
    found = {}
    for name, start in (("pearson", 3), ("spearman", 8)):
        x, y, xx, yy, xy = (sums[:, start + i] / rows for i in range(5))
        spread = (xx - x * x).clip(0) * (yy - y * y).clip(0)
        found[name] = ratio(xy - x * y, np.sqrt(np.where(spread > 1e-12, spread, 0.0))).clip(-1, 1)
    return found


def _numbers(sums: np.ndarray) -> dict[str, np.ndarray]:
    return {"mse": sums[:, 1] / sums[:, 0], "mae": sums[:, 2] / sums[:, 0], **_correlations(sums)}


def _totals(added: Any, figures: Figures) -> dict[str, float]:
    """The figures of all rows."""
    return {name: float(values[0]) for name, values in figures(np.asarray(added.sum(0), dtype=float)[None]).items()}


def _measured(added: Any, figures: Figures) -> dict[str, float]:
    """The figures of all rows and their intervals, none narrower than that of a share of as many rows."""
    found, bands = _totals(added, figures), bootstrap(added, figures)
    rows = added.shape[0]
    wide = {name: at_least_wilson(found[name], bands[name], rows) for name in found if name != "matthews"}
    if "matthews" in found:
        # It goes from -1 to 1, so it is half of it that is a share.
        low, high = bands["matthews"]
        band = at_least_wilson((found["matthews"] + 1) / 2, ((low + 1) / 2, (high + 1) / 2), rows)
        wide["matthews"] = (2 * band[0] - 1, 2 * band[1] - 1)
    return {**found, **named(wide)}


def _plain(value: Any) -> float | int:
    return int(value) if float(value).is_integer() and not isinstance(value, float) else float(value)
