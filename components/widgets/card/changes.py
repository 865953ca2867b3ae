"""What has changed in a card: fields, sections, and every line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from components.widgets.card.findings import shortly
from components.widgets.html import escape, notice, table

#: Most lines of a comparison on the page.
_LINES = 600


def changes_view(diff: Mapping[str, Any], against: str, remark: str = "") -> str:
    """The answer of `/diff_card`.

    Args:
        against: What the card is held against, in words.
        remark: How what it is held against was opened, where that was not byte for byte.
    """
    warned = notice(remark, "warning")
    if not diff["lines"]:
        same = f"The card is, letter for letter, {against}." if remark else f"The card is, byte for byte, {against}."
        return warned + notice(same, "success")
    fields = [(one["field"], _shown(one["before"]), _shown(one["after"])) for one in diff["fields"]]
    parts = [warned, notice(f"Held against {against}. {diff['summary']}")]
    if fields:
        parts.append(table(["Field", "Before", "Now"], fields, label="Fields that have changed"))
    if diff["sections"]:
        named = [(one["section"] or "before the first heading", one["change"]) for one in diff["sections"]]
        parts.append(table(["Section", "Change"], named, label="Sections that have changed"))
    return "".join(parts) + _lines(diff["lines"])


def _shown(value: Any) -> str | None:
    return (
        None if value is None else shortly(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    )


def _lines(lines: list[str]) -> str:
    tags = {"+": "ins", "-": "del"}
    shown = []
    for line in lines[:_LINES]:
        tag = tags.get(line[:1], "span") if not line.startswith(("+++", "---")) else "span"
        shown.append(f"<{tag}>{escape(line)}</{tag}>")
    more = f"\n… {len(lines) - _LINES:,} more lines" if len(lines) > _LINES else ""
    return (
        '<div class="wb-diff" role="region" aria-label="Lines that have changed" tabindex="0">'
        + "\n".join(shown)
        + f"{more}</div>"
    )
