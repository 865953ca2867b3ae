"""Figures for a classifier, with what they are worth. Training process and worker only (scikit-learn)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def wilson(right: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson, 1927), which holds for small counts and near 0 and 1."""
    if not total:
        return (0.0, 1.0)
    p = right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return (max(0.0, middle - half), min(1.0, middle + half))


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


def majority(train: Sequence[int], gold: Sequence[int], labels: Sequence[str]) -> dict[str, Any]:
    """What always answering the commonest training label would score."""
    label = Counter(train).most_common(1)[0][0]
    return {"label": labels[label], **scores(gold, [label] * len(gold))}


def compared(gold: Sequence[int], predicted: Sequence[int], labels: Sequence[str]) -> dict[str, Any]:
    """Per-class figures, and the confusion matrix (rows: gold, columns: predicted)."""
    every = list(range(len(labels)))
    parts = precision_recall_fscore_support(gold, predicted, labels=every, zero_division=0.0)
    names = ("precision", "recall", "f1", "support")
    per_class = [
        {"label": label, **{name: _plain(part[i]) for name, part in zip(names, parts, strict=True)}}
        for i, label in enumerate(labels)
    ]
    return {"per_class": per_class, "confusion": confusion_matrix(gold, predicted, labels=every).tolist()}


def details(gold: np.ndarray, logits: np.ndarray, labels: Sequence[str]) -> dict[str, Any]:
    """Per-class figures, the confusion matrix and, for two classes, thresholds."""
    result = compared(gold.tolist(), logits.argmax(-1).tolist(), labels)
    if len(labels) == 2:
        result["thresholds"] = thresholds(gold, logits)
    return result


def thresholds(gold: np.ndarray, logits: np.ndarray) -> list[dict[str, float]]:
    """Precision, recall, F1 of the second class and accuracy when it is answered from each probability on."""
    shifted = logits - logits.max(-1, keepdims=True)
    probability = (np.exp(shifted) / np.exp(shifted).sum(-1, keepdims=True))[:, 1]
    rows = []
    for threshold in THRESHOLDS:
        predicted = (probability >= threshold).astype(int)
        parts = precision_recall_fscore_support(gold, predicted, labels=[1], zero_division=0.0)
        figures = {name: float(part[0]) for name, part in zip(("precision", "recall", "f1"), parts, strict=False)}
        rows.append({"threshold": threshold, **figures, "accuracy": float((predicted == gold).mean())})
    return rows


def _plain(value: Any) -> float | int:
    return int(value) if float(value).is_integer() and not isinstance(value, float) else float(value)
