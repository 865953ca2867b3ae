"""Tasks that hear or speak, by hand."""

from components.service.snippets.tasks.steps import StepsOf

AUDIO_STEPS: dict[str, StepsOf] = {}
