"""Markdown from facts. What strangers wrote (labels, columns, names of files) is shown, and does nothing else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

#: Most characters of a stranger's text.
LONGEST = 200
#: What a stranger's text may not have in Markdown: marks of markup, and what is made a link of by itself.
_MARKS = re.compile(r"[\\|`\[\]*~$@]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.", re.IGNORECASE)
#: Marks of a direction of writing, with which a text can pose as another.
_TURNS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F])


def clean(value: Any) -> str:
    """A stranger's text in one line, cut, without control characters."""
    text = str(value).translate(_TURNS)
    spaced = (" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp", "Cs") else letter for letter in text)
    return "".join(spaced)[:LONGEST]


def plain(value: Any) -> str:
    """A stranger's text as Markdown that shows it and nothing else."""
    text = clean(value).replace("&", "&amp;").replace("<", "&lt;")
    return _MARKS.sub(lambda mark: f"\\{mark[0]}", text)


def code(value: Any) -> str:
    """A stranger's text as Markdown code, safe in a table."""
    text = clean(value)
    if "\\" in text or "`" in text or not text.strip():
        # No backslash escapes within backticks, and one before a bar would free the bar.
        shown = "".join(one if one.isalnum() or one == " " else f"&#{ord(one)};" for one in text)
        return f"<code>{shown}</code>"
    return "`" + text.replace("|", "\\|") + "`"


def cell(value: Any) -> str:
    """What stands in a table; figures are rounded to four places, large ones to none."""
    if isinstance(value, float) and 1e3 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e3 or value == 0 else f"{value:.3g}"
    return "" if value is None else str(value)


def row(cells: Iterable[Any]) -> str:
    """One line of a table."""
    return f"| {' | '.join(cell(value) for value in cells)} |"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    return "\n".join([row(head), row(["---"] * len(head)), *map(row, rows)])


def bullets(lines: Iterable[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)
