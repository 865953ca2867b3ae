"""Tasks that read several things at once, by hand."""

from components.service.snippets.tasks.steps import CallOf, StepsOf

MULTIMODAL_STEPS: dict[str, StepsOf] = {}
MULTIMODAL_CALLS: dict[str, CallOf] = {}
