"""Text in which every character can be seen, and what was changed in a text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

from components.widgets.html import escape

#: Characters that cannot be seen, and what is shown in their place.
_MARKS = {" ": "·", "\n": "⏎\n", "\t": "⇥"}
#: Characters of format that change how others are shown, or hide in a word, and do no work in a letter or an emoji.
_HIDDEN = frozenset(
    chr(code)
    for codes in ((0xAD,), (0x61C,), (0x180E,), (0x200B,), range(0x200E, 0x2010), range(0x202A, 0x202F), (0xFEFF,))
    for code in codes
) | frozenset(map(chr, range(0x2060, 0x2070)))
#: Most characters that are drawn of one token, or of what is dropped between two: an unknown word may be a whole text.
_DRAWN = 400
#: Unicode's categories of characters that show nothing, or that no font has.
_UNSEEN = ("Cc", "Cf", "Cn", "Co", "Zs", "Zl", "Zp")


def visible(text: str) -> str:
    """A text as HTML, spaces and line ends marked, and what cannot be seen at all named by its code point.

    A mark is a bare `<i>`: there is one for each space of a window, in each of its views.
    """
    joined = any(unicodedata.category(c) not in _UNSEEN for c in text)
    return "".join(_character(c, joined=joined) for c in text)


def _character(c: str, *, joined: bool) -> str:
    if c in _MARKS:
        return f"<i>{_MARKS[c]}</i>"
    category = unicodedata.category(c)
    # A joiner inside an emoji does its work; alone, it would be an empty box.
    if category not in _UNSEEN or (category == "Cf" and joined and c not in _HIDDEN):
        return escape(c)
    return f"<i>U+{ord(c):04X}</i>"


def beginning(text: str) -> str:
    """A text as `visible` draws it; of a very long one the beginning, and how long it is."""
    return visible(text[:_DRAWN]) + _rest(text)


def _rest(text: str) -> str:
    return f"… <em>({len(text):,} characters)</em>" if len(text) > _DRAWN else ""


def dropped(text: str) -> str:
    """Characters that no token stands for, as HTML: spaces as they are, everything else named or struck out."""
    if not text.strip(" "):
        return escape(text[:_DRAWN])
    drawn = "".join(f"<i>U+{ord(c):04X}</i>" if unicodedata.combining(c) else visible(c) for c in text[:_DRAWN])
    return f'<del class="wb-dropped" title="No token stands for this.">{drawn}{_rest(text)}</del>'


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


def two_lines(runs: Iterable[dict[str, Any]]) -> str:
    """Runs of `{before, after}` as the text before and the text after, one under the other, the difference marked."""
    lines = {"Before": "", "After": ""}
    for run in runs:
        alike = run["before"] == run["after"]
        for name, text, tag in (("Before", run["before"], "del"), ("After", run["after"], "ins")):
            lines[name] += escape(text) if alike else f"<{tag}>{visible(text)}</{tag}>" if text else ""
    return "".join(
        f'<p class="wb-lead">{name}</p><div class="wb-diff" dir="auto" role="group" tabindex="0" '
        f'aria-label="The text {name.lower()}">{drawn}</div>'
        for name, drawn in lines.items()
    )


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
