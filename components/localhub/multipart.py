"""Large files in parts, as huggingface_hub sends them: each part goes to its own address, then the whole is checked."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.grants import GRANT_SECONDS, check_grant, grant, objects_url
from components.localhub.hub import Hub, in_blocks, in_thread, param
from components.localhub.lfs_store import store_file
from components.localhub.repositories import Repository

#: Larger files are sent in parts, of this size or, for a very large file, in `MOST_PARTS` parts; in bytes.
PART_BYTES = 64 * 1024**2
MOST_PARTS = 1000
WRONG_SIZE = "A part does not have the agreed size."


def part_bytes(size: int) -> int:
    """Size of the parts (but for the last one) of a file of `size` bytes."""
    return max(PART_BYTES, -(-size // MOST_PARTS))


def upload_action(hub: Hub, request: Request, repository: Repository, oid: str, size: int) -> dict[str, Any]:
    """Where a client is to send the parts of a file, and its word that all are sent."""
    upload = secrets.token_hex(16)
    place = f"{objects_url(request, repository)}/{oid}/parts/{upload}"
    step = part_bytes(size)
    header = {"chunk_size": str(step)}
    for number in range(1, -(-size // step) + 1):
        header[str(number)] = f"{place}/{number}?{grant(hub, repository, oid, size, f'PART {upload} {number}')}"
    return {"href": f"{place}?{grant(hub, repository, oid, size, f'PARTS {upload}')}", "header": header}


@dataclass
class Arriving:
    """A file of which parts are there: `digest` covers those before `next`, as long as they come in order, and
    `writers` are at work on others. `flushing` brings the last one to disk while the next one arrives."""

    digest: Any = field(default_factory=hashlib.sha256)
    next: int = 1
    writers: int = 0
    flushing: asyncio.Task[None] | None = None


class Parts:
    """The files that are arriving in parts, each under the name of its upload."""

    #: Uploads whose digest is kept up while they arrive; those before are hashed at the end.
    MOST = 1000

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._arriving: dict[str, Arriving] = {}

    def _file(self, upload: str) -> Path:
        return self._folder / f"parts-{upload}"

    def sweep(self) -> None:
        """Drop what nobody finished in time."""
        for file in self._folder.glob("parts-*"):
            if file.stat().st_mtime < time.time() - GRANT_SECONDS:
                file.unlink(missing_ok=True)
        for upload in [key for key, state in self._arriving.items() if not state.writers][: -self.MOST]:
            del self._arriving[upload]

    async def receive(self, upload: str, number: int, size: int, chunks: AsyncIterator[bytes]) -> None:
        """Write one part to its place; 400 if its size is not the agreed one."""
        state = self._arriving.setdefault(upload, Arriving())
        state.writers += 1
        step = part_bytes(size)
        start = (number - 1) * step
        digest = state.digest.copy() if state.next == number else None
        try:
            descriptor = await in_thread(os.open, self._file(upload), os.O_WRONLY | os.O_CREAT, 0o600)
            part = _Part(descriptor, start, min(start + step, size), digest)
            try:
                await in_blocks(chunks, part.write)
                if part.position != part.end:
                    raise HubError(400, WRONG_SIZE)
                await self.flushed(upload)
                state.flushing = asyncio.create_task(in_thread(_flush, os.dup(descriptor)))
            finally:
                os.close(descriptor)
        finally:
            state.writers -= 1
        if digest is not None and state.next == number:
            state.digest, state.next = digest, number + 1

    async def flushed(self, upload: str) -> None:
        """Wait until the parts are on disk that came before; raises what went wrong there."""
        state = self._arriving.get(upload)
        if state is not None and state.flushing is not None:
            await state.flushing

    def finish(self, repository: Repository, upload: str, oid: str, size: int) -> None:
        """Keep the file; 400 if it is not what was announced."""
        file, state = self._file(upload), self._arriving.get(upload)
        if state and state.writers:  # a part that is written later would change the file unseen
            raise HubError(409, "A part of this upload is still arriving.")
        self._arriving.pop(upload, None)
        if repository.large_file(oid).exists():  # the client asks again, or another one was faster
            file.unlink(missing_ok=True)
            return
        complete = state is not None and state.next > -(-size // part_bytes(size))
        found = state.digest.hexdigest() if state and complete else _digest(file)
        if found != oid or file.stat().st_size != size:
            file.unlink(missing_ok=True)
            raise HubError(400, "The content that was sent does not have the announced size and SHA-256.")
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        store_file(repository, file, oid)


@dataclass
class _Part:
    """The place of one part in a file, `position` to `end`, and the digest that goes along, if one does."""

    descriptor: int
    position: int
    end: int
    digest: Any

    def write(self, data: bytes) -> None:
        """Write the next bytes; 400 beyond the end, where another part begins."""
        if self.position + len(data) > self.end:
            raise HubError(400, WRONG_SIZE)
        view = memoryview(data)
        while view:
            written = os.pwrite(self.descriptor, view, self.position)
            view, self.position = view[written:], self.position + written
        if self.digest is not None:
            self.digest.update(data)


def _flush(descriptor: int) -> None:
    """Bring what was written to disk: at the end of a large file, little is then left to wait for."""
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(file: Path) -> str:
    if not file.exists():
        return ""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""
    parts = Parts(hub.repositories.scratch)

    async def put(request: Request) -> Response:
        upload, number = param(request, "upload"), request.path_params["part"]
        _, oid, size = await in_thread(check_grant, hub, request, f"PART {upload} {number}")
        if number == 1:
            await in_thread(parts.sweep)
        await parts.receive(upload, number, size, request.stream())
        return Response(headers={"ETag": f'"{oid[:16]}-{number}"'})

    async def complete(request: Request) -> Response:
        upload = param(request, "upload")
        repository, oid, size = await in_thread(check_grant, hub, request, f"PARTS {upload}")
        await parts.flushed(upload)
        await in_thread(parts.finish, repository, upload, oid, size)
        return JSONResponse({"oid": oid, "size": size})

    return [
        route
        for start in ("/{namespace}", "/{kind:kind}/{namespace}")
        for prefix in (start + "/{name}.git/info/lfs/objects/{oid}/parts/{upload}",)
        for route in (
            Route(prefix, complete, methods=["POST"]),
            Route(prefix + "/{part:int}", put, methods=["PUT"]),
        )
    ]
