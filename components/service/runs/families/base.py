"""What a family of tasks must say so that it can be trained. Training process and worker only."""

# ruff: noqa: ARG002 - a family takes what its interface gives, needed or not
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.service.runs.rows import Rows
from components.service.runs.spec import RunSpec

#: Tokens of a sequence where neither the spec nor the model says anything.
DEFAULT_LENGTH = 512


@dataclass
class Prepared:
    """Model inputs of each split, made from rows.

    Attributes:
        train, validation, test: `{"input_ids": ..., ...}` for each example; `test` may be empty.
        collator: Makes a padded batch of tensors from a list of examples.
        facts: What is recorded: lengths in tokens, share truncated, blocks ...
    """

    train: list[dict[str, Any]]
    validation: list[dict[str, Any]]
    test: list[dict[str, Any]]
    collator: Callable[[list[dict[str, Any]]], dict[str, Any]]
    facts: dict[str, Any] = field(default_factory=dict)


class Family(ABC):
    """One way of training.

    Attributes:
        auto_class: The transformers Auto class that makes the model.
        best: The evaluation metric that says which checkpoint is best.
        higher: Whether more of it is better.
        grouped: Whether batches are made of examples of about one length.
    """

    auto_class: Any
    best: str = "loss"
    higher: bool = False
    grouped: bool = False
    metrics: Callable[[Any], dict[str, float]] | None = None

    @abstractmethod
    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model to start from, in float32; a new head gets the names of the labels."""

    @abstractmethod
    def prepare(self, rows: Rows, tokenizer: Any, model: Any, spec: RunSpec, longest: int) -> Prepared:
        """Model inputs from rows; `longest` is the most tokens that a sequence may have here."""

    @abstractmethod
    def predict(self, model: Any, tokenizer: Any, texts: Sequence[str]) -> list[Any]:
        """What the model answers to each text, as JSON values."""

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """Scores that need no model."""
        return {}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:
        """Results beyond the metrics of an evaluation, from the Trainer's `PredictionOutput`."""
        return {}

    def extra(self, metrics: dict[str, Any]) -> dict[str, float]:
        """Figures that follow from an evaluation's metrics."""
        return {}


def sequence_limit(tokenizer: Any, config: Any, asked: int | None, longest: int) -> int:
    """Tokens that a sequence may have: the least of what is asked for, allowed, and what the model can take."""
    limits = [asked or DEFAULT_LENGTH, longest, tokenizer.model_max_length]
    positions = getattr(config, "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        # RoBERTa and its kin number positions from the padding id on.
        offset = (config.pad_token_id or 0) + 1 if config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
        limits.append(positions - offset)
    return int(min(limits))
