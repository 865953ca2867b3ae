"""Several texts, or pairs of texts, as the batch that a model reads: padded, cut, masked, in tensors of one shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from transformers import BatchEncoding

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.calls import Call
from components.service.worker.tokenizing.anatomy import inspecting
from components.service.worker.tokenizing.kinds import describe
from components.service.worker.tokenizing.rows import printable

#: What each part of a batch is for.
MEANINGS = {
    "input_ids": "Which entry of the vocabulary each token is: the model looks its vector up by this number.",
    "attention_mask": "1 where the model looks, 0 where there is only padding.",
    "token_type_ids": "0 for the first text of a pair, 1 for the second.",
}
_UNLIMITED = 10**9


@dataclass(frozen=True)
class Batch:
    """What a tokenizer made of the texts, and why it made no tensors, if it did not."""

    encoded: Mapping[str, Any]
    error: dict[str, Any] | None


def collate(call: Call, *, path: str, model: str, texts: list[list[str]], options: dict[str, Any]) -> dict[str, Any]:
    """The answer of `Tokens.collate`; `texts` are lists of one text or of two."""
    with inspecting(call, path, model) as anatomy, _lent(anatomy.tokenizer, options) as borrowed:
        tokenizer = anatomy.tokenizer
        batch = _encode(tokenizer, texts, options)
        tensors, error = ([], batch.error) if batch.error else _tensors(tokenizer, batch.encoded)
        rows = _rows(tokenizer, batch.encoded, call.settings.window_tokens)
        pad = {"token": tokenizer.pad_token, "id": tokenizer.pad_token_id, "borrowed": borrowed}
        counts = _counts(tokenizer, texts, options, batch.encoded)
        side = options["padding_side"] or tokenizer.padding_side
        described = describe(tokenizer)
        notes = _unused(tokenizer, options, pair=len(texts[0]) == 2) + _notes(tokenizer, options)
    lengths = [len(ids) for ids in batch.encoded["input_ids"]]
    return {
        "rows": rows,
        "truncated": len(rows) < len(lengths) or any(row["hidden"] for row in rows),
        "lengths": lengths[: call.settings.window_tokens],
        "shape": [len(lengths), lengths[0]] if not error and lengths else None,
        "tensors": tensors,
        "error": error,
        "pad": {**pad, "side": side} if pad["token"] is not None else None,
        "counts": counts,
        "notes": notes,
        **described,
    }


@contextmanager
def _lent(tokenizer: Any, options: Mapping[str, Any]) -> Iterator[bool]:
    """The end-of-text token as padding where it is asked for, and the side to cut at, for this call only; whether a
    token was lent. The tokenizer is everybody's, and the caller holds its lock."""
    side, borrows = tokenizer.truncation_side, options["pad_with"] == "eos" and tokenizer.pad_token is None
    if borrows and tokenizer.eos_token is None:
        raise WorkbenchError(
            "This tokenizer has no end-of-text token either, so nothing can stand in for padding. Encode the texts one "
            "by one, or choose a tokenizer that was made for batches.",
            field="options.pad_with",
        )
    try:
        tokenizer.truncation_side = options["truncation_side"] or side
        if borrows:
            tokenizer.pad_token = tokenizer.eos_token
        yield borrows
    finally:
        tokenizer.truncation_side = side
        if borrows:
            tokenizer.pad_token = None


def _encode(tokenizer: Any, texts: list[list[str]], options: Mapping[str, Any]) -> Batch:
    """The tokenizer's own call; without padding where it has no token to pad with, with its own error beside."""
    asked = {
        "padding": options["padding"],
        "truncation": options["truncation"],
        "max_length": options["max_length"] or None,
        "stride": options["stride"],
        "pad_to_multiple_of": options["pad_to_multiple_of"] or None,
        "padding_side": options["padding_side"] or None,
        "add_special_tokens": options["add_special_tokens"],
        # One that is written in Python gives what is left over as a list of ids, which is no row of a batch.
        "return_overflowing_tokens": options["return_overflowing_tokens"] and tokenizer.is_fast,
        "return_attention_mask": True,
        "return_special_tokens_mask": True,
    }
    if options["padding"] != "do_not_pad" and tokenizer.pad_token is None:
        try:
            tokenizer(["a"], padding="longest")
        except ValueError as error:
            told = {
                "type": type(error).__name__,
                "message": str(error),
                "why": "A batch is a rectangle, so short texts are filled up with a padding token, and this tokenizer "
                "was made without one: its model never saw padding. The usual remedy is to let the end-of-text token "
                "stand in; the attention mask keeps the model from looking at it.",
                "remedy": {"pad_with": "eos"},
            }
            return Batch(_called(tokenizer, texts, {**asked, "padding": "do_not_pad"}), told)
    return Batch(_called(tokenizer, texts, asked), None)


def _called(tokenizer: Any, texts: list[list[str]], asked: Mapping[str, Any]) -> Mapping[str, Any]:
    columns = [list(column) for column in zip(*texts, strict=True)]
    _check_stride(tokenizer, asked, len(columns) == 2)
    sentence = (
        f"With truncation {asked['truncation']!r} and max_length {asked['max_length']}, a text would have to lose more "
        "tokens than it has, or its windows would not get on. Raise max_length, lower the stride, or choose "
        "longest_first, which takes from both texts."
    )
    cuts = asked["truncation"] != "do_not_truncate"
    with blaming(sentence, field="options.max_length") if cuts else nullcontext():
        encoded: Mapping[str, Any] = tokenizer(*columns, **asked)
    return encoded


