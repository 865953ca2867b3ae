"""One embedded Hub on disk, and what every request handler asks of it: who is asking, and for which repository."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar
from urllib.parse import unquote

import anyio.to_thread
from starlette.requests import Request

from components.localhub.accounts import Account, Accounts
from components.localhub.disk import write_whole
from components.localhub.errors import HubError, bad_token, repository_not_found
from components.localhub.repositories import KINDS, Repositories, Repository

try:
    import fcntl
except ImportError:  # no advisory locks on this platform: the user sees to it that one server runs
    fcntl = None  # type: ignore[assignment]

P = ParamSpec("P")
T = TypeVar("T")
#: Largest JSON body, in bytes: a preupload of 256 files with their samples takes a fifth of it.
JSON_BYTES = 4 * 1024**2
#: What arrives in small pieces is worked on in pieces of this size: each costs one way to a thread and back.
BLOCK_BYTES = 1024**2


class Hub:
    """Everything below one folder. Only one process may serve it at a time.

    Args:
        root: The folder.
        patience: Seconds to wait for a server that still uses it, such as one whose app has just been killed.

    Raises:
        RuntimeError: Another server is using the folder.
    """

    def __init__(self, root: Path, patience: float = 0.0) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._claim = (root / "lock").open("w")
        if fcntl is not None:
            _lock(self._claim, patience)
        self.root = root
        self.accounts = Accounts(root / "accounts.json")
        self.repositories = Repositories(root)
        self.key = _secret(root / "secret")

    def close(self) -> None:
        """Let another server use the folder."""
        self._claim.close()

    # -- requests ----------------------------------------------------------------------------------------------------

    def account(self, request: Request) -> Account | None:
        """The user whose token came with the request, None for an anonymous one; 401 for a token that is nobody's.

        git and git-lfs send the token as a password (HTTP Basic), with any user name.
        """
        header = request.headers.get("authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "basic":
            token = _password(token)
        account = self.accounts.find(token.strip()) if scheme.lower() in ("bearer", "basic") else None
        if account is None:
            raise bad_token()
        return account

    def signed_in(self, request: Request) -> Account:
        """The user whose token came with the request; 401 without a token."""
        account = self.account(request)
        if account is None:
            raise HubError(401, "Invalid username or password.")
        return account

    def may_read(self, account: Account | None, repository: Repository) -> bool:
        """Whether that user, or the public, may know of the repository and what is in it."""
        return not repository.about["private"] or (account is not None and account.belongs(repository.namespace))

    def readable(self, account: Account | None, kind: str, repo_id: str) -> Repository:
        """A repository that the user may read; a missing and a hidden one give the same answer."""
        namespace, _, name = repo_id.partition("/")
        repository = self.repositories.find(kind, namespace, name)
        if repository is None or not self.may_read(account, repository):
            raise repository_not_found(signed_in=account is not None)
        return repository

    def writable(self, account: Account, kind: str, repo_id: str) -> Repository:
        """A repository that the user may change; 403 for one that they may only read."""
        repository = self.readable(account, kind, repo_id)
        if not account.owns(repository.namespace):
            raise forbidden(account)
        return repository

    def repository(self, request: Request) -> Repository:
        """The repository in the request's address, if the asker may know of it."""
        return self.readable(self.account(request), *address(request))

    def open_repository(self, request: Request) -> Repository:
        """The repository in the request's address, if the asker may read its files, too."""
        account = self.account(request)
        repository = self.readable(account, *address(request))
        if not may_open(account, repository):
            raise gated(repository, signed_in=account is not None)
        return repository

    def own_repository(self, request: Request) -> tuple[Repository, Account]:
        """The repository in the request's address, if the asker may change it, and the asker."""
        account = self.account(request)
        if account is None:
            self.readable(None, *address(request))
            raise HubError(401, "Invalid username or password.")
        return self.writable(account, *address(request)), account

    def contributed(self, request: Request) -> tuple[Repository, Account]:
        """The repository in the request's address, if the asker may discuss it and propose changes, and the asker."""
        repository = self.open_repository(request)
        account = self.signed_in(request)
        if not account.may_write:
            raise forbidden(account)
        return repository, account


