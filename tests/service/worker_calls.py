"""Calls that only the tests' workers know: they hang, die, and eat memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.service.worker.calls import Call


def echo(call: Call, *, value: Any) -> Any:
    print("what a library prints")
    return value


def hang(call: Call) -> None:
    call.emit("begun")
    threading.Event().wait()


def endless(call: Call, *, fifo: str) -> None:
    """Emits until it is told to stop, and says in a FIFO that it did."""
    while not call.cancelled.is_set():
        call.emit("more")
    Path(fifo).write_text("stopped")


def patient(call: Call, *, fifo: str) -> None:
    """Emits nothing until it is told to stop, and says in a FIFO that it did."""
    call.cancelled.wait()
    Path(fifo).write_text("stopped")


def endless_generator(call: Call, *, fifo: str) -> Iterator[str]:
    try:
        while True:
            yield "more"
    finally:
        Path(fifo).write_text("stopped")


def second_time(call: Call, *, fifo: str, mark: str) -> str:
    """Hangs when it is called for the first time, once it has said so in a FIFO."""
    if Path(mark).exists():
        return "done"
    Path(mark).touch()
    Path(fifo).write_text("begun")
    threading.Event().wait()
    return "never"


def abort(call: Call) -> None:
    os.abort()


def hog(call: Call) -> int:
    return len(bytearray(64 * 1024**3))


def torch_hog(call: Call) -> int:
    import torch

    return torch.zeros(16 * 1024**3).numel()


def defect(call: Call) -> None:
    raise KeyError("/secret/place")


def environment(call: Call) -> dict[str, str]:
    return dict(os.environ)


def mortal_batch(call: Call, **asked: Any) -> Iterator[dict[str, Any]]:
    """`run_batch`, but for a model that takes the worker down."""
    from components.service.worker.batch import run_batch  # torch, which the other calls do without

    if asked["model"] == "local/deadly":
        os.abort()
    yield from run_batch(call, **asked)
