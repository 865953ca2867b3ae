"""Tasks that hear or speak."""

from components.service.tasks.spec import TaskSpec

AUDIO_TASKS: tuple[TaskSpec, ...] = ()
