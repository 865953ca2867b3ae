"""Creating, moving, deleting and opening repositories; checking a card before it is pushed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub import cards
from components.localhub.accounts import Account
from components.localhub.errors import HubError
from components.localhub.hub import Hub, forbidden, in_thread, read_json, repository_url
from components.localhub.names import check_repository
from components.localhub.repositories import KINDS
from components.localhub.visibility import is_private

_SDKS = ("gradio", "docker", "static", "streamlit")


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""
    return [*_making(hub), *_changing(hub)]


def _making(hub: Hub) -> list[Route]:
    """Creating and deleting."""

    async def create(request: Request) -> Response:
        account = hub.signed_in(request)
        body = await read_json(request)
        kind, repo_id = _kind(body), _new_id(account, body)
        settings: dict[str, Any] = {"private": is_private(body, default=False)}
        if kind == "spaces":
            if body.get("sdk") not in _SDKS:
                raise HubError(400, f"A Space needs an `sdk`: one of {', '.join(_SDKS)}.")
            settings["sdk"] = body["sdk"]
        url = f"{str(request.base_url).rstrip('/')}/{KINDS[kind]}{repo_id}"
        try:
            await in_thread(hub.repositories.create, kind, repo_id, author=account.name, **settings)
        except HubError as error:
            error.body = {"url": url}
            raise
        return JSONResponse({"url": url, "name": repo_id, "id": repo_id})

    async def delete(request: Request) -> Response:
        account = hub.signed_in(request)
        body = await read_json(request)
        name = f"{body.get('organization') or account.name}/{body.get('name')}"
        repository = await in_thread(hub.writable, account, _kind(body), name)
        await in_thread(hub.repositories.delete, repository)
        return JSONResponse({"success": True})

    return [
        Route("/api/repos/create", create, methods=["POST"]),
        Route("/api/repos/delete", delete, methods=["DELETE"]),
    ]


def _changing(hub: Hub) -> list[Route]:
    """Moving, settings, and checking a card."""

    async def move(request: Request) -> Response:
        account = hub.signed_in(request)
        body = await read_json(request)
        repository = await in_thread(hub.writable, account, _kind(body), str(body.get("fromRepo")))
        namespace, _, name = str(body.get("toRepo")).partition("/")
        new_id = _new_id(account, {"organization": namespace, "name": name})
        await in_thread(hub.repositories.move, repository, new_id)
        return JSONResponse({"success": True})

    async def settings(request: Request) -> Response:
        repository, _ = await in_thread(hub.own_repository, request)
        body = await read_json(request)
        about = await in_thread(lambda: repository.about)
        changed: dict[str, Any] = {"private": is_private(body, default=about["private"])}
        if body.get("gated") is not None:
            changed["gated"] = body["gated"]
        if changed.get("gated") not in (None, False, "auto", "manual"):
            raise HubError(400, "`gated` must be auto, manual or false.")
        await in_thread(repository.update, **changed)
        return JSONResponse({**changed, "url": repository_url(request, repository)})

    async def validate(request: Request) -> Response:
        hub.account(request)
        body = await read_json(request)
        content = body.get("content")
        if not isinstance(content, str):
            raise HubError(400, "`content` must be the text of a README.")
        errors, warnings = await in_thread(cards.check, content, str(body.get("repoType") or "model"))
        found = {"errors": [{"message": text} for text in errors], "warnings": [{"message": text} for text in warnings]}
        return JSONResponse(found, 400 if errors else 200)

    return [
        Route("/api/repos/move", move, methods=["POST"]),
        Route("/api/{kind:kinds}/{namespace}/{name}/settings", settings, methods=["PUT"]),
        Route("/api/validate-yaml", validate, methods=["POST"]),
    ]


def _kind(body: dict[str, Any]) -> str:
    kind = f"{body.get('type') or 'model'}s"
    if kind not in KINDS:
        raise HubError(400, "`type` must be model, dataset or space.")
    return kind


def _new_id(account: Account, body: dict[str, Any]) -> str:
    namespace, name = check_repository(body.get("organization") or account.name, body.get("name"))
    if not account.owns(namespace):
        raise forbidden(account)
    return f"{namespace}/{name}"
