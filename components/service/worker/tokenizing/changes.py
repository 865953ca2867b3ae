"""What differs between a text and what became of it, as runs of characters."""

from __future__ import annotations

from collections import Counter
from typing import Any

from components.service.worker.tokenizing.alignment import Span
from components.service.worker.tokenizing.anatomy import Anatomy
from components.service.worker.tokenizing.encoding import Encoded, encode
from components.service.worker.tokenizing.rows import printable

#: How far ahead two texts are searched for where they agree again, in characters of each.
_AHEAD = 32
#: How much of a text is brought there and back, in characters, and how many changes of it are told.
ROUND_TRIP_CHARS = 2_000
_MOST_CHANGES = 100


def round_trip(anatomy: Anatomy, text: str) -> dict[str, Any]:
    """What encoding and decoding make of a text's beginning.

    Returns:
        `{characters, text, equal, lost, changes: [{start, before, after, cause}], total, causes, runs}`: how many
        characters were brought there and back, what came back, whether it is the same, how many characters did not
        come back, the changes with their place in the text, how many there are of each cause, and both texts as runs.
        A `cause` is `special` (a special token written in the text, which decoding skips), `unknown` (not in the
        vocabulary), `spacing`, `normalizer` or None, where none of these is sure.
    """
    text = text[:ROUND_TRIP_CHARS]
    encoded = encode(anatomy, text)
    back = printable(anatomy.tokenizer.decode(encoded.ids, skip_special_tokens=True))
    every = runs(text, back)
    differing = [change for change in every if change["before"] != change["after"]]
    special, unknown = _skipped(encoded)
    changes = [{**change, "cause": _cause(anatomy, change, special, unknown)} for change in differing]
    return {
        "characters": len(text),
        "text": back,
        "equal": back == text,
        "lost": sum(max(0, len(change["before"]) - len(change["after"])) for change in changes),
        "changes": changes[:_MOST_CHANGES],
        "total": len(changes),
        "causes": dict(Counter(change["cause"] or "" for change in changes).most_common()),
        "runs": every,
    }


def _skipped(encoded: Encoded) -> tuple[list[Span], list[Span]]:
    """Where the text holds special tokens, and where it holds what is unknown."""
    special, unknown = [], []
    for place, number in enumerate(encoded.ids):
        span = encoded.span(place)
        if span is None:
            continue
        if encoded.unknown(place):
            unknown.append(span)
        elif number in encoded.anatomy.special_ids:
            special.append(span)
    return special, unknown


def _cause(anatomy: Anatomy, change: dict[str, Any], special: list[Span], unknown: list[Span]) -> str | None:
    before, after = change["before"], change["after"]
    start, end = change["start"], change["start"] + max(1, len(before))
    for cause, spans in (("special", special), ("unknown", unknown)):
        if before and any(first < end and start < last for first, last in spans):
            return cause
    if "".join(before.split()) == "".join(after.split()):
        return "spacing"
    return "normalizer" if anatomy.normal(before).strip() != before.strip() else None


def runs(before: str, after: str) -> list[dict[str, Any]]:
    """Two texts as runs `[{start, before, after}]` that alike add up to both; `before == after` where they agree.

    Linear in the texts' length, so that a text cannot be made to take long; it may find a longer way than the shortest.
    """
    found: list[dict[str, Any]] = []
    here = there = 0
    while here < len(before) or there < len(after):
        if same := _common(before, after, here, there, len(before)):
            found.append({"start": here, "before": before[here : here + same], "after": after[there : there + same]})
        here, there = here + same, there + same
        if here == len(before) and there == len(after):
            break
        gone, come = _resume(before, after, here, there)
        found.append({"start": here, "before": before[here : here + gone], "after": after[there : there + come]})
        here, there = here + gone, there + come
    return found


def _common(before: str, after: str, here: int, there: int, most: int) -> int:
    most = min(most, len(before) - here, len(after) - there)
    same = 0
    while same < most and before[here + same] == after[there + same]:
        same += 1
    return same


def _resume(before: str, after: str, here: int, there: int) -> tuple[int, int]:
    """How many characters to pass over in both until they agree again: few of them, for a long agreement."""
    best = (-_AHEAD * 2, min(len(before) - here, _AHEAD), min(len(after) - there, _AHEAD))
    for gone in range(min(len(before) - here, _AHEAD) + 1):
        for come in range(min(len(after) - there, _AHEAD) + 1):
            same = _common(before, after, here + gone, there + come, _AHEAD)
            if same and same - gone - come > best[0]:
                best = (same - gone - come, gone, come)
    return best[1], best[2]
