"""Files of a commit: listing them and sending their content, with byte ranges."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError, entry_not_found
from components.localhub.git import Entry, Pointer, walk
from components.localhub.history import last_commits
from components.localhub.hub import Hub, in_thread, param, read_body
from components.localhub.names import is_file_path
from components.localhub.pages import page_of
from components.localhub.repositories import Repository

PAGE = 1000
#: The file whose download counts as a download of the repository, by kind.
COUNTED = {"models": "config.json", "datasets": "README.md", "spaces": "README.md"}
#: A file of a repository is a stranger's: a browser that opens it must run nothing.
_SAFE = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}


class LargeFile(FileResponse):
    """A file streamed from disk."""

    chunk_size = 1024**2


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""
    return [*_content(hub), *_trees(hub)]


def _content(hub: Hub) -> list[Route]:
    """The files themselves."""

    def resolve(request: Request) -> Response:
        repository = hub.open_repository(request)
        commit, entry = _file(repository, request)
        size, pointer = repository.facts(entry)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{pointer.sha256 if pointer else entry.oid}"', **_SAFE}
        if request.method == "GET" and entry.path == COUNTED[repository.kind]:
            repository.count_download()
        if pointer is None:
            return _regular(request, repository.objects.data(entry.oid), headers)
        headers |= {"X-Linked-Size": str(size), "X-Linked-Etag": f'"{pointer.sha256}"'}
        return _large(repository.large_file(pointer.sha256), headers)

    def raw(request: Request) -> Response:
        repository = hub.open_repository(request)
        commit, entry = _file(repository, request)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{entry.oid}"', **_SAFE}
        return _regular(request, repository.objects.data(entry.oid), headers)

    return [
        Route(prefix + f"/{verb}/{{revision}}/{{path:path}}", handler, methods=["GET", "HEAD"])
        for prefix in ("/{namespace}/{name}", "/{kind:kind}/{namespace}/{name}")
        for verb, handler in (("resolve", resolve), ("raw", raw))
    ]


def _trees(hub: Hub) -> list[Route]:
    """What is known about the files."""

    def tree(request: Request) -> Response:
        repository = hub.repository(request)
        commit = repository.resolve(param(request, "revision"))
        folder = param(request, "path").strip("/")
        entry = repository.find(commit, folder)
        if entry is None or not entry.folder:
            raise entry_not_found(folder, commit)
        query = request.query_params
        found = list(walk(repository.objects, entry.oid, entry.path, recursive=_is_true(query.get("recursive"))))
        page, headers = page_of(request, found, default=PAGE, most=PAGE)
        body = describe(repository, commit, page, expand=_is_true(query.get("expand")))
        return JSONResponse(body, headers={**headers, "X-Repo-Commit": commit})

    async def paths_info(request: Request) -> Response:
        repository = await in_thread(hub.repository, request)
        form = parse_qs((await read_body(request)).decode("utf-8", "replace"))
        expand = _is_true(form.get("expand", ["false"])[0])
        return await in_thread(_paths_info, repository, param(request, "revision"), form.get("paths", []), expand)

    paths = "/api/{kind}/{namespace}/{name}"
    return [
        Route(paths + "/tree/{revision}", tree),
        Route(paths + "/tree/{revision}/{path:path}", tree),
        Route(paths + "/paths-info/{revision}", paths_info, methods=["POST"]),
    ]


def describe(repository: Repository, commit: str, entries: list[Entry], *, expand: bool) -> list[dict[str, Any]]:
    """Entries of a tree as the Hub lists them; `expand` adds each one's last commit and security status."""
    commits = last_commits(repository, commit, entries) if expand else {}
    described = []
    for entry in entries:
        item: dict[str, Any] = {"type": "directory" if entry.folder else "file", "oid": entry.oid, "size": 0}
        item["path"] = entry.path
        if not entry.folder:
            size, pointer = repository.facts(entry)
            item["size"] = size
            if pointer:
                item["lfs"] = large_facts(pointer)
        if expand:
            item["lastCommit"] = commits.get(entry.path)
            if not entry.folder:
                item["securityFileStatus"] = {"status": "unscanned", "avScan": None, "pickleImportScan": None}
        described.append(item)
    return described


def large_facts(pointer: Pointer) -> dict[str, Any]:
    """A git-lfs object as the Hub describes it."""
    return {"oid": pointer.sha256, "size": pointer.size, "pointerSize": len(pointer.encode())}


def _file(repository: Repository, request: Request) -> tuple[str, Entry]:
    commit = repository.resolve(param(request, "revision"))
    path = param(request, "path")
    entry = repository.find(commit, path) if is_file_path(path) else None
    if entry is None or entry.folder:
        raise entry_not_found(path, commit)
    return commit, entry


def _large(file: Path, headers: dict[str, str]) -> Response:
    return LargeFile(file, headers=headers, media_type="application/octet-stream", stat_result=os.stat(file))


def _regular(request: Request, data: bytes, headers: dict[str, str]) -> Response:
    """A file that lies in git: it is small, so its content is at hand."""
    headers = {**headers, "Accept-Ranges": "bytes"}
    wanted = request.headers.get("range", "")
    if not wanted.startswith("bytes=") or "," in wanted or request.method == "HEAD":
        return Response(data, headers=headers, media_type="text/plain; charset=utf-8")
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    size = len(data)
    try:
        start = int(first) if first else max(size - int(last), 0)
        stop = min(int(last) + 1, size) if first and last else size
    except ValueError:
        raise HubError(400, "The Range header cannot be understood.") from None
    if not 0 <= start < stop:
        raise HubError(416, "The range lies outside the file.", headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Response(data[start:stop], 206, headers, media_type="text/plain; charset=utf-8")


def _paths_info(repository: Repository, revision: str, paths: list[str], expand: bool) -> Response:
    if len(paths) > PAGE:
        raise HubError(400, f"At most {PAGE} paths can be asked for at once.")
    commit = repository.resolve(revision)
    found = [repository.find(commit, path.strip("/")) for path in paths if path.strip("/")]
    body = describe(repository, commit, [entry for entry in found if entry], expand=expand)
    return JSONResponse(body, headers={"X-Repo-Commit": commit})


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true")
