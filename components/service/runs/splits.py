"""Which rows are held out to evaluate on."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence


def split_rows(labels: Sequence[Hashable], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Hold out a share of the rows of each label: indices of the rows to train on, and of those held out."""
    groups: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(label, []).append(index)
    draw = random.Random(seed)
    held: set[int] = set()
    for group in groups.values():
        draw.shuffle(group)
        count = max(1, round(share * len(group)))
        held.update(group[: min(count, len(group) - 1)])
    return [i for i in range(len(labels)) if i not in held], sorted(held)
