"""What a run is asked to do: one validated value, the same for the page, the API, the command line and a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks.texts import check_characters

#: The tasks that can be trained, each with the columns it reads (a star marks what it cannot do without).
COLUMNS: dict[str, tuple[str, ...]] = {
    "text-classification": ("text*", "text_pair", "label*"),
    "text-generation": ("text*",),
    "fill-mask": ("text*",),
}
CHOICES = {
    "precision": ("auto", "fp32", "bf16"),
    "keep": ("best", "last"),
    "schedule": ("linear", "cosine", "constant"),
}
SOURCES = ("dataset", "file", "text")
SAMPLES = 8


@dataclass(frozen=True)
class RunSpec:
    """All that is needed to repeat a run.

    Attributes:
        task: A key of `COLUMNS`.
        model: Id of the model to start from (by hand: a local folder too).
        data: `{"dataset": id, "revision": commit, "config": name}`, `{"file": path, "name": name}` or `{"text": rows}`.
        revision: Commit, branch or tag of the model.
        columns: Which column is what: `text`, `text_pair`, `label`. Empty means: guess from the data.
        epochs: How often the training rows are gone through.
        batch_size: Rows of one step.
        learning_rate: Highest learning rate of the schedule (AdamW).
        weight_decay: AdamW's weight decay.
        warmup: Share of the steps in which the learning rate rises from 0.
        schedule: How it falls afterwards: `linear`, `cosine` or `constant`.
        max_length: Longest sequence in tokens; `None` means what model and limit allow. For `text-generation` and
            `fill-mask` it is the length of a block.
        validation: Share of the rows held out where the data has no validation split.
        seed: Decides the held-out rows, the new head's weights, the order of the rows and dropout.
        precision: `auto` measures on this machine whether bf16 is faster.
        keep: Which weights become the model: of the `best` evaluation or the `last`.
        samples: Texts that the model is shown before and after.
        name: What people call the run.
    """

    task: str
    model: str
    data: dict[str, Any]
    revision: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    epochs: int = 3
    batch_size: int = 16
    learning_rate: float = 5e-5
    weight_decay: float = 0.0
    warmup: float = 0.0
    schedule: str = "linear"
    max_length: int | None = None
    validation: float = 0.2
    seed: int = 42
    precision: str = "auto"
    keep: str = "best"
    samples: tuple[str, ...] = ()
    name: str = ""

    @classmethod
    def from_dict(cls, value: Any, settings: Settings) -> RunSpec:
        """Check a spec that came from outside.

        Raises:
            WorkbenchError: It asks for something unknown, malformed or beyond the limits; `field` says which key.
        """
        if not isinstance(value, Mapping):
            raise _refuse("A run is described by an object with task, model and data.", "spec")
        known = [f.name for f in fields(cls)]
        for key in value:
            if key not in known:
                raise _refuse(f"A run has no setting {key!r}. It has: {', '.join(known)}.", str(key))
        for key in ("task", "model", "data"):
            if not value.get(key):
                raise _refuse(f"Choose the {key} first: a run needs task, model and data.", key)
        given = {key: item for key, item in value.items() if item is not None}
        if isinstance(given.get("samples"), list | tuple):
            given["samples"] = tuple(given["samples"])
        return _checked(cls(**given), settings)

    def to_dict(self) -> dict[str, Any]:
        """The spec as JSON values; `from_dict` takes it back."""
        return {**asdict(self), "samples": list(self.samples)}

    def with_(self, **changes: Any) -> RunSpec:
        """The same spec with some settings changed."""
        return replace(self, **changes)


def _checked(spec: RunSpec, settings: Settings) -> RunSpec:
    if not isinstance(spec.task, str) or spec.task not in COLUMNS:
        raise _refuse(f"{spec.task!r:.80} cannot be trained here. Choose one of: {', '.join(COLUMNS)}.", "task")
    if not isinstance(spec.model, str):
        raise _refuse("The model is named by its id, such as namespace/name.", "model")
    _check_data(spec.data)
    _check_columns(spec)
    for name, choices in CHOICES.items():
        if getattr(spec, name) not in choices:
            raise _refuse(f"{_title(name)} must be one of: {', '.join(choices)}.", name)
    _whole(spec.epochs, "epochs", 1, settings.epochs)
    _whole(spec.batch_size, "batch_size", 1, settings.batch_size)
    _whole(spec.seed, "seed", 0, 2**32 - 1)
    if spec.max_length is not None:
        _whole(spec.max_length, "max_length", 4, settings.sequence_tokens)
    _number(spec.learning_rate, "learning_rate", 1e-9, 1.0)
    _number(spec.weight_decay, "weight_decay", 0.0, 1.0)
    _number(spec.warmup, "warmup", 0.0, 0.9)
    _number(spec.validation, "validation", 0.01, 0.9)
    _check_samples(spec.samples)
    if not isinstance(spec.revision, str | None):
        raise _refuse("The revision is a commit, branch or tag.", "revision")
    if not isinstance(spec.name, str) or len(spec.name) > 100 or not spec.name.isprintable():
        raise _refuse("A run's name is one line of at most 100 characters.", "name")
    whole = {name: int(getattr(spec, name)) for name in ("epochs", "batch_size", "seed")}
    return spec.with_(**whole, name=spec.name.strip())


def _check_data(data: Any) -> None:
    if not isinstance(data, Mapping) or sum(key in data for key in SOURCES) != 1:
        raise _refuse('Data is {"dataset": id}, {"file": path, "name": name} or {"text": rows}.', "data")
    for key in data:
        if key not in (*SOURCES, "revision", "config", "name"):
            raise _refuse(f"Data has no setting {key!r}.", "data")
    if not all(isinstance(value, str | None) for value in data.values()):
        raise _refuse("Each setting of data is text.", "data")


def _check_columns(spec: RunSpec) -> None:
    roles = [role.rstrip("*") for role in COLUMNS[spec.task]]
    if not isinstance(spec.columns, Mapping):
        raise _refuse('Columns are an object, such as {"text": "sentence", "label": "label"}.', "columns")
    for role, column in spec.columns.items():
        if role not in roles:
            raise _refuse(f"{spec.task} reads the columns {', '.join(roles)}; not {role!r}.", f"columns.{role}")
        if column and not isinstance(column, str):
            raise _refuse("A column is given by its name.", f"columns.{role}")
        check_characters(column or "", f"columns.{role}")
    chosen = [column for column in spec.columns.values() if column]
    if len(set(chosen)) != len(chosen):
        raise _refuse("One column is chosen for two purposes. Choose a different one for each.", "columns")


def _check_samples(samples: Any) -> None:
    if not isinstance(samples, tuple) or not all(isinstance(text, str) for text in samples):
        raise _refuse("Samples are a list of texts.", "samples")
    if len(samples) > SAMPLES or any(len(text) > 2000 for text in samples):
        raise _refuse(f"At most {SAMPLES} samples, of at most 2,000 characters each.", "samples")
    for text in samples:
        check_characters(text, "samples")


def _whole(value: Any, name: str, low: int, high: int) -> None:
    if not _finite(value) or value != int(value) or not low <= value <= high:
        raise _refuse(f"{_title(name)} must be a whole number from {low:,} to {high:,}; this is {_told(value)}.", name)


def _number(value: Any, name: str, low: float, high: float) -> None:
    if not _finite(value) or not low <= value <= high:
        raise _refuse(
            f"{_title(name)} must be a number from {_plain(low)} to {_plain(high)}; this is {_told(value)}.", name
        )


def _finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # A whole number may be too long for a float, which `isfinite` makes of it.
    return isinstance(value, int) or math.isfinite(value)


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _told(value: Any) -> str:
    """A value from outside as it was given, cut to a length for a sentence."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) < 10**15 else "far too large"
    return _plain(value) if isinstance(value, float) else f"{value!r:.40}"


def _plain(value: float) -> str:
    """A number without an exponent where that is short."""
    if value and 1e-9 <= abs(value) < 1e15:
        return f"{value:,.9f}".rstrip("0").rstrip(".")
    return f"{value:g}"


def _refuse(message: str, name: str) -> WorkbenchError:
    return WorkbenchError(message, kind="input", field=name)
