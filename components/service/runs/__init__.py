"""Fine-tuning runs: what is asked for, the folder that is the run, the process that trains, who looks after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.service.runs.service import Runs

__all__ = ["Runs"]


def __getattr__(name: str) -> Any:
    # The training process imports this package too, and needs nothing of the web side.
    if name == "Runs":
        from components.service.runs.service import Runs

        return Runs
    raise AttributeError(name)
