"""Ids as the text that they stand for, token by token."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, notice
from components.widgets.tokens.text import folded, piece, pieces, visible

_ROWS, _TOKENS = 50, 200


def decoded_view(answer: dict[str, Any]) -> str:
    """The answer of `decode`: each list of ids with its text."""
    rows = answer["rows"]
    drawn = "".join(_row(number, row, several=len(rows) > 1) for number, row in enumerate(rows[:_ROWS], 1))
    more = len(rows) - _ROWS
    return drawn + (f'<p class="wb-lead">{more:,} more lists follow.</p>' if more > 0 else "")


def _row(number: int, row: dict[str, Any], *, several: bool) -> str:
    title = f"List {number}" if several else "The text of these ids"
    text = f'<div class="wb-text" dir="auto">{escape(row["text"]) or "<em>nothing</em>"}</div>'
    kept = row["plain"] != row["text"]
    plain = f'<div class="wb-diff" dir="auto">{visible(row["plain"])}</div>' if kept else ""
    tokens = row["tokens"][:_TOKENS]
    drawn = (piece(one["token"], special=one["special"], note=one["id"]) for one in tokens)
    more = "<p>The rest of the list is not shown.</p>" if row["truncated"] or len(row["tokens"]) > _TOKENS else ""
    return (
        f'<section class="wb-stage"><h2>{title}</h2>{text}'
        + folded("With special tokens, and nothing cleaned up", plain)
        + f"<p>Its tokens</p>{pieces(drawn)}{more}{_again(row['again'])}</section>"
    )


def _again(again: dict[str, Any]) -> str:
    if again["equal"]:
        return notice("This text is encoded in the same ids again.", "success")
    place = again["first_difference"]
    at = "" if place is None else f", the first difference at place {place + 1:,}"
    ids = ", ".join(map(str, again["ids"])) + (" …" if again["tokens"] > len(again["ids"]) else "")
    many = again["left_out"]
    why = (
        f"{many:,} special {'token' if many == 1 else 'tokens'} of the list (padding too) did not get into the text, "
        "and the tokenizer puts only its own around it."
        if many
        else "A text has one encoding, but many lists of ids read alike."
    )
    return notice(f"This text is encoded in other ids: {ids} ({again['tokens']:,} in all{at}). {why}")
