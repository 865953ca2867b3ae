"""From an HTTP request to the visitor behind it, and the door that requests of other websites do not pass.

A visitor's token comes, in this order, from what they pasted on the page, from the request's `Authorization` header,
from the Space's sign-in, and, on one's own machine only, from the login of that machine. In public, somebody without
an account owns their runs through a random cookie that their browser got here.
"""

from __future__ import annotations

import secrets
import time
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.service.hub import Hub
from components.service.settings import Settings
from components.service.visitor import Visitor

COOKIE = "workbench_guest"
_SAFE = ("GET", "HEAD", "OPTIONS")


def visitor_of(hub: Hub, request: gr.Request | None, pasted: str = "") -> Visitor:
    """The visitor behind a request.

    Args:
        hub: The Hub in use, asked whose token it is (in public only).
        request: The request as Gradio hands it to a handler.
        pasted: The token that the visitor pasted on the page in this session, if any.

    Raises:
        WorkbenchError: The Hub does not accept the token.
    """
    settings = hub.settings
    token = pasted.strip() or _bearer(request) or _signed_in(request)
    if not settings.public:
        visitor = Visitor("machine", token or settings.machine_token or False)
        if token:
            hub.whoami(visitor)  # a token that the Hub refuses is told at once
        return visitor
    if token:
        name = hub.whoami(Visitor("", token))["name"]
        return Visitor(f"user:{name}", token)
    guest = str((request.cookies or {}).get(COOKIE, "")) if request else ""
    return Visitor(f"guest:{guest}" if guest else "")


def _bearer(request: gr.Request | None) -> str:
    if request is None:
        return ""
    headers = dict(request.headers)
    value = headers.get("x-hf-authorization") or headers.get("authorization") or ""
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _signed_in(request: gr.Request | None) -> str:
    """The token of the Space's own sign-in, which lives in the signed session cookie."""
    if request is None or gr.utils.get_space() is None:
        return ""
    session: dict[str, Any] = getattr(request, "session", None) or {}
    login = session.get("oauth_info") or {}
    return str(login.get("access_token", "")) if login.get("expires_at", 0) > time.time() else ""


class Door:
    """ASGI middleware: refuses what another website sends, and gives guests of a public app their cookie.

    The rules are those of Go's `CrossOriginProtection`: safe methods pass; otherwise `Sec-Fetch-Site` must say
    `same-origin` or `none`; without it, `Origin` must name this host; with neither, the caller is no browser.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE and not _same_origin(headers):
            answer = PlainTextResponse("This request came from another website and was refused.", 403)
            await answer(scope, receive, send)
            return
        if not self.settings.public or COOKIE in SimpleCookie(headers.get("cookie", "")):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _with_cookie(send))


def _same_origin(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _with_cookie(send: Send) -> Send:
    # A Space is shown in a frame of another site, where only a cookie marked so is kept.
    attributes = "Path=/; HttpOnly; Max-Age=31536000; " + (
        "SameSite=None; Secure; Partitioned" if gr.utils.get_space() else "SameSite=Lax"
    )

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append("set-cookie", f"{COOKIE}={secrets.token_urlsafe(32)}; {attributes}")
        await send(message)

    return marked