def may_open(account: Account | None, repository: Repository) -> bool:
    """Whether that user, or the public, may read the files of a repository that they may know of."""
    about = repository.about
    if not about.get("gated"):
        return True
    if account is None:
        return False
    accepted = about.get("access", {}).get(account.name, {}).get("status") == "accepted"
    return accepted or account.belongs(repository.namespace)


def gated(repository: Repository, *, signed_in: bool) -> HubError:
    """The repository is gated, and the asker is not on its list."""
    start = f"Access to {repository.kind[:-1]} {repository.id} is restricted"
    if not signed_in:
        message = f"{start}. You must have access to it and be authenticated to access it. Please log in."
        return HubError(401, message, "GatedRepo")
    return HubError(403, f"{start} and you are not in the authorized list. Ask its owner for access.", "GatedRepo")


def forbidden(account: Account) -> HubError:
    """The token is a read token, or the namespace is somebody else's."""
    if not account.may_write:
        return HubError(403, "This token can only read: use a token with the role write")
    return HubError(403, "You don't have the rights to create or change a repository under this namespace")


def address(request: Request) -> tuple[str, str]:
    """Kind and id of the repository in the request's address."""
    kind = request.path_params.get("kind", "models")
    return kind, f"{param(request, 'namespace')}/{param(request, 'name')}"


def param(request: Request, name: str) -> str:
    """A part of the request's address, unquoted. (The routes see it quoted: a revision may hold `%2F`.)"""
    return unquote(request.path_params.get(name, ""))


def base_url(request: Request) -> str:
    """Address of this server as the client knows it."""
    return str(request.base_url).rstrip("/")


def repository_url(request: Request, repository: Repository) -> str:
    """Address of a repository."""
    return f"{base_url(request)}/{KINDS[repository.kind]}{repository.id}"


async def read_body(request: Request, limit: int = JSON_BYTES) -> bytes:
    """The request's body; 413 above `limit` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise HubError(413, f"The request is larger than {limit} bytes.")
    return bytes(body)


async def read_json(request: Request) -> dict[str, Any]:
    """The request's body as a JSON object; 400 if it is none."""
    try:
        body = json.loads(await read_body(request) or b"{}")
    except (ValueError, RecursionError) as error:
        raise HubError(400, "The request's body is not JSON.") from error
    if not isinstance(body, dict):
        raise HubError(400, "The request's body is not a JSON object.")
    return body


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work beside the event loop."""
    return await anyio.to_thread.run_sync(lambda: function(*args, **kwargs))


async def in_blocks(chunks: AsyncIterator[bytes], take: Callable[[bytes], object]) -> None:
    """Hand a body that arrives to `take`, in order, in a thread beside the event loop, while what follows arrives.

    Once this returns or raises, `take` is no longer at work.
    """
    working: asyncio.Task[object] | None = None
    block: list[bytes] = []
    held = 0
    try:
        async for chunk in chunks:
            block.append(chunk)
            held += len(chunk)
            if held >= BLOCK_BYTES:
                if working is not None:
                    await working
                working, block, held = asyncio.create_task(in_thread(_take, take, block)), [], 0
        if working is not None:
            await working
        await in_thread(_take, take, block)
    finally:
        if working is not None:
            await asyncio.gather(working, return_exceptions=True)


def _take(take: Callable[[bytes], object], block: list[bytes]) -> None:
    take(b"".join(block))


def _password(basic: str) -> str:
    """The password in the credentials of HTTP Basic; nothing if they cannot be read."""
    try:
        return base64.b64decode(basic, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _lock(file: IO[str], patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RuntimeError("Another server is using this folder. Stop it first, or choose another.") from None
            time.sleep(0.05)


def _secret(file: Path) -> bytes:
    if not file.exists():
        write_whole(file, secrets.token_bytes(32), private=True)
    return file.read_bytes()
