"""How long the body of a request may be, and how much disk uploads leave.

Gradio bounds each uploaded file alone, and would read any JSON into memory and take files until the disk is full.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gradio.utils import get_upload_folder
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.service.settings import Settings
from components.service.sizes import MB, in_units

#: Gradio bounds these itself, by `max_file_size`.
_UPLOADS = "/gradio_api/upload"


class _TooLong(Exception):
    """The body is longer than it may be."""


class RequestBound:
    """ASGI middleware: refuses a body (413) that is longer than an uploaded file in base64 with its surroundings.

    And an upload (507) where the disk would not keep as much free as it has to.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.free = settings.free_disk_bytes
        self.most = settings.upload_bytes * 4 // 3 + 1 * MB

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(_UPLOADS):
            if scope["method"] == "POST" and free_disk(Path(get_upload_folder())) < self.free:
                sentence = "The disk of the app is nearly full, so nothing can be uploaded now. Try again in an hour."
                await PlainTextResponse(sentence, 507, {"Connection": "close"})(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        if told.isdecimal() and int(told) > self.most:
            await self._refuse(scope, receive, send)
            return
        body = _Body(receive, send, self.most)
        try:
            await self.app(scope, body.receive, body.send)
        except _TooLong:
            pass
        if body.too_long and not body.answered:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        sentence = f"The request is longer than the {in_units(self.most)} that are allowed here. Send less at once."
        # The rest of the body is not read, so the connection is of no more use.
        await PlainTextResponse(sentence, 413, {"Connection": "close"})(scope, receive, send)


def free_disk(folder: Path) -> int:
    """Free space on the disk of a folder that may have yet to be made, in bytes."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


class _Body:
    """A body that is counted while it is read; what is answered to one that is cut off does not count."""

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive, self._send, self._left = receive, send, most
        self.too_long = self.answered = False

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.too_long = True
            raise _TooLong
        return message

    async def send(self, message: Message) -> None:
        if not self.too_long or self.answered:
            self.answered = True
            await self._send(message)
