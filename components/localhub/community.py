"""Discussions and pull requests over HTTP: opening, listing, commenting, renaming, closing and merging them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub import discussions, git, merging
from components.localhub.accounts import Account
from components.localhub.discussions import OPEN
from components.localhub.errors import HubError
from components.localhub.hub import Hub, forbidden, in_thread, param, read_json
from components.localhub.pages import number
from components.localhub.repositories import MAIN, Repository

PAGE = 50
_GROUPS = {"open": OPEN, "closed": ("closed", "merged")}


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def listed(request: Request) -> Response:
        repository = hub.repository(request)
        found = [item for item in discussions.every(repository) if _matches(request, item)]
        start = number(request, "p", 0) * PAGE
        page = [_brief(repository, item) for item in found[start : start + PAGE]]
        return JSONResponse({"discussions": page, "count": len(found), "start": start})

    def details(request: Request) -> Response:
        repository = hub.repository(request)
        found = discussions.load(repository, param(request, "number"))
        return JSONResponse(_brief(repository, found) | {"events": found["events"]} | _changes(repository, found))

    async def create(request: Request) -> Response:
        repository, account = await in_thread(hub.contributed, request)
        body = await read_json(request)
        return JSONResponse(await in_thread(_create, repository, account, body), 201)

    async def change(request: Request) -> Response:
        repository, account = await in_thread(hub.contributed, request)
        body = await read_json(request)
        return JSONResponse(await in_thread(_change, repository, account, request.path_params, body))

    prefix = "/api/{kind:kinds}/{namespace}/{name}/discussions"
    return [
        Route(prefix, listed),
        Route(prefix, create, methods=["POST"]),
        Route(prefix + "/{number}", details),
        Route(prefix + "/{number}/{action}", change, methods=["POST"]),
        Route(prefix + "/{number}/comment/{comment}/{action}", change, methods=["POST"]),
    ]


def _brief(repository: Repository, item: dict[str, Any]) -> dict[str, Any]:
    names = ("num", "title", "author", "createdAt", "status", "isPullRequest")
    comments = sum(event["type"] == "comment" for event in item["events"])
    repo = {"name": repository.id, "type": repository.kind[:-1]}
    return {**{name: item[name] for name in names}, "repo": repo, "numComments": comments, "pinned": False}


def _matches(request: Request, item: dict[str, Any]) -> bool:
    query = request.query_params
    kind, status, author = (query.get(key) or "all" for key in ("type", "status", "author"))
    return (
        kind in ("all", "pull_request" if item["isPullRequest"] else "discussion")
        and (status == "all" or item["status"] in _GROUPS.get(status, ()))
        and author in ("all", item["author"]["name"])
    )


def _changes(repository: Repository, item: dict[str, Any]) -> dict[str, Any]:
    """What a pull request would change in its branch, and the files that stand in the way."""
    if not item["isPullRequest"]:
        return {}
    base, head = repository.ref(item["changes"]["base"]), item["changes"]["head"]
    if base is None:
        return {"changes": item["changes"], "filesWithConflicts": True, "diff": ""}
    conflicts = merging.merge(repository, base, head)[1] if item["status"] in OPEN else []
    diff = merging.diff(repository, base, head)
    return {"changes": item["changes"], "filesWithConflicts": conflicts, "diff": diff}


def _create(repository: Repository, account: Account, body: dict[str, Any]) -> dict[str, Any]:
    title, text = body.get("title") or "", body.get("description") or ""
    with repository.writing():
        if body.get("pullRequest"):
            head = repository.ref(MAIN)
            assert head is not None
            found = discussions.propose(repository, account.name, title, text, base=MAIN, head=head, status="draft")
        else:
            found = discussions.create(repository, account.name, title, text)
    return {"num": found["num"], "pullRequest": found["isPullRequest"]}


@dataclass(frozen=True)
class Change:
    """A change that `account` wants to make to the discussion `item`."""

    repository: Repository
    account: Account
    item: dict[str, Any]
    body: dict[str, Any]
    comment_id: str | None

    @property
    def comment(self) -> dict[str, Any]:
        """The comment in the request's address; 404 if there is none."""
        for event in self.item["events"]:
            if event["id"] == self.comment_id and event["type"] == "comment":
                return event  # type: ignore[no-any-return]
        raise HubError(404, "There is no such comment.")

    def check_rights(self, author: str) -> None:
        """403 unless the asker is that author or owns the repository."""
        if self.account.name != author and not self.account.owns(self.repository.namespace):
            raise forbidden(self.account)

    def note(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        """Add an event."""
        event = discussions.event(kind, self.account.name, data)
        self.item["events"].append(event)
        return event

    def move(self, status: str) -> dict[str, Any]:
        """Give the discussion another status, after the comment that came with the request."""
        if self.body.get("comment"):
            self.item["events"].append(discussions.comment(self.account.name, self.body["comment"]))
        self.item["status"] = status
        return self.note("status-change", {"status": status})


def _change(repository: Repository, account: Account, place: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
    action = CHANGES.get(("comment/" if "comment" in place else "") + place["action"])
    if action is None:
        raise HubError(404, "A discussion cannot do that.")
    with repository.writing():
        item = discussions.load(repository, place["number"])
        answer = action(Change(repository, account, item, body, place.get("comment")))
        discussions.save(repository, item)
    return answer


def _comment(change: Change) -> dict[str, Any]:
    event = discussions.comment(change.account.name, change.body.get("comment"))
    change.item["events"].append(event)
    return {"newMessage": event}


def _rename(change: Change) -> dict[str, Any]:
    change.check_rights(change.item["author"]["name"])
    title = discussions.check_text(change.body.get("title"), "title", discussions.TITLE_CHARS)
    event = change.note("title-change", {"from": change.item["title"], "to": title})
    change.item["title"] = title
    return {"newTitle": event}


def _set_status(change: Change) -> dict[str, Any]:
    change.check_rights(change.item["author"]["name"])
    status = change.body.get("status")
    if status not in ("open", "closed"):
        raise HubError(400, "`status` must be open or closed.")
    if change.item["status"] in (status, "merged"):
        raise HubError(400, f"This discussion is {change.item['status']} already.")
    return {"newStatus": change.move(status)}


def _merge(change: Change) -> dict[str, Any]:
    """Bring a pull request into its branch as one commit, as the Hub does."""
    repository, item = change.repository, change.item
    if not change.account.owns(repository.namespace):
        raise forbidden(change.account)
    if not item["isPullRequest"] or item["status"] not in OPEN:
        raise HubError(400, "Only an open pull request can be merged.")
    base, head = item["changes"]["base"], item["changes"]["head"]
    parent = repository.ref(base)
    if parent is None:
        raise HubError(409, f"The branch {base.removeprefix('refs/heads/')} is not there any more.")
    files, conflicts = merging.merge(repository, parent, head)
    if conflicts:
        raise HubError(409, f"These files were changed on both sides: {', '.join(conflicts)[:300]}.")
    listed = [event["data"] for event in item["events"] if event["type"] == "commit"]
    message = f"{item['title']} (#{item['num']})\n\n"
    message += "".join(f"- {data['subject']} ({data['oid']})\n" for data in listed)
    author = item["author"]["name"]
    commit = git.write_commit(repository.objects, files, parents=[parent], author=author, message=message)
    repository.set_ref(base, commit)
    item["changes"]["mergeCommitId"] = commit
    change.move("merged")
    return {"mergeCommitId": commit}


def _edit(change: Change) -> dict[str, Any]:
    if change.comment["author"]["name"] != change.account.name:
        raise forbidden(change.account)
    discussions.edit(change.comment, change.account.name, change.body.get("content"))
    return {"updatedComment": change.comment}


def _hide(change: Change) -> dict[str, Any]:
    change.check_rights(change.comment["author"]["name"])
    discussions.hide(change.comment, change.account.name)
    return {"updatedComment": change.comment}


CHANGES: dict[str, Callable[[Change], dict[str, Any]]] = {
    "comment": _comment,
    "title": _rename,
    "status": _set_status,
    "merge": _merge,
    "comment/edit": _edit,
    "comment/hide": _hide,
}
