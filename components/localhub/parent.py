"""Stop a server when the process that started it has ended."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress

import uvicorn

_PR_SET_PDEATHSIG = 1
_SECONDS = 0.5
#: Signals that are taken at once, a byte each.
_SIGNALS = 4096


def follow_parent(server: uvicorn.Server, parent: int = 0) -> None:
    """Let `server` stop soon after this process's parent ends, however it ends.

    On Linux the kernel wakes us at once. It does so when the *thread* that started us ends, too, and again for each
    thread of a parent that ends, so the signal only makes us look; a parent that is still there is left alone.

    Args:
        server: What is to stop.
        parent: The parent's process id, as it says itself: by now it may have ended. 0 for whoever it is now.
    """
    parent = parent or os.getppid()
    # One signal may interrupt the handler of another: what it does may take no lock, as that of an Event would be.
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)

    def watch() -> None:
        while os.getppid() == parent:
            if select.select([woken], [], [], _SECONDS)[0]:
                os.read(woken, _SIGNALS)
        server.should_exit = True
        time.sleep(2 * _SECONDS)  # an upload may be under way; it is safe to drop it
        os._exit(0)

    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, lambda *_: _write(wake))
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _write(wake: int) -> None:
    with suppress(BlockingIOError):  # the pipe is full of others, which wake as well
        os.write(wake, b"!")
