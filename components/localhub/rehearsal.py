"""Switches for tests of clients, under /test, where the server was started with `--test`: a log and faults.

GET /test/requests lists the requests so far: method, path, query, status, bytes, seconds, and `token`, the first twelve
digits of the SHA-256 of the token that came with it, or null. DELETE forgets them.

POST /test/faults adds a fault, a JSON object. `path` (a regular expression, searched in the path) and `method` say
which requests it is for, `times` how many of them (all if missing). What happens: `seconds` of waiting; then an answer
with `status`, `message`, `code` (the X-Error-Code) and `headers`, or, with `drop`, the true answer, cut after that many
bytes of its body. GET lists the faults that are left, DELETE removes them. Anyone who reaches the server may do this.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.localhub.errors import HubError, respond
from components.localhub.hub import read_json

REQUESTS = 10_000


@dataclass
class Fault:
    """What happens to the requests that match."""

    path: str = ""
    method: str = ""
    times: int | None = None
    seconds: float = 0
    status: int | None = None
    message: str = "A fault that a test asked for"
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: int | None = None

    def matches(self, scope: Scope) -> bool:
        """Whether the fault is for that request."""
        return self.times != 0 and self.method in ("", scope["method"]) and bool(re.search(self.path, scope["path"]))


class Rehearsal:
    """Notes the requests to `app`, and spoils those that a test wants spoiled."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._requests: deque[dict[str, Any]] = deque(maxlen=REQUESTS)
        self._faults: list[Fault] = []
        routes = [
            Route("/test/requests", self._log, methods=["GET", "DELETE"]),
            Route("/test/faults", self._change, methods=["GET", "POST", "DELETE"]),
        ]
        self._routes = {route.path: route for route in routes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] in self._routes:
            await self._control(scope, receive, send)
        else:
            await self._watched(scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._routes[scope["path"]].handle(scope, receive, send)
        except HubError as error:
            await respond(Request(scope), error)(scope, receive, send)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"].decode("latin-1")
        entry = {"method": scope["method"], "path": scope["path"], "query": query, "status": None, "bytes": 0}
        entry["token"] = _digest(Headers(scope=scope).get("authorization", ""))
        self._requests.append(entry)
        began = time.monotonic()
        fault = next((fault for fault in self._faults if fault.matches(scope)), None)

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            entry["bytes"] += len(message.get("body", b""))
            await send(message)

        await (self._spoil(fault, scope, receive, noted) if fault else self._app(scope, receive, noted))
        entry["seconds"] = round(time.monotonic() - began, 4)

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        fault.times = None if fault.times is None else fault.times - 1
        await anyio.sleep(fault.seconds)
        if fault.status is not None:
            error = HubError(fault.status, fault.message, fault.code, headers=fault.headers)
            await respond(Request(scope), error)(scope, receive, send)
        elif fault.drop is not None:
            await self._app(scope, receive, _Cut(send, fault.drop))
        else:
            await self._app(scope, receive, send)

    def _log(self, request: Request) -> Response:
        listed = list(self._requests)
        if request.method == "DELETE":
            self._requests.clear()
        return JSONResponse(listed)

    async def _change(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._faults.clear()
        elif request.method == "POST":
            try:
                fault = Fault(**await read_json(request))
                re.compile(fault.path)
            except (TypeError, re.error) as error:
                raise HubError(400, f"That is not a fault: {error}") from error
            self._faults.append(fault)
        return JSONResponse([asdict(fault) for fault in self._faults if fault.times != 0])


def _digest(authorization: str) -> str | None:
    token = authorization.rpartition(" ")[2]
    return hashlib.sha256(token.encode()).hexdigest()[:12] if token else None


class _Cut:
    """Sends the beginning of an answer's body; the server then closes the connection, for the answer never ends."""

    def __init__(self, send: Send, left: int) -> None:
        self._send = send
        self._left = left

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body = message.get("body", b"")[: self._left]
        self._left -= len(body)
        if body:
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
