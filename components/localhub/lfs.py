"""Large files: the git-lfs batch protocol with its basic transfer. Content is streamed to and from disk."""

from __future__ import annotations

import os
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.files import LargeFile
from components.localhub.grants import check_grant, grant, objects_url
from components.localhub.hub import Hub, in_blocks, in_thread, read_json
from components.localhub.lfs_store import Upload
from components.localhub.multipart import PART_BYTES, upload_action
from components.localhub.names import SHA256
from components.localhub.repositories import Repository

MEDIA_TYPE = "application/vnd.git-lfs+json"
OBJECT_BYTES = 1024**4
BATCH = 1000


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""
    prefixes = ["/{namespace}/{name}.git/info/lfs", "/{kind:kind}/{namespace}/{name}.git/info/lfs"]
    return [route for prefix in prefixes for part in (_asking, _moving) for route in part(hub, prefix)]


def _asking(hub: Hub, prefix: str) -> list[Route]:
    """What is to be sent, whether it has come, and which files are locked."""

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
        parts = upload and "multipart" in (body.get("transfers") or ())
        answers = await in_thread(
            lambda: [answer(hub, request, repository, item, upload=upload, parts=parts) for item in objects]
        )
        transfer = "multipart" if parts else "basic"
        return JSONResponse({"transfer": transfer, "objects": answers, "hash_algo": "sha256"}, media_type=MEDIA_TYPE)

    async def verify(request: Request) -> Response:
        oid, size = check_object(await read_json(request))
        if "authorization" in request.headers:
            repository, _ = await in_thread(hub.contributed, request)
        else:  # git-lfs sends no token to an address that it was given
            repository = (await in_thread(check_grant, hub, request, "VERIFY", oid))[0]
        file = repository.large_file(oid)
        if not file.exists() or file.stat().st_size != size:
            raise HubError(404, "That git-lfs object was not uploaded.")
        return JSONResponse({"message": "ok"}, media_type=MEDIA_TYPE)

    def locks(_request: Request) -> Response:
        """There are no locks; git-lfs asks before each push."""
        return JSONResponse({"message": "This Hub has no file locks."}, 501, media_type=MEDIA_TYPE)

    return [
        Route(prefix + "/objects/batch", batch, methods=["POST"]),
        Route(prefix + "/objects/verify", verify, methods=["POST"]),
        Route(prefix + "/locks/verify", locks, methods=["POST"]),
        Route(prefix + "/locks", locks, methods=["GET", "POST"]),
    ]


def _moving(hub: Hub, prefix: str) -> list[Route]:
    """The files themselves, on their way in and out."""

    async def put(request: Request) -> Response:
        repository, oid, size = await in_thread(check_grant, hub, request, "PUT")
        upload = await in_thread(Upload, repository, hub.repositories.scratch, oid, size)
        try:
            await in_blocks(request.stream(), upload.write)
            await in_thread(upload.finish)
        finally:
            upload.close()
        return Response(headers={"ETag": f'"{oid}"'})

    def get(request: Request) -> Response:
        repository, oid, _ = check_grant(hub, request, "GET")
        file = repository.large_file(oid)
        if not file.exists():
            raise HubError(404, "The object is not here.")
        return LargeFile(file, media_type="application/octet-stream", stat_result=os.stat(file))

    return [
        Route(prefix + "/objects/{oid}", put, methods=["PUT"]),
        Route(prefix + "/objects/{oid}", get),
    ]


def check_object(item: object) -> tuple[str, int]:
    """The hash and size of a git-lfs object; 422 if they are none."""
    oid, size = (item.get("oid"), item.get("size")) if isinstance(item, dict) else (None, None)
    if not isinstance(oid, str) or not SHA256.fullmatch(oid) or not isinstance(size, int) or size < 0:
        raise HubError(422, "A git-lfs object needs a SHA-256 `oid` and a `size` in bytes.")
    return oid, size


def answer(
    hub: Hub, request: Request, repository: Repository, item: object, *, upload: bool, parts: bool
) -> dict[str, Any]:
    """What the client is to do about one object of a batch: nothing, upload it (in parts, if it can), download it."""
    oid, size = check_object(item)
    file = repository.large_file(oid)
    found: dict[str, Any] = {"oid": oid, "size": size, "authenticated": True}
    folder = objects_url(request, repository)
    if not upload:
        if not file.exists():
            return {**found, "error": {"code": 404, "message": "The object is not here."}}
        found["actions"] = {"download": {"href": f"{folder}/{oid}?{grant(hub, repository, oid, size, 'GET')}"}}
    elif size > OBJECT_BYTES:
        message = f"The largest file that can be stored has {OBJECT_BYTES} bytes."
        return {**found, "error": {"code": 422, "message": message}}
    elif not file.exists():
        action = {"href": f"{folder}/{oid}?{grant(hub, repository, oid, size, 'PUT')}"}
        found["actions"] = {
            "upload": upload_action(hub, request, repository, oid, size) if parts and size > PART_BYTES else action,
            "verify": {"href": f"{folder}/verify?{grant(hub, repository, oid, size, 'VERIFY')}"},
        }
    return found
