"""Signed addresses: each lets its bearer do one thing with one large file, without a token, for a day."""

from __future__ import annotations

import hashlib
import hmac
import time

from starlette.requests import Request

from components.localhub.errors import HubError
from components.localhub.hub import Hub, address, base_url, param
from components.localhub.names import SHA256
from components.localhub.repositories import KINDS, Repository

#: How long an address stays valid, in seconds.
GRANT_SECONDS = 24 * 3600


def objects_url(request: Request, repository: Repository) -> str:
    """Address below which the large files of a repository are sent and fetched."""
    return f"{base_url(request)}/{KINDS[repository.kind]}{repository.id}.git/info/lfs/objects"


def grant(hub: Hub, repository: Repository, oid: str, size: int, action: str) -> str:
    """The query that makes an address a signed one, for that action on that file."""
    until = int(time.time()) + GRANT_SECONDS
    return f"size={size}&until={until}&sig={_sign(hub, repository, oid, size, until, action)}"


def check_grant(hub: Hub, request: Request, action: str, oid: str = "") -> tuple[Repository, str, int]:
    """The repository, hash and size that the request's signed address is for; 403 if the signature is not ours."""
    query = request.query_params
    oid, size, until = oid or param(request, "oid"), query.get("size", ""), query.get("until", "")
    namespace, _, name = address(request)[1].partition("/")
    repository = hub.repositories.find(address(request)[0], namespace, name)
    if repository and size.isdecimal() and until.isdecimal() and SHA256.fullmatch(oid) and int(until) > time.time():
        wanted = _sign(hub, repository, oid, int(size), int(until), action)
        if hmac.compare_digest(wanted.encode(), query.get("sig", "").encode()):
            return repository, oid, int(size)
    raise HubError(403, "This address is not valid, or not any more: start again.")


def _sign(hub: Hub, repository: Repository, oid: str, size: int, until: int, action: str) -> str:
    text = f"{action} {repository.kind}/{repository.id} {oid} {size} {until}"
    return hmac.new(hub.key, text.encode(), hashlib.sha256).hexdigest()
