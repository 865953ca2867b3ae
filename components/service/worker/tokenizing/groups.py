"""Tokens that only together make one character, as a reader counts characters (with its accents and joiners)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import regex  # type: ignore[import-untyped]

from components.service.worker.tokenizing.alignment import Span

#: How far before a window a character may begin: the longest emoji sequences have some ten code points.
_BEFORE = 32


def groups(text: str, sequence: int, spans: Sequence[tuple[int, Span]]) -> list[dict[str, Any]]:
    """Runs of tokens that share a character: `[{first, last, sequence, start, end, text}]`.

    Args:
        text: The text.
        sequence: Which text it is, 0 or 1.
        spans: The position and the characters of each token of it, in order.
    """
    found: list[dict[str, Any]] = []
    if not spans:
        return found
    bounds = _characters(text, min(span[0] for _, span in spans), max(span[1] for _, span in spans))
    run: list[int] = []
    start = end = 0
    for position, (begin, stop) in spans:
        if begin == stop:
            continue
        wide = (bounds[begin][0], bounds[stop - 1][1])
        if run and wide[0] < end:
            run.append(position)
            end = max(end, wide[1])
            continue
        found += _group(run, text, sequence, start, end)
        run, (start, end) = [position], wide
    return found + _group(run, text, sequence, start, end)


def _group(run: list[int], text: str, sequence: int, start: int, end: int) -> list[dict[str, Any]]:
    if len(run) < 2:
        return []
    place = {"first": run[0], "last": run[-1], "sequence": sequence, "start": start, "end": end}
    return [{**place, "text": text[start:end]}]


def _characters(text: str, start: int, end: int) -> dict[int, Span]:
    """For each code point from `start` to `end`, the grapheme cluster (UAX 29) that it belongs to."""
    first = max(0, start - _BEFORE)
    bounds = {}
    for cluster in regex.finditer(r"\X", text[first : end + _BEFORE]):
        span = (first + cluster.start(), first + cluster.end())
        bounds.update(dict.fromkeys(range(*span), span))
    return bounds
