"""Tasks that read several things at once, by hand."""

from components.service.snippets.tasks.steps import StepsOf

MULTIMODAL_STEPS: dict[str, StepsOf] = {}
