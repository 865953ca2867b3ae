"""What differs between a text and what became of it, as runs of characters."""

from __future__ import annotations

from typing import Any

from components.service.worker.tokenizing.rows import printable

#: How far ahead two texts are searched for where they agree again, in characters of each.
_AHEAD = 32
#: How much of a text is brought there and back, in characters, and how many changes of it are told.
ROUND_TRIP_CHARS = 2_000
_MOST_CHANGES = 100


def round_trip(tokenizer: Any, text: str) -> dict[str, Any]:
    """What encoding and decoding make of a text's beginning.

    Returns:
        `{characters, text, equal, lost, changes: [{start, before, after}], total}`: how many characters were brought
        there and back, what came back, whether it is the same, how many characters did not come back, and the
        changes with their place in the text.
    """
    text = text[:ROUND_TRIP_CHARS]
    back = printable(tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True))
    changes = [change for change in runs(text, back) if change["before"] != change["after"]]
    return {
        "characters": len(text),
        "text": back,
        "equal": back == text,
        "lost": sum(max(0, len(change["before"]) - len(change["after"])) for change in changes),
        "changes": changes[:_MOST_CHANGES],
        "total": len(changes),
    }


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
