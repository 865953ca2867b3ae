"""What the checks find: collected, put in order, bounded in number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Problem = dict[str, Any]
Change = dict[str, Any]
#: Most findings that are told of one card, and of one kind of mistake.
MOST, MOST_ALIKE = 200, 50
_ORDER = {"error": 0, "warning": 1, "info": 2}


class Findings:
    """The findings of one card."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._alike: dict[str, int] = {}
        self._left_out = 0

    def tell(
        self, level: str, line: int, field: str, message: str, fix: str, remedy: Sequence[Change] | None = None
    ) -> None:
        """Add a finding.

        Args:
            level: `error`, `warning` or `info`.
            line: Where in the card, counted from 1.
            field: The path in the metadata, `body` or `card`.
            message: What is wrong, and why it matters.
            fix: What to do.
            remedy: Changes that mend it, as `edit` takes them.
        """
        kind = f"{level} {field.partition('[')[0]} {fix[:40]}"
        self._alike[kind] = self._alike.get(kind, 0) + 1
        if self._alike[kind] > MOST_ALIKE:
            self._left_out += 1
            return
        self._found.append(
            {"level": level, "line": line, "field": field, "message": message, "fix": fix,
             "remedy": list(remedy) if remedy else None}
        )  # fmt: skip

    def leave_out(self) -> None:
        """Count a finding that is not told, since there are enough of its kind."""
        self._left_out += 1

    def listed(self) -> list[Problem]:
        """The findings, errors first, then by line; of too many the first, and how many are left out."""
        ordered = sorted(self._found, key=lambda problem: (_ORDER[problem["level"]], problem["line"]))
        more = self._left_out + max(0, len(ordered) - MOST)
        if more:
            said = f"{more} more findings are not listed."
            fix = "Mend those above first."
            last = {"level": "info", "line": 1, "field": "card", "message": said, "fix": fix, "remedy": None}
            return [*ordered[:MOST], last]
        return ordered


def shown(value: Any) -> str:
    """A value of the card as a finding shows it: in one line, cut."""
    text = " ".join(str(value)[:200].split())
    return text if len(text) <= 80 else text[:79] + "…"


def put(path: str, value: Any) -> Change:
    """The change that gives a field a value."""
    return {"field": path, "value": value}


def drop(path: str) -> Change:
    """The change that deletes a field, or one entry of a list."""
    return {"field": path, "value": None}


def rename(path: str, key: str) -> Change:
    """The change that gives a key another name, and leaves its value and its place."""
    return {"field": path, "rename": key}


def rewrite(line: int, text: str | None) -> Change:
    """The change that puts another text in the place of one line, counted from 1; `None` deletes it."""
    return {"line": line, "text": text}
