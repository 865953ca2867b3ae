"""What comes before a commit: how each file is to be sent, and which ones need not be."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from dulwich.ignore import IgnoreFilter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.attributes import ATTRIBUTES, Patterns
from components.localhub.commits import target
from components.localhub.errors import HubError
from components.localhub.hub import Hub, in_thread, param, read_json
from components.localhub.names import check_file_path
from components.localhub.repositories import Repository

FILES = 1000
IGNORE_CHARS = 100_000


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    async def preupload(request: Request) -> Response:
        repository, _, _ = await in_thread(target, hub, request)
        body = await read_json(request)
        files = await in_thread(upload_modes, repository, param(request, "revision"), body)
        return JSONResponse({"files": files})

    return [Route("/api/{kind:kinds}/{namespace}/{name}/preupload/{revision}", preupload, methods=["POST"])]


def upload_modes(repository: Repository, revision: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """For each file of a coming commit: `regular` (in the commit) or `lfs`, whether `.gitignore` leaves it out, and
    the hash of what lies at its path now (a client then skips a file that has not changed)."""
    commit = repository.resolve(revision)
    patterns = Patterns(repository.text(commit, ATTRIBUTES) or "")
    ignored = _ignored(body.get("gitIgnore") or repository.text(commit, ".gitignore") or "")
    files = body.get("files")
    if not isinstance(files, list) or len(files) > FILES:
        raise HubError(400, f"`files` must be a list of at most {FILES} files.")
    answers = []
    for file in files:
        path, size, sample = _checked(file)
        answer: dict[str, Any] = {
            "path": path,
            "uploadMode": "lfs" if patterns.large(path, size, sample) else "regular",
            "shouldIgnore": bool(ignored.is_ignored(path)),
        }
        entry = repository.find(commit, path)
        if entry is not None and not entry.folder:
            pointer = repository.facts(entry)[1]
            answer["oid"] = pointer.sha256 if pointer else entry.oid
        answers.append(answer)
    return answers


def _checked(file: object) -> tuple[str, int, bytes]:
    if not isinstance(file, dict) or not isinstance(file.get("size"), int):
        raise HubError(400, "Each file needs a path, a size and a sample.")
    path = check_file_path(file.get("path"))
    try:
        return path, file["size"], base64.b64decode(file.get("sample") or "", validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise HubError(400, f"The sample of {path} is not base64.") from error


def _ignored(text: object) -> IgnoreFilter:
    if not isinstance(text, str) or len(text) > IGNORE_CHARS:
        raise HubError(400, f"`gitIgnore` must be text of at most {IGNORE_CHARS} characters.")
    lines = [line.rstrip() for line in text.splitlines()]
    return IgnoreFilter([line.encode() for line in lines if line and not line.startswith("#")])
