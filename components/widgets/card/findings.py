"""Findings about a card, each with its line, its field, and the button that mends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from components.widgets.html import counted_findings, escape, notice, says

_ORDER = {"error": 0, "warning": 1, "info": 2}


def findings_view(problems: Sequence[Mapping[str, Any]], place: Callable[[str], str], above: int = 0) -> str:
    """The answer of `/check_card`.

    Args:
        problems: The findings. A button picks the number of one in `problems`, to mend it; `line NUMBER` of the
            editor; or `field PATH` of the form.
        place: The form's field in which a path of the metadata is changed; empty where there is none.
        above: Lines at the beginning of the card that the editor does not show.
    """
    if not problems:
        told_none = "Nothing to mend: the metadata is valid and no section is left open."
        return says(told_none) + notice(told_none, "success", spoken=False)
    numbered = sorted(enumerate(problems), key=lambda one: (_ORDER.get(one[1]["level"], 3), one[1].get("line") or 0))
    # What to do is told once of several in a row that ask for the same.
    fixes = ["", *(problem.get("fix") or "" for _, problem in numbered)]
    return says(counted_findings(problems)) + "".join(
        _finding(number, problem, "" if fix == before else fix, place, above)
        for (number, problem), before, fix in zip(numbered, fixes, fixes[1:], strict=False)
    )


def _finding(number: int, problem: Mapping[str, Any], fix: str, place: Callable[[str], str], above: int) -> str:
    line = max(1, problem["line"] - above) if problem.get("line") else None
    field = "" if problem.get("field") in (None, "card", "body") else str(problem["field"])
    in_form = place(field) if field else ""
    parts = [
        _link(f"line {line}", f"Line {line}") if line else "",
        _link(f"field {in_form}", field) if in_form else f"<b>{escape(field)}</b>" if field else "",
    ]
    message = str(problem["message"])
    said = escape(f"{message}{'' if message.endswith((*'.?!',)) else '.'} {fix}".strip())
    button = ""
    if problem.get("remedy"):
        button = (
            f'<div class="wb-remedy"><button type="button" data-pick="{number}">Mend it</button>'
            f"<small>{escape(told(problem['remedy']))}</small></div>"
        )
    head = " · ".join(filter(None, parts))
    head = f"{head}. " if head else ""
    return f'<div class="wb-notice wb-{escape(problem["level"])}">{head}{said}{button}</div>'


def _link(pick: str, text: str) -> str:
    return f'<button type="button" class="wb-link" data-pick="{escape(pick)}">{escape(text)}</button>'


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
