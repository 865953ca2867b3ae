"""Gated repositories: asking for access, and the list of those who have it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.hub import Hub, in_thread, param, read_json
from components.localhub.repositories import Repository

STATUSES = ("pending", "accepted", "rejected")


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""
    return [*_asking(hub), *_answering(hub)]


def _asking(hub: Hub) -> list[Route]:
    """For those who want to read the repository."""

    def ask(request: Request) -> Response:
        repository, account = hub.repository(request), hub.signed_in(request)
        with repository.writing():
            access = _access(repository)
            if account.name not in access:
                status = "accepted" if repository.about["gated"] == "auto" else "pending"
                _set(repository, access, account.name, status)
        return JSONResponse({"status": access[account.name]["status"]})

    return [
        Route("/{namespace}/{name}/ask-access", ask, methods=["POST"]),
        Route("/{kind:kind}/{namespace}/{name}/ask-access", ask, methods=["POST"]),
    ]


def _answering(hub: Hub) -> list[Route]:
    """For those whose repository it is."""

    def listed(request: Request) -> Response:
        repository, _ = hub.own_repository(request)
        status = param(request, "status")
        if status not in STATUSES:
            raise HubError(404, f"{status} is not one of {', '.join(STATUSES)}.")
        found = [
            {"requestId": name, "user": {"user": name, "fullname": name, "email": None}, **entry}
            for name, entry in _access(repository).items()
            if entry["status"] == status
        ]
        return JSONResponse(found)

    async def handle(request: Request) -> Response:
        repository, _ = await in_thread(hub.own_repository, request)
        body = await read_json(request)
        user, status = str(body.get("user") or body.get("requestId")), body.get("status")
        if status not in STATUSES:
            raise HubError(400, f"`status` must be one of {', '.join(STATUSES)}.")
        await in_thread(_handle, repository, user, status)
        return JSONResponse({"success": True})

    async def grant(request: Request) -> Response:
        repository, _ = await in_thread(hub.own_repository, request)
        user = str((await read_json(request)).get("user"))
        if user not in hub.accounts.users:
            raise HubError(404, f"There is no user called {user[:100]!r}.")
        await in_thread(_grant, repository, user)
        return JSONResponse({"success": True})

    prefix = "/api/{kind:kinds}/{namespace}/{name}/user-access-request"
    return [
        Route(prefix + "/handle", handle, methods=["POST"]),
        Route(prefix + "/grant", grant, methods=["POST"]),
        Route(prefix + "/{status}", listed),
    ]


def _access(repository: Repository) -> dict[str, dict[str, Any]]:
    """The requests for access, by user; 400 where the repository is not gated."""
    about = repository.about
    if not about.get("gated"):
        raise HubError(400, "This repository is not gated.")
    access: dict[str, dict[str, Any]] = about.get("access", {})
    return access


def _set(repository: Repository, access: dict[str, dict[str, Any]], user: str, status: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    access[user] = {"status": status, "timestamp": now}
    repository.update(access=access)


def _handle(repository: Repository, user: str, status: str) -> None:
    with repository.writing():
        access = _access(repository)
        if user not in access:
            raise HubError(404, f"{user[:100]!r} has not asked for access.")
        if access[user]["status"] == status:
            raise HubError(400, f"The request of {user} is {status} already.")
        _set(repository, access, user, status)


def _grant(repository: Repository, user: str) -> None:
    with repository.writing():
        access = _access(repository)
        if access.get(user, {}).get("status") == "accepted":
            raise HubError(400, f"{user} has access already.")
        _set(repository, access, user, "accepted")
