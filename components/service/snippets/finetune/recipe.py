"""What the script of one task has of its own; reading, splitting and training are the same for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.service.runs.tasks import LOWER


@dataclass(frozen=True)
class Plan:
    """What a script is to do.

    Attributes:
        spec: The run's settings, all of them.
        dtype: `fp32` or `bf16`.
        labels: Class names in the order of their ids; empty where they are not known yet.
        problem: `single`, `multi` or `regression`; of text classification only.
        plain: Whether the script is a plain PyTorch loop.
        facts: What the run has found out beside these; empty where it has not begun.
    """

    spec: Mapping[str, Any]
    dtype: str
    labels: list[str]
    problem: str
    plain: bool
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """The Hub's name of the task."""
        return str(self.spec["task"])

    @property
    def trained(self) -> str:
        """The split that is trained on, by the name that the data has for it."""
        return str(self.spec["data"].get("split") or self.called("train"))

    @property
    def given(self) -> bool:
        """Whether the data is known to have rows to evaluate on, so that none are held out."""
        return self.facts.get("validation_given") is True

    def called(self, split: str) -> str:
        """What a data set calls a split; the files of uploads are put into splits by the script itself."""
        splits = self.facts.get("splits") if "dataset" in self.spec["data"] else None
        return str((splits or {}).get(split) or split)

    @property
    def lora(self) -> bool:
        """Whether small matrices are trained beside the weights."""
        return bool(self.spec["method"] == "lora")

    @property
    def best(self) -> bool:
        """Whether the weights of the best evaluation are kept."""
        return bool(self.spec["keep"] == "best")


@dataclass(frozen=True)
class Recipe:
    """The parts of a task's script.

    Attributes:
        metric: What the best weights are chosen by.
        columns: Names of the constants that say which column is what, with the columns.
        rows: Defines `rows_of(split)`: dicts by role.
        group: What a row is grouped by when rows are held out, an expression of `row`; `None` where there are no
            groups, or `strata` of all of them.
        model: Makes `tokenizer` and `model`.
        inputs: Defines `encode(rows)`, `figures(predictions, gold)` and `collate`.
        names: What is imported from transformers.
        imports: Other lines of imports.
        kept: Name of the function that makes of a batch's logits and labels what `figures` takes.
        grouped: Whether batches are made of examples of about one length.
        lengths: The longest sequence where the spec names none; `None` where there is no such thing.
        held: Makes examples that are only evaluated, in place of `encode`.
        processor: What turns rows into model inputs, a name.
        arguments: More arguments of `TrainingArguments`.
        constants: Other constants, with their values.
        gold: What predictions are held against, an expression of the place `i` of an evaluated example; where it is
            empty, its labels.
        whole: Whether groups are held out whole, rather than a share of each.
        outputs: A model's predictions, an expression of its `outputs`.
        target: What a batch calls what is to be predicted.
        writes: Whether an evaluation generates texts, whose ids `figures` takes.
        by_tokens: Whether a step goes by the mean loss of its tokens, however many of them each pass has.
    """

    metric: str
    columns: dict[str, Any]
    rows: str
    group: str
    model: str
    inputs: str
    names: tuple[str, ...]
    imports: tuple[str, ...] = ()
    kept: str = ""
    grouped: bool = True
    lengths: int | None = 512
    held: str = "encode"
    processor: str = "tokenizer"
    arguments: dict[str, Any] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    gold: str = ""
    whole: bool = False
    outputs: str = "outputs.logits"
    target: str = "labels"
    writes: bool = False
    by_tokens: bool = False

    @property
    def greater(self) -> bool:
        """Whether more of the metric is better."""
        return self.metric not in LOWER
