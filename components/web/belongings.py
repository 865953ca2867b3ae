"""What a visitor was given is theirs: in public, Gradio's files, sessions and calls are unknown to everybody else.

Gradio serves a file to whoever has its address, takes an uploaded file from whoever names its path, and gives the
results of a session or a call to whoever knows its id. Here each of them belongs to those to whom the app gave it: the
browser, by its cookie, or the bearer of a token. In a request of anybody else its name is blotted out, so that what is
another's and what never was end in the same answer. What was given to a caller with neither cookie nor token belongs
to nobody, and is found by whoever has its name, which cannot be guessed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.web.addresses import address_of
from components.web.shares import Caller, Shares
from components.web.visitors import COOKIE

Owners = frozenset[str]

#: Sessions and calls that are remembered; Gradio itself keeps the state of as many sessions.
_REMEMBERED = 10_000
#: Gradio puts each file into a folder named by the digest of its content and a secret.
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_KEY = re.compile(rb'"(?:session_hash|event_id)"\s*:\s*"([^"]+)"')
_IN_PATH = re.compile(rb"/(?:heartbeat|stream|call/(?:v2/)?[^/]+)/([^/]+)")
#: Requests that wait for the worker or the Hub: those that join the queue, and those that are answered at once.
_CALLS = re.compile("/(queue/join|call/[^/]+|call/v2/[^/]+)/?$|/inference/.")
_SESSION = re.compile(rb'"session_hash"\s*:\s*"([^"]+)"')
_CALL = re.compile(rb'"event_id"\s*:\s*"([^"]+)"')
#: How the owners of a file are noted, by empty files beside it.
_MARK = ".of-"
EVERYBODY = "everybody"
#: A folder with nothing but marks is removed once it is this old, in seconds.
_OLD = 3600.0


class Belongings:
    """ASGI middleware for a public app.

    It also lets nobody have more calls going on than is fair, since it knows whose each is.

    Args:
        files: Gradio's folder of uploads and results.
        shares: What each visitor may have of the calls.
    """

    def __init__(self, app: ASGIApp, files: Files, shares: Shares) -> None:
        self.app = app
        self.files = files
        self.shares = shares
        self._known: OrderedDict[bytes, Owners] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        caller = caller_of(scope)
        if scope["method"] != "POST" or not _CALLS.search(scope["path"]):
            await self._serve(scope, receive, send, caller)
        elif sentence := self.shares.refusal(caller):
            refused = {"detail": sentence, "error": sentence, "error_type": "overloaded"}
            await JSONResponse(refused, 503)(scope, receive, send)
        else:
            with self.shares.going(caller):
                await self._serve(scope, receive, send, caller)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, caller: Caller) -> None:
        who = caller.owners
        # As far as it is known: the peer may be a proxy.
        scope = {**scope, "client": (caller.address, 0)}
        uploads = scope["path"].endswith("/upload")
        scope = self._without_others(scope, who)
        if scope["method"] == "POST" and not uploads:
            body = await run_in_threadpool(self._body_without_others, await _whole(receive), who)
            receive = _replayed(body, receive)
        await self.app(scope, receive, self._noting(scope, caller, uploads, send))

    def _without_others(self, scope: Scope, who: Owners) -> Scope:
        """The request's address with what is another's blotted out."""
        path, query = scope["path"].encode(), parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        sessions = [value.encode() for name, value in query if name == "session_hash"]
        values = [value.encode() for _, value in query]
        foreign = self._foreign([path, *values], [*_IN_PATH.findall(path), *sessions], who)
        self._remember(sessions, who)
        if not foreign:
            return scope
        path = _blotted(path, foreign)
        asked = urlencode([(name, _blotted(value.encode(), foreign)) for name, value in query])
        return {**scope, "path": path.decode(), "raw_path": path, "query_string": asked.encode()}

    def _body_without_others(self, body: bytes, who: Owners) -> bytes:
        plain = _unescaped(body)
        foreign = self._foreign([plain], _KEY.findall(plain), who)
        self._remember(_SESSION.findall(plain), who)
        return _blotted(plain, foreign) if foreign else body

    def _foreign(self, texts: Iterable[bytes], keys: Iterable[bytes], who: Owners) -> set[bytes]:
        digests = {digest for text in texts for digest in _DIGEST.findall(text)}
        foreign = {digest for digest in digests if not self.files.may(digest.decode(), who)}
        return foreign | {key for key in keys if key in self._known and not self._known[key] & who}

    def _remember(self, keys: Iterable[bytes], who: Owners) -> None:
        """The first who names a session has it."""
        for key in keys if who else ():
            self._known.setdefault(key, who)
            while len(self._known) > _REMEMBERED:
                with suppress(KeyError):  # another thread was quicker
                    self._known.popitem(last=False)

    def _begun(self, calls: list[bytes], caller: Caller) -> None:
        self._remember(calls, caller.owners)
        for call in calls:
            self.shares.note(call.decode(errors="replace"), caller)

    def _noting(self, scope: Scope, caller: Caller, uploads: bool, send: Send) -> Send:
        """`send`, which notes whom the files and the call in the answer belong to."""
        told, tail = False, b""

        async def noted(message: Message) -> None:
            nonlocal told, tail
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                told = headers.get("content-type", "").startswith(("application/json", "text/event-stream"))
            elif told:
                text = tail + message.get("body", b"")
                self.files.note(text, caller.owners, every=uploads)
                if scope["method"] == "POST":
                    self._begun(_CALL.findall(text), caller)
                tail = text[-self.files.reach :]
            await send(message)

        return noted


class Files:
    """Whose the files in Gradio's folder are; the notes lie beside them, so that they outlive the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        place = re.escape(str(folder).encode()) + rb"/([0-9a-f]{64})/"
        self._uploaded = re.compile(place)
        # In a string of JSON the quotes would be escaped: what a visitor makes the app repeat is no file of theirs.
        self._given = re.compile(rb'(?<!\\)"path"\s*:\s*"' + place)
        self.reach = len(str(folder)) + 100
        self._swept = -math.inf

    def may(self, digest: str, who: Owners) -> bool:
        """Whether these may use the files of a folder; there is nothing to be refused in one that is not there."""
        folder = self.folder / digest
        return any((folder / f"{_MARK}{one}").exists() for one in (*who, EVERYBODY)) or not folder.is_dir()

    def note(self, text: bytes, who: Owners, *, every: bool = False) -> None:
        """Note the owners of the files that an answer names: as files, or (`every`) in whatever way."""
        for digest in {found.decode() for found in (self._uploaded if every else self._given).findall(text)}:
            self.mark(digest, who or {EVERYBODY})

    def mark(self, digest: str, who: Iterable[str]) -> None:
        """Note the owners of one folder."""
        self._sweep()
        for one in who:
            with suppress(FileNotFoundError):  # it was deleted just now
                (self.folder / digest / f"{_MARK}{one}").touch()

    def open_all(self, config: Any) -> None:
        """Let everybody have the files that are part of the page itself."""
        self.note(json.dumps(config, default=str).encode(), frozenset({EVERYBODY}))

    def _sweep(self) -> None:
        """Now and then, remove the folders whose files Gradio has deleted."""
        if time.monotonic() - self._swept > _OLD:
            self._swept = time.monotonic()
            threading.Thread(target=self.sweep, daemon=True).start()

    def sweep(self, older: float = _OLD) -> None:
        """Remove the folders that hold nothing but marks, and have so for `older` seconds."""
        for folder in self._marked():
            with suppress(OSError):  # somebody uploads the same again, or another app sweeps too
                if time.time() - folder.stat().st_mtime > older:
                    for mark in folder.iterdir():
                        mark.unlink()
                    folder.rmdir()

    def _marked(self) -> Iterator[Path]:
        for folder in self.folder.iterdir() if self.folder.is_dir() else ():
            if len(folder.name) == 64:
                with suppress(OSError):
                    names = os.listdir(folder)
                    if names and all(name.startswith(_MARK) for name in names):
                        yield folder


