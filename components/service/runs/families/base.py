"""What a family of tasks must say so that it can be trained. Training process and worker only."""

# ruff: noqa: ARG002 - a family takes what its interface gives, needed or not
from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.service.runs.encoded import Encoded
from components.service.runs.families.remembering import RememberingTrainer
from components.service.runs.rows import Rows
from components.service.runs.spec import RunSpec
from components.service.runs.tasks import TRAIN_TASKS
from components.service.settings import Settings
from components.service.worker.processors import load_tokenizer

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

    train: Sequence[dict[str, Any]]
    validation: Sequence[dict[str, Any]]
    test: Sequence[dict[str, Any]]
    collator: Callable[[list[dict[str, Any]]], dict[str, Any]]
    facts: dict[str, Any] = field(default_factory=dict)


class Family(ABC):
    """One way of training.

    Attributes:
        spec: What is asked for.
        auto_class: The transformers Auto class that makes the model.
        grouped: Whether batches are made of examples of about one length.
        metrics: Figures from the Trainer's `EvalPrediction`; `None` where the loss says it all.
        kept: Where many tokenized texts are kept for the next time, if anywhere.
        most_pixels: Most pixels of an image of the data; larger ones were left out when it was read.
    """

    auto_class: Any
    grouped: bool = False
    metrics: Callable[[Any], dict[str, float]] | None = None
    kept: Encoded | None = None
    most_pixels: int = Settings.image_pixels

    def __init__(self, spec: RunSpec) -> None:
        self.spec = spec

    @property
    def metric(self) -> str:
        """What the best checkpoint is chosen by."""
        return self.spec.metric or TRAIN_TASKS[self.spec.task].metrics[0]

    def processor(self, path: Path) -> Any:
        """What turns a row into model inputs: the model's tokenizer."""
        return load_tokenizer(path, self.spec.model)

    def pretrained(self, path: Path, **options: Any) -> Any:
        """The model of the family's Auto class, in float32 and from safetensors on this machine alone.

        Args:
            path: Its folder.
            options: As `from_pretrained` takes them beside those.
        """
        return self.auto_class.from_pretrained(
            path,
            dtype="float32",
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            **options,
        )

    def load_head(self, path: Path, labels: Sequence[str], problem_type: str | None = None) -> Any:
        """The model with a head of as many outputs as there are labels, one where there are none (for a number); new
        weights where the shapes differ.

        Args:
            path: Its folder.
            labels: Names of the outputs, in their order.
            problem_type: transformers' name for the kind of labels, which decides the loss; the model's own if None.
        """
        names = {"id2label": dict(enumerate(labels)), "label2id": {label: i for i, label in enumerate(labels)}}
        return self.pretrained(
            path,
            num_labels=len(labels) or 1,
            ignore_mismatched_sizes=True,
            **(names if labels else {}),
            **({"problem_type": problem_type} if problem_type else {}),
        )

    @abstractmethod
    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model to start from, in float32; a new head gets the names of the labels."""

    @abstractmethod
    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Model inputs from rows; `longest` is the most tokens that a sequence may have here."""

    @abstractmethod
    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """What the model answers to each sample, as JSON values."""

    def arguments(self) -> dict[str, Any]:
        """Arguments of `TrainingArguments` that this family needs beside those of every run."""
        return {}

    def trainer(self, **options: Any) -> RememberingTrainer:
        """The Trainer, given what every run gives it."""
        return RememberingTrainer(**options)

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """Scores that need no model."""
        return {}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:
        """Results beyond the metrics of an evaluation, from the Trainer's `PredictionOutput` of the validation split.

        Where they make sense: `per_class`, `confusion`, `thresholds`, and `worst`: `[{input, gold, answer, loss}]`,
        the rows that the model is most wrong about, worst first; of a language model there is no `answer`, and `gold`
        only where words were masked.
        """
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
