"""What a run is asked to do: one validated value, the same for the page, the API, the command line and a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from components.service.runs.checks import check_spec, refuse
from components.service.runs.tasks import TRAIN_TASKS
from components.service.settings import Settings

#: Few weights are trained with LoRA, and from nothing: they want and bear a higher rate. With a third of it a small
#: model has learned nothing after a hundred steps.
LORA_RATE = 1e-3


@dataclass(frozen=True)
class RunSpec:
    """All that is needed to repeat a run.

    Attributes:
        task: A key of `TRAIN_TASKS`.
        model: Id of the model to start from (by hand: a local folder too).
        data: `{"dataset": id, "revision": commit, "config": name, "split": the one to train on}`,
            `{"file": path, "name": name}`, `{"text": rows}` or `{"files": paths, "names": names, "splits": splits}`:
            tables, each of the split `train`, `validation` or `test` (as their names say where no splits are given),
            or images, whose folders tell their splits.
        revision: Commit, branch or tag of the model.
        columns: Which column is what, by the task's roles. Empty means: guess from the data.
        problem: What the labels are: `single` (one a row), `multi` (any number), `regression` (a number) or `auto`,
            which sees it from the data. Text classification only.
        remedies: What is done about the findings of the data doctor: any of `REMEDIES`.
        method: `full` trains all weights; `lora` trains small matrices beside them (Hu et al., 2021).
        lora_rank, lora_alpha, lora_dropout: Width of those matrices, weight of what they add, share left out.
        epochs: How often the training rows are gone through.
        batch_size: Rows of one forward and backward pass.
        accumulation: Passes whose gradients are added up for one step.
        learning_rate: Highest learning rate of the schedule (AdamW).
        weight_decay: AdamW's weight decay.
        warmup: Share of the steps in which the learning rate rises from 0.
        schedule: How it falls afterwards: `linear`, `cosine` or `constant`.
        clipping: Longest gradient (norm) that is applied; a longer one is scaled down to it. 0 means no limit.
        max_length: Longest sequence in tokens; `None` means what model and limit allow. For `text-generation` and
            `fill-mask` it is the length of a block.
        max_target_length: Longest summary or translation in tokens.
        source_language, target_language: Codes that a multilingual translator is told, where it wants them.
        learn: Of a chat, `all` tokens or those of the `assistant`.
        validation: Rows held out where the data has no validation split: a share below 1, or how many.
        seed: Decides the held-out rows, the new head's weights, the order of the rows and dropout.
        precision: `auto` measures on this machine whether bf16 is faster.
        evaluate: Evaluate and save after every `epoch`, or every so many `steps`.
        every: How many steps those are.
        metric: What the best checkpoint is chosen by; `None` means the task's first metric.
        patience: Evaluations without a better metric (an equal one is not better) after which the run ends; 0 means
            never.
        keep: Which weights become the model: of the `best` evaluation, the first of equals, or the `last`.
        track: Name of a trackio project that the figures go to, too; empty for none.
        samples: Inputs that the model is shown before and after: texts, or objects as the task takes them.
        name: What people call the run.
    """

    task: str
    model: str
    data: dict[str, Any]
    revision: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    problem: str = "auto"
    remedies: tuple[str, ...] = ()
    method: str = "full"
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    epochs: int = 3
    batch_size: int = 16
    accumulation: int = 1
    learning_rate: float = 5e-5
    weight_decay: float = 0.0
    warmup: float = 0.0
    schedule: str = "linear"
    clipping: float = 1.0
    max_length: int | None = None
    max_target_length: int = 128
    source_language: str | None = None
    target_language: str | None = None
    learn: str = "all"
    validation: float = 0.2
    seed: int = 42
    precision: str = "auto"
    evaluate: str = "epoch"
    every: int = 100
    metric: str | None = None
    patience: int = 0
    keep: str = "best"
    track: str = ""
    samples: tuple[Any, ...] = ()
    name: str = ""

    @classmethod
    def from_dict(cls, value: Any, settings: Settings) -> RunSpec:
        """Check a spec that came from outside.

        Raises:
            WorkbenchError: It asks for something unknown, malformed or beyond the limits; `field` says which key.
        """
        if not isinstance(value, Mapping):
            raise refuse("A run is described by an object with task, model and data.", "spec")
        known = [f.name for f in fields(cls)]
        for key in value:
            if key not in known:
                raise refuse(f"A run has no setting {key!r}. It has: {', '.join(known)}.", str(key))
        for key in ("task", "model", "data"):
            if not value.get(key):
                raise refuse(f"Choose the {key} first: a run needs task, model and data.", key)
        given = {key: item for key, item in value.items() if item is not None}
        for key in ("samples", "remedies"):
            if isinstance(given.get(key), list):
                given[key] = tuple(given[key])
        return check_spec(cls(**{**defaults(value["task"], value.get("method")), **given}), settings)

    def to_dict(self) -> dict[str, Any]:
        """The spec as JSON values; `from_dict` takes it back."""
        return {**asdict(self), "samples": list(self.samples), "remedies": list(self.remedies)}

    def with_(self, **changes: Any) -> RunSpec:
        """The same spec with some settings changed."""
        return replace(self, **changes)


def defaults(task: Any, method: Any = "full") -> dict[str, Any]:
    """The settings that a run of this task starts from where nothing else is asked for."""
    known = TRAIN_TASKS.get(task) if isinstance(task, str) else None
    rate = {"learning_rate": LORA_RATE} if method == "lora" else {}
    return {**(known.defaults if known else {}), **rate}
