"""Turns: so that one visitor's calls, however many and long, leave the worker with time for everybody else's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from components.service.errors import WorkbenchError


@dataclass
class _Seats:
    free: threading.Semaphore
    #: Calls that have a seat or wait for one.
    calls: int = 0


class Turns:
    """How many calls of one visitor the worker has at once. More of them wait, and hold up nobody else.

    Args:
        most: How many.
        seconds: How long one may wait.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._lock = threading.Lock()
        self._owners: dict[str, _Seats] = {}

    @contextmanager
    def take(self, owner: str | None) -> Iterator[None]:
        """A block that is one of the visitor's calls; None for a call of the app's own, which waits for none.

        Raises:
            WorkbenchError: Their other calls took too long.
        """
        if owner is None:
            yield
            return
        seats = self._enter(owner)
        try:
            if not seats.free.acquire(timeout=self._seconds):
                raise WorkbenchError(
                    f"{self._most} calls of yours are being worked on, as many as one visitor may have at once, and "
                    "this one had to wait too long for them. Try again when they have ended.",
                    kind="busy",
                )
            try:
                yield
            finally:
                seats.free.release()
        finally:
            self._leave(owner, seats)

    def _enter(self, owner: str) -> _Seats:
        with self._lock:
            seats = self._owners.setdefault(owner, _Seats(threading.Semaphore(self._most)))
            seats.calls += 1
            return seats

    def _leave(self, owner: str, seats: _Seats) -> None:
        with self._lock:
            seats.calls -= 1
            if not seats.calls:
                del self._owners[owner]
