"""Where each token lies in the text, for tokenizers that do not say: the Python-backed ones leave offsets out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Span = tuple[int, int]

_UNFINISHED = "\ufffd"
#: Most tokens that one character is made of (four bytes in UTF-8), and some room.
_MOST_TOKENS = 8
#: How far ahead a piece is looked for, in characters: what a tokenizer drops or writes otherwise is not longer.
_LOOK_AHEAD = 16


def align(tokenizer: Any, text: str, ids: Sequence[int]) -> list[Span | None]:
    """The characters of `text` that each id stands for, or None where that cannot be told.

    Ids are decoded one after another and looked for in the text from where the last one ended. Ids that only
    together make a character (the bytes of one) all get that character, as fast tokenizers have it.
    """
    spans: list[Span | None] = []
    cursor = 0
    waiting: list[int] = []
    for number in ids:
        waiting.append(number)
        piece = _decode(tokenizer, waiting)
        if (not piece or _UNFINISHED in piece) and len(waiting) < _MOST_TOKENS:
            continue  # the bytes of a character that is not whole yet, which some decoders leave out
        span = _find(piece, text, cursor)
        alone = len(waiting) > 1 and piece == _decode(tokenizer, [number])
        spans += [None if alone else span] * (len(waiting) - 1) + [span]
        waiting = []
        cursor = cursor if span is None else span[1]
    return spans + [None] * len(waiting)


def _decode(tokenizer: Any, ids: list[int]) -> str:
    text: str = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text


def _find(piece: str, text: str, cursor: int) -> Span | None:
    for wanted in (piece, piece.strip()):
        if not wanted:
            continue
        window = text[cursor : cursor + len(wanted) + _LOOK_AHEAD]
        place = window.find(wanted)
        if place < 0 and len(window.casefold()) == len(window):
            place = window.casefold().find(wanted.casefold())
        if place >= 0:
            return cursor + place, cursor + place + len(wanted)
    return None