def caller_of(scope: Scope) -> Caller:
    """Who sends a request, and where from."""
    headers = Headers(scope=scope)
    peer = (scope.get("client") or ("",))[0]
    return Caller(owners_of(headers), address_of(peer, headers.getlist("x-forwarded-for")))


def owners_of(headers: Headers) -> Owners:
    """Who sends a request, as digests of what they can be known by."""
    known = [cookie_parser(headers.get("cookie", "")).get(COOKIE)]
    known += [headers.get(name) for name in ("authorization", "x-hf-authorization")]
    return frozenset(_digest(one) for one in known if one)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` with the body that was read already; what comes after it is that the caller is gone."""
    left = [body]

    async def replay() -> Message:
        return {"type": "http.request", "body": left.pop()} if left else await receive()

    return replay


def _unescaped(body: bytes) -> bytes:
    """A body of JSON as plain text: its letters can be written as escapes, and it in UTF-16."""
    if b"\\u" not in body and json.detect_encoding(body).startswith("utf-8"):
        return body
    try:
        return json.dumps(json.loads(body), ensure_ascii=True).encode()
    except (ValueError, RecursionError):
        return body


def _blotted(text: bytes, names: set[bytes]) -> bytes:
    for name in names:
        text = text.replace(name, b"0" * len(name))
    return text
