"""What every answer tells the browser: where the page's parts may come from, who may frame it, what not to guess.

Beside the service's own escaping and Gradio's sanitiser this is the last line: a script that a stranger smuggled into
the page does not run, a picture or a request to another host is not made, and an uploaded file that is opened as a
page of its own may do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: A script that stands in the page itself, and its text.
_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc\s*=)[^>]*>(.*?)</script\s*>", re.S | re.I)
#: Files of visitors and those made for them.
_FILES = "/gradio_api/file"
#: For these nothing is allowed, and the browser treats them as of no origin, so that no cookie of the app is theirs.
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; sandbox"


class AnswerHeaders:
    """ASGI middleware: a content security policy for pages and files, and what holds for all answers.

    Args:
        app: What answers.
        hub: The website that may show the page in a frame and that the page may ask, as huggingface.co does with a
            Space; empty where the app stands alone.
    """

    def __init__(self, app: ASGIApp, hub: str = "") -> None:
        self.app = app
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Marked(send, self.hub, file=scope["path"].startswith(_FILES)))


class _Marked:
    """Sends one answer with its headers. The start of a page waits for its end, since its scripts are hashed."""

    def __init__(self, send: Send, hub: str, *, file: bool) -> None:
        self._send = send
        self._hub = hub
        self._file = file
        self._start: Message | None = None
        self._page = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            # A link to a view holds what was typed: other websites are not told of it.
            headers["Referrer-Policy"] = "same-origin"
            if self._file:
                headers["Content-Security-Policy"] = _FILE_POLICY
            elif headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None:
            self._page += message.get("body", b"")
            if message.get("more_body"):
                return
            MutableHeaders(scope=self._start)["Content-Security-Policy"] = page_policy(bytes(self._page), self._hub)
            start, self._start = self._start, None
            await self._send(start)
            message = {**message, "body": bytes(self._page)}
        await self._send(message)


def page_policy(page: bytes, hub: str = "") -> str:
    """The content security policy for a page.

    Args:
        page: Its HTML. The scripts that stand in it when it leaves the server may run, and no others.
        hub: As of `AnswerHeaders`.
    """
    hashes = " ".join(sorted({_hash(script) for script in _SCRIPT.findall(page)}))
    also = f" {hub}" if hub else ""
    return "; ".join(
        (
            "default-src 'none'",
            # Gradio makes functions of the JavaScript that an app brings (`js=`), which the browser counts as eval.
            f"script-src 'self' 'unsafe-eval' {hashes}",
            # Gradio and Svelte set styles on elements; without scripts these can draw, and nothing else.
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob:{also}",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' data: blob:{also}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors 'self'{also}",
        )
    )


def _hash(script: bytes) -> str:
    # The browser hashes what its parser made of the text, which has no carriage returns.
    text = script.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
