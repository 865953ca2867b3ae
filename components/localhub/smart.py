"""Git's own way in: `git clone`, `git fetch` and `git push` over smart HTTP, with a token as the password."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from dulwich.errors import GitProtocolError, HangupException
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from components.localhub import discussions, fetch, receive
from components.localhub.accounts import Account
from components.localhub.discussions import OPEN
from components.localhub.errors import HubError
from components.localhub.fetch import Fetch, Question
from components.localhub.hub import Hub, address, forbidden, in_thread
from components.localhub.receive import Push
from components.localhub.repositories import Repository

#: Largest push and largest question of a fetch, in bytes. (Large files travel by git-lfs, not in the push.)
PUSH_BYTES = 2 * 1024**3
FETCH_BYTES = 16 * 1024**2
_NO_CACHE = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
_STEP = 256 * 1024


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def advertise(request: Request) -> Response:
        service = request.query_params.get("service", "")
        if service == "git-receive-pack":
            repository, _ = _pushable(hub, request)
            lines = receive.advertisement(repository)
        elif service == "git-upload-pack":
            lines = fetch.advertisement(hub.open_repository(request))
        else:
            raise HubError(403, "Only smart HTTP is spoken here: please upgrade your git client.")
        body = _packets([f"# service={service}".encode()]) + _packets(lines)
        return Response(body, headers=_NO_CACHE, media_type=f"application/x-{service}-advertisement")

    async def upload_pack(request: Request) -> Response:
        repository = await in_thread(hub.open_repository, request)
        file = await _body(hub, request, FETCH_BYTES)
        return await _answer(hub, "git-upload-pack", file, lambda out: _fetch(repository, file, out))

    async def receive_pack(request: Request) -> Response:
        repository, account = await in_thread(_pushable, hub, request)
        file = await _body(hub, request, PUSH_BYTES)
        work = Push(repository, account, file, hub.repositories.scratch)
        return await _answer(hub, "git-receive-pack", file, work.run)

    return [
        route
        for start in ("/{namespace}/{name}", "/{kind:kind}/{namespace}/{name}")
        for prefix in (f"{start}.git", start)
        for route in (
            Route(prefix + "/info/refs", advertise),
            Route(prefix + "/git-upload-pack", upload_pack, methods=["POST"]),
            Route(prefix + "/git-receive-pack", receive_pack, methods=["POST"]),
        )
    ]


def _pushable(hub: Hub, request: Request) -> tuple[Repository, Account]:
    """The repository in the request's address, if the asker may push something to it, and the asker."""
    account = hub.signed_in(request)
    repository = hub.readable(account, *address(request))
    if not account.may_write:
        raise forbidden(account)
    mine = (item for item in discussions.every(repository) if item["author"]["name"] == account.name)
    if account.owns(repository.namespace) or any(item["isPullRequest"] and item["status"] in OPEN for item in mine):
        return repository, account
    raise forbidden(account)


def _fetch(repository: Repository, file: Path, output: BinaryIO) -> None:
    with file.open("rb") as stream:
        try:
            question = Question(stream)
        except (GitProtocolError, HangupException, AssertionError, ValueError) as error:
            raise HubError(400, "The request cannot be understood as git's protocol.") from error
    Fetch(repository, question).run(output)


def _packets(lines: Iterable[bytes]) -> bytes:
    return b"".join(f"{len(line) + 5:04x}".encode() + line + b"\n" for line in lines) + b"0000"


async def _body(hub: Hub, request: Request, limit: int) -> Path:
    """The request's body in a file, unzipped if git zipped it; 413 above `limit` bytes."""
    descriptor, name = tempfile.mkstemp(prefix="git-", dir=hub.repositories.scratch)
    zipped = request.headers.get("content-encoding") == "gzip"
    unzip = zlib.decompressobj(31) if zipped else None
    file, size = Path(name), 0
    try:
        with os.fdopen(descriptor, "wb") as stream:
            async for chunk in request.stream():
                for data in _unzipped(unzip, chunk):
                    size += len(data)
                    if size > limit:
                        raise HubError(413, f"The request is larger than {limit} bytes.")
                    await in_thread(stream.write, data)
    except BaseException:
        file.unlink()
        raise
    return file


def _unzipped(unzip: zlib._Decompress | None, chunk: bytes) -> Iterator[bytes]:
    if unzip is None:
        yield chunk
        return
    while chunk:
        try:
            yield unzip.decompress(chunk, _STEP)
        except zlib.error as error:
            raise HubError(400, "The request's body is not gzip.") from error
        chunk = unzip.unconsumed_tail


async def _answer(hub: Hub, service: str, file: Path, work: Callable[[BinaryIO], None]) -> Response:
    """Run git's side of the conversation into a file, then send it."""
    output = tempfile.TemporaryFile("w+b", dir=hub.repositories.scratch)  # noqa: SIM115 - closed when it is sent
    try:
        await in_thread(work, output)
    except BaseException:
        output.close()
        raise
    finally:
        file.unlink()
    output.seek(0)
    chunks = iter(lambda: output.read(_STEP), b"")
    media_type = f"application/x-{service}-result"
    return StreamingResponse(chunks, headers=_NO_CACHE, media_type=media_type, background=BackgroundTask(output.close))
