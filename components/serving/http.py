"""What all routes of the Inference API share: bodies of bounded size, who is asking, failures as sentences, events."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any, TypeVar

import gradio as gr
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from components.api import uploads_only
from components.service.errors import SORRY, Kind, WorkbenchError, tellable
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.sizes import in_units
from components.service.visitor import Visitor
from components.web.visitors import visitor_of

log = logging.getLogger("workbench")

#: The status of each kind of failure.
STATUS: dict[Kind, int] = {
    "input": 400,
    "not_found": 404,
    "conflict": 409,
    "forbidden": 403,
    "busy": 503,
    "timeout": 504,
    "memory": 507,
    "crashed": 500,
    "hub": 502,
    "disk": 507,
    "code": 500,
}
#: What Text Generation Inference calls a failure of each status; `InferenceClient` raises by it.
_TYPES = {400: "validation", 413: "validation", 422: "validation", 503: "overloaded"}
#: What a body may take beside a file in base64, in bytes.
_BESIDE = 100_000

#: What people write where a client library insists on a key and there is none.
_NO_KEY = ("", "-", "none", "empty", "dummy", "not-needed", "no-key")

Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")
#: Threads for what waits for the worker or the Hub: the server has forty others, which every request needs.
_THREADS = CapacityLimiter(64)


class Refusal(Exception):
    """A request that is refused with a status of its own."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def endpoint(handler: Handler) -> Handler:
    """The handler with its failures as JSON: `{"error": sentence, "error_type": word}`."""

    @functools.wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except (WorkbenchError, Refusal) as error:
            # After a body that was not read to its end, the connection is of no more use.
            closing = {"Connection": "close"} if status_of(error) == 413 else None
            return JSONResponse(failure(error), status_of(error), closing)
        except Exception as error:  # a defect is told in general; the log has it
            if (said := tellable(error)) is not None:
                return JSONResponse(failure(said), status_of(said))
            log.error("A defect", exc_info=error)
            return JSONResponse({"error": SORRY, "error_type": "unknown"}, 500)

    return answered


def status_of(error: WorkbenchError | Refusal) -> int:
    """The HTTP status of a failure; a parameter that cannot be is 422, as servers have it."""
    if isinstance(error, Refusal):
        return error.status
    if error.kind == "input" and (error.field or "").startswith("parameters"):
        return 422
    return STATUS[error.kind]


def failure(error: WorkbenchError | Refusal) -> dict[str, Any]:
    """A failure as JSON."""
    return {"error": error.message, "error_type": _TYPES.get(status_of(error), "generation")}


async def in_thread(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """What a function gives, which may wait long, in a thread of these routes' own."""
    return await to_thread.run_sync(functools.partial(function, *args, **kwargs), limiter=_THREADS)


async def visitor(hub: Hub, request: Request) -> Visitor:
    """Who is asking, by the request's bearer token.

    Raises:
        Refusal: The Hub does not accept the token (401).
    """
    client = {"host": request.client.host} if request.client else None
    headers = dict(request.headers)
    if headers.get("authorization", "").lower().removeprefix("bearer").strip() in _NO_KEY:
        headers.pop("authorization", None)
    asked = gr.Request(headers=headers, cookies=dict(request.cookies), client=client)
    try:
        return await in_thread(visitor_of, hub, asked)
    except WorkbenchError as error:
        if error.kind != "forbidden":
            raise
        raise Refusal(error.message, 401) from None


async def read_body(request: Request, settings: Settings) -> bytes:
    """The body, read only as far as it may be long.

    Raises:
        Refusal: It is longer (413).
    """
    most = settings.media_bytes * 4 // 3 + max(_BESIDE, 4 * settings.text_chars)
    told = request.headers.get("content-length", "")
    body = bytearray()
    if not told.isdecimal() or int(told) <= most:
        async for part in request.stream():
            body += part
            if len(body) > most:
                break
        else:
            return bytes(body)
    raise Refusal(f"The request is longer than the {in_units(most)} that are allowed here.", 413)


async def read_json(request: Request, settings: Settings) -> dict[str, Any]:
    """The body as a JSON object."""
    return parse(await read_body(request, settings))


def parse(body: bytes) -> dict[str, Any]:
    """A body as a JSON object.

    Raises:
        WorkbenchError: It is none.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise WorkbenchError("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise WorkbenchError('The body must be a JSON object, such as {"inputs": "I love this"}.')
    # A path in a body names a file of this machine: only one that was uploaded to the app may be read.
    return {name: uploads_only(one) for name, one in value.items()}


async def events(items: Iterator[Any], render: Callable[[Any], Iterable[Any]], end: str = "") -> Response:
    """Items as server-sent events, each rendered as JSON values.

    A failure before the first item is raised, so that it has a status; one after that is an event of its own. When the
    client is gone, the iterator is closed, which stops the work.
    """
    first = await in_thread(next, items, None)

    async def lines() -> AsyncIterator[str]:
        item = first
        try:
            while item is not None:
                for value in render(item):
                    yield f"data: {json.dumps(value)}\n\n"  # in ASCII: clients end a line at U+2028, too
                item = await in_thread(next, items, None)
            if end:
                yield f"data: {end}\n\n"
        except WorkbenchError as error:
            yield f"data: {json.dumps(failure(error))}\n\n"
        finally:
            items.close()  # type: ignore[attr-defined]

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})
