"""The worker's loop: read a call, run it in a thread, answer. One boundary tells visitors' errors from our own."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO

from components.service.engine import frames
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.worker.blame import told
from components.service.worker.calls import CALLS, Call, handler
from components.service.worker.models import Models


class Server:
    """Answers calls from `source` on `sink` until `source` ends."""

    def __init__(self, settings: Settings, calls: dict[str, str], source: BinaryIO, sink: BinaryIO) -> None:
        self._settings = settings
        self._calls = {**CALLS, **calls}
        self._source, self._sink = source, sink
        self._writing = threading.Lock()
        self._models = Models(settings, lambda models: self._send({"models": models}))
        self._pool = ThreadPoolExecutor(settings.worker_calls, thread_name_prefix="call")
        self._running: dict[int, tuple[Call, Future[None]]] = {}

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
        future = self._pool.submit(self._answer, number, call, name, arguments)
        self._running[number] = (call, future)
        future.add_done_callback(lambda _: self._running.pop(number, None))

    def _cancel(self, number: int) -> None:
        if number in self._running:
            call, future = self._running[number]
            call.cancelled.set()
            future.cancel()

    def _answer(self, number: int, call: Call, name: str, arguments: dict[str, Any]) -> None:
        self._send({"id": number, "started": True})
        try:
            value = handler(self._calls[name])(call, **arguments)
            if isinstance(value, Iterator):
                _drain(call, value)
                value = None
            self._send({"id": number, "value": value})
        except BaseException as error:  # noqa: BLE001 - the one boundary; a tokenizer's panic is no Exception
            self._send({"id": number, "error": self._told(name, error)})

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


def _drain(call: Call, items: Iterator[Any]) -> None:
    """Emit what a generator yields; it is closed as soon as nobody waits for more."""
    for item in items:
        if call.cancelled.is_set():
            break
        call.emit(item)
    close = getattr(items, "close", None)
    if close is not None:
        close()
