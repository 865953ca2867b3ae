"""The ASGI app of an embedded Hub. Each module with routes is a part; a further part is one more line here."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from components.localhub import (
    commits,
    community,
    copies,
    files,
    gates,
    history,
    lfs,
    lfs_files,
    likes,
    listing,
    manage,
    multipart,
    people,
    preupload,
    smart,
    tags,
)
from components.localhub.errors import HubError, repository_not_found, respond
from components.localhub.hub import Hub, address
from components.localhub.rehearsal import Rehearsal
from components.localhub.seed import seed as publish_seed

PARTS = (
    people,
    manage,
    copies,
    gates,
    likes,
    community,
    listing,
    tags,
    preupload,
    commits,
    multipart,
    lfs,
    lfs_files,
    smart,
    files,
    history,
)
_NO_PAGE = (
    "There is no page here: this is an embedded Hub, which serves huggingface_hub, git and other programs alone.\n"
    "To look at a repository, open the Hub tab of the app.\n"
)


class _Choice(StringConvertor):
    """A path segment that is one of a few words."""

    def __init__(self, regex: str) -> None:
        self.regex = regex


register_url_convertor("kinds", _Choice("models|datasets|spaces"))
register_url_convertor("kind", _Choice("datasets|spaces"))
register_url_convertor("refgroup", _Choice("branch|tag"))


class RawPath:
    """Lets the routes see the path as it was sent: `refs%2Fpr%2F1` is one segment, and stays one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].partition(b"?")[0].decode("ascii", "replace")}
        await self.app(scope, receive, send)


def _disk_failed(request: Request, error: Exception) -> Response:
    """507 when the disk is full, 404 when the repository was deleted while the request was at work on it."""
    assert isinstance(error, OSError)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        full = HubError(507, "The Hub's disk is full: delete something there, then try again.")
        return respond(request, full)
    hub: Hub = request.app.state.hub
    kind, repo_id = address(request)
    if isinstance(error, FileNotFoundError) and hub.repositories.find(kind, *repo_id.split("/")) is None:
        return respond(request, repository_not_found(signed_in=True))
    raise error


def _no_page(_request: Request, _error: Exception) -> Response:
    """404 for somebody who opens an address in a browser: the same whether a repository is there or not."""
    return PlainTextResponse(_NO_PAGE, 404)


def _hung_up(_request: Request, _error: Exception) -> Response:
    """The client is gone: nobody reads this answer."""
    return Response(status_code=400)


def create_app(
    root: Path | str,
    *,
    user: str | None = None,
    token: str | None = None,
    seed: Path | str | None = None,
    hosts: Sequence[str] | None = None,
    test: bool = False,
    patience: float = 0.0,
) -> Starlette:
    """An embedded Hub.

    Args:
        root: Folder of everything it keeps; made if missing. One server at a time may use it.
        user: Name of an account to add, with `token`. Without one, nobody new can write.
        token: That account's token. Only its hash is kept.
        seed: Folder of repositories to publish at the start: see `seed.seed`.
        hosts: Names under which the server may be asked (the Host header); any name if None. A server on loopback
            should set it, or a web page could reach it by a name that it points at this machine.
        test: Whether anyone may read a log of the requests and ask for faults: see `rehearsal`.
        patience: Seconds to wait for a server that still uses `root`.

    Raises:
        RuntimeError: Another server is using `root`.
        ValueError: The name of the account or of a seeded repository is not allowed.
    """
    hub = Hub(Path(root), patience)
    if user is not None:
        hub.accounts.add(user, token or "")
    if seed is not None:
        publish_seed(hub, Path(seed))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        hub.close()

    app = Starlette(
        routes=_routes(hub),
        exception_handlers={HubError: respond, ClientDisconnect: _hung_up, OSError: _disk_failed, 404: _no_page},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.add_middleware(RawPath)
    if test:
        app.add_middleware(Rehearsal)
    if hosts is not None:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.state.hub = hub
    return app


def _routes(hub: Hub) -> list[Route]:
    def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def missing(request: Request) -> Response:
        """An address of a repository that cannot exist, such as one without a namespace."""
        if "text/html" in request.headers.get("accept", ""):
            raise HTTPException(404)
        raise repository_not_found(signed_in=hub.account(request) is not None)

    routes = [Route("/health", health)]
    routes += [route for part in PARTS for route in part.routes(hub)]
    routes += [Route("/api/{kind:kinds}/{rest:path}", missing), Route("/{name}/{verb}/{rest:path}", missing)]
    return routes
