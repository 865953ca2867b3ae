"""Tasks that look at images."""

from components.service.tasks.spec import TaskSpec

VISION_TASKS: tuple[TaskSpec, ...] = ()
