"""Turns: so that one visitor's calls, however many and long, leave the worker with time for everybody else's.

A visitor without an account is whoever has a cookie, and a cookie is made up quickly: where it is known what address
they come from, all that come from one have only so many, too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor


@dataclass
class _Seats:
    free: threading.Semaphore
    #: Calls that have a seat or wait for one.
    calls: int = 0


class Turns:
    """How many calls of one visitor, and of one address, there are at once. More of them wait, and hold up nobody else.

    Args:
        most: How many of a visitor.
        most_of_address: How many of an address.
        seconds: How long one may wait.
    """

    def __init__(self, most: int, most_of_address: int, seconds: float) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._seconds = seconds
        self._lock = threading.Lock()
        self._all: dict[tuple[str, str], _Seats] = {}

    @contextmanager
    def take(self, visitor: Visitor | None) -> Iterator[None]:
        """A block that is one of the visitor's calls; None for a call of the app's own, which waits for none.

        Raises:
            WorkbenchError: Their other calls took too long.
        """
        if visitor is None:
            yield
            return
        until = time.monotonic() + self._seconds
        with self._seat(("visitor", visitor.owner), self._most, "of yours", until):
            if not visitor.address:
                yield
                return
            with self._seat(("address", visitor.address), self._most_of_address, "from your address", until):
                yield

    @contextmanager
    def _seat(self, key: tuple[str, str], most: int, whose: str, until: float) -> Iterator[None]:
        seats = self._enter(key, most)
        try:
            if not seats.free.acquire(timeout=max(0.0, until - time.monotonic())):
                raise WorkbenchError(
                    f"{most} calls {whose} are being worked on, as many as there may be at once, and this one had to "
                    "wait too long for them. Try again when they have ended.",
                    kind="busy",
                )
            try:
                yield
            finally:
                seats.free.release()
        finally:
            self._leave(key, seats)

    def _enter(self, key: tuple[str, str], most: int) -> _Seats:
        with self._lock:
            seats = self._all.setdefault(key, _Seats(threading.Semaphore(most)))
            seats.calls += 1
            return seats

    def _leave(self, key: tuple[str, str], seats: _Seats) -> None:
        with self._lock:
            seats.calls -= 1
            if not seats.calls:
                del self._all[key]
