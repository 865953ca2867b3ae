"""Tasks that look at images, by hand."""

from components.service.snippets.tasks.steps import StepsOf

VISION_STEPS: dict[str, StepsOf] = {}
