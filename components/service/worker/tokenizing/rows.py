"""A window of tokens as rows: what each is, where it lies, and whether its place can be trusted."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

from components.service.worker.tokenizing.alignment import Span
from components.service.worker.tokenizing.anatomy import Anatomy
from components.service.worker.tokenizing.encoding import Encoded
from components.service.worker.tokenizing.groups import groups


def window_rows(encoded: Encoded, start: int, end: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The tokens from `start` to `end`, and the groups among them that together make one character.

    Each is `{position, id, token, reads, bytes, text, start, end, byte_start, byte_end, special, added, unknown,
    sequence, fit, flags, group, before, after}`; see `Tokens.tokenize`.
    """
    anatomy = encoded.anatomy
    places = range(start, min(end, len(encoded.ids)))
    tokens = anatomy.tokenizer.convert_ids_to_tokens([encoded.ids[place] for place in places])
    spans = [encoded.span(place) for place in places]
    sequences = [encoded.sequence(place) for place in places]
    octets = _Octets(encoded.texts, sequences, spans)
    overlaps = _overlapping(encoded, start, sequences, spans)
    added = anatomy.tokenizer.added_tokens_decoder
    rows = []
    for place, token, span, sequence, overlap in zip(places, tokens, spans, sequences, overlaps, strict=True):
        number = encoded.ids[place]
        text = "" if span is None else encoded.texts[sequence or 0][slice(*span)]
        raw = anatomy.reader.read(token)
        unknown = number in anatomy.unknown_ids and sequence is not None and text.strip() != token
        fit = None if span is None else _fit(anatomy, text, token, raw, unknown=unknown)
        rows.append(
            {
                "position": place,
                "id": number,
                "token": printable(token),
                "reads": anatomy.reader.text(token),
                "bytes": raw.hex(" "),
                "text": printable(text or raw.decode("utf-8", "replace")),
                "start": None if span is None else span[0],
                "end": None if span is None else span[1],
                "byte_start": None if span is None else octets.before(sequence or 0, span[0]),
                "byte_end": None if span is None else octets.before(sequence or 0, span[1]),
                "special": sequence is None or (number in anatomy.special_ids and not unknown),
                "added": number in added,
                "unknown": unknown,
                "sequence": sequence,
                "fit": fit,
                "flags": _flags(span, fit, overlap),
                "group": None,
            }
        )
    _tell_dropped(encoded, rows)
    return rows, _grouped(encoded, rows)


def _tell_dropped(encoded: Encoded, rows: list[dict[str, Any]]) -> None:
    """Put into each row the characters `before` and `after` it that no token of the text stands for; `after` is empty
    but for the last token of a text. Behind a token whose place is not known, nothing can be said."""
    ends: dict[int, int | None] = {}
    for row in rows:
        row["before"] = row["after"] = ""
        place, sequence = row["position"], row["sequence"]
        if sequence is None:
            continue
        text, end = encoded.texts[sequence], ends.get(sequence, _end_before(encoded, place, sequence))
        if row["start"] is None:
            ends[sequence] = None
            continue
        row["before"] = "" if end is None else printable(text[end : row["start"]])
        ends[sequence] = end = max(end or 0, row["end"])
        if place + 1 == len(encoded.ids) or encoded.sequence(place + 1) != sequence:
            row["after"] = printable(text[end:])


def _end_before(encoded: Encoded, place: int, sequence: int) -> int | None:
    """Where the token before this one ends in its text, 0 where this one is the text's first."""
    if not place or encoded.sequence(place - 1) != sequence:
        return 0
    span = encoded.span(place - 1)
    return None if span is None else span[1]


def _flags(span: Span | None, fit: str | None, overlap: bool) -> list[str]:
    flags = []
    if fit in ("mismatch", "mark"):
        flags.append("mismatch")
    if span is not None and span[0] == span[1]:
        flags.append("zero_width")
    return [*flags, "overlap"] if overlap else flags


def _fit(anatomy: Anatomy, text: str, token: str, raw: bytes, *, unknown: bool) -> str:
    """How a token's slice of the text fits what the token stands for."""
    if unknown:
        return "unknown"
    if raw == text.encode():
        return "exact"
    reads, normal = anatomy.reader.text(token), anatomy.normal(text)
    if reads is None:
        if text and raw in text.encode():
            return "partial"
        return "normalized" if raw.strip() in normal.encode() else "mismatch"
    if text.strip() == reads.strip():
        return "trimmed"
    if text and not reads.strip():
        return "mark"
    whole = normal.strip() == reads.strip() or _loose(normal) == _loose(reads)
    return "normalized" if whole or (reads.strip() and raw.strip() in normal.encode()) else "mismatch"


def _loose(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _overlapping(
    encoded: Encoded, start: int, sequences: Sequence[int | None], spans: Sequence[Span | None]
) -> Iterator[bool]:
    """Whether each token shares characters with one before it."""
    ends = {0: 0, 1: 0}
    before = encoded.span(start - 1) if 0 < start <= len(encoded.ids) else None
    if before is not None:
        ends[encoded.sequence(start - 1) or 0] = before[1]
    for sequence, span in zip(sequences, spans, strict=True):
        if span is None or sequence is None:
            yield False
            continue
        yield span[0] < min(span[1], ends[sequence])
        ends[sequence] = max(ends[sequence], span[1])


def _grouped(encoded: Encoded, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The groups, numbered in the rows that belong to them."""
    found = []
    for sequence, text in enumerate(encoded.texts):
        spans = [
            (row["position"], (row["start"], row["end"]))
            for row in rows
            if row["sequence"] == sequence and row["start"] is not None
        ]
        found += groups(text, sequence, spans)
    first = rows[0]["position"] if rows else 0
    for number, group in enumerate(found):
        for place in range(group["first"], group["last"] + 1):
            rows[place - first]["group"] = number
    return found


class _Octets:
    """How many bytes (in UTF-8) lie before a character; counted once up to the window, then inside it."""

    def __init__(self, texts: tuple[str, str], sequences: Sequence[int | None], spans: Sequence[Span | None]) -> None:
        self._known: list[tuple[int, list[int]]] = []
        for number, text in enumerate(texts):
            own = [span for sequence, span in zip(sequences, spans, strict=True) if sequence == number and span]
            first = min((span[0] for span in own), default=0)
            last = max((span[1] for span in own), default=0)
            lengths = (len(letter.encode()) for letter in text[first:last])
            self._known.append((first, list(accumulate(lengths, initial=len(text[:first].encode())))))

    def before(self, sequence: int, character: int) -> int:
        first, counted = self._known[sequence]
        return counted[character - first]


def printable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which JSON cannot carry."""
    return text.encode("utf-8", "replace").decode()
