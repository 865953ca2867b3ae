"""A text as its tokens: coloured, in order, each with what it is."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, table

COLOURS = 5
#: Characters that cannot be seen, and what is shown in their place.
_MARKS = {" ": "·", "\n": "⏎\n", "\t": "⇥"}


def token_strip(tokens: list[dict[str, Any]]) -> str:
    """The tokens of `/tokenize` as coloured spans; neighbours differ in colour, a special token has a dashed frame.

    What lies between two tokens and belongs to neither is shown as a gap.
    """
    spans, end = "", 0
    for number, token in enumerate(tokens):
        apart = token["start"] is not None and token["start"] > end
        spans += f"{' ' if apart else ''}{_span(number, token)}"
        end = end if token["end"] is None else token["end"]
    return f'<div class="wb-tokens" role="list" aria-label="Tokens" tabindex="0">{spans}</div>'


def _span(number: int, token: dict[str, Any]) -> str:
    colour = "wb-special" if token["special"] else f"wb-t{number % COLOURS}"
    where = "" if token["start"] is None else f", characters {token['start']} to {token['end']}"
    title = f"{token['token']}: id {token['id']}{where}"
    return f'<span class="wb-token {colour}" role="listitem" title="{escape(title)}">{_visible(token)}</span>'


def _visible(token: dict[str, Any]) -> str:
    if token["special"]:
        return escape(token["token"])
    text = token["text"] or token["token"]
    return "".join(f'<span class="wb-mark">{_MARKS[c]}</span>' if c in _MARKS else escape(c) for c in text)


def token_table(tokens: list[dict[str, Any]]) -> str:
    """The same as a table: position, id, token, text, where it stands in the text."""
    rows = (
        (
            number,
            token["id"],
            token["token"],
            token["text"],
            token["start"],
            token["end"],
            "special" if token["special"] else "",
        )
        for number, token in enumerate(tokens)
    )
    header = ["#", "Id", "Token", "Text", "Start", "End", ""]
    return table(header, rows, numeric=(0, 1, 4, 5), label="Tokens with their ids and offsets")
