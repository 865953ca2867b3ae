"""A text's tokens: all counted, a window of them told, and the stages of the text's beginning."""

from __future__ import annotations

from collections import Counter
from typing import Any

from components.service.worker.calls import Call
from components.service.worker.findings import count
from components.service.worker.tokenizing.anatomy import inspecting
from components.service.worker.tokenizing.changes import round_trip
from components.service.worker.tokenizing.encoding import Encoded, encode
from components.service.worker.tokenizing.kinds import describe
from components.service.worker.tokenizing.rows import printable, window_rows
from components.service.worker.tokenizing.staged import STAGED_CHARS, stages


def tokenize(
    call: Call, *, path: str, model: str, text: str, text_pair: str | None, options: dict[str, Any]
) -> dict[str, Any]:
    """The answer of `Tokens.tokenize`."""
    start = options["start"]
    with inspecting(call, path, model) as anatomy:
        encoded = encode(anatomy, text, text_pair, special=options["add_special_tokens"])
        rows, grouped = window_rows(encoded, start, start + options["count"])
        staged, check = stages(anatomy, text[:STAGED_CHARS])
        back = round_trip(anatomy, text)
        described = describe(anatomy.tokenizer)
    return {
        "tokens": rows,
        "start": start,
        "truncated": len(rows) < len(encoded.ids),
        "groups": grouped,
        "legend": anatomy.reader.legend([row["token"] for row in rows if not row["special"]]),
        "stages": staged,
        "matches_encode": check["equal"],
        "check": check,
        "offsets": encoded.offsets,
        "offset_check": _offset_check(rows),
        "counts": counts_of(encoded, options["price_per_million"]),
        "round_trip": back,
        "notes": _notes(encoded),
        **described,
    }


def _offset_check(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many tokens of the window have a place, how each fits it, and how many of each flag there are."""
    fits = Counter(row["fit"] for row in rows if row["fit"] is not None)
    flags = Counter(flag for row in rows for flag in row["flags"])
    return {
        "checked": sum(fits.values()),
        "fits": dict(fits),
        "mismatch": flags["mismatch"],
        "zero_width": flags["zero_width"],
        "overlap": flags["overlap"],
    }


def counts_of(encoded: Encoded, price: float) -> dict[str, Any]:
    """What `Tokens.tokenize` counts, of the whole text, at a price for a million tokens."""
    texts, tokens = encoded.texts, len(encoded.ids)
    special = sum(encoded.special_mask)
    characters = sum(map(len, texts))
    octets = sum(len(text.encode()) for text in texts)
    words = sum(len(text.split()) for text in texts)
    unknown, typed = _met(encoded)
    content = tokens - special
    return {
        "tokens": tokens,
        "special": special,
        "special_in_text": len(typed),
        "unknown": unknown,
        "characters": characters,
        "bytes": octets,
        "words": words,
        "tokens_per_word": round(content / words, 4) if words else None,
        "characters_per_token": round(characters / content, 4) if content else None,
        "bytes_per_token": round(octets / content, 4) if content else None,
        "price_per_million": price,
        "cost": tokens * price / 1e6,
    }


def _met(encoded: Encoded) -> tuple[int, list[int]]:
    """How many tokens of the texts are unknown, and the ids of the special ones that are written in the texts."""
    anatomy = encoded.anatomy
    marked = anatomy.special_ids | anatomy.unknown_ids
    places = [
        place
        for place, (number, mask) in enumerate(zip(encoded.ids, encoded.special_mask, strict=True))
        if number in marked and not mask
    ]
    typed = [encoded.ids[place] for place in places if not encoded.unknown(place)]
    return len(places) - len(typed), [number for number in typed if number in anatomy.special_ids]


def _notes(encoded: Encoded) -> list[str]:
    tokenizer, (text, text_pair) = encoded.anatomy.tokenizer, encoded.texts
    notes = []
    if encoded.offsets == "computed":
        notes.append("This tokenizer tells no offsets: they were found by decoding its tokens one after another.")
    if text_pair:
        notes.append("The stages show the first text.")
    if len(text) > STAGED_CHARS:
        notes.append(f"The stages show the first {STAGED_CHARS:,} characters.")
    if (over := len(encoded.ids) - tokenizer.model_max_length) > 0:
        notes.append(
            f"The model reads at most {tokenizer.model_max_length:,} tokens, {over:,} fewer than these. The tokenizer "
            "cuts nothing unless it is told to: with truncation=True it drops the last ones, without it the model "
            "fails, or answers badly."
        )
    if typed := _met(encoded)[1]:
        names = ", ".join(dict.fromkeys(map(str, tokenizer.convert_ids_to_tokens(typed[:100]))))
        notes.append(
            f"In the text itself {count(len(typed), 'special token is', 'special tokens are')} written "
            f"({printable(names)}), read as if the tokenizer had put them there: who writes a text can end a part of "
            "it or begin another. "
            "tokenizer(text, split_special_tokens=True) reads them as plain text."
        )
    return notes
