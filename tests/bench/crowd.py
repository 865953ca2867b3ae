"""Visitors who call an endpoint at the same time over plain HTTP, each one call after another."""

from __future__ import annotations

import http.client
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

SECONDS = 600.0


class Caller:
    """One visitor's connection, which stays open. Python's own client: its share of the cores is small."""

    def __init__(self, url: str) -> None:
        self._http = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)

    def close(self) -> None:
        self._http.close()

    def call(self, endpoint: str, *values: Any) -> list[Any]:
        """What a named endpoint gives for these arguments, which are all that it takes: all its values."""
        *_, (kind, data) = self.events(endpoint, *values)
        if kind != "complete":
            raise RuntimeError(f"{endpoint} answered: {kind} {data}")
        return list(data)

    def events(self, endpoint: str, *values: Any) -> Iterator[tuple[str, Any]]:
        """The same as it comes: `("generating", values)` for what is told before the end."""
        place = f"/gradio_api/call/{endpoint}"
        self._http.request("POST", place, orjson.dumps({"data": values}), {"Content-Type": "application/json"})
        answer = self._http.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{endpoint} answered with status {answer.status}: {body[:500]!r}")
        self._http.request("GET", f"{place}/{orjson.loads(body)['event_id']}")
        stream, kind = self._http.getresponse(), ""
        for line in stream:
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
            elif line.startswith(b"data: ") and kind != "heartbeat":
                yield kind, orjson.loads(line[6:])


@dataclass(frozen=True)
class Visits:
    """What a crowd was served.

    Attributes:
        seconds: From the first call to the last answer.
        waits: How long each call took, in seconds.
        outputs: What each call gave, in the order of the calls.
    """

    seconds: float
    waits: Sequence[float]
    outputs: Sequence[Any]

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.waits) / self.seconds

    @property
    def p95(self) -> float:
        """What 19 of 20 calls took at most, in seconds."""
        return sorted(self.waits)[math.ceil(0.95 * len(self.waits)) - 1]


def visit(url: str, visitors: int, calls: int, ask: Callable[[Caller, int], Any]) -> Visits:
    """Let so many visitors share so many calls: who has an answer makes the next call.

    Args:
        ask: Makes the call of a number from 0 on.
    """
    numbers, taking = itertools.count(), threading.Lock()
    waits, outputs = [0.0] * calls, [None] * calls

    def one_visitor() -> None:
        with closing(Caller(url)) as caller:
            while True:
                with taking:
                    number = next(numbers)
                if number >= calls:
                    return
                began = time.perf_counter()
                outputs[number] = ask(caller, number)
                waits[number] = time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(visitors) as pool:
        for done in [pool.submit(one_visitor) for _ in range(visitors)]:
            done.result()
    return Visits(time.perf_counter() - began, waits, outputs)
