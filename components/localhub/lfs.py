"""Large files: the git-lfs batch protocol with its basic transfer. Content is streamed to and from disk."""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.files import LargeFile
from components.localhub.hub import Hub, address, base_url, in_thread, param, read_json
from components.localhub.names import SHA256
from components.localhub.repositories import KINDS, Repository

MEDIA_TYPE = "application/vnd.git-lfs+json"
#: How long an upload address stays valid, in seconds.
UPLOAD_SECONDS = 24 * 3600
OBJECT_BYTES = 1024**4
BATCH = 1000


def store_file(repository: Repository, source: Path, oid: str) -> None:
    """Make the file `source`, whose sha256 is `oid` and which lies on the same file system, a git-lfs object."""
    target = repository.large_file(oid)
    with repository.writing():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)


class Upload:
    """A large file on its way in: written aside while its hash is computed, then moved into place or dropped."""

    def __init__(self, repository: Repository, folder: Path, oid: str, size: int) -> None:
        self._repository = repository
        self._oid, self._size = oid, size
        self._hash = hashlib.sha256()
        self._received = 0
        descriptor, name = tempfile.mkstemp(prefix="upload-", dir=folder)
        self._stream = os.fdopen(descriptor, "wb")
        self._file = Path(name)

    def write(self, data: bytes) -> None:
        """Take the next bytes; 400 beyond the announced size, 507 when the disk is full."""
        self._received += len(data)
        if self._received > self._size:
            raise HubError(400, f"More than the announced {self._size} bytes were sent.")
        self._hash.update(data)
        try:
            self._stream.write(data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise HubError(507, "The Hub's disk is full: delete something there, then try again.") from error
            raise

    def finish(self) -> None:
        """Keep the file; 400 if it is not what was announced."""
        if self._received != self._size or self._hash.hexdigest() != self._oid:
            raise HubError(400, "The content that was sent does not have the announced size and SHA-256.")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        store_file(self._repository, self._file, self._oid)

    def close(self) -> None:
        """Drop what was not kept."""
        self._stream.close()
        self._file.unlink(missing_ok=True)


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    async def batch(request: Request) -> Response:
        body = await read_json(request)
        upload = body.get("operation") == "upload"
        if upload:  # a pull request may bring large files, and the client does not say yet that it will be one
            repository, _ = await in_thread(hub.contributed, request)
        else:
            repository = await in_thread(hub.open_repository, request)
        objects = body.get("objects")
        if not isinstance(objects, list) or len(objects) > BATCH:
            raise HubError(422, f"`objects` must be a list of at most {BATCH} objects.")
        answers = await in_thread(lambda: [answer(hub, request, repository, item, upload=upload) for item in objects])
        return JSONResponse({"transfer": "basic", "objects": answers, "hash_algo": "sha256"}, media_type=MEDIA_TYPE)

    async def verify(request: Request) -> Response:
        oid, size = check_object(await read_json(request))
        if "authorization" in request.headers:
            repository, _ = await in_thread(hub.contributed, request)
        else:  # git-lfs sends no token to an address that it was given
            repository = (await in_thread(_granted, hub, request, "VERIFY", oid))[0]
        file = repository.large_file(oid)
        if not file.exists() or file.stat().st_size != size:
            raise HubError(404, "That git-lfs object was not uploaded.")
        return JSONResponse({"message": "ok"}, media_type=MEDIA_TYPE)

    async def put(request: Request) -> Response:
        repository, oid, size = await in_thread(_granted, hub, request, "PUT")
        upload = await in_thread(Upload, repository, hub.repositories.scratch, oid, size)
        try:
            async for chunk in request.stream():
                await in_thread(upload.write, chunk)
            await in_thread(upload.finish)
        finally:
            upload.close()
        return Response(headers={"ETag": f'"{oid}"'})

    def get(request: Request) -> Response:
        repository, oid, _ = _granted(hub, request, "GET")
        file = repository.large_file(oid)
        if not file.exists():
            raise HubError(404, "The object is not here.")
        return LargeFile(file, media_type="application/octet-stream", stat_result=os.stat(file))

    def locks(_request: Request) -> Response:
        """There are no locks; git-lfs asks before each push."""
        return JSONResponse({"message": "This Hub has no file locks."}, 501, media_type=MEDIA_TYPE)

    prefixes = ["/{namespace}/{name}.git/info/lfs", "/{kind:kind}/{namespace}/{name}.git/info/lfs"]
    return [
        route
        for prefix in prefixes
        for route in (
            Route(prefix + "/objects/batch", batch, methods=["POST"]),
            Route(prefix + "/objects/verify", verify, methods=["POST"]),
            Route(prefix + "/objects/{oid}", put, methods=["PUT"]),
            Route(prefix + "/objects/{oid}", get),
            Route(prefix + "/locks/verify", locks, methods=["POST"]),
            Route(prefix + "/locks", locks, methods=["GET", "POST"]),
        )
    ]


def check_object(item: object) -> tuple[str, int]:
    """The hash and size of a git-lfs object; 422 if they are none."""
    oid, size = (item.get("oid"), item.get("size")) if isinstance(item, dict) else (None, None)
    if not isinstance(oid, str) or not SHA256.fullmatch(oid) or not isinstance(size, int) or size < 0:
        raise HubError(422, "A git-lfs object needs a SHA-256 `oid` and a `size` in bytes.")
    return oid, size


def answer(hub: Hub, request: Request, repository: Repository, item: object, *, upload: bool) -> dict[str, Any]:
    """What the client is to do about one object of a batch: nothing, upload it, or download it."""
    oid, size = check_object(item)
    file = repository.large_file(oid)
    found: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    folder = f"{base_url(request)}/{KINDS[repository.kind]}{repository.id}.git/info/lfs/objects"
    if not upload:
        if not file.exists():
            return {**found, "error": {"code": 404, "message": "The object is not here."}}
        found["actions"] = {"download": {"href": f"{folder}/{oid}?{grant(hub, repository, oid, size, 'GET')}"}}
    elif size > OBJECT_BYTES:
        return {
            **found,
            "error": {"code": 422, "message": f"The largest file that can be stored has {OBJECT_BYTES} bytes."},
        }
    elif not file.exists():
        found["actions"] = {
            "upload": {"href": f"{folder}/{oid}?{grant(hub, repository, oid, size, 'PUT')}"},
            "verify": {"href": f"{folder}/verify?{grant(hub, repository, oid, size, 'VERIFY')}"},
        }
    return found


def grant(hub: Hub, repository: Repository, oid: str, size: int, method: str) -> str:
    """The query that lets its bearer move one object without a token, for a day."""
    until = int(time.time()) + UPLOAD_SECONDS
    return f"size={size}&until={until}&sig={_sign(hub, repository, oid, size, until, method)}"


def _granted(hub: Hub, request: Request, method: str, oid: str = "") -> tuple[Repository, str, int]:
    """The repository, hash and size that the request's signed address is for; 403 if the signature is not ours."""
    query = request.query_params
    oid, size, until = oid or param(request, "oid"), query.get("size", ""), query.get("until", "")
    namespace, _, name = address(request)[1].partition("/")
    repository = hub.repositories.find(address(request)[0], namespace, name)
    if repository and size.isdecimal() and until.isdecimal() and SHA256.fullmatch(oid) and int(until) > time.time():
        wanted = _sign(hub, repository, oid, int(size), int(until), method)
        if hmac.compare_digest(wanted.encode(), query.get("sig", "").encode()):
            return repository, oid, int(size)
    raise HubError(403, "This upload address is not valid, or not any more: start the upload again.")


def _sign(hub: Hub, repository: Repository, oid: str, size: int, until: int, method: str) -> str:
    text = f"{method} {repository.kind}/{repository.id} {oid} {size} {until}"
    return hmac.new(hub.key, text.encode(), hashlib.sha256).hexdigest()
