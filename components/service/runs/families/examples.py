"""Model inputs of many rows as a few arrays: a row costs its tokens in memory, and is made when it is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, overload

import numpy as np

from components.service.runs.encoded import FEWEST, Encoded, key_of

Example = dict[str, Any]
#: Rows that are tokenized together.
BATCH = 1000
#: What tokenizers give for each text, and what the Rust tokenizer inside calls it.
_FIELDS = {"input_ids": "ids", "token_type_ids": "type_ids", "attention_mask": "attention_mask"}


class Ragged:
    """One list of whole numbers for each example.

    Args:
        values: Those of all examples after each other.
        starts: Where each example's begin, and where the last one's end: (examples + 1,).
    """

    def __init__(self, values: np.ndarray, starts: np.ndarray) -> None:
        # Most masks and types of tokens are one number throughout, which then takes no memory.
        alike = len(values) > 0 and bool((values == values[0]).all())
        self.values = np.broadcast_to(values[0].copy(), values.shape) if alike else values
        self.starts = starts

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> Ragged:
        """From a list for each example."""
        starts = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, lists), dtype=np.int64, count=len(lists)), out=starts[1:])
        return cls(np.fromiter(chain.from_iterable(lists), dtype=np.int32, count=starts[-1]), starts)

    @classmethod
    def joined(cls, parts: Sequence[Ragged]) -> Ragged:
        """The examples of several, after each other."""
        lengths = np.concatenate([np.diff(part.starts) for part in parts])
        return cls(np.concatenate([part.values for part in parts]), np.concatenate([[0], np.cumsum(lengths)]))

    def lengths(self) -> np.ndarray:
        """How many numbers each example has: (examples,)."""
        return np.diff(self.starts)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Ragged)
            and np.array_equal(self.starts, other.starts)
            and np.array_equal(self.values, other.values)
        )

    def compact(self) -> np.ndarray:
        """The values; of those that are alike, one."""
        return self.values[:1] if self.values.strides == (0,) else self.values

    def __getitem__(self, place: int) -> list[int]:
        values: list[int] = self.values[self.starts[place] : self.starts[place + 1]].tolist()
        return values


class Examples(Sequence[Example]):
    """Examples of one split, each a dict of lists and numbers as a data collator takes it.

    Args:
        columns: By name a `Ragged`, or an array whose first dimension is the examples.
        size: How many examples there are.
    """

    def __init__(self, columns: dict[str, Ragged | np.ndarray], size: int) -> None:
        self.columns = columns
        self.size = size

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, place: int) -> Example: ...

    @overload
    def __getitem__(self, place: slice) -> list[Example]: ...

    def __getitem__(self, place: int | slice) -> Example | list[Example]:
        if isinstance(place, slice):
            return [self._example(i) for i in range(*place.indices(self.size))]
        if not -self.size <= place < self.size:
            raise IndexError(place)
        return self._example(place % self.size)

    def __iter__(self) -> Iterator[Example]:
        return map(self._example, range(self.size))

    def _example(self, place: int) -> Example:
        return {
            name: column[place] if isinstance(column, Ragged) else column[place].tolist()
            for name, column in self.columns.items()
        }

    def lengths(self) -> np.ndarray:
        """Tokens of each example: (examples,)."""
        ids = self.columns.get("input_ids")
        return ids.lengths() if isinstance(ids, Ragged) else np.zeros(0, dtype=np.int64)


def token_lengths(examples: Sequence[Example]) -> np.ndarray:
    """Tokens of each example: (examples,)."""
    if isinstance(examples, Examples):
        return examples.lengths()
    return np.array([len(example["input_ids"]) for example in examples])


def encode(
    tokenizer: Any,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    kept: Encoded | None = None,
    **options: Any,
) -> dict[str, Ragged]:
    """What a tokenizer gives for texts, or pairs of texts.

    Args:
        tokenizer: Of transformers.
        texts, pairs: The first and the second of each.
        kept: Where many of them are kept for the next time, if anywhere.
        options: As the tokenizer takes them.

    Returns:
        The tokenizer's names (`input_ids`, `attention_mask` ...) with a list for each text.
    """
    if kept is None or not tokenizer.is_fast or len(texts) < FEWEST:
        return _tokenized(tokenizer, texts, pairs, options)
    key = key_of(tokenizer, options, texts, pairs)
    if found := kept.get(key):
        starts = found.pop("starts")
        return {name: Ragged(np.broadcast_to(values, starts[-1]), starts) for name, values in found.items()}
    made = _tokenized(tokenizer, texts, pairs, options)
    # The lists of one text are of one length, whatever their name.
    kept.put(key, {"starts": made["input_ids"].starts, **{name: one.compact() for name, one in made.items()}})
    return made


def _tokenized(
    tokenizer: Any, texts: Sequence[str], pairs: Sequence[str] | None, options: dict[str, Any]
) -> dict[str, Ragged]:
    def some(start: int) -> dict[str, Ragged]:
        end = start + BATCH
        batch = tokenizer(texts[start:end], pairs[start:end] if pairs else None, **options)
        return {name: Ragged.of(lists) for name, lists in batch.items()}

    starts = range(0, len(texts), BATCH)
    if not starts:
        return {}
    # The first one settles how the tokenizer cuts, which no other thread may change; of the others, one is tokenized
    # while the lists of another are made into arrays.
    first = some(0)

    def quick(start: int) -> dict[str, Ragged]:
        """The same from the Rust tokenizer inside, cut as it cut last: offsets and more are not computed for nobody."""
        batch: Any = texts[start : start + BATCH]
        if pairs:
            batch = list(zip(batch, pairs[start : start + BATCH], strict=True))
        made = tokenizer.backend_tokenizer.encode_batch_fast(batch)
        return {name: Ragged.of([getattr(one, _FIELDS[name]) for one in made]) for name in first}

    same = tokenizer.is_fast and len(starts) > 1 and first.keys() <= _FIELDS.keys() and quick(0) == first
    with ThreadPoolExecutor(2 if tokenizer.is_fast else 1) as pool:
        parts = [first, *pool.map(quick if same else some, starts[1:])]
    return {name: Ragged.joined([part[name] for part in parts]) for name in first}
