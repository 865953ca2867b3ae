"""The engine: calls into the worker process, with a deadline, a bounded queue, and a new worker after a crash."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import psutil

from components.service.engine.process import WorkerProcess
from components.service.engine.turns import Turns
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.visitor import Visitor

_BOOT_SECONDS = 120.0
_TRIES = 3
#: How often one who waits for a value may say that nobody waits any more, in seconds.
_TICK = 0.5


class _Gone(Exception):
    """The worker ended under a call. `innocent`: another call is known to be, or may well be, what ended it."""

    def __init__(self, ending: str, *, suspect: bool, suspects: int) -> None:
        super().__init__(ending)
        self.ending = ending
        self.suspect = suspect and ending != "deadline"
        self.innocent = ending != "unstarted" and (not self.suspect or suspects > 1)


class Lender(Protocol):
    """Computes some calls elsewhere than in the worker process: on a GPU that is lent for one call."""

    def takes(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether the call is computed there."""

    def answers(self, name: str, arguments: dict[str, Any], seconds: float) -> Iterator[tuple[str, Any]]:
        """`("item", value)` for each value of a stream, and one last `("value", value)`."""


class Engine:
    """Runs named calls in the worker process. Safe to use from many threads.

    Args:
        settings: Limits: `call_seconds`, `queue_seconds`, `worker_calls`, `worker_bytes`, `cache_bytes` and others.
        calls: More calls than the worker's own table has, as name -> "module:function".
        search: Folders in which the worker finds those modules.
        lender: What computes some calls in place of the worker, where there is such a thing.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        calls: Mapping[str, str] | None = None,
        search: tuple[Path, ...] = (),
        lender: Lender | None = None,
    ) -> None:
        self._settings = settings
        self._calls = dict(calls or {})
        self._search = search
        self._lender = lender
        self._lock = threading.Lock()
        self._one_suspect = threading.Lock()
        self._turns = Turns(settings.visitor_worker_calls, settings.address_worker_calls, settings.queue_seconds)
        self._numbers = itertools.count(1)
        self._worker: WorkerProcess | None = None
        self._restarts = 0
        self._closed = False

    def call(
        self, name: str, arguments: dict[str, Any], *, seconds: float | None = None, visitor: Visitor | None = None
    ) -> Any:
        """Run the call `name` in the worker and return its JSON value.

        Args:
            name: A name of the worker's call table.
            arguments: JSON values, passed to the handler by name.
            seconds: How long the work may take, counted from when the worker begins with it.
            visitor: Whose call it is, of whom the worker has only so many at once; None for the app's own.

        Raises:
            WorkbenchError: The handler refused, or the call waited or ran too long, ran out of memory, or crashed.
        """
        with self._turns.take(visitor):
            for kind, value in self._answers(name, arguments, seconds or self._settings.call_seconds):
                if kind == "value":
                    return value
        raise AssertionError("a call ends in a value or an error")

    def stream(
        self, name: str, arguments: dict[str, Any], *, seconds: float | None = None, visitor: Visitor | None = None
    ) -> Iterator[Any]:
        """Run the call `name` and yield each JSON value it emits; closing the generator stops the work."""
        with self._turns.take(visitor):
            for kind, value in self._answers(name, arguments, seconds or self._settings.call_seconds):
                if kind == "item":
                    yield value

    def follow(
        self, name: str, arguments: dict[str, Any], *, seconds: float | None = None, visitor: Visitor | None = None
    ) -> Iterator[Any]:
        """Run the call `name` and yield None now and then, and its JSON value at last; closing the generator stops the
        work, as far as the call can be stopped."""
        with self._turns.take(visitor):
            for kind, value in self._answers(name, arguments, seconds or self._settings.call_seconds):
                if kind != "item":
                    yield value

    def warm(self) -> None:
        """Start a worker in the background, if none is there; returns at once."""
        with self._lock:
            if not self._closed:
                self._current()

    def status(self) -> dict[str, Any]:
        """`{alive, ready, pid, rss_bytes, restarts, models}`; memory in bytes."""
        worker = self._worker
        alive = worker is not None and not worker.gone.is_set()
        pid = worker.pid if worker is not None and alive else None
        rss = 0
        if pid is not None:
            try:
                rss = psutil.Process(pid).memory_info().rss
            except psutil.NoSuchProcess:
                alive, pid = False, None
        return {
            "alive": alive,
            "ready": bool(alive and worker is not None and worker.ready.is_set()),
            "pid": pid,
            "rss_bytes": rss,
            "restarts": self._restarts,
            "models": list(worker.models) if worker is not None else [],
        }

    def close(self) -> None:
        """End the worker; calls in flight and later ones are refused."""
        with self._lock:
            self._closed = True
            worker = self._worker
        if worker is not None:
            worker.kill("closed")
            worker.gone.wait(10)

    def _current(self) -> WorkerProcess:
        """The worker in use, a new one where there is none; under the lock."""
        if self._worker is None or self._worker.ending:
            if self._worker is not None:
                self._restarts += 1
            self._worker = WorkerProcess(self._settings, self._calls, self._search, self._ended)
        return self._worker

    def _ended(self, worker: WorkerProcess) -> None:
        """A worker that had worked is replaced at once, so that the next call need not wait for a start."""
        if worker.pid is not None and worker.served:
            self.warm()

    def _answers(self, name: str, arguments: dict[str, Any], seconds: float) -> Iterator[tuple[str, Any]]:
        """What the worker answers, or whoever computes in its place."""
        if self._lender is not None and self._lender.takes(name, arguments):
            return self._lender.answers(name, arguments, seconds)
        return self._frames(name, arguments, seconds)

    def _frames(self, name: str, arguments: dict[str, Any], seconds: float) -> Iterator[tuple[str, Any]]:
        """What the worker answers, as ("item", ...) and one last ("value", ...), and ("tick", None) while it works;
        retried where it is innocent."""
        suspected = sent = False
        with ExitStack() as alone:
            for attempt in range(_TRIES):
                try:
                    for answer in self._attempt(name, arguments, seconds):
                        sent = sent or answer[0] != "tick"
                        yield answer
                    return
                except _Gone as gone:
                    again = gone.innocent and not (gone.suspect and suspected) and attempt + 1 < _TRIES
                    if sent or not again:
                        raise _ended_error(gone) from None
                    if gone.suspect:
                        # Suspects are tried again one by one, so that the guilty one takes no innocent one along.
                        suspected = True
                        alone.enter_context(self._one_suspect)

    def _attempt(self, name: str, arguments: dict[str, Any], seconds: float) -> Iterator[tuple[str, Any]]:
        number = next(self._numbers)
        with self._lock:
            if self._closed:
                raise WorkbenchError("The app is shutting down.", kind="busy")
            worker = self._current()
            box = worker.open(number)
        if box is None:
            raise _Gone(worker.ending, suspect=False, suspects=0)
        try:
            if not worker.ready.wait(_BOOT_SECONDS):
                worker.kill("crashed")
                raise WorkbenchError("The worker did not start in time. Try again in a minute.", kind="busy")
            worker.send({"id": number, "name": name, "arguments": arguments})
            self._wait_for_start(box)
            yield from self._listen(worker, box, seconds)
        finally:
            worker.close(number)

    def _wait_for_start(self, box: queue.SimpleQueue[dict[str, Any]]) -> None:
        try:
            _expect(box.get(timeout=self._settings.queue_seconds))
        except queue.Empty:
            raise WorkbenchError(
                "Many others are being served at the moment, and this call had to wait too long for its turn. "
                "Try again in a minute.",
                kind="busy",
            ) from None

    def _listen(
        self, worker: WorkerProcess, box: queue.SimpleQueue[dict[str, Any]], seconds: float
    ) -> Iterator[tuple[str, Any]]:
        deadline = time.monotonic() + seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                frame = _expect(box.get(timeout=min(left, _TICK)))
            except queue.Empty:
                if left > _TICK:
                    yield "tick", None
                    continue
                worker.kill("deadline")
                raise WorkbenchError(
                    f"This took longer than {seconds:g} seconds and was stopped. "
                    "Use a shorter text or a smaller model.",
                    kind="timeout",
                ) from None
            if "item" in frame:
                yield "item", frame["item"]
            else:
                yield "value", frame["value"]
                return


def _expect(frame: dict[str, Any]) -> dict[str, Any]:
    """The frame, where it is no failure."""
    if "gone" in frame:
        raise _Gone(frame["gone"], suspect=frame["suspect"], suspects=frame["suspects"])
    if "error" in frame:
        error = frame["error"]
        raise WorkbenchError(error["message"], kind=error["kind"], field=error["field"])
    return frame


def _ended_error(gone: _Gone) -> WorkbenchError:
    if gone.ending == "memory":
        return WorkbenchError(
            "This ran out of memory and was stopped. Use a smaller model or a shorter text.", kind="memory"
        )
    if gone.ending == "killed":
        return WorkbenchError(
            "The worker process was killed while it worked on this, most likely because it ran out of memory. A new "
            "one has been started. Try again; if it happens again, use a smaller model or a shorter text.",
            kind="crashed",
        )
    if gone.ending == "unstarted":
        return WorkbenchError(
            "The worker process could not start. Its log, logs/worker.log in the app's data folder, says why.",
            kind="crashed",
        )
    if gone.ending == "closed":
        return WorkbenchError("The app is shutting down.", kind="busy")
    if gone.suspect:
        return WorkbenchError(
            "The worker process crashed on this call. A new one has been started; "
            "if it happens again, use another model or another text.",
            kind="crashed",
        )
    return WorkbenchError(
        "The worker process ended because of another visitor's call. Try again in a minute.", kind="crashed"
    )
