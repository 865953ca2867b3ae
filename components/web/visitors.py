"""From an HTTP request to the visitor behind it, and the door that requests of other websites do not pass.

A visitor's token comes, in this order, from what they pasted on the page, from the request's `Authorization` header,
from the Space's sign-in, and, on one's own machine only, from the login of that machine. In public, somebody without
an account owns their runs through a random cookie that their browser got here.
"""

from __future__ import annotations

import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.service.hub import Hub
from components.service.settings import Settings, is_loopback
from components.service.visitor import Visitor

COOKIE = "workbench_guest"
_SAFE = ("GET", "HEAD", "OPTIONS")


#: A pasted token as the session of a page keeps it; an empty text where there is none.
Kept = dict[str, str] | str


def kept(token: str, request: gr.Request) -> Kept:
    """A pasted token for the session of a page, bound to the browser that pasted it.

    A session's id is made up by the browser and is all that Gradio asks for: whoever learns it would act with the
    token that the session holds. The cookie cannot be learned by a script.
    """
    return {"token": token, "guest": _guest(request)} if token else ""


def kept_token(pasted: Kept, request: gr.Request | None) -> str:
    """The token that a session keeps, if this request comes from the browser that pasted it."""
    if not isinstance(pasted, dict):
        return ""
    return pasted["token"] if secrets.compare_digest(pasted["guest"], _guest(request)) else ""


def visitor_of(hub: Hub, request: gr.Request | None, pasted: Kept = "") -> Visitor:
    """The visitor behind a request.

    Args:
        hub: The Hub in use, asked whose token it is (in public only).
        request: The request as Gradio hands it to a handler.
        pasted: What the session keeps of the token that the visitor pasted on the page, if any.

    Raises:
        WorkbenchError: The Hub does not accept the token.
    """
    settings = hub.settings
    token = kept_token(pasted, request) or _bearer(request) or _signed_in(request)
    if not settings.public:
        visitor = Visitor("machine", token or settings.machine_token or False)
        if token:
            hub.whoami(visitor)  # a token that the Hub refuses is told at once
        return visitor
    if token:
        name = hub.whoami(Visitor("", token))["name"]
        return Visitor(f"user:{name}", token, _address(request))
    guest = _guest(request)
    return Visitor(f"guest:{guest}" if guest else "", False, _address(request))


def _address(request: gr.Request | None) -> str:
    """Where a request comes from on the Internet; `Belongings` has put it in the place of the server's peer."""
    return str(getattr(getattr(request, "client", None), "host", ""))


def _guest(request: gr.Request | None) -> str:
    """The random cookie of a browser without an account; empty for a caller that keeps none."""
    cookies: dict[str, str] = (getattr(request, "cookies", None) or {}) if request else {}
    # Anything may come as a cookie, and only ASCII is compared in constant time.
    return str(cookies.get(COOKIE, "")).encode("ascii", "ignore").decode()


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
    `same-origin` or `none`; without it, `Origin` must name this host, or one that the Space is reached by (behind its
    proxy `Host` may be another); with neither, the caller is no browser. One's own machine is asked by its own names
    alone: a website whose name is made to lead here would be of the same origin, and act with the machine's login.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # What stands behind a proxy is asked by the proxy's names.
        if not (self.settings.public or self.settings.root_path or _of_this_machine(headers)):
            answer = PlainTextResponse("This is not an address of the app. Use http://127.0.0.1 with its port.", 403)
            await answer(scope, receive, send)
            return
        if scope["method"] not in _SAFE and not _same_origin(headers, self.settings.space_hosts):
            answer = PlainTextResponse("This request came from another website and was refused.", 403)
            await answer(scope, receive, send)
            return
        if not self.settings.public or COOKIE in cookie_parser(headers.get("cookie", "")):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _with_cookie(send))


def _same_origin(headers: Headers, hosts: tuple[str, ...]) -> bool:
    # A header that is sent twice is a trick: each of them has to say what is right.
    if sites := headers.getlist("sec-fetch-site"):
        return all(site in ("same-origin", "none") for site in sites)
    return all(_netloc(origin) in (headers.get("host"), *hosts) for origin in headers.getlist("origin"))


def _of_this_machine(headers: Headers) -> bool:
    try:
        hosts = [urlsplit(f"//{host}").hostname for host in headers.getlist("host")]
    except ValueError:
        return False
    return bool(hosts) and all(host is not None and is_loopback(host) for host in hosts)


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc or None
    except ValueError:  # such as a bracket that is never closed
        return None


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
