"""What the columns of a table are: kinds, label names, and which column is probably what."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from components.service.worker.tables import Table

Kind = Literal["text", "label", "number", "other"]
TEXT_NAMES = (
    "text", "sentence", "sentence1", "premise", "question1", "text1", "review", "content", "comment", "tweet",
    "message", "body", "document", "question", "query", "input", "story",
)  # fmt: skip
PAIRS = {
    "sentence1": "sentence2", "sentence": "sentence2", "premise": "hypothesis", "question1": "question2",
    "text1": "text2", "text_a": "text_b", "sentence_a": "sentence_b", "text": "text_pair",
}  # fmt: skip
LABEL_NAMES = (
    "label",
    "labels",
    "class",
    "category",
    "target",
    "sentiment",
    "intent",
    "stars",
    "rating",
    "score",
    "topic",
)
MOST_CLASSES = 200
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WHOLE = re.compile(r"[+-]?\d+(\.0+)?")


def label_name(value: Any, names: Sequence[str] = ()) -> str | None:
    """A label as text: the name of a class index, `1` for 1.0; `None` for a missing one (-1 of named classes too)."""
    if value is None or isinstance(value, list | dict | bytes):
        return None
    if names and isinstance(value, int | float) and not isinstance(value, bool):
        return names[int(value)] if 0 <= value < len(names) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def order_labels(labels: Iterable[str]) -> list[str]:
    """Class names in a stable order: by number where all are numbers, else by name."""
    names = list(labels)
    if all(_NUMBER.fullmatch(name) for name in names):
        return sorted(names, key=lambda name: (float(name), name))
    return sorted(names)


def kind_of(values: Sequence[Any], names: Sequence[str] = ()) -> Kind:
    """What a column really holds, whatever its name or declared type."""
    present = [value for value in values if value is not None]
    if not present or any(isinstance(value, list | dict | bytes) for value in present[:1000]):
        return "other"
    if names or all(isinstance(value, bool) for value in present):
        return "label"
    texts = [str(value).strip() for value in present]
    counts = Counter(texts)
    few = len(counts) <= min(MOST_CLASSES, max(2, len(texts) // 3))
    # Up to half of the rows where the values are names rather than sentences.
    names_only = all(len(text) <= 40 and len(text.split()) <= 4 for text in counts)
    few = few or (names_only and len(counts) <= min(MOST_CLASSES, len(texts) // 2))
    if all(_NUMBER.fullmatch(text) for text in texts):
        whole = all(_WHOLE.fullmatch(text) for text in texts)
        return "label" if whole and few and len(counts) <= 50 else "number"
    short = max(len(text) for text in counts) <= 60
    if few and short:
        return "label"
    identifiers = len(counts) == len(texts) and short and all(re.fullmatch(r"\S*\d\S*", text) for text in texts)
    return "other" if identifiers or not all(isinstance(value, str) for value in present[:1000]) else "text"


def describe(table: Table) -> list[dict[str, Any]]:
    """Every column: name, kind, distinct values, missing values, a few examples."""
    described = []
    for name, values in table.columns.items():
        texts = [str(value) for value in values if value is not None]
        counts = Counter(texts)
        described.append(
            {
                "name": name,
                "kind": kind_of(values, table.names.get(name, [])),
                "distinct": len(counts),
                "missing": len(values) - len(texts),
                "examples": [shorten(text) for text in list(counts)[:3]],
            }
        )
    return described


def shorten(text: str, limit: int = 200) -> str:
    """The start of a long text."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def suggest(table: Table) -> dict[str, str | None]:
    """The columns that are probably the text, its pair, and the label."""
    kinds = {name: kind_of(values, table.names.get(name, [])) for name, values in table.columns.items()}
    by_name = {name.lower(): name for name in reversed(list(table.columns))}
    texts = [name for name, kind in kinds.items() if kind == "text"]
    named = [by_name[n] for n in TEXT_NAMES if n in by_name]
    # A column named text is text even if its values repeat, unless that leaves nothing to be the label.
    text = next((n for n in named if kinds[n] == "text"), None) or max(
        texts, key=lambda n: _length(table, n), default=None
    )
    text = text or next((n for n in named if kinds[n] == "label"), None)
    pair = by_name.get(PAIRS.get((text or "").lower(), ""))
    labels = [by_name[n] for n in LABEL_NAMES if n in by_name and kinds[by_name[n]] == "label"]
    labels += [name for name, kind in kinds.items() if kind == "label"]
    label = next((name for name in labels if name not in (text, pair)), None)
    return {"text": text, "text_pair": pair, "label": label}


def _length(table: Table, name: str) -> float:
    values = [len(str(value)) for value in table.columns[name][:1000] if value is not None]
    return math.fsum(values) / max(1, len(values))
