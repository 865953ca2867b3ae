"""How long texts are, in words or tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

BARS = 20


def words(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Words of what a model reads of each row: median, 95th percentile, longest, and a histogram."""
    return {"unit": "words", **spread([length for row in rows if (length := sum(_words(row))) or "image" not in row])}


def _words(row: dict[str, Any]) -> Iterator[int]:
    for role in ("text", "text_pair", "question", "context"):
        if role in row:
            yield len(row[role].split())
    yield len(row.get("tokens", ()))
    for message in row.get("messages", ()):
        yield len(message["content"].split())


def spread(lengths: Sequence[int]) -> dict[str, Any]:
    """Median, 95th percentile and longest of lengths, and `[{from, to, count}]` in up to 20 bars of one width."""
    ordered = sorted(lengths)
    if not ordered:
        return {"median": 0, "p95": 0, "longest": 0, "histogram": []}
    width = max(1, -(-(ordered[-1] + 1) // BARS))
    bars = Counter(length // width for length in ordered)
    return {
        "median": ordered[len(ordered) // 2],
        "p95": ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
        "longest": ordered[-1],
        "histogram": [
            {"from": i * width, "to": (i + 1) * width, "count": bars[i]} for i in range(ordered[-1] // width + 1)
        ],
    }
