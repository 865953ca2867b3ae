"""Likes: who likes a repository, and what somebody likes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.hub import Hub, param
from components.localhub.repositories import KINDS


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def like(request: Request) -> Response:
        repository, account = hub.contributed(request)
        with repository.writing():
            likers = [name for name in repository.about.get("likers", []) if name != account.name]
            repository.update(likers=[*likers, account.name] if request.method == "POST" else likers)
        return JSONResponse({"success": True})

    def likers(request: Request) -> Response:
        names = hub.repository(request).about.get("likers", [])
        return JSONResponse([{"user": name, "fullname": name, "avatarUrl": ""} for name in names])

    def liked(request: Request) -> Response:
        account, user = hub.account(request), param(request, "name")
        if user not in hub.accounts.users:
            raise HubError(404, "This user does not exist")
        found = [
            {"createdAt": repository.about["created"], "repo": {"name": repository.id, "type": kind[:-1]}}
            for kind in KINDS
            for repository in hub.repositories.all(kind)
            if user in repository.about.get("likers", []) and hub.may_read(account, repository)
        ]
        return JSONResponse(found)

    prefix = "/api/{kind:kinds}/{namespace}/{name}"
    return [
        Route(prefix + "/like", like, methods=["POST", "DELETE"]),
        Route(prefix + "/likers", likers),
        Route("/api/users/{name}/likes", liked),
    ]
