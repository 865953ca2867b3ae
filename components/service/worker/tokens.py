"""Inside a tokenizer: a text's tokens, where they lie in it, the stages between, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.alignment import Span, align
from components.service.worker.calls import Call
from components.service.worker.staged import STAGED_CHARS, stages
from components.service.worker.tensors import token_rows

_UNLIMITED = 10**9


def tokenize(
    call: Call, *, path: str, model: str, text: str, text_pair: str | None, options: dict[str, Any]
) -> dict[str, Any]:
    """All of a text's tokens counted, a window of them told, and the stages of its beginning."""
    tokenizer, lock = call.models.tokenizer(path, model)
    window = call.settings.window_tokens
    with lock:
        encoded = _encode(tokenizer, text, text_pair, options["add_special_tokens"])
        start = options["start"]
        end = start + window
        spans, offsets = _spans(tokenizer, text, text_pair, encoded, end)
        texts = (text, text_pair or "")
        rows = _rows(tokenizer, texts, encoded, spans, start, end)
        staged, matches = stages(tokenizer, text[:STAGED_CHARS], window)
    ids = encoded["input_ids"]
    notes = _notes(tokenizer, text, text_pair, len(ids), offsets)
    return {
        "tokens": rows,
        "start": start,
        "truncated": len(rows) < len(ids),
        "stages": staged,
        "matches_encode": matches,
        "offsets": offsets,
        "counts": _counts(tokenizer, texts, encoded, spans),
        "notes": notes,
        **describe(tokenizer),
    }


def _encode(tokenizer: Any, text: str, text_pair: str | None, add_special_tokens: bool) -> dict[str, Any]:
    """Ids with `special_tokens_mask`, the text each is of (`sequences`), and `offset_mapping` where there is one."""
    asked = {
        "add_special_tokens": add_special_tokens,
        "return_special_tokens_mask": True,
        "return_offsets_mapping": True,
    }
    encoded = tokenizer(text, text_pair, **asked)
    if encoded.is_fast:
        return {**encoded, "sequences": encoded.sequence_ids(0)}
    first = len(tokenizer(text, add_special_tokens=False)["input_ids"])
    sequences: list[int | None] = []
    seen = 0
    for mask in encoded["special_tokens_mask"]:
        sequences.append(None if mask else int(seen >= first))
        seen += 0 if mask else 1
    return {**encoded, "sequences": sequences}


def _spans(
    tokenizer: Any, text: str, text_pair: str | None, encoded: dict[str, Any], end: int
) -> tuple[Sequence[Span | None], str]:
    """Each token's characters, and who says so: `"tokenizer"`, or `"computed"` where it tells none.

    Whether it does is seen by the key alone: a Python-backed one is asked in vain without an error.
    """
    if "offset_mapping" in encoded:
        return encoded["offset_mapping"], "tokenizer"
    spans: list[Span | None] = [None] * len(encoded["input_ids"])
    for sequence, part in enumerate((text, text_pair)):
        places = [place for place, of in enumerate(encoded["sequences"][:end]) if of == sequence]
        found = align(tokenizer, part or "", [encoded["input_ids"][place] for place in places])
        for place, span in zip(places, found, strict=True):
            spans[place] = span
    return spans, "computed"


def _rows(
    tokenizer: Any,
    texts: tuple[str, str],
    encoded: dict[str, Any],
    spans: Sequence[Span | None],
    start: int,
    end: int,
) -> list[dict[str, Any]]:
    special = set(tokenizer.all_special_ids)
    rows = []
    for place, row in enumerate(token_rows(tokenizer, encoded["input_ids"][start:end]), start):
        sequence, span = encoded["sequences"][place], spans[place]
        added = bool(encoded["special_tokens_mask"][place]) or sequence is None
        known = None if added or span is None else span
        text = texts[sequence][slice(*known)] if known else ""
        unknown = row["id"] == tokenizer.unk_token_id and text != row["token"]
        rows.append(
            {
                **row,
                "position": place,
                "text": printable(text or row["text"]),
                "start": known[0] if known else None,
                "end": known[1] if known else None,
                "special": added or (row["id"] in special and not unknown),
                "unknown": unknown and not added,
                "sequence": sequence,
            }
        )
    return rows


