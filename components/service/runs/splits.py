"""Which rows are held out to evaluate on."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any


def strata(labels: Sequence[Any]) -> list[Hashable]:
    """What the rows are grouped by, so that each group gives its share.

    A row's label; of several labels or tags, its rarest (of which there are too few to leave it to chance); of
    numbers, which tenth of the rows it belongs to when they are put in order.
    """
    if labels and isinstance(labels[0], float):
        order = sorted(range(len(labels)), key=lambda i: labels[i])
        bins = max(1, min(10, len(labels) // 10))
        ranks = {index: rank for rank, index in enumerate(order)}
        return [ranks[i] * bins // len(labels) for i in range(len(labels))]
    if labels and isinstance(labels[0], list):
        rows = Counter(one for label in labels for one in set(label))
        return [min(label, key=lambda one: (rows[one], one), default="") for label in labels]
    return list(labels)


def split_rows(labels: Sequence[Hashable], held_out: float, seed: int) -> tuple[list[int], list[int]]:
    """Hold out rows of each label, of which one always stays: indices of those to train on, and of those held out.

    Args:
        labels: What each row is grouped by.
        held_out: A share below 1 of each group, or how many rows in all.
        seed: Decides which.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        groups.setdefault(label, []).append(index)
    sizes = [len(group) for group in groups.values()]
    if held_out < 1:
        counts = [min(max(1, round(held_out * size)), size - 1) for size in sizes]
    else:
        parts = [held_out * size / len(labels) for size in sizes]
        counts = [min(int(part), size - 1) for part, size in zip(parts, sizes, strict=True)]
        left = int(held_out) - sum(counts)
        # First one more where the rounding took most, then what is still missing from the largest groups.
        for i in sorted(range(len(sizes)), key=lambda i: counts[i] - parts[i])[: max(0, left)]:
            more = min(1, sizes[i] - 1 - counts[i])
            counts[i], left = counts[i] + more, left - more
        for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
            more = max(0, min(left, sizes[i] - 1 - counts[i]))
            counts[i], left = counts[i] + more, left - more
    draw = random.Random(seed)
    held: set[int] = set()
    for group, count in zip(groups.values(), counts, strict=True):
        draw.shuffle(group)
        held.update(group[:count])
    return [i for i in range(len(labels)) if i not in held], sorted(held)


def split_groups(groups: Sequence[Hashable], held_out: float, seed: int) -> tuple[list[int], list[int]]:
    """Hold out whole groups, as all questions about one text: indices of those to train on, and of those held out.

    Groups are drawn as long as each brings the rows held out nearer to what is asked for. Where none does, since even
    the smallest has twice as many rows, rows are held out singly.

    Args:
        groups: What each row belongs to.
        held_out: A share below 1 of the rows, or how many.
        seed: Decides which.
    """
    wanted = round(held_out * len(groups)) if held_out < 1 else int(held_out)
    wanted = max(1, min(wanted, len(groups) - 1))
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    drawn = list(members.values())
    random.Random(seed).shuffle(drawn)
    held: set[int] = set()
    for rows in sorted(drawn, key=lambda rows: len(rows) > wanted):  # groups that are too large come last
        if len(rows) < 2 * (wanted - len(held)) and len(held) + len(rows) < len(groups):
            held.update(rows)
    if not held and len(members) < len(groups):
        return split_groups(range(len(groups)), held_out, seed)
    return [i for i in range(len(groups)) if i not in held], sorted(held)
