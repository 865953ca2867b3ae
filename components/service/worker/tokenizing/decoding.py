"""From ids back to text, and what of them survives the way there and back."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.tokenizing.anatomy import Anatomy, inspecting
from components.service.worker.tokenizing.kinds import describe, vocabulary_size
from components.service.worker.tokenizing.rows import printable

#: How many ids of the text's own encoding are told.
_AGAIN = 20


def decode(call: Call, *, path: str, model: str, ids: list[list[int]], options: dict[str, Any]) -> dict[str, Any]:
    """The answer of `Tokens.decode`."""
    with inspecting(call, path, model) as anatomy:
        tokenizer = anatomy.tokenizer
        _check(anatomy, ids, model)
        texts = [printable(text) for text in tokenizer.batch_decode(ids, **options)]
        most = call.settings.window_tokens // len(ids)
        skips = options["skip_special_tokens"]
        rows = [_row(anatomy, row, text, most, skips=skips) for row, text in zip(ids, texts, strict=True)]
        described = describe(tokenizer)
    return {**rows[0], "rows": rows, **described}


def _check(anatomy: Anatomy, ids: list[list[int]], model: str) -> None:
    size = vocabulary_size(anatomy.tokenizer)
    for row in ids:
        for place, number in enumerate(row, 1):
            if number >= size or anatomy.tokenizer.convert_ids_to_tokens(number) is None:
                raise WorkbenchError(
                    f"The id {number}, number {place} of the list, is not in the vocabulary of {model}, which has the "
                    f"ids 0 to {size - 1:,}.",
                    field="ids",
                )


def _row(anatomy: Anatomy, ids: list[int], text: str, most: int, *, skips: bool) -> dict[str, Any]:
    tokenizer = anatomy.tokenizer
    told = ids[:most]
    tokens = [
        {
            "position": place,
            "id": number,
            "token": printable(token),
            "reads": anatomy.reader.text(token),
            "bytes": anatomy.reader.read(token).hex(" "),
            "text": printable(tokenizer.decode([number])),
            "special": number in anatomy.special_ids,
        }
        for place, (number, token) in enumerate(zip(told, tokenizer.convert_ids_to_tokens(told), strict=True))
    ]
    plain = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return {
        "text": text,
        "plain": printable(plain),
        "tokens": tokens,
        "truncated": len(tokens) < len(ids),
        "again": _again(anatomy, ids, text, skips=skips),
    }


def _again(anatomy: Anatomy, ids: list[int], text: str, *, skips: bool) -> dict[str, Any]:
    """Whether the text that is shown is encoded in the same ids, and where they first differ.

    Special tokens that were skipped are not in that text: there, the tokenizer puts its own around it.
    """
    encoded = [anatomy.tokenizer(text, add_special_tokens=special)["input_ids"] for special in (skips, False)]
    again = next((one for one in encoded if one == ids), encoded[0])
    shared = min(len(ids), len(again))
    different = next((place for place in range(shared) if ids[place] != again[place]), shared)
    equal = again == ids
    return {
        "equal": equal,
        "tokens": len(again),
        "ids": again[:_AGAIN],
        "first_difference": None if equal else different,
        "left_out": sum(1 for number in ids if number in anatomy.special_ids) if skips else 0,
    }
