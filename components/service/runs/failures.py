"""What ended a run, in words for people: its kind, what happened, and what to do next."""

from __future__ import annotations

import errno

from components.service.errors import WorkbenchError
from components.service.worker.blame import blamed

_MEMORY = ("can't allocate memory", "out of memory", "bad_alloc", "cannot allocate memory", "not enough memory")
#: How the writers of weights and states, which are native code, tell of a disk that takes no more.
_DISK = ("no space left", "file write failed", "file too large", "quota exceeded", "unexpected pos")
_DISK_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NEXT = {
    "disk": "Delete runs that are not needed, then resume.",
    "memory": "Use a smaller batch with more accumulation, a shorter max_length or a smaller model.",
    "hub": "See that the Hub can be reached, then resume.",
}


class Diverged(WorkbenchError):
    """The loss is no longer a number."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"Training diverged at step {step}: the loss is no longer a number. Lower the learning rate (a third of "
            "it is a good next try), or add warm-up.",
            field="learning_rate",
        )


def explain(error: BaseException) -> dict[str, str]:
    """`{kind, message, next}` for whatever ended a run; kinds are diverged, data, memory, disk, hub and code."""
    error = blamed(error) or error
    if isinstance(error, Diverged):
        return _failure("diverged", error.message, "Lower the learning rate, then start a new run.")
    if isinstance(error, WorkbenchError):
        kind = {"input": "data", "not_found": "data"}.get(error.kind, error.kind)
        return _failure(kind, error.message, "Change the setting that is named, then start again.")
    text = str(error).lower()
    if isinstance(error, MemoryError) or any(sign in text for sign in _MEMORY):
        return _failure("memory", "Training needed more memory than it may take, or than this machine has free.")
    if (isinstance(error, OSError) and error.errno in _DISK_NUMBERS) or any(sign in text for sign in _DISK):
        return _failure("disk", "The disk is full; the last whole checkpoint is intact.")
    return _failure(
        "code",
        f"Training failed with {type(error).__name__}, which was not foreseen.",
        "The run's log has the details; try another model, or report it with the log.",
    )


def _failure(kind: str, message: str, advice: str = "") -> dict[str, str]:
    return {"kind": kind, "message": message, "next": _NEXT.get(kind, advice)}
