"""What a visitor asks for: filled into the form, or written in a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.service.tasks import TaskSpec


@dataclass(frozen=True)
class Asked:
    """What a visitor asks for, as the service takes it."""

    spec: TaskSpec
    model: str
    inputs: Any
    parameters: dict[str, Any]
    revision: str | None

    @property
    def call(self) -> tuple[str, str, Any, dict[str, Any], str | None]:
        """The arguments of `run_task` and its kin."""
        return self.spec.name, self.model, self.inputs, self.parameters, self.revision
