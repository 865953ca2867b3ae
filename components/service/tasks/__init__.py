"""The task registry: one `TaskSpec` a task, one file a family. Plain data, light to import."""

from __future__ import annotations

import re
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks.audio import AUDIO_TASKS
from components.service.tasks.generation import GENERATION_TASKS
from components.service.tasks.multimodal import MULTIMODAL_TASKS
from components.service.tasks.reading import READING_TASKS
from components.service.tasks.spec import Example, InputSpec, ParameterSpec, TaskSpec
from components.service.tasks.text import TEXT_TASKS
from components.service.tasks.vision import VISION_TASKS

__all__ = ["TASKS", "Example", "InputSpec", "ParameterSpec", "TaskSpec", "find_task"]

#: Every task by its name, in the order in which people meet them.
TASKS: dict[str, TaskSpec] = {
    spec.name: spec
    for spec in (*TEXT_TASKS, *READING_TASKS, *GENERATION_TASKS, *VISION_TASKS, *AUDIO_TASKS, *MULTIMODAL_TASKS)
}

#: How the old pipelines named a translation between two languages.
_TRANSLATION = re.compile(r"translation_(\w{2,20})_to_(\w{2,20})", re.IGNORECASE)
_NAMES = {name: spec for spec in TASKS.values() for name in (spec.name, *spec.aliases)}


def find_task(name: Any) -> TaskSpec:
    """The task called `name`, or called so by transformers (`sentiment-analysis`).

    Raises:
        WorkbenchError: No task has that name; the text lists those that there are.
    """
    asked = name.strip().lower() if isinstance(name, str) else ""
    spec = _NAMES.get("translation" if _TRANSLATION.fullmatch(asked) else asked)
    if spec is None:
        raise WorkbenchError(
            f"There is no task {str(name)[:80]!r} here. Choose one of {', '.join(TASKS)}.", field="task"
        )
    return spec


def with_languages(name: str, parameters: Any) -> Any:
    """The parameters with the languages that a name such as `translation_en_to_fr` holds."""
    named = _TRANSLATION.fullmatch(name.strip())
    if named is None or not isinstance(parameters, (dict, type(None))):
        return parameters
    return {"src_lang": named[1], "tgt_lang": named[2], **(parameters or {})}
