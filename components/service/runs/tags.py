"""Tags of words as entities, and how well they are found. Training process and worker only (seqeval)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import confusion_matrix

from components.service.runs.intervals import at_least_wilson, bootstrap, named, ratio
from components.service.runs.metrics import MOST_LABELS, per_class
from components.service.runs.schemes import OUTSIDE, bioes

#: An entity: its type, its first and its last word.
Entity = tuple[str, int, int]
#: Ids of the tags of each sentence's words.
Tags = Sequence[Sequence[int]]


def entities(tags: Sequence[str]) -> list[Entity]:
    """Type, first and last word of each entity that tags of BIOES mark, as CoNLL's evaluation and seqeval read them."""
    found: list[Entity] = get_entities(list(tags))
    return found


def tag_scores(gold: Tags, predicted: Tags, labels: Sequence[str]) -> dict[str, float]:
    """Figures of tagged sentences.

    Args:
        gold, predicted: Ids of the tags of each sentence's words.
        labels: Names of the tags by id.

    Returns:
        `precision`, `recall` and `f1` of whole entities, all types together (micro average), `accuracy` of words, and
        the 95 % interval of each, `NAME_low` and `NAME_high`: sentences are resampled, since their words hang together.
    """
    names = bioes(labels)
    added = np.array([[*_sizes(*_marked(*pair, names)), *_words(*pair)] for pair in _pairs(gold, predicted)], float)
    found = {name: float(values[0]) for name, values in _figures(added.sum(0)[None]).items()}
    entity_count, word_count = (round(float(added[:, place].sum())) for place in (2, 4))
    bands = {
        name: at_least_wilson(found[name], band, word_count if name == "accuracy" else entity_count)
        for name, band in bootstrap(added, _figures).items()
    }
    return {**found, **named(bands)}


def tag_details(gold: Tags, predicted: Tags, labels: Sequence[str]) -> dict[str, Any]:
    """Figures of each type of entity, and the confusion matrix of the words' tags (rows: gold, columns: predicted)."""
    names = bioes(labels)
    types = sorted({name[2:] for name in names if name != OUTSIDE})
    counts: tuple[Counter[str], ...] = (Counter(), Counter(), Counter())
    for pair in _pairs(gold, predicted):
        true, ours = _marked(*pair, names)
        for counter, some in zip(counts, (true & ours, ours, true), strict=True):
            counter.update(kind for kind, _, _ in some)
    right, answered, support = (np.array([counter[kind] for kind in types], int) for counter in counts)
    parts = (ratio(right, answered), ratio(right, support), ratio(2 * right, answered + support), support)
    found: dict[str, Any] = {"per_class": per_class(parts, types)}
    if len(labels) <= MOST_LABELS:
        every = list(range(len(labels)))
        flat = (list(chain.from_iterable(part)) for part in (gold, predicted))
        found["confusion"] = confusion_matrix(*flat, labels=every).tolist()
    return found


def _pairs(gold: Tags, predicted: Tags) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    return zip(gold, predicted, strict=True)


def _marked(gold: Sequence[int], predicted: Sequence[int], names: Sequence[str]) -> tuple[set[Entity], set[Entity]]:
    true, ours = ({*entities([names[i] for i in ids])} for ids in (gold, predicted))
    return true, ours


def _sizes(true: set[Entity], ours: set[Entity]) -> tuple[int, int, int]:
    return len(true & ours), len(ours), len(true)


def _words(gold: Sequence[int], predicted: Sequence[int]) -> tuple[int, int]:
    return sum(int(one == two) for one, two in zip(gold, predicted, strict=True)), len(gold)


def _figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    right, answered, gold, right_words, words = sums.T
    return {
        "precision": ratio(right, answered),
        "recall": ratio(right, gold),
        "f1": ratio(2 * right, answered + gold),
        "accuracy": ratio(right_words, words),
    }
