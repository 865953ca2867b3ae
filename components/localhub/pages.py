"""Lists in pages, linked by the `Link` header that the clients follow."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode

from starlette.requests import Request

from components.localhub.errors import HubError
from components.localhub.hub import base_url

T = TypeVar("T")


def page_of(request: Request, items: list[T], *, default: int, most: int) -> tuple[list[T], dict[str, str]]:
    """The page that the request's `limit` and `cursor` ask for, and the header that leads to the next one."""
    limit = min(number(request, "limit", default), most) or default
    start = number(request, "cursor", 0)
    if start + limit >= len(items):
        return items[start : start + limit], {}
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "cursor"]
    query = urlencode([*kept, ("cursor", str(start + limit))])
    url = f"{base_url(request)}{request.scope['path']}?{query}"
    return items[start : start + limit], {"Link": f'<{url}>; rel="next"'}


def number(request: Request, key: str, default: int) -> int:
    """A whole number of the request's query; 400 if it is none."""
    text = request.query_params.get(key, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise HubError(400, f"`{key}` must be a whole number.")
    return int(text)
