"""From ids back to text, and what of them survives the way there and back."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.tokenizing.anatomy import Anatomy, inspecting
from components.service.worker.tokenizing.kinds import describe, vocabulary_size
from components.service.worker.tokenizing.rows import printable


def decode(call: Call, *, path: str, model: str, ids: list[list[int]], options: dict[str, Any]) -> dict[str, Any]:
    """The answer of `Tokens.decode`."""
    with inspecting(call, path, model) as anatomy:
        tokenizer = anatomy.tokenizer
        _check(anatomy, ids, model)
        texts = [printable(text) for text in tokenizer.batch_decode(ids, **options)]
        most = call.settings.window_tokens // len(ids)
        rows = [_row(anatomy, row, text, most) for row, text in zip(ids, texts, strict=True)]
    return {**rows[0], "rows": rows, **describe(tokenizer)}


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


def _row(anatomy: Anatomy, ids: list[int], text: str, most: int) -> dict[str, Any]:
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
        "again": _again(tokenizer, ids, plain),
    }


def _again(tokenizer: Any, ids: list[int], text: str) -> dict[str, Any]:
    """Whether the text, decoded as it is, is encoded in the same ids, and where they first differ."""
    again = tokenizer(printable(text), add_special_tokens=False)["input_ids"]
    shared = min(len(ids), len(again))
    different = next((place for place in range(shared) if ids[place] != again[place]), shared)
    equal = again == ids
    return {"equal": equal, "tokens": len(again), "first_difference": None if equal else different}
