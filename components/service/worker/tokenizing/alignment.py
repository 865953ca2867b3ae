"""Where each token lies in the text, for tokenizers that do not say: the Python-backed ones leave offsets out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

Span = tuple[int, int]

_UNFINISHED = "\ufffd"
#: Most tokens that one character is made of (four bytes in UTF-8), and some room.
_MOST_TOKENS = 8
#: How far ahead a piece is looked for, in characters: what a tokenizer drops or writes otherwise is not longer.
_LOOK_AHEAD = 16


def align(text: str, pieces: Sequence[bytes], decode: Callable[[int, int], str]) -> list[Span | None]:
    """The characters of `text` that each token stands for, or None where that cannot be told.

    Args:
        text: The text.
        pieces: The bytes that each raw token stands for. Where they add up to the text, they say all.
        decode: The text of the tokens from one place to another, which is looked for in the text otherwise.
    """
    if b"".join(pieces) == text.encode():
        return _exact(text, pieces)
    return _searched(text, pieces, decode)


def _exact(text: str, pieces: Sequence[bytes]) -> list[Span | None]:
    """The characters that the bytes of each piece belong to, also where they are a part of one only."""
    character = [place for place, letter in enumerate(text) for _ in range(len(letter.encode()))]
    ends = list(accumulate(len(piece) for piece in pieces))
    spans: list[Span | None] = []
    for piece, end in zip(pieces, ends, strict=True):
        start = end - len(piece)
        first = character[start] if start < len(character) else len(text)
        spans.append((first, character[end - 1] + 1 if piece else first))
    return spans


def _searched(text: str, pieces: Sequence[bytes], decode: Callable[[int, int], str]) -> list[Span | None]:
    """Tokens are decoded one after another and looked for in the text from where the last one ended; where that is in
    vain, what the raw token reads is looked for, without the marks that decoding leaves on a lone piece. Tokens that
    only together make a character (the bytes of one) all get that character, as fast tokenizers have it."""
    spans: list[Span | None] = []
    cursor = first = 0
    for place in range(len(pieces)):
        piece = decode(first, place + 1)
        waiting = place + 1 - first
        span = _find(piece, text, cursor)
        if span is None and waiting == 1:
            reads = pieces[place].decode("utf-8", "ignore")
            here = bool(reads) and text.startswith(reads, cursor)
            span = (cursor, cursor + len(reads)) if here else _find(reads.strip(), text, cursor)
        if span is None and (not piece or _UNFINISHED in piece) and waiting < _MOST_TOKENS:
            continue  # the bytes of a character that is not whole yet, which some decoders leave out
        alone = waiting > 1 and piece == decode(place, place + 1)
        spans += [None if alone else span] * (waiting - 1) + [span]
        first = place + 1
        cursor = cursor if span is None else span[1]
    return spans + [None] * (len(pieces) - len(spans))


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
