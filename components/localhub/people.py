"""Who one is, and what is known about users and organizations."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.hub import Hub, param
from components.localhub.repositories import KINDS


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def whoami(request: Request) -> Response:
        account = hub.signed_in(request)
        token = {"displayName": "localhub", "role": account.role}
        organizations = [
            {**_brief(name), "type": "org", "roleInOrg": role, "canPay": False, "email": None}
            for name, role in account.organizations.items()
        ]
        profile = {**_brief(account.name), "type": "user", "email": None, "isPro": False, "orgs": organizations}
        return JSONResponse({**profile, "auth": {"type": "access_token", "accessToken": token}})

    def user(request: Request) -> Response:
        name = _known(param(request, "name"), hub.accounts.users)
        theirs = [_brief(key) for key, members in hub.accounts.organizations.items() if name in members]
        return JSONResponse(
            {**_person(name), "type": "user", "isPro": False, **_counts(hub, request, name), "orgs": theirs}
        )

    def organization(request: Request) -> Response:
        organizations = hub.accounts.organizations
        name = _known(param(request, "name"), organizations)
        return JSONResponse({**_brief(name), "numUsers": len(organizations[name]), **_counts(hub, request, name)})

    def members(request: Request) -> Response:
        organizations = hub.accounts.organizations
        name = _known(param(request, "name"), organizations)
        return JSONResponse([{**_person(user), "type": "user", "isPro": False} for user in organizations[name]])

    return [
        Route("/api/whoami-v2", whoami),
        Route("/api/users/{name}/overview", user),
        Route("/api/organizations/{name}/overview", organization),
        Route("/api/organizations/{name}/members", members),
    ]


def _known(name: str, names: dict[str, Any]) -> str:
    if name not in names:
        raise HubError(404, "This user or organization does not exist")
    return name


def _brief(name: str) -> dict[str, Any]:
    return {"id": name.encode().hex()[:24].ljust(24, "0"), "name": name, "fullname": name, "avatarUrl": ""}


def _person(name: str) -> dict[str, Any]:
    return {"_id": _brief(name)["id"], "user": name, "fullname": name, "avatarUrl": ""}


def _counts(hub: Hub, request: Request, namespace: str) -> dict[str, int]:
    """How many repositories of each kind the asker may see in a namespace."""
    account = hub.account(request)
    return {
        f"num{kind.capitalize()}": sum(
            hub.may_read(account, repository) for repository in hub.repositories.all(kind, namespace)
        )
        for kind in KINDS
    }
