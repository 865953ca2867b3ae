"""Branches, tags and the commits behind them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from dulwich.objects import Commit
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub import git
from components.localhub.errors import HubError, revision_not_found
from components.localhub.hub import Hub, in_thread, param, read_json
from components.localhub.merging import log
from components.localhub.names import check_branch
from components.localhub.pages import number, page_of
from components.localhub.repositories import MAIN, Repository

PAGE = 50
#: Commits that are looked at for the last change of a file.
DEPTH = 2000


def ancestry(repository: Repository, commit: str) -> Iterator[Commit]:
    """A commit and those before it, newest first, along first parents."""
    found = repository.objects.commit(commit)
    while found is not None:
        yield found
        found = repository.objects.commit(found.parents[0].decode()) if found.parents else None


def commit_time(commit: Commit) -> str:
    """When a commit was made, as ISO text in UTC."""
    moment = datetime.fromtimestamp(commit.commit_time, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def title(commit: Commit) -> str:
    """First line of a commit's message."""
    return commit.message.decode("utf-8", "replace").partition("\n")[0]


def last_commits(repository: Repository, commit: str, entries: list[git.Entry]) -> dict[str, dict[str, str]]:
    """For each entry, the commit that gave it its present content."""
    wanted = {entry.path: entry.oid for entry in entries}
    found: dict[str, dict[str, str]] = {}
    previous: Commit | None = None
    for current in islice(ancestry(repository, commit), DEPTH):
        for path in list(wanted) if previous is not None else []:
            entry = git.find(repository.objects, current.tree.decode(), path)
            if entry is None or entry.oid != wanted[path]:
                found[path] = _brief(previous)
                del wanted[path]
        previous = current
        if not wanted:
            return found
    return found | {path: _brief(previous) for path in wanted if previous is not None}


def _brief(commit: Commit | None) -> dict[str, str]:
    assert commit is not None
    return {"id": commit.id.decode(), "title": title(commit), "date": commit_time(commit)}


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def refs(request: Request) -> Response:
        groups: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": [], "pullRequests": []}
        kinds = {"heads": "branches", "tags": "tags", "convert": "converts", "pr": "pullRequests"}
        for name, commit in hub.repository(request).refs().items():
            _, kind, short = name.split("/", 2)
            if kind in kinds:
                groups[kinds[kind]].append({"name": short, "ref": name, "targetCommit": commit})
        if not request.query_params.get("include_prs"):
            del groups["pullRequests"]
        return JSONResponse(groups)

    def commits(request: Request) -> Response:
        repository = hub.repository(request)
        head = repository.resolve(param(request, "revision"))
        start, limit = number(request, "cursor", 0), number(request, "limit", PAGE)
        listed = list(islice(log(repository, head), start + limit + 1))
        page, headers = page_of(request, listed, default=PAGE, most=1000)
        return JSONResponse([_full(commit) for commit in page], headers=headers)

    async def change_ref(request: Request) -> Response:
        repository, _ = await in_thread(hub.own_repository, request)
        body = await read_json(request)
        name = param(request, "ref")
        await in_thread(CHANGES[request.path_params["group"], request.method], repository, name, body)
        return JSONResponse({"success": True}, 200 if request.method == "DELETE" else 201)

    prefix = "/api/{kind}/{namespace}/{name}"
    return [
        Route(prefix + "/refs", refs),
        Route(prefix + "/commits/{revision}", commits),
        Route(prefix + "/{group:refgroup}/{ref}", change_ref, methods=["POST", "DELETE"]),
    ]


def _full(commit: Commit) -> dict[str, Any]:
    author = commit.author.decode("utf-8", "replace").partition(" <")[0]
    message = commit.message.decode("utf-8", "replace").partition("\n")[2].strip()
    return {
        "id": commit.id.decode(),
        "title": title(commit),
        "message": message,
        "authors": [{"user": author}],
        "date": commit_time(commit),
    }


def _create_branch(repository: Repository, name: str, body: dict[str, Any]) -> None:
    start = body.get("startingPoint") or "main"
    _create(repository, f"refs/heads/{check_branch(name)}", repository.resolve(str(start)))


def _create_tag(repository: Repository, revision: str, body: dict[str, Any]) -> None:
    _create(repository, f"refs/tags/{check_branch(body.get('tag'))}", repository.resolve(revision))


def _create(repository: Repository, ref: str, commit: str) -> None:
    with repository.writing():
        if repository.ref(ref) is not None:
            raise HubError(409, f"Reference already exists: {ref}")
        repository.set_ref(ref, commit)


def _delete_branch(repository: Repository, name: str, _body: dict[str, Any]) -> None:
    if f"refs/heads/{name}" == MAIN:
        raise HubError(403, "The main branch cannot be deleted.")
    _delete(repository, f"refs/heads/{name}", name)


def _delete_tag(repository: Repository, name: str, _body: dict[str, Any]) -> None:
    _delete(repository, f"refs/tags/{name}", name)


def _delete(repository: Repository, ref: str, name: str) -> None:
    with repository.writing():
        if repository.ref(ref) is None:
            raise revision_not_found(name)
        repository.delete_ref(ref)


CHANGES = {
    ("branch", "POST"): _create_branch,
    ("branch", "DELETE"): _delete_branch,
    ("tag", "POST"): _create_tag,
    ("tag", "DELETE"): _delete_tag,
}
