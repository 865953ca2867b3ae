"""How long the body of a request may be, and how much disk uploads leave.

Gradio bounds each uploaded file alone, and would read any JSON into memory and take files until the disk is full.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.service.disk import spare_disk
from components.service.settings import Settings
from components.service.sizes import MB, in_units
from components.web.belongings import caller_of

#: Gradio bounds these itself, by `max_file_size`.
_UPLOADS = "/gradio_api/upload"
#: How long an upload counts, in seconds: Gradio deletes it about then.
_HOUR = 3600.0


class _TooLong(Exception):
    """The body is longer than it may be."""


class RequestBound:
    """ASGI middleware: refuses a body (413) that is longer than an uploaded file in base64 with its surroundings.

    And an upload (507) where the disk would not keep as much free as it has to, or (429) where a visitor of a public
    app has sent too much within the hour.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.most = settings.upload_bytes * 4 // 3 + 1 * MB
        self.hourly = Hourly(settings.hourly_upload_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(_UPLOADS):
            await self._upload(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told) > self.most:
            await self._refuse(scope, receive, send)
            return
        body = _Body(receive, send, self.most)
        if not await self._passed_on(scope, body):
            await self._refuse(scope, receive, send)

    async def _passed_on(self, scope: Scope, body: _Body) -> bool:
        """Let the app answer; whether it could, the body being no longer than it may be."""
        try:
            await self.app(scope, body.receive, body.send)
        except _TooLong:
            pass
        return body.answered or not body.too_long

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self.app(scope, receive, send)
        elif spare_disk(Path(get_upload_folder()), self.settings.free_disk_bytes) < 0:
            sentence = "The disk of the app is nearly full, so nothing can be uploaded now. Try again in an hour."
            await _cut(sentence, 507)(scope, receive, send)
        elif not self.settings.public:
            await self.app(scope, receive, send)
        else:
            who = _known_by(scope)
            body = _Body(receive, send, self.hourly.left(who), lambda size: self.hourly.add(who, size))
            if not await self._passed_on(scope, body):
                most = in_units(self.settings.hourly_upload_bytes)
                await _cut(f"Within an hour you may upload {most}. Wait, or send less.", 429)(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = f"The request is longer than the {in_units(self.most)} that are allowed here. Send less at once."
        await _cut(sentence, 413)(scope, receive, send)


class Hourly:
    """What came within an hour from each, in bytes: by a cookie, by a token, from an address.

    Args:
        most: How much may come.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        #: When an hour began, and what has come in it; the oldest first.
        self._came: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def left(self, who: Iterable[str]) -> int:
        """What may still come from them."""
        while self._came and time.monotonic() - next(iter(self._came.values()))[0] > _HOUR:
            self._came.popitem(last=False)
        return self._most - max(self._came.get(one, (0.0, 0))[1] for one in who)

    def add(self, who: Iterable[str], size: int) -> None:
        """So much has come from them."""
        for one in who:
            began, came = self._came.get(one, (time.monotonic(), 0))
            self._came[one] = (began, came + size)


class _Body:
    """A body that is counted while it is read; what is answered to one that is cut off does not count."""

    def __init__(self, receive: Receive, send: Send, most: int, told: Callable[[int], object] = int) -> None:
        self._receive, self._send, self._left, self._told = receive, send, most, told
        self.too_long = self.answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        size = len(message.get("body", b""))
        self._told(size)
        self._left -= size
        if self._left < 0:
            self.too_long = True
            raise _TooLong
        return message

    async def send(self, message: Message) -> None:
        if not self.too_long or self.answered:
            self.answered = True
            await self._send(message)


def _known_by(scope: Scope) -> frozenset[str]:
    """What an upload is counted for; those of whom nothing is known are counted together."""
    caller = caller_of(scope)
    return caller.owners | {caller.address} if caller.address or not caller.owners else caller.owners


def _cut(sentence: str, status: int) -> Response:
    """A refusal of a body that is not read to its end, after which the connection is of no more use."""
    return PlainTextResponse(sentence, status, {"Connection": "close"})
