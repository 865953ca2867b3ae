"""Information about one repository, and searching among all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub.errors import HubError
from components.localhub.hub import Hub, param
from components.localhub.info import describe
from components.localhub.pages import page_of

#: What the Hub lists about each repository, and what `full=true` adds.
_BRIEF = "_id id modelId author private gated downloads likes trendingScore tags pipeline_tag library_name createdAt"
_FULL = "sha lastModified disabled siblings sdk"
_SORTS = ("downloads", "likes", "lastModified", "createdAt", "trendingScore")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    def info(request: Request) -> Response:
        repository = hub.repository(request)
        revision = param(request, "revision") or "main"
        commit = repository.resolve(revision)
        query = request.query_params
        found = describe(repository, commit, blobs=_is_true(query.get("blobs")))
        if _is_true(query.get("securityStatus")):
            found["securityRepoStatus"] = {"scansDone": False, "filesWithIssues": []}
        return JSONResponse(_expanded(request, found) or found, headers={"X-Repo-Commit": commit})

    def auth_check(request: Request) -> Response:
        hub.open_repository(request)
        return JSONResponse({"success": True})

    def write_check(request: Request) -> Response:
        hub.own_repository(request)
        return JSONResponse({"success": True})

    prefix = "/api/{kind:kinds}/{namespace}/{name}"
    return [
        Route("/api/{kind:kinds}", partial(_listed, hub)),
        Route(prefix, info),
        Route(prefix + "/revision/{revision}", info),
        Route(prefix + "/auth-check", auth_check),
        Route(prefix + "/auth-check/write", write_check),
    ]


def _listed(hub: Hub, request: Request) -> Response:
    account = hub.account(request)
    kind = request.path_params["kind"]
    author = request.query_params.get("author") or ""
    readable = (
        repository
        for repository in hub.repositories.all(kind, author)
        if author in ("", repository.namespace) and hub.may_read(account, repository)
    )
    found = [item for item in map(describe, readable) if _matches(request, item)]
    page, headers = page_of(request, _sorted(request, found), default=1000, most=1000)
    return JSONResponse([_fields(request, item) for item in page], headers=headers)


def _expanded(request: Request, item: dict[str, Any]) -> dict[str, Any] | None:
    names = {*request.query_params.getlist("expand"), *request.query_params.getlist("expand[]")}
    return {key: value for key, value in item.items() if key in {"_id", "id", *names}} if names else None


def _fields(request: Request, item: dict[str, Any]) -> dict[str, Any]:
    expanded = _expanded(request, item)
    if expanded:
        return expanded
    query = request.query_params
    names = set(_BRIEF.split())
    if _is_true(query.get("full")):
        names |= set(_FULL.split())
    if _is_true(query.get("config")):
        names |= {"config"}
    if _is_true(query.get("cardData")):
        names |= {"cardData"}
    return {key: value for key, value in item.items() if key in names}


def _matches(request: Request, item: dict[str, Any]) -> bool:
    query = request.query_params
    words = query.get("search", "").lower().split()
    wanted = [tag for value in query.getlist("filter") for tag in value.split(",") if tag]
    wanted += [value for value in [query.get("pipeline_tag")] if value]
    known = {*item["tags"], item.get("pipeline_tag"), item.get("library_name")}
    return (
        all(word in item["id"].lower() for word in words)
        and all(tag in known for tag in wanted)
        and _gated(query.get("gated"), item)
        and _size(query.get("num_parameters", ""), item)
    )


def _gated(wanted: str | None, item: dict[str, Any]) -> bool:
    return wanted is None or _is_true(wanted) == bool(item["gated"])


def _size(wanted: str, item: dict[str, Any]) -> bool:
    """Whether the model has as many parameters as `min:1B,max:7B` asks for."""
    if not wanted:
        return True
    total = (item.get("safetensors") or {}).get("total")
    bounds: dict[str, Callable[[float], bool]] = {
        "min": lambda limit: total is not None and total >= limit,
        "max": lambda limit: total is not None and total <= limit,
    }
    for part in wanted.split(","):
        match = re.fullmatch(r"(min|max):(\d{1,15}(?:\.\d{1,9})?)([KMBT]?)", part)
        if match is None:
            raise HubError(400, "`num_parameters` must look like min:1B,max:7B.")
        if not bounds[match[1]](float(match[2]) * _UNITS[match[3]]):
            return False
    return True


def _sorted(request: Request, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    key = request.query_params.get("sort") or "lastModified"
    if key not in _SORTS:
        raise HubError(400, f"`sort` must be one of {', '.join(_SORTS)}.")
    rising = request.query_params.get("direction") == "1"
    return sorted(items, key=lambda item: item[key], reverse=not rising)


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true")
