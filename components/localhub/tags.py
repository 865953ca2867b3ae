"""The lists of tags and metrics that the Hub serves: those that the rules of cards go by."""

from __future__ import annotations

import json
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from components.cardrules.snapshots import snapshot
from components.localhub.errors import HubError
from components.localhub.hub import Hub

#: The Hub's kinds of tags, with the list of each and what stands before its entries.
_KINDS = {
    "pipeline_tag": ("tasks", ""),
    "library": ("libraries", ""),
    "language": ("languages", ""),
    "license": ("licenses", "license:"),
}


def routes(_hub: Hub) -> list[Route]:
    """The routes of this module."""
    return [Route("/api/models-tags-by-type", _by_type), Route("/api/metrics", _metrics)]


def _by_type(request: Request) -> Response:
    kind = request.query_params.get("type")
    if kind is not None and kind not in _KINDS:
        raise HubError(400, f"`type` must be one of {', '.join(_KINDS)}.")
    return Response(_tags(kind), media_type="application/json")


@cache
def _tags(kind: str | None) -> bytes:
    """The tags of one kind or of all, as JSON."""
    found = {
        name: [
            {"id": f"{before}{key}", "label": key if before else label, "type": name}
            for key, label in snapshot(of).names.items()
        ]
        for name, (of, before) in _KINDS.items()
        if kind in (None, name)
    }
    return json.dumps(found, ensure_ascii=False).encode()


def _metrics(_request: Request) -> Response:
    rows = [{"id": key, "description": name} for key, name in snapshot("metrics").names.items()]
    return Response(json.dumps(rows).encode(), media_type="application/json")
