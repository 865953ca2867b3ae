"""A tokenizer's own limit, lowered to what its model reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from components.service.worker.runners.base import Runner


@contextmanager
def limited(one: Runner) -> Iterator[Any]:
    """The tokenizer, for this thread alone, that cuts where the model ends: many a tokenizer states no limit, and
    the pipelines that cut by themselves ask only the tokenizer."""
    tokenizer = one.loaded.tokenizer
    with one.loaded.lock:
        own = tokenizer.model_max_length
        tokenizer.model_max_length = own if one.context is None else min(own, one.context)
        try:
            yield tokenizer
        finally:
            tokenizer.model_max_length = own


def token_ids(tokenizer: Any, *texts: str) -> list[int]:
    """The ids of a text or a pair of them, special tokens included, however many they are."""
    ids: list[int] = tokenizer(*texts, truncation=False, verbose=False)["input_ids"]
    return ids


def note_cut(one: Runner, length: int, what: str = "The text", then: str = "the rest was left out.") -> None:
    """Say that a text of `length` tokens was cut at what the model reads."""
    one.note(f"{what} has {length:,} tokens, and {one.loaded.name} reads at most {one.context:,}: {then}")
