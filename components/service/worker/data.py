"""Look into data before training on it: what it holds, and what is wrong with it, with what to do. Worker only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.columns import describe, label_name, order_labels, shorten, suggest
from components.service.worker.findings import count, finding
from components.service.worker.sources import load
from components.service.worker.tables import Caps, Table

PREVIEW = 20
BARS = 20
#: A class with fewer rows than this is rare, and one with fewer than this share of the commonest is far behind.
RARE, FAR_BEHIND = 5, 0.05
FEW_ROWS = 50
#: Most labels that a classifier is trained on.
MOST_LABELS = 1000
Columns = dict[str, str | None]


def inspect_data(
    _call: Any, source: dict[str, Any], columns: dict[str, str] | None = None, caps: dict[str, int] | None = None
) -> dict[str, Any]:
    """What `Data.inspect` returns, but for the source."""
    splits = load(source, Caps(**(caps or {})))
    train = splits.get("train") or next(iter(splits.values()))
    problems = [found for table in splits.values() for found in table.findings]
    chosen = _chosen(train, columns or {}, problems)
    rows = _rows(train, chosen)
    counts = Counter(label for _, label in rows if label is not None)
    names = train.names.get(chosen["label"] or "", [])
    problems += _about_rows(train, chosen, rows)
    problems += _about_labels(chosen, counts, names, named=bool((columns or {}).get("label")))
    problems += _about_splits(splits, chosen)
    order = {"error": 0, "warning": 1, "info": 2}
    return {
        "columns": describe(train),
        "suggested": chosen,
        "splits": {name: len(table) for name, table in splits.items()},
        "rows": _preview(train),
        "labels": [{"label": label, "count": counts[label]} for label in (names or order_labels(counts))][:200],
        "problems": sorted(problems, key=lambda problem: order[problem["level"]]),
        "lengths": _lengths([text for text, _ in rows if text is not None]),
    }


def _chosen(table: Table, columns: Mapping[str, str], problems: list[dict[str, Any]]) -> Columns:
    """The columns asked for where they exist, else the guesses."""
    guess = suggest(table)
    given = {role: column for role, column in columns.items() if column}
    for role, column in given.items():
        if role not in guess:
            raise WorkbenchError(f"A column is chosen as text, text_pair or label; not as {role!r}.", field="columns")
        if column not in table.columns:
            has = ", ".join(table.columns)
            problems.append(
                finding("error", f"There is no column {column!r}.", f"Choose one of: {has}.", f"columns.{role}")
            )
    chosen: Columns = {role: given.get(role) for role in guess}
    for role in ("text", "label") if given else guess:
        if role not in given and guess[role] not in given.values():
            chosen[role] = guess[role]
    return chosen


def _rows(table: Table, chosen: Columns) -> list[tuple[str | None, str | None]]:
    """Text (both of a pair together) and label of each row; `None` where one is missing."""
    empty = [None] * len(table)
    texts = table.columns.get(chosen["text"] or "", empty)
    pairs = table.columns.get(chosen["text_pair"] or "", empty)
    labels = table.columns.get(chosen["label"] or "", empty)
    names = table.names.get(chosen["label"] or "", [])
    joined = [None if t is None else str(t) if p is None else f"{t} {p}" for t, p in zip(texts, pairs, strict=True)]
    return [(text, label_name(label, names)) for text, label in zip(joined, labels, strict=True)]


def _about_rows(table: Table, chosen: Columns, rows: Sequence[tuple[str | None, str | None]]) -> list[dict[str, Any]]:
    found = []
    if chosen["text"] is None:
        message = f"No column looks like text; there are: {', '.join(table.columns)}."
        found.append(finding("error", message, "Choose the column to read.", "columns.text"))
        return found
    empty = sum(text is None for text, _ in rows)
    if chosen["text"] in table.columns and empty:
        message = f"{count(empty, 'row has', 'rows have')} no text in {chosen['text']}."
        found.append(finding("warning", message, "They are left out of training; nothing needs to be done."))
    unlabelled = sum(label is None for text, label in rows if text is not None)
    if chosen["label"] in table.columns and unlabelled:
        message = f"{count(unlabelled, 'row has', 'rows have')} no label in {chosen['label']}."
        found.append(
            finding("warning", message, "They are left out of training; label them to use them.", "columns.label")
        )
    usable = [row for row in rows if row[0] is not None]
    repeated = len(usable) - len(set(usable))
    if repeated:
        message = f"{count(repeated, 'row repeats', 'rows repeat')} an earlier one exactly."
        fix = "Without a validation split they are left out, so that no row is both trained and evaluated on."
        found.append(finding("warning", message, fix))
    found += _contradictions(usable)
    if 0 < len(usable) < FEW_ROWS:
        told = count(len(usable), "row", "rows")
        message = (
            f"There {'is' if len(usable) == 1 else 'are'} only {told} with text; the results will mostly be chance."
        )
        found.append(finding("warning", message, "Add rows if you can: a few hundred make a first useful model."))
    return found


def _contradictions(rows: Sequence[tuple[str | None, str | None]]) -> list[dict[str, Any]]:
    labels: dict[str | None, set[str]] = {}
    for text, label in rows:
        if label is not None:
            labels.setdefault(text, set()).add(label)
    texts = [text for text, seen in labels.items() if len(seen) > 1]
    if not texts:
        return []
    example = shorten(str(texts[0]), 60)
    message = f"{count(len(texts), 'text has', 'texts have')} different labels in different rows: {example}"
    return [finding("warning", message, "Decide for one label each; a model cannot learn both.", "columns.label")]


def _about_labels(chosen: Columns, counts: Counter[str], names: Sequence[str], *, named: bool) -> list[dict[str, Any]]:
    if chosen["label"] is None:
        fix = "Choose the column with the classes, or train on the text alone (text-generation, fill-mask)."
        return [finding("warning", "No column looks like a label.", fix, "columns.label")]
    if not counts:
        return []
    if len(counts) == 1:
        message = f"All rows have one label, {next(iter(counts))}; a classifier needs at least two."
        return [finding("error", message, "Choose another column, or add rows of another class.", "columns.label")]
    found = _too_many(str(chosen["label"]), counts, named=named)
    if found and found[0]["level"] == "error":
        return found
    most = max(counts.values())
    rare = sorted((n, label) for label, n in counts.items() if n < RARE or n < FAR_BEHIND * most)
    if rare:
        listed = ", ".join(f"{shorten(label, 40)} ({n})" for n, label in rare[:5])
        message = f"{count(len(rare), 'class is', 'classes are')} rare: {listed}{' …' if len(rare) > 5 else ''}."
        fix = (
            "Add rows of them or join them with another class; a class with one row is trained on but never evaluated."
        )
        found.append(finding("warning", message, fix, "columns.label"))
    absent = [name for name in names if name not in counts]
    if absent:
        message = f"No row has the class {', '.join(absent[:5])}."
        found.append(finding("info", message, "The model will have it, but cannot learn it.", "columns.label"))
    return found


def _too_many(column: str, counts: Counter[str], *, named: bool) -> list[dict[str, Any]]:
    """Whether a column has more values than labels have; one that was chosen by name is believed, if it can be."""
    total = counts.total()
    if len(counts) <= max(20, 0.5 * total) and len(counts) <= MOST_LABELS:
        return []
    message = f"{column} holds {len(counts):,} different values in {total:,} rows; is it a label?"
    if named and len(counts) < total and len(counts) <= MOST_LABELS:
        return [
            finding("warning", message, "Most labels have one row, too few to learn from: add rows.", "columns.label")
        ]
    return [finding("error", message, "Choose a column with few values that come again.", "columns.label")]


def _about_splits(splits: Mapping[str, Table], chosen: Columns) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    train = splits.get("train")
    if train is None or len(splits) == 1:
        message = "There is no validation split."
        return [finding("info", message, "A fifth of the rows of each label is held out to evaluate on.")]
    seen = {text for text, _ in _rows(train, chosen) if text is not None}
    classes = {label for _, label in _rows(train, chosen)}
    for name, table in splits.items():
        if name == "train":
            continue
        rows = _rows(table, chosen)
        both = sum(text in seen for text, _ in rows if text is not None)
        if both:
            message = f"{count(both, 'text', 'texts')} of {name} also {'stands' if both == 1 else 'stand'} in train."
            fix = "Take them out of one of the two: figures measured on them are too good."
            found.append(finding("warning", message, fix))
        unknown = {label for _, label in rows if label is not None} - classes
        if unknown and chosen["label"]:
            message = f"{name} has labels that train has not: {', '.join(sorted(unknown)[:5])}."
            found.append(finding("warning", message, "Add such rows to train, or correct the labels.", "columns.label"))
    if "validation" not in splits:
        found.append(
            finding("info", "There is no validation split.", "A fifth of the rows of train is held out to evaluate on.")
        )
    return found


def _preview(table: Table) -> list[dict[str, Any]]:
    rows = []
    for i in range(min(PREVIEW, len(table))):
        row: dict[str, Any] = {}
        for column, values in table.columns.items():
            value = values[i]
            plain = value is None or isinstance(value, bool | int | float)
            row[column] = value if plain else shorten(str(value), 500)
        rows.append(row)
    return rows


def _lengths(texts: Sequence[str]) -> dict[str, Any]:
    """Words of a text: median, 95th percentile, longest, and a histogram."""
    words = sorted(len(text.split()) for text in texts)
    if not words:
        return {"unit": "words", "median": 0, "p95": 0, "longest": 0, "histogram": []}
    width = max(1, -(-(words[-1] + 1) // BARS))
    bars = Counter(count // width for count in words)
    histogram = [{"from": i * width, "to": (i + 1) * width, "count": bars[i]} for i in range(words[-1] // width + 1)]
    return {
        "unit": "words",
        "median": words[len(words) // 2],
        "p95": words[min(len(words) - 1, int(0.95 * len(words)))],
        "longest": words[-1],
        "histogram": histogram,
    }
