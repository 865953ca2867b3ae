"""What is wrong with labels, and how many rows each has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from components.service.runs.cells import labels_value, number_value
from components.service.runs.remedies import RARE, labels_of, rare_labels
from components.service.runs.rows import MOST_LABELS
from components.service.worker.columns import order_labels, shorten
from components.service.worker.doctor.looked import Finding, Looked, offer, with_setting
from components.service.worker.findings import count, finding

#: A class with fewer than this share of the rows of the commonest is far behind.
FAR_BEHIND = 0.05
SHOWN = 200
BARS = 20


def counts_of(looked: Looked) -> Counter[str]:
    """Rows of each class in train; of tags, tokens."""
    return Counter(label for row in looked.train for label in labels_of(row))


def histogram(looked: Looked) -> list[dict[str, Any]]:
    """`[{label, count}]`: classes in their order, or numbers in up to 20 ranges of one width."""
    if looked.read.problem == "regression":
        return _ranges([row["label"] for row in looked.train if "label" in row])
    counts = counts_of(looked)
    names = looked.read.names if set(counts) <= set(looked.read.names) else order_labels(counts)
    return [{"label": label, "count": counts[label]} for label in names][:SHOWN]


def _ranges(numbers: list[float]) -> list[dict[str, Any]]:
    if not numbers:
        return []
    low, high = min(numbers), max(numbers)
    width = (high - low) / BARS or 1.0
    counts = Counter(min(BARS - 1, int((number - low) / width)) for number in numbers)
    last = max(counts)
    return [
        {"label": f"{low + i * width:.4g} to {low + (i + 1) * width:.4g}", "count": counts[i]} for i in range(last + 1)
    ]


def about_labels(looked: Looked) -> Iterator[Finding]:
    """Labels that are no labels, too few, rare or absent."""
    role = "tags" if "tags" in looked.read.columns else "label"
    column = looked.read.columns.get(role)
    if column is None or column not in looked.table.columns:
        return
    if looked.read.problem == "regression":
        yield from _about_numbers(looked, column)
        return
    counts = counts_of(looked)
    if not counts:
        return
    if len(counts) == 1 and looked.read.problem != "multi":
        message = f"All rows have one label, {next(iter(counts))}; a classifier needs at least two."
        fix = "Choose another column, or add rows of another class."
        yield finding("error", message, fix, f"columns.{role}")
        return
    if role == "label" and (found := _too_many(looked, column, counts)):
        yield found
        if found["level"] == "error":
            return
    yield from _lists_in_text(looked, column, counts)
    if role == "label":
        yield from _rare(looked, counts)
    absent = [name for name in looked.read.names if name not in counts]
    if absent:
        message = f"No row has the class {', '.join(absent[:5])}{' …' if len(absent) > 5 else ''}."
        yield finding("info", message, "The model will have it, but cannot learn it.", f"columns.{role}")


def _about_numbers(looked: Looked, column: str) -> Iterator[Finding]:
    numbers = {row["label"] for row in looked.train}
    if len(numbers) == 1:
        message = f"All rows have one number in {column}; there is nothing to learn."
        yield finding("error", message, "Choose another column, or add rows of other numbers.", "columns.label")
    elif looked.spec.problem == "auto" and numbers:
        message = f"{column} holds numbers, from {min(numbers):g} to {max(numbers):g}, so a number is what is learned."
        found = finding("info", message, "That is called regression.", "columns.label")
        if len(numbers) <= MOST_LABELS and len(numbers) * 2 <= len(looked.train):
            effect = f"Makes a class of each of the {len(numbers)} numbers."
            found = with_setting(found, "Treat them as classes", effect, problem="single")
        yield found


def _too_many(looked: Looked, column: str, counts: Counter[str]) -> Finding | None:
    """Whether a column has more values than labels have; one that was chosen by name is believed, if it can be."""
    total = counts.total()
    if len(counts) <= max(20, 0.5 * total) and len(counts) <= MOST_LABELS:
        return None
    message = f"{column} holds {len(counts):,} different values in {total:,} rows; is it a label?"
    if "label" in looked.named and len(counts) < total and len(counts) <= MOST_LABELS:
        fix = "Most labels have one row, too few to learn from: add rows."
        return finding("warning", message, fix, "columns.label")
    found = finding("error", message, "Choose a column with few values that come again.", "columns.label")
    if looked.read.problem == "single" and all(number_value(label) is not None for label in counts):
        found["remedy"] = offer("setting", "Predict a number", "Learns the number itself.", problem="regression")
    return found


def _lists_in_text(looked: Looked, column: str, counts: Counter[str]) -> Iterator[Finding]:
    """Several labels in one text, such as `sports;politics`: told where the parts come again in other texts."""
    if looked.read.problem != "single" or looked.read.names:
        return
    joined = [label for label in counts if re.search(r"[;|]", label)]
    parts = {part for label in counts for part in labels_value(label) or []}
    if joined and len(parts) < len(counts):
        message = f"{column} seems to hold several labels in one cell: {shorten(joined[0], 60)}"
        found = finding("warning", message, "As it is, each combination is a class of its own.", "columns.label")
        effect = f"Learns {len(parts)} labels, any number of them a row."
        yield with_setting(found, "Split them", effect, problem="multi")


def _rare(looked: Looked, counts: Counter[str]) -> Iterator[Finding]:
    most = max(counts.values())
    behind = sorted((n, label) for label, n in counts.items() if n < RARE or n < FAR_BEHIND * most)
    if not behind:
        return
    listed = ", ".join(f"{shorten(label, 40)} ({n})" for n, label in behind[:5])
    message = f"{count(len(behind), 'class is', 'classes are')} rare: {listed}{' …' if len(behind) > 5 else ''}."
    fix = "Add rows of them or join them with another class; a class with one row is trained on but never evaluated."
    found = finding("warning", message, fix, "columns.label")
    rare = rare_labels(looked.train)
    if not rare:
        yield found
        return
    multi = looked.read.problem == "multi"
    does = "Takes them out of {}." if multi else "Leaves out {}; the model will not know these classes."
    yield looked.treated(
        found,
        "drop_rare",
        f"Leave out {count(len(rare), 'class', 'classes')}",
        lambda n: does.format(count(n, "row", "rows")),
    )
