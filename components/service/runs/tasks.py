"""The tasks that can be trained: what each reads, what it is judged by, and the settings that it starts from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Column:
    """One role that a column of the data may have.

    Attributes:
        role: Its key in `RunSpec.columns` and in a row.
        title: What people call it.
        required: Whether nothing can be trained without it.
        instead: Another role that does as well, such as `messages` for `text`.
    """

    role: str
    title: str
    required: bool = True
    instead: str = ""


@dataclass(frozen=True)
class TrainTask:
    """One task that can be trained.

    Attributes:
        name: The Hub's name of the task.
        title: What people call it.
        columns: The roles that its rows have.
        metrics: What an evaluation gives and the best checkpoint may be chosen by, the default first.
        problems: Kinds of labels; empty where there is one kind only.
        sample: What the model is shown before and after: `text`, `pair`, `question` or `image`.
        defaults: Settings of `RunSpec` that differ from its own defaults.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    metrics: tuple[str, ...]
    problems: tuple[str, ...] = ()
    sample: str = "text"
    defaults: dict[str, Any] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[str, ...]:
        """The keys of a row."""
        return tuple(column.role for column in self.columns)


#: Metrics of which less is better; of all others more is.
LOWER = frozenset({"loss", "perplexity", "mse", "mae"})
#: What text classification may be judged by, for each kind of labels, the default first.
BY_PROBLEM = {
    "single": ("f1", "accuracy", "precision", "recall", "matthews", "loss"),
    "multi": ("f1", "accuracy", "precision", "recall", "loss"),
    "regression": ("mse", "mae", "pearson", "spearman", "loss"),
}
#: Tokens that neighbouring windows share, the longest answer in tokens, and the begins and ends that are tried.
STRIDE, LONGEST, TRIED = 128, 30, 20
_TEXT = Column("text", "Text")
_WRITING: dict[str, Any] = {"learning_rate": 5e-5, "max_target_length": 128}

_ALL = (
    TrainTask(
        "text-classification",
        "Text classification",
        (_TEXT, Column("text_pair", "Second text", required=False), Column("label", "Label")),
        ("f1", "accuracy", "precision", "recall", "matthews", "pearson", "spearman", "mse", "mae", "loss"),
        problems=("single", "multi", "regression"),
        sample="pair",
    ),
    TrainTask(
        "token-classification",
        "Token classification",
        (Column("tokens", "Tokens"), Column("tags", "Tags")),
        ("f1", "precision", "recall", "accuracy", "loss"),
    ),
    TrainTask(
        "question-answering",
        "Question answering",
        (Column("question", "Question"), Column("context", "Context"), Column("answers", "Answers")),
        ("f1", "exact_match", "loss"),
        sample="question",
        defaults={"max_length": 384},
    ),
    TrainTask(
        "text-generation",
        "Text generation",
        (Column("text", "Text", instead="messages"), Column("messages", "Chat messages", required=False)),
        ("loss", "perplexity"),
    ),
    TrainTask("fill-mask", "Fill mask", (_TEXT,), ("loss", "perplexity")),
    TrainTask(
        "summarization",
        "Summarization",
        (_TEXT, Column("target", "Summary")),
        ("rougeL", "rouge1", "rouge2", "loss"),
        defaults=_WRITING,
    ),
    TrainTask(
        "translation",
        "Translation",
        (Column("text", "Text in the source language"), Column("target", "Translation")),
        ("bleu", "chrf", "loss"),
        defaults=_WRITING,
    ),
    TrainTask(
        "image-classification",
        "Image classification",
        (Column("image", "Image"), Column("label", "Label")),
        ("f1", "accuracy", "precision", "recall", "loss"),
        sample="image",
    ),
)

#: The tasks by name.
TRAIN_TASKS: dict[str, TrainTask] = {task.name: task for task in _ALL}
