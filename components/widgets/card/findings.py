"""Findings about a card, each with its line, its field, and the button that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.widgets.html import escape, notice

_ORDER = {"error": 0, "warning": 1, "info": 2}


def findings_view(problems: Sequence[Mapping[str, Any]]) -> str:
    """The answer of `/check_card`; a button picks the number of its finding in `problems`."""
    if not problems:
        return notice("Nothing to mend: the metadata is valid and no section is left open.", "success")
    numbered = sorted(enumerate(problems), key=lambda one: (_ORDER.get(one[1]["level"], 3), one[1].get("line") or 0))
    return "".join(_finding(number, problem) for number, problem in numbered)


def _finding(number: int, problem: Mapping[str, Any]) -> str:
    place = [f"Line {problem['line']}" if problem.get("line") else "", _field(problem.get("field"))]
    title = " · ".join(part for part in place if part)
    said = f"{escape(problem['message'])} {escape(problem.get('fix') or '')}".strip()
    button = ""
    if problem.get("remedy"):
        button = (
            f'<div class="wb-remedy"><button type="button" data-pick="{number}">Mend it</button>'
            f"<small>{escape(told(problem['remedy']))}</small></div>"
        )
    role = "alert" if problem["level"] == "error" else "status"
    head = f"<b>{escape(title)}.</b> " if title else ""
    return f'<div class="wb-notice wb-{escape(problem["level"])}" role="{role}">{head}{said}{button}</div>'


def _field(field: Any) -> str:
    return "" if field in (None, "", "card", "body") else str(field)


def told(changes: Sequence[Mapping[str, Any]]) -> str:
    """What changes of a card do, in words."""
    return "; ".join(_told(change) for change in changes[:4]) + (" …" if len(changes) > 4 else "")


def _told(change: Mapping[str, Any]) -> str:
    if "section" in change:
        verb = "Takes away" if change.get("text") is None else "Writes"
        return f"{verb} the section {change['section']}"
    field = change.get("field", "the card")
    if "rename" in change:
        return f"Renames {field} to {change['rename']}"
    if "value" not in change:
        return f"Mends {field}"
    if change["value"] is None:
        return f"Takes away {field}"
    return f"Sets {field} to {shortly(change['value'])}"


def shortly(value: Any, most: int = 80) -> str:
    """A value in at most so many characters."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"
