"""Stop a server when the process that started it has ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

import uvicorn

_PR_SET_PDEATHSIG = 1
_SECONDS = 0.5


def follow_parent(server: uvicorn.Server, parent: int = 0) -> None:
    """Let `server` stop soon after this process's parent ends, however it ends.

    On Linux the kernel wakes us at once. It does so when the *thread* that started us ends, too, so the signal only
    makes us look; a parent that is still there is left alone.

    Args:
        server: What is to stop.
        parent: The parent's process id, as it says itself: by now it may have ended. 0 for whoever it is now.
    """
    parent = parent or os.getppid()
    ended = threading.Event()

    def watch() -> None:
        while os.getppid() == parent:
            ended.wait(_SECONDS)
            ended.clear()
        server.should_exit = True
        time.sleep(2 * _SECONDS)  # an upload may be under way; it is safe to drop it
        os._exit(0)

    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, lambda *_: ended.set())
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
