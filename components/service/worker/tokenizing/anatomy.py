"""What is learned once of a tokenizer: how its tokens read, its merges or scores, and what finds its added tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any

import orjson
from transformers import PreTrainedTokenizerBase

from components.service.worker.blame import blaming
from components.service.worker.calls import Call
from components.service.worker.tokenizing.kinds import kind_of
from components.service.worker.tokenizing.reader import Reader
from components.service.worker.tokenizing.sections import Sections


class Anatomy:
    """The parts of one tokenizer, each taken out when first asked for.

    Args:
        tokenizer: A tokenizer of transformers. It is the caller who holds its lock.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.backend: Any = tokenizer.backend_tokenizer if tokenizer.is_fast else None
        self.model: Any = self.backend.model if self.backend is not None else None

    @cached_property
    def kind(self) -> str:
        """A name of `kinds.KINDS`."""
        return kind_of(self.tokenizer)

    @cached_property
    def reader(self) -> Reader:
        """Reads this tokenizer's raw tokens."""
        return Reader(self.tokenizer, self.kind if self.kind in ("byte", "character") else "")

    @cached_property
    def sections(self) -> Sections:
        """The steps before the model, of a fast tokenizer."""
        return Sections(self.tokenizer)

    @cached_property
    def ranks(self) -> dict[tuple[str, str], int]:
        """The merges of a BPE: (left, right) -> rank, the lowest of which is merged first."""
        merges = self.settings().get("merges") or []
        pairs = (merge.split(" ", 1) if isinstance(merge, str) else merge for merge in merges)
        return {(left, right): rank for rank, (left, right) in enumerate(pairs)}

    @cached_property
    def made_by(self) -> dict[str, tuple[str, str, int]]:
        """Each token of a BPE that a merge makes: token -> (left, right, rank), the first such merge."""
        prefix = getattr(self.model, "continuing_subword_prefix", None) or ""
        made: dict[str, tuple[str, str, int]] = {}
        for (left, right), rank in self.ranks.items():
            made.setdefault(left + right.removeprefix(prefix), (left, right, rank))
        return made

    @cached_property
    def scores(self) -> dict[str, float]:
        """The pieces of a Unigram and their log-probabilities."""
        return dict(self.settings()["vocab"])

    @cached_property
    def lowest_score(self) -> float:
        """The lowest log-probability of a Unigram's pieces."""
        return min(self.scores.values())

    @cached_property
    def byte_fallback(self) -> bool:
        """Whether a Unigram spells unknown characters as bytes."""
        return bool(self.settings().get("byte_fallback"))

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids that decoding can skip."""
        return frozenset(self.tokenizer.all_special_ids)

    @cached_property
    def unknown_ids(self) -> frozenset[int]:
        """Ids that stand for what the vocabulary does not have: the tokenizer's, and its model's where that differs."""
        known = [self.tokenizer.unk_token_id]
        if type(self.model).__name__ == "Unigram":
            known.append(self.settings().get("unk_id"))
        elif getattr(self.model, "unk_token", None):
            known.append(self.model.token_to_id(self.model.unk_token))
        return frozenset(number for number in known if number is not None)

    def normal(self, text: str) -> str:
        """The text as the tokenizer's normalizer writes it, marks for spaces turned back; as it is, without one."""
        normalizer = self.backend.normalizer if self.backend is not None else None
        normal: str = normalizer.normalize_str(text) if normalizer is not None and text else text
        return normal.replace(self.reader.space, " ") if self.reader.space else normal

    def settings(self) -> dict[str, Any]:
        """The model of a fast tokenizer as its file has it, vocabulary included; large, so it is not kept."""
        state: dict[str, Any] = orjson.loads(self.model.__getstate__())
        return state


@contextmanager
def inspecting(call: Call, path: str, model: str) -> Iterator[Anatomy]:
    """The anatomy of the tokenizer in `path`, its lock held; what fails inside is the stranger's tokenizer's failure.

    A fast tokenizer keeps its truncation and padding in itself, so that two calls at once would mix them up.
    """
    tokenizer, lock = call.models.tokenizer(path, model)
    with lock, blaming(_why_it_fails(tokenizer, model), field="model"):
        yield anatomy_of(tokenizer)


def _why_it_fails(tokenizer: Any, model: str) -> str:
    """What is told where the tokenizer raises."""
    if type(tokenizer).__call__ is not PreTrainedTokenizerBase.__call__:
        return (
            f"The tokenizer of {model} is a {type(tokenizer).__name__}, which asks for more than a text: the words of "
            "a page with their places, for instance, or a table. It cannot be taken apart here. Choose another model."
        )
    return (
        f"The tokenizer of {model} failed on this: its files contradict each other, or its rules are too costly. "
        "Try another text, or choose another model."
    )


@lru_cache(maxsize=4)
def anatomy_of(tokenizer: Any) -> Anatomy:
    """The anatomy of a tokenizer; those of the last few are kept."""
    return Anatomy(tokenizer)
