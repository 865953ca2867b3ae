"""The worker process's start: its pipes, its memory limit, its libraries, then the loop."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

from components.service.engine import frames
from components.service.settings import Settings

_PR_SET_PDEATHSIG = 1


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Where calls come from and where answers go. What a library prints goes to the log, what it reads is empty."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return source, sink


def _die_with_parent() -> None:
    """End when the web process ends, however it does; elsewhere than on Linux the end of the pipe has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit_memory(most_bytes: int) -> None:
    """Let no more than `most_bytes` of data be allocated; a GPU's driver reserves too much for such a limit."""
    import torch

    if sys.platform == "win32" or torch.cuda.is_available():
        return
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (most_bytes, most_bytes))


def _settings(values: dict[str, Any]) -> Settings:
    """The web process's settings, from their JSON."""
    paths = {field.name for field in fields(Settings) if field.type == "Path"}
    given: dict[str, Any] = {name: Path(value) if name in paths else value for name, value in values.items()}
    return Settings(**given)


def main() -> None:
    """Serve calls until the web process is gone."""
    source, sink = _pipes()
    _die_with_parent()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    hello = frames.read(source)
    if hello is None:
        return
    settings = _settings(hello["settings"])
    _limit_memory(settings.worker_bytes)
    # Before the first call, so that no visitor's deadline pays for the libraries' start.
    from components.service.worker.server import Server

    Server(settings, hello["calls"], source, sink).serve()


if __name__ == "__main__":
    main()
