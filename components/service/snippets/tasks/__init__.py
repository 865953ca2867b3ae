"""How each task is run by hand, as Python: one file a family, the same families as in `components.service.tasks`."""

from __future__ import annotations

from components.service.snippets.tasks.audio import AUDIO_CALLS, AUDIO_STEPS
from components.service.snippets.tasks.generation import GENERATION_CALLS, GENERATION_STEPS
from components.service.snippets.tasks.multimodal import MULTIMODAL_CALLS, MULTIMODAL_STEPS
from components.service.snippets.tasks.reading import READING_CALLS, READING_STEPS
from components.service.snippets.tasks.steps import CallOf, StepsOf
from components.service.snippets.tasks.text import TEXT_CALLS, TEXT_STEPS
from components.service.snippets.tasks.vision import VISION_CALLS, VISION_STEPS

#: What writes the steps of each task.
STEPS: dict[str, StepsOf] = {
    **TEXT_STEPS,
    **READING_STEPS,
    **GENERATION_STEPS,
    **VISION_STEPS,
    **AUDIO_STEPS,
    **MULTIMODAL_STEPS,
}

#: What writes the call of a task's pipeline where its own inputs and parameters are not the pipeline's arguments.
CALLS: dict[str, CallOf] = {
    **TEXT_CALLS,
    **READING_CALLS,
    **GENERATION_CALLS,
    **VISION_CALLS,
    **AUDIO_CALLS,
    **MULTIMODAL_CALLS,
}
