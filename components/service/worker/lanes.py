"""Calls that wait for one model at the same time are run together. Nobody waits for company.

A lane holds the calls that one pass over a model can serve. A call that finds its lane empty is run at once and alone;
those that come while it runs are taken together when it ends. So the more visitors there are the larger the stacks
become, and a lone one notices nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from components.service.worker.calls import Call

#: Most calls that are taken at once, and the longest that they may take by the pace of those before, in seconds: the
#: deadline of each runs from when it is taken, and its caller sees nothing before the end.
MOST = 64
SECONDS = 2.0
#: What a call costs beside its text, in characters of text.
_BESIDE = 100


@dataclass(eq=False)
class Job:
    """A call on its way through the worker.

    Attributes:
        number: What the web process calls it.
        call: What its handler is given.
        name: The name of the handler.
        arguments: What the handler takes.
        started: Whether the web process has been told that it is being worked on.
    """

    number: int
    call: Call
    name: str
    arguments: dict[str, Any]
    started: bool = False


@dataclass
class _Lane:
    waiting: deque[Job] = field(default_factory=deque)
    pace: float = 0.0


class Lanes:
    """The calls that wait, by what they wait for.

    Args:
        submit: Runs a function in a thread, in the order of asking.
        serve: Answers every one of the jobs that it is given.
    """

    def __init__(self, submit: Callable[[Callable[[], None]], object], serve: Callable[[list[Job]], None]) -> None:
        self._submit = submit
        self._serve = serve
        self._lock = threading.Lock()
        self._lanes: dict[Hashable, _Lane] = {}

    def add(self, key: Hashable, job: Job) -> None:
        """Let `job` wait with those of the same key; at most one thread serves a key at a time."""
        with self._lock:
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = _Lane()
                self._submit(lambda: self._drive(key, lane))
            lane.waiting.append(job)

    def _drive(self, key: Hashable, lane: _Lane) -> None:
        """Serve what waits; then queue up again behind other work, where more has come."""
        with self._lock:
            jobs = _take(lane)
        begun = time.monotonic()
        try:
            self._serve(jobs)
        finally:
            lane.pace = (time.monotonic() - begun) / sum(map(_weight, jobs))
            with self._lock:
                if lane.waiting:
                    self._submit(lambda: self._drive(key, lane))
                else:
                    del self._lanes[key]


def _take(lane: _Lane) -> list[Job]:
    """The first jobs of a lane, one at least: as many as will be done in time."""
    jobs = [lane.waiting.popleft()]
    seconds = _weight(jobs[0]) * lane.pace
    while lane.waiting and len(jobs) < MOST:
        seconds += _weight(lane.waiting[0]) * lane.pace
        if seconds > SECONDS:
            break
        jobs.append(lane.waiting.popleft())
    return jobs


def _weight(job: Job) -> int:
    return _BESIDE + _characters(job.arguments["inputs"])


def _characters(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    return len(value) if isinstance(value, str) else 0
