"""The processes that train one run together, as `accelerate launch` starts them: who speaks, and how they agree.

Each takes its part of every batch: with two processes and a batch of 16 rows, each computes the gradient of 8, and the
step is made with the mean of both. So a step sees as many rows as with one process, and the result is the same within
the accuracy of the sums; only the last batch of an epoch is filled up, with rows from its beginning.
"""

from __future__ import annotations

import os
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.store import RunFolder


def rank() -> int:
    """The number of this process; 0 is the main one, which alone writes."""
    return int(os.environ.get("RANK", "0"))


def _state() -> Any:
    # Not at module level: which process this is has to be known before torch is loaded.
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available())


def processes() -> int:
    """How many processes train."""
    number: int = _state().num_processes
    return number


def gathered(value: Any) -> list[Any]:
    """What each process gives, the main one first. All of them have to call it."""
    if processes() == 1:
        return [value]
    from accelerate.utils import gather_object

    return list(gather_object([value]))


def wait() -> None:
    """Wait until all processes are here."""
    _state().wait_for_everyone()


def same_random() -> None:
    """Give all processes the main one's random state, from which each draws the order of the rows."""
    if processes() > 1:
        from accelerate.utils import synchronize_rng_states

        synchronize_rng_states(["torch"])


def check_batch(batch_size: int) -> None:
    """Refuse a batch that the processes cannot share evenly."""
    number = processes()
    if batch_size % number:
        raise WorkbenchError(
            f"A batch of {batch_size} rows cannot be shared by {number} processes evenly. Set batch_size to a multiple "
            f"of {number}.",
            field="batch_size",
        )


class Silent(RunFolder):
    """The run as the other processes see it: they read it, and leave the telling to the main one."""

    def append(self, kind: str, **values: Any) -> None:
        """Nothing: the main process writes this event."""
