"""One call in a process that was forked for it, on a GPU that is lent for as long as it takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

from components.service.settings import Settings
from components.service.worker.blame import told
from components.service.worker.calls import CALLS, Call, handler
from components.service.worker.models import Models
from components.service.worker.server import drain

Answer = tuple[str, Any]

#: The models of this process: the same fork may be handed several calls, one after another.
_models: list[Models] = []


def answers(settings: Settings, name: str, arguments: dict[str, Any]) -> Iterator[Answer]:
    """What the call `name` of the worker's table answers.

    Yields:
        `("item", value)` for each value of a stream, and last `("value", value)` or `("error", {kind, message,
        field})`; closing the generator stops the work.
    """
    if not _models:
        _models.append(Models(settings, lambda _held: None))
    box: SimpleQueue[Answer] = SimpleQueue()
    call = Call(settings, _models[0], lambda item: box.put(("item", item)))
    threading.Thread(target=_work, args=(call, name, arguments, box), name="lent", daemon=True).start()
    try:
        answer = box.get()
        while answer[0] == "item":
            yield answer
            answer = box.get()
        yield answer
    finally:
        call.cancelled.set()


def _work(call: Call, name: str, arguments: dict[str, Any], box: SimpleQueue[Answer]) -> None:
    try:
        value = handler(CALLS[name])(call, **arguments)
        if isinstance(value, Iterator):
            drain(call, value)
            value = None
        box.put(("value", value))
    except BaseException as error:  # noqa: BLE001 - the boundary of this process; a tokenizer's panic is no Exception
        one = told(f"call {name}", error)
        box.put(("error", {"kind": one.kind, "message": one.message, "field": one.field}))
