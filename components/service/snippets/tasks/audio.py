"""Tasks that hear or speak, by hand."""

from components.service.snippets.tasks.steps import CallOf, StepsOf

AUDIO_STEPS: dict[str, StepsOf] = {}
AUDIO_CALLS: dict[str, CallOf] = {}
