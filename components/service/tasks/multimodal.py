"""Tasks that read several things at once: images or video with text."""

from components.service.tasks.spec import TaskSpec

MULTIMODAL_TASKS: tuple[TaskSpec, ...] = ()
