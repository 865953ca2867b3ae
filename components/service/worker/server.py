"""The worker's loop: read a call, run it in a thread, answer. One boundary tells visitors' errors from our own."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from components.service.engine import frames
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.worker.blame import told
from components.service.worker.calls import CALLS, Call, handler
from components.service.worker.cores import Cores
from components.service.worker.lanes import Job, Lanes
from components.service.worker.models import Models
from components.service.worker.runners.shared import SEATS
from components.service.worker.together import lane_of, run_together

_LOG = logging.getLogger(__name__)
#: Calls that write a text.
WRITING = ("run_task", "stream_task", "stream_tokens")


class Server:
    """Answers calls from `source` on `sink` until `source` ends."""

    def __init__(self, settings: Settings, calls: dict[str, str], source: BinaryIO, sink: BinaryIO) -> None:
        self._settings = settings
        self._calls = {**CALLS, **calls}
        self._source, self._sink = source, sink
        self._writing = threading.Lock()
        self._models = Models(settings, lambda models: self._send({"models": models}))
        self._pool = ThreadPoolExecutor(settings.worker_calls, thread_name_prefix="call")
        self._writers = ThreadPoolExecutor(max(SEATS, settings.worker_calls), thread_name_prefix="writer")
        self._lanes = Lanes(self._pool.submit, self._answer_all)
        self._cores = Cores()
        self._jobs: dict[int, Job] = {}

    def serve(self) -> None:
        """Read calls until the web process ends; then end at once, whatever still runs."""
        self._send({"ready": True})
        while (frame := frames.read(self._source)) is not None:
            if "cancel" in frame:
                self._cancel(frame["cancel"])
            else:
                self._accept(frame["id"], frame["name"], frame["arguments"])
        os._exit(0)

    def _accept(self, number: int, name: str, arguments: dict[str, Any]) -> None:
        call = Call(self._settings, self._models, lambda item: self._send({"id": number, "item": item}))
        job = self._jobs[number] = Job(number, call, name, arguments)
        lane = lane_of(name, arguments)
        if lane is None:
            # A text that is written beside others takes no thread of its own to compute with.
            pool = self._writers if arguments.get("task") == "text-generation" and name in WRITING else self._pool
            pool.submit(self._answer_all, [job])
        else:
            self._lanes.add(lane, job)

    def _cancel(self, number: int) -> None:
        if (job := self._jobs.get(number)) is not None:
            job.call.cancelled.set()

    def _answer_all(self, jobs: list[Job]) -> None:
        """Answer each, together where they are several; those that this does not serve, one after another."""
        wanted = [job for job in jobs if not job.call.cancelled.is_set()]
        if len(wanted) > 1:
            self._answer_together(wanted)
        for job in wanted:
            if job.number in self._jobs:
                self._answer(job)
        for job in jobs:
            self._jobs.pop(job.number, None)

    def _answer_together(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._start(job)
        try:
            with self._cores:
                for job, value in run_together(jobs):
                    self._end(job, {"value": value})
        except BaseException as error:  # noqa: BLE001 - whose fault it is shows when each runs alone
            _LOG.warning("%d calls could not be run together: %s", len(jobs), error)

    def _answer(self, job: Job) -> None:
        self._start(job)
        try:
            with self._cores:  # given back before the answer goes out: the next call may be there at once
                value = handler(self._calls[job.name])(job.call, **job.arguments)
                if isinstance(value, Iterator):
                    drain(job.call, value)
                    value = None
            self._end(job, {"value": value})
        except BaseException as error:  # noqa: BLE001 - the one boundary; a tokenizer's panic is no Exception
            self._end(job, {"error": self._told(job.name, error)})

    def _start(self, job: Job) -> None:
        """Tell, once, that the job is being worked on; its deadline runs from now."""
        if not job.started:
            job.started = True
            self._send({"id": job.number, "started": True})

    def _end(self, job: Job, how: dict[str, Any]) -> None:
        self._send({"id": job.number, **how})
        self._jobs.pop(job.number, None)

    def _told(self, name: str, error: BaseException) -> dict[str, Any]:
        """What the visitor reads of `error`; where memory ran out, the models are let go of."""
        one = told(f"call {name}", error)
        if one.kind == "memory" and not isinstance(error, WorkbenchError):
            self._models.clear()
        return {"kind": one.kind, "message": one.message, "field": one.field}

    def _send(self, value: dict[str, Any]) -> None:
        frame = frames.pack(value)
        with self._writing:
            self._sink.write(frame)
            self._sink.flush()


def drain(call: Call, items: Iterator[Any]) -> None:
    """Emit what a generator yields; it is closed as soon as nobody waits for more."""
    for item in items:
        if call.cancelled.is_set():
            break
        call.emit(item)
    close = getattr(items, "close", None)
    if close is not None:
        close()