def _counts(
    tokenizer: Any, texts: tuple[str, str], encoded: dict[str, Any], spans: Sequence[Span | None]
) -> dict[str, int]:
    """Of the whole text. Unknown is a token that stands for something else than its own name."""
    ids, masks, text = encoded["input_ids"], encoded["special_tokens_mask"], "".join(texts)
    unknown = [place for place, number in enumerate(ids) if number == tokenizer.unk_token_id and not masks[place]]
    name = tokenizer.unk_token
    spelled = sum(
        1 for place in unknown if (span := spans[place]) and texts[encoded["sequences"][place]][slice(*span)] == name
    )
    return {
        "tokens": len(ids),
        "special": sum(masks),
        "unknown": len(unknown) - spelled,
        "characters": len(text),
        "bytes": len(text.encode()),
        "words": sum(len(part.split()) for part in texts),
    }


def _notes(tokenizer: Any, text: str, text_pair: str | None, tokens: int, offsets: str) -> list[str]:
    notes = []
    if offsets == "computed":
        notes.append("This tokenizer tells no offsets: they were found by decoding its tokens one after another.")
    if text_pair:
        notes.append("The stages show the first text.")
    if len(text) > STAGED_CHARS:
        notes.append(f"The stages show the first {STAGED_CHARS:,} characters.")
    if tokens > tokenizer.model_max_length:
        notes.append(
            f"The model reads at most {tokenizer.model_max_length:,} tokens: with this text, the rest is cut off."
        )
    return notes


def describe(tokenizer: Any) -> dict[str, Any]:
    """What a tokenizer is: kind in plain words, class, vocabulary size, the model's limit in tokens."""
    limit = tokenizer.model_max_length
    kind, meaning = _kind(tokenizer)
    return {
        "kind": kind,
        "meaning": meaning,
        "tokenizer_class": type(tokenizer).__name__,
        "fast": bool(tokenizer.is_fast),
        "vocabulary": vocabulary(tokenizer),
        "model_max_length": limit if limit < _UNLIMITED else None,
    }


_FAST_KINDS = {
    "WordPiece": ("WordPiece", "Words are cut into the longest pieces of the vocabulary, from the left."),
    "Unigram": ("Unigram", "Of all ways to cut a text, the likeliest by the pieces' probabilities is taken."),
    "WordLevel": ("word", "Each word is one token; a word that is not in the vocabulary is unknown."),
    "BPE": ("BPE", "Characters are merged into pieces, in the order that was learned."),
}


def _kind(tokenizer: Any) -> tuple[str, str]:
    if not tokenizer.is_fast:
        pieces = len(tokenizer.tokenize("a☃"))
        if pieces == 4:
            return "byte", "Each byte of the text (in UTF-8) is one token."
        if pieces == 2:
            return "character", "Each character is one token."
        return "written in Python", "This tokenizer follows rules of its own."
    backend = tokenizer.backend_tokenizer
    kind, meaning = _FAST_KINDS[type(backend.model).__name__]
    if kind == "BPE" and "ByteLevel" in f"{backend.pre_tokenizer}{backend.decoder}":
        return "byte-level BPE", "Bytes are merged into pieces, in the order that was learned: nothing is unknown."
    if kind == "BPE" and backend.model.byte_fallback:
        return "BPE with byte fallback", f"{meaning} A character that is not in the vocabulary is written as bytes."
    return kind, meaning


def vocabulary(tokenizer: Any) -> int:
    """One more than the largest id."""
    size: int = max(tokenizer.vocab_size, *(number + 1 for number in tokenizer.added_tokens_decoder), 0)
    return size


def decode(call: Call, *, path: str, model: str, ids: list[int], options: dict[str, Any]) -> dict[str, Any]:
    """The text that ids stand for, and each id's own token."""
    tokenizer, lock = call.models.tokenizer(path, model)
    size = vocabulary(tokenizer)
    for place, number in enumerate(ids, 1):
        if number >= size or tokenizer.convert_ids_to_tokens(number) is None:
            raise WorkbenchError(
                f"The id {number}, number {place} of the list, is not in the vocabulary of {model}, which has the ids "
                f"0 to {size - 1:,}.",
                field="ids",
            )
    with lock:
        text = tokenizer.decode(ids, **options)
        rows = token_rows(tokenizer, ids[: call.settings.window_tokens])
    for row in rows:
        row["token"], row["text"] = printable(row["token"]), printable(row["text"])
    return {"text": printable(text), "tokens": rows, "truncated": len(rows) < len(ids), **describe(tokenizer)}


def printable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which JSON cannot carry."""
    return text.encode("utf-8", "replace").decode()
