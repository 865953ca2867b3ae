"""Text in which every character can be seen, and what was changed in a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from components.widgets.html import escape

#: Characters that cannot be seen, and what is shown in their place.
_MARKS = {" ": "·", "\n": "⏎\n", "\t": "⇥"}
#: Unicode's categories of characters that show nothing, or that no font has.
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Zs", "Zl", "Zp")


def visible(text: str) -> str:
    """A text as HTML, spaces and line ends marked, and what cannot be seen at all named by its code point."""
    joined = any(unicodedata.category(c) not in _UNSEEN for c in text)
    return "".join(_character(c, joined=joined) for c in text)


def _character(c: str, *, joined: bool) -> str:
    if c in _MARKS:
        return f'<span class="wb-mark">{_MARKS[c]}</span>'
    category = unicodedata.category(c)
    # A joiner inside an emoji does its work; alone, it would be an empty box.
    if category not in _UNSEEN or (category == "Cf" and joined):
        return escape(c)
    return f'<span class="wb-mark">U+{ord(c):04X}</span>'


def changed(changes: Iterable[dict[str, Any]]) -> str:
    """Runs of `{before, after}` as one text, in which what was taken out and put in is marked."""
    runs = "".join(map(_run, changes))
    return f'<div class="wb-diff" dir="auto" role="group" tabindex="0" aria-label="The text">{runs}</div>'


def _run(change: dict[str, Any]) -> str:
    before, after = change["before"], change["after"]
    if before == after:
        return escape(before)
    taken = f"<del>{visible(before)}</del>" if before else ""
    return taken + (f"<ins>{visible(after)}</ins>" if after else "")


def piece(text: str, *, special: bool = False, note: Any = None) -> str:
    """A piece of text in a frame, dashed where it is a special token, with a small note behind it."""
    told = "" if note is None else f"<small>{escape(note)}</small>"
    return f'<span class="wb-piece{" wb-special" if special else ""}">{visible(text) or "∅"}{told}</span>'


def pieces(parts: Iterable[str], more: int = 0) -> str:
    """Framed pieces in a row, and how many more there are."""
    rest = f"<em>and {more:,} more</em>" if more > 0 else ""
    return f'<div class="wb-pieces" tabindex="0" role="group" aria-label="Pieces">{"".join(parts)}{rest}</div>'


def folded(title: str, content: str, *, opened: bool = False) -> str:
    """Content behind its title."""
    summary = f"<summary>{escape(title)}</summary>"
    return f'<details class="wb-fold"{" open" if opened else ""}>{summary}{content}</details>' if content else ""
