"""Hold what is asked of a run to what there is and to the limits, before anything is fetched or made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from components.service.errors import WorkbenchError
from components.service.runs.tasks import BY_PROBLEM, TRAIN_TASKS
from components.service.settings import Settings
from components.service.tasks.texts import check_characters

if TYPE_CHECKING:
    from components.service.runs.spec import RunSpec

CHOICES = {
    "precision": ("auto", "fp32", "bf16"),
    "keep": ("best", "last"),
    "schedule": ("linear", "cosine", "constant"),
    "method": ("full", "lora"),
    "evaluate": ("epoch", "steps"),
    "learn": ("all", "assistant"),
}
#: What may be done about what the data doctor finds, in the order in which it is done.
REMEDIES = (
    "mend_encoding", "drop_missing", "drop_duplicates", "drop_contradictions", "drop_leaks", "drop_rare",
    "drop_unknown_labels",
)  # fmt: skip
SOURCES = ("dataset", "file", "files", "text")
DATA = (
    'Data is {"dataset": id}, {"file": path, "name": name}, {"files": paths, "names": names, "splits": splits} or '
    '{"text": rows}; give exactly one of them.'
)
#: Lists of as many texts as there are files.
_OF_FILES = ("files", "names", "splits")
#: Most inputs to show a model before and after, and the characters of all of them as JSON (a picture is base64).
SAMPLES, SAMPLE_CHARS = 8, 2_000_000
_ONE_LINE = "is one line of at most 100 characters"


def check_spec(spec: RunSpec, settings: Settings) -> RunSpec:
    """The spec with whole numbers as such.

    Raises:
        WorkbenchError: Something is unknown, malformed or beyond the limits; `field` says which setting.
    """
    if not isinstance(spec.task, str) or spec.task not in TRAIN_TASKS:
        raise refuse(f"{spec.task!r:.80} cannot be trained here. Choose one of: {', '.join(TRAIN_TASKS)}.", "task")
    if not isinstance(spec.model, str):
        raise refuse("The model is named by its id, such as namespace/name.", "model")
    _check_data(spec.data)
    _check_columns(spec)
    _check_choices(spec)
    whole = {name: _whole(getattr(spec, name), name, *bounds) for name, bounds in _wholes(settings).items()}
    if spec.max_length is not None:
        whole["max_length"] = _whole(spec.max_length, "max_length", 4, settings.sequence_tokens)
    for name, (low, high) in _NUMBERS.items():
        _number(getattr(spec, name), name, low, high)
    _check_validation(spec.validation, settings)
    _check_samples(spec)
    for name, title in (("revision", "revision"), ("source_language", "source language"),
                        ("target_language", "target language")):  # fmt: skip
        value = getattr(spec, name)
        if not isinstance(value, str | None) or len(value or "") > 100:
            raise refuse(f"The {title} {_ONE_LINE}.", name)
    for name in ("name", "track"):
        value = getattr(spec, name)
        if not isinstance(value, str) or len(value) > 100 or not value.isprintable():
            raise refuse(f"The {name} of a run {_ONE_LINE}.", name)
    return spec.with_(**whole, name=spec.name.strip(), track=spec.track.strip())


_NUMBERS = {
    "learning_rate": (1e-9, 1.0),
    "weight_decay": (0.0, 1.0),
    "warmup": (0.0, 0.9),
    "clipping": (0.0, 1000.0),
    "lora_dropout": (0.0, 0.9),
}


def check_metric(metric: str | None, problem: str) -> None:
    """Refuse what does not measure this kind of labels; `problem` is empty where a task has one kind only."""
    known = BY_PROBLEM.get(problem)
    if metric and known and metric not in known:
        raise refuse(
            f"{metric} does not measure this kind of labels ({problem}). Choose one of: {', '.join(known)}.", "metric"
        )


def _wholes(settings: Settings) -> dict[str, tuple[int, int]]:
    return {
        "epochs": (1, settings.epochs),
        "batch_size": (1, settings.batch_size),
        "accumulation": (1, 1024),
        "seed": (0, 2**32 - 1),
        "every": (1, 1_000_000),
        "patience": (0, 1000),
        "max_target_length": (4, settings.sequence_tokens),
        "lora_rank": (1, 512),
        "lora_alpha": (1, 4096),
    }


def _check_choices(spec: RunSpec) -> None:
    task = TRAIN_TASKS[spec.task]
    choices = {**CHOICES, "problem": ("auto", *task.problems)}
    if spec.metric is not None:
        choices["metric"] = task.metrics
    for name, known in choices.items():
        if getattr(spec, name) not in known:
            raise refuse(f"{_title(name)} must be one of: {', '.join(known)}.", name)
    if not isinstance(spec.remedies, tuple) or any(one not in REMEDIES for one in spec.remedies):
        raise refuse(f"Remedies are a list of any of: {', '.join(REMEDIES)}.", "remedies")
    if spec.patience and spec.keep == "last":
        raise refuse("Early stopping keeps the best model: set keep to best, or patience to 0.", "patience")


def _check_validation(value: Any, settings: Settings) -> None:
    if _finite(value) and value > 1:
        _whole(value, "validation", 2, settings.data_rows)
    else:
        _number(value, "validation", 0.01, 0.9)


def _check_samples(spec: RunSpec) -> None:
    if not isinstance(spec.samples, tuple) or not all(isinstance(one, str | dict) for one in spec.samples):
        raise refuse("Samples are a list of texts, or of objects as the task takes them.", "samples")
    if len(spec.samples) > SAMPLES or sum(len(str(one)) for one in spec.samples) > SAMPLE_CHARS:
        raise refuse(f"At most {SAMPLES} samples, of {SAMPLE_CHARS:,} characters in all.", "samples")
    for one in spec.samples:
        for text in [one] if isinstance(one, str) else [value for value in one.values() if isinstance(value, str)]:
            check_characters(text, "samples")


def _check_data(data: Any) -> None:
    if not isinstance(data, Mapping) or sum(key in data for key in SOURCES) != 1:
        raise refuse(DATA, "data")
    for key in data:
        if key not in (*SOURCES, "revision", "config", "split", "name", *_OF_FILES):
            raise refuse(f"Data has no setting {key!r}.", "data")
    lists = [data[key] for key in _OF_FILES if data.get(key) is not None]
    if not all(isinstance(value, list) and all(isinstance(one, str) for one in value) for value in lists):
        raise refuse("Files, their names and their splits are lists of texts.", "data")
    if not all(isinstance(value, str | None) for key, value in data.items() if key not in _OF_FILES):
        raise refuse("Each other setting of data is text.", "data")


def _check_columns(spec: RunSpec) -> None:
    roles = TRAIN_TASKS[spec.task].roles
    if not isinstance(spec.columns, Mapping):
        raise refuse('Columns are an object, such as {"text": "sentence", "label": "label"}.', "columns")
    for role, column in spec.columns.items():
        if role not in roles:
            raise refuse(f"{spec.task} reads the columns {', '.join(roles)}; not {role!r}.", f"columns.{role}")
        if column and not isinstance(column, str):
            raise refuse("A column is given by its name.", f"columns.{role}")
        check_characters(column or "", f"columns.{role}")
    chosen = [column for column in spec.columns.values() if column]
    if len(set(chosen)) != len(chosen):
        raise refuse("One column is chosen for two purposes. Choose a different one for each.", "columns")


def _whole(value: Any, name: str, low: int, high: int) -> int:
    if not _finite(value) or value != int(value) or not low <= value <= high:
        raise refuse(f"{_title(name)} must be a whole number from {low:,} to {high:,}; this is {_told(value)}.", name)
    return int(value)


def _number(value: Any, name: str, low: float, high: float) -> None:
    if not _finite(value) or not low <= value <= high:
        raise refuse(
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


def refuse(message: str, name: str) -> WorkbenchError:
    """A refusal that names the setting."""
    return WorkbenchError(message, kind="input", field=name)
