"""The large files that a repository keeps, and deleting some of them for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub import git
from components.localhub.errors import HubError
from components.localhub.hub import Hub, in_thread, read_json
from components.localhub.merging import log
from components.localhub.names import SHA256
from components.localhub.pages import page_of
from components.localhub.repositories import Repository

BATCH = 1000


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def listed(request: Request) -> Response:
        repository, _ = hub.own_repository(request)
        page, headers = page_of(request, list(_stored(repository)), default=BATCH, most=BATCH)
        return JSONResponse(page, headers=headers)

    async def delete(request: Request) -> Response:
        repository, _ = await in_thread(hub.own_repository, request)
        deletions = (await read_json(request)).get("deletions")
        if not isinstance(deletions, dict) or not isinstance(deletions.get("sha"), list):
            raise HubError(400, "`deletions` must hold a list called `sha`.")
        oids = [oid for oid in deletions["sha"] if isinstance(oid, str) and SHA256.fullmatch(oid)]
        if len(oids) != len(deletions["sha"]):
            raise HubError(400, "`sha` must list SHA-256 hashes.")
        await in_thread(_delete, repository, set(oids), rewrite=bool(deletions.get("rewriteHistory", True)))
        return JSONResponse({"success": True})

    prefix = "/api/{kind:kinds}/{namespace}/{name}/lfs-files"
    return [Route(prefix, listed), Route(prefix + "/batch", delete, methods=["POST"])]


def _stored(repository: Repository) -> Iterator[dict[str, Any]]:
    """Every large file on disk, with the newest of its names."""
    names: dict[str, tuple[str, str | None]] = {}
    for name, head in repository.refs().items():
        for commit in log(repository, head):
            for path, pointer in _pointers(repository, commit.tree.decode()):
                names.setdefault(pointer.sha256, (path, name))
    for file in sorted(repository.large_files.glob("*/*/*")):
        filename, ref = names.get(file.name, (file.name, None))
        stat = file.stat()
        pushed = datetime.fromtimestamp(stat.st_mtime, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield {
            "fileOid": file.name,
            "oid": file.name,
            "filename": filename,
            "ref": ref,
            "size": stat.st_size,
            "pushedAt": pushed,
        }


def _pointers(repository: Repository, tree: str) -> Iterator[tuple[str, git.Pointer]]:
    for entry in git.walk(repository.objects, tree):
        if not entry.folder and (pointer := repository.facts(entry)[1]):
            yield entry.path, pointer


def _delete(repository: Repository, oids: set[str], *, rewrite: bool) -> None:
    with repository.writing():
        if rewrite:
            made: dict[str, str] = {}
            for ref, head in repository.refs().items():
                new = _rewritten(repository, head, oids, made)
                if new != head:
                    repository.set_ref(ref, new)
        for oid in oids:
            repository.large_file(oid).unlink(missing_ok=True)


def _rewritten(repository: Repository, head: str, oids: set[str], made: dict[str, str]) -> str:
    """The commit `head` on a history without the pointers to those files; `made` maps old commits to new ones."""
    waiting = [head]
    while waiting:
        commit = repository.objects.commit(waiting[-1])
        assert commit is not None
        missing = [oid.decode() for oid in commit.parents if oid.decode() not in made]
        if missing:
            waiting += missing
            continue
        made[waiting.pop()] = _without(repository, commit, oids, made)
    return made[head]


def _without(repository: Repository, commit: Any, oids: set[str], made: dict[str, str]) -> str:
    tree = commit.tree.decode()
    gone = {path for path, pointer in _pointers(repository, tree) if pointer.sha256 in oids}
    parents = [made[oid.decode()].encode() for oid in commit.parents]
    if not gone and parents == commit.parents:
        return str(commit.id.decode())
    new = commit.copy()
    new.parents = parents
    if gone:
        files = {
            entry.path: (entry.mode, entry.oid) for entry in git.walk(repository.objects, tree) if not entry.folder
        }
        kept = {path: file for path, file in files.items() if path not in gone}
        new.tree = git.write_tree(repository.objects, kept).encode()
    repository.objects.add_object(new)
    return str(new.id.decode())