def _check_stride(tokenizer: Any, asked: Mapping[str, Any], pair: bool) -> None:
    if asked["truncation"] == "do_not_truncate" or not asked["max_length"] or not asked["stride"]:
        return
    special = tokenizer.num_special_tokens_to_add(pair) if asked["add_special_tokens"] else 0
    if asked["stride"] >= asked["max_length"] - special:
        raise WorkbenchError(
            f"The stride of {asked['stride']} leaves no room: windows of {asked['max_length']} tokens, {special} of "
            "them special ones, would never get on. Choose a smaller stride or a larger max_length.",
            field="options.stride",
        )


def _tensors(tokenizer: Any, encoded: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """`[{name, shape, dtype, meaning}]`, or the library's own error where the rows are of unequal lengths."""
    names = {"input_ids", *tokenizer.model_input_names}
    inputs = {name: encoded[name] for name in MEANINGS if name in encoded and name in names}
    try:
        tensors = BatchEncoding(inputs, tensor_type="pt")
    except ValueError as error:
        return [], {
            "type": type(error).__name__,
            "message": str(error),
            "why": "The texts have different numbers of tokens, and a tensor is a rectangle: every row has to be of "
            "the same length. Padding fills the short rows up, truncation cuts the long ones.",
            "remedy": {"padding": "longest"},
        }
    return [
        {
            "name": name,
            "shape": list(tensor.shape),
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "meaning": MEANINGS[name],
        }
        for name, tensor in tensors.items()
    ], None


def _rows(tokenizer: Any, encoded: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
    """The grid: of as many rows as cells are left for, each row with `hidden` cells that are not told."""
    all_ids, masks = encoded["input_ids"], encoded["attention_mask"]
    samples = encoded.get("overflow_to_sample_mapping", range(len(all_ids)))
    rows: list[dict[str, Any]] = []
    width = max(1, most // max(1, len(all_ids)), most // 64)
    for place, (ids, sample) in enumerate(zip(all_ids, samples, strict=True)):
        if sum(len(row["ids"]) for row in rows) >= most:
            break
        types = encoded["token_type_ids"][place][:width] if "token_type_ids" in encoded else None
        rows.append(
            {
                "sample": sample,
                "window": sum(1 for row in rows if row["sample"] == sample),
                "tokens": [printable(token) for token in tokenizer.convert_ids_to_tokens(ids[:width])],
                "ids": ids[:width],
                "attention_mask": masks[place][:width],
                "token_type_ids": types,
                "special_tokens_mask": encoded["special_tokens_mask"][place][: len(ids[:width])],
                "padding": masks[place].count(0),
                "hidden": max(0, len(ids) - width),
            }
        )
    return rows


def _counts(
    tokenizer: Any, texts: list[list[str]], options: Mapping[str, Any], encoded: Mapping[str, Any]
) -> dict[str, Any]:
    """Of the whole batch; `cut` are the tokens of the texts that are in no row."""
    cells = sum(len(ids) for ids in encoded["input_ids"])
    padding = sum(mask.count(0) for mask in encoded["attention_mask"])
    plain = _called(tokenizer, texts, {"add_special_tokens": options["add_special_tokens"], **_NOTHING})
    whole = sum(len(ids) for ids in plain["input_ids"])
    overflows = "overflow_to_sample_mapping" in encoded
    return {
        "texts": len(texts),
        "rows": len(encoded["input_ids"]),
        "cells": cells,
        "padding": padding,
        "padding_share": round(padding / cells, 4) if cells else 0.0,
        "cut": 0 if overflows else max(0, whole - (cells - padding)),
    }


_NOTHING = {"truncation": "do_not_truncate", "max_length": None, "stride": 0}


def _unused(tokenizer: Any, options: Mapping[str, Any], *, pair: bool) -> list[str]:
    """Options that say nothing beside the others."""
    length, cuts = options["max_length"], options["truncation"] != "do_not_truncate"
    special = tokenizer.num_special_tokens_to_add(pair) if options["add_special_tokens"] else 0
    notes = []
    if cuts and 0 < length < special:
        notes.append(
            f"A max_length of {length:,} has no room for the {special:,} special tokens, so the library cuts "
            f"nothing at all. Give at least {special + 1:,}, which leaves one token of the text."
        )
    if not cuts and length and options["padding"] != "max_length":
        notes.append(f"Truncation is none, so the max_length of {length:,} cuts nothing.")
    if options["stride"] and not (cuts and options["return_overflowing_tokens"]):
        notes.append("The stride counts only where texts are cut and what is cut off is kept as further rows.")
    elif options["return_overflowing_tokens"] and not cuts:
        notes.append("Truncation is none, so nothing is cut off that could make further rows.")
    if options["pad_to_multiple_of"] and options["padding"] == "do_not_pad":
        notes.append("Padding is none, so no row is filled up to a multiple.")
    return notes


def _notes(tokenizer: Any, options: Mapping[str, Any]) -> list[str]:
    unlimited = tokenizer.model_max_length >= _UNLIMITED and not options["max_length"]
    notes = []
    if unlimited and (options["truncation"] != "do_not_truncate" or options["padding"] == "max_length"):
        notes.append("This tokenizer names no longest text, and no max_length is given: nothing is cut or filled up.")
    if options["return_overflowing_tokens"] and not tokenizer.is_fast:
        notes.append("This tokenizer is written in Python: it makes no further rows of what is cut off.")
    if "token_type_ids" not in tokenizer.model_input_names:
        notes.append("The model of this tokenizer does not tell first from second texts: it has no token_type_ids.")
    if "attention_mask" not in tokenizer.model_input_names:
        notes.append("The model of this tokenizer is given no attention_mask: it looks at padding, too.")
    if tokenizer.padding_side == "right" and options["padding_side"] == "left":
        notes.append("On the left, padding keeps the end of each text at the end: what text generation needs.")
    return notes
