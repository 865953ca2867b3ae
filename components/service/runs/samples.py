"""The inputs that a run's model is tried on: one form for each kind of task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.tasks import TRAIN_TASKS
from components.service.settings import Settings
from components.service.tasks.texts import check_characters

#: The keys of a sample that is an object, by `TrainTask.sample`; a text alone will do where there is a "text".
_KEYS = {"text": ("text",), "pair": ("text", "text_pair"), "question": ("question", "context"), "image": ("image",)}
_FORMS = {
    "text": "A sample is a text.",
    "pair": 'A sample is a text, or {"text": ..., "text_pair": ...} for two of them.',
    "question": 'A sample is {"question": ..., "context": ...}, both texts.',
    "image": 'A sample is {"image": the picture\'s bytes in base64}.',
}


def check_samples(task: str, samples: Any, settings: Settings, field: str) -> list[Any]:
    """The samples of a task without empty texts.

    Args:
        task: A key of `TRAIN_TASKS`.
        samples: Texts, or objects as the task takes them.
        field: The argument that an error names.

    Raises:
        WorkbenchError: They are of another form, or too many or too long.
    """
    if isinstance(samples, str | bytes) or not isinstance(samples, Sequence):
        raise WorkbenchError("Give a list of samples.", field=field)
    kind = TRAIN_TASKS[task].sample
    given = [one for one in samples if not isinstance(one, str) or one.strip()]
    if len(given) > settings.samples:
        raise WorkbenchError(f"At most {settings.samples} samples at once; here are {len(given)}.", field=field)
    for one in given:
        _check(one, kind, settings, field)
    return given


def _check(sample: Any, kind: str, settings: Settings, field: str) -> None:
    values = {"text": sample} if isinstance(sample, str) and "text" in _KEYS[kind] else sample
    wanted = _KEYS[kind]
    if (
        not isinstance(values, dict)
        or not values
        or not set(values) <= set(wanted)
        or wanted[0] not in values
        or (kind != "pair" and set(values) != set(wanted))
        or not all(isinstance(value, str) and value.strip() for value in values.values())
    ):
        raise WorkbenchError(_FORMS[kind], field=field)
    for value in values.values():
        check_characters(value, field)
        # Base64 takes four characters for three bytes.
        longest = settings.media_bytes * 4 // 3 + 100 if kind == "image" else settings.text_chars
        if len(value) > longest:
            raise WorkbenchError(f"A sample is too long: at most {longest:,} characters.", field=field)
