"""Commits over HTTP: the newline-delimited operations of a commit, applied whole or not at all."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub import discussions, git
from components.localhub.accounts import Account
from components.localhub.attributes import ATTRIBUTES, REGULAR_BYTES, Patterns, rule_for
from components.localhub.errors import HubError, entry_not_found, revision_not_found
from components.localhub.hub import Hub, in_thread, may_open, param, repository_url
from components.localhub.names import COMMIT_START, SHA256, check_file_path
from components.localhub.repositories import Repository

#: Longest line of a commit, in bytes: one regular file in base64 with its path.
LINE_BYTES = REGULAR_BYTES * 4 // 3 + 16 * 1024
OPERATIONS = 50_000
MESSAGE_CHARS = 20_000


@dataclass
class Draft:
    """What a commit is to change, collected line by line. Blobs are stored as they come; nothing refers to them yet."""

    repository: Repository
    find_large: Callable[[str], bool]
    summary: str = ""
    description: str = ""
    parent: str | None = None
    added: dict[str, str] = field(default_factory=dict)
    large: list[str] = field(default_factory=list)
    deleted_files: list[str] = field(default_factory=list)
    deleted_folders: list[str] = field(default_factory=list)

    def take(self, line: bytes) -> None:
        """Add one line of the request; 400 if it is not an operation."""
        try:
            item = json.loads(line)
            key, value = item["key"], item["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise HubError(400, "A line of the commit is not a JSON object with a key and a value.") from error
        operation = {
            "header": self._header,
            "file": self._file,
            "lfsFile": self._large_file,
            "deletedFile": self._deleted_file,
            "deletedFolder": self._deleted_folder,
        }.get(key if isinstance(key, str) else "")
        if operation is None or not isinstance(value, dict):
            raise HubError(400, f"{str(key)[:50]!r} is not an operation of a commit.")
        operation(value)

    def _header(self, value: dict[str, Any]) -> None:
        summary, description, parent = (value.get(key) or "" for key in ("summary", "description", "parentCommit"))
        if not all(isinstance(text, str) and len(text) <= MESSAGE_CHARS for text in (summary, description, parent)):
            raise HubError(400, f"The commit's message must be text of at most {MESSAGE_CHARS} characters.")
        if parent and not COMMIT_START.fullmatch(parent):
            raise HubError(400, "`parentCommit` must be a commit id, or its first 7 digits or more.")
        self.summary, self.description, self.parent = summary, description, parent or None

    def _file(self, value: dict[str, Any]) -> None:
        path = check_file_path(value.get("path"))
        content = value.get("content", "")
        try:
            data = (
                base64.b64decode(content, validate=True)
                if value.get("encoding", "utf-8") == "base64"
                else content.encode()
            )
        except (binascii.Error, ValueError, TypeError, AttributeError) as error:
            raise HubError(400, f"The content of {path} cannot be decoded.") from error
        if len(data) > REGULAR_BYTES:
            raise HubError(400, f"{path} is larger than {REGULAR_BYTES} bytes: upload it with git-lfs.")
        self.added[path] = git.write_blob(self.repository.objects, data)

    def _large_file(self, value: dict[str, Any]) -> None:
        path, oid = check_file_path(value.get("path")), value.get("oid")
        if not isinstance(oid, str) or not SHA256.fullmatch(oid) or not self.find_large(oid):
            raise HubError(400, f"{path} points to a git-lfs object that was not uploaded.")
        pointer = git.Pointer(oid, self.repository.large_file(oid).stat().st_size)
        self.added[path] = git.write_blob(self.repository.objects, pointer.encode())
        self.large.append(path)

    def _deleted_file(self, value: dict[str, Any]) -> None:
        self.deleted_files.append(check_file_path(value.get("path")))

    def _deleted_folder(self, value: dict[str, Any]) -> None:
        path = value.get("path")
        self.deleted_folders.append(check_file_path(path.rstrip("/") if isinstance(path, str) else path))

    def apply(self, ref: str, author: str, *, propose: bool = False) -> tuple[str, int | None]:
        """Make the commit and move the branch or pull request to it, or open a pull request with it.

        Returns:
            The commit's id, and the number of the pull request that was opened.

        Raises:
            HubError: 404 for a missing branch or a missing file to delete, 412 for a stale parent, 400 for a conflict.
        """
        if not self.summary.strip():
            raise HubError(400, "A commit needs a summary.")
        repository = self.repository
        with repository.writing():
            head = repository.ref(ref)
            if head is None:
                raise revision_not_found(ref.removeprefix("refs/heads/"))
            if self.parent and not head.startswith(self.parent):
                raise HubError(412, "A commit has happened since. Please refresh and try again.")
            commit = self._write(head, author)
            if propose:
                title = self.summary.strip()[: discussions.TITLE_CHARS]
                made = discussions.propose(repository, author, title, self.description, base=ref, head=commit)
                return commit, int(made["num"])
            repository.set_ref(ref, commit)
            if proposal := discussions.pull_request(repository, ref):
                discussions.add_commit(repository, proposal, author, commit)
        return commit, None

    def _write(self, head: str, author: str) -> str:
        files = {entry.path: (entry.mode, entry.oid) for entry in self.repository.files(head)}
        self._change(files, head)
        message = f"{self.summary}\n\n{self.description}" if self.description else self.summary
        return git.write_commit(self.repository.objects, files, parents=[head], author=author, message=message)

    def _change(self, files: dict[str, tuple[int, str]], head: str) -> None:
        for path in self.deleted_files:
            if files.pop(path, None) is None:
                raise entry_not_found(path, head)
        for folder in self.deleted_folders:
            inside = [path for path in files if path.startswith(folder + "/")]
            if not inside:
                raise entry_not_found(folder, head)
            for path in inside:
                del files[path]
        files.update({path: (git.FILE_MODE, oid) for path, oid in self.added.items()})
        self._track_large(files)
        _refuse_conflicts(files, self.added)

    def _track_large(self, files: dict[str, tuple[int, str]]) -> None:
        """Let git-lfs know the large files that no pattern covers, so that a clone gets their content."""
        objects = self.repository.objects
        attributes = objects.data(files[ATTRIBUTES][1]).decode("utf-8", "replace") if ATTRIBUTES in files else ""
        patterns = Patterns(attributes)
        rules = "".join(rule_for(path) for path in self.large if not patterns.match(path))
        if rules:
            if attributes and not attributes.endswith("\n"):
                attributes += "\n"
            files[ATTRIBUTES] = (git.FILE_MODE, git.write_blob(objects, (attributes + rules).encode()))


def _refuse_conflicts(files: dict[str, tuple[int, str]], added: dict[str, str]) -> None:
    folders = {path[:end] for path in files for end in range(len(path)) if path[end] == "/"}
    parents = {path[:end] for path in added for end in range(len(path)) if path[end] == "/"}
    for path in sorted((parents & files.keys()) | (folders & added.keys())):
        raise HubError(400, f"{path} cannot be a file and a folder at once: delete one of them first.")


async def lines(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """The non-empty lines of a request's body; 413 for a line above `limit` bytes."""
    pending = bytearray()
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        pending += first
        for other in others:
            if pending.strip():
                yield bytes(pending)
            pending = bytearray(other)
        if len(pending) > limit:
            raise HubError(413, f"A file in the commit is too large: above {REGULAR_BYTES} bytes it needs git-lfs.")
    if pending.strip():
        yield bytes(pending)


def proposes(request: Request) -> bool:
    """Whether the client wants its commit in a new pull request."""
    return request.query_params.get("create_pr") not in (None, "0", "false")


def target(hub: Hub, request: Request) -> tuple[Repository, Account, str]:
    """The repository and the full ref that a commit is to go to, if the asker may commit there, and the asker.

    Anyone who may read a repository may open pull requests; their authors and the owners may add to them.
    """
    revision = param(request, "revision")
    ref = revision if revision.startswith("refs/") else f"refs/heads/{revision}"
    if not ref.startswith(("refs/heads/", "refs/pr/")):
        raise revision_not_found(revision)
    if proposes(request):
        repository, account = hub.contributed(request)
    elif ref.startswith("refs/pr/"):
        repository, account = hub.contributed(request)
        discussions.check_open(repository, account, ref)
    else:
        repository, account = hub.own_repository(request)
    return repository, account, ref


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    async def commit(request: Request) -> Response:
        repository, account, ref = await in_thread(target, hub, request)
        draft = Draft(repository, lambda oid: _find_large(hub, account, repository, oid))
        count = 0
        async for line in lines(request.stream(), LINE_BYTES):
            count += 1
            if count > OPERATIONS:
                raise HubError(413, f"A commit may have at most {OPERATIONS} operations: split it.")
            await in_thread(draft.take, line)
        oid, number = await in_thread(draft.apply, ref, account.name, propose=proposes(request))
        url = repository_url(request, repository)
        answer = {"success": True, "commitOid": oid, "commitUrl": f"{url}/commit/{oid}", "hookOutput": ""}
        if number is not None:
            answer["pullRequestUrl"] = f"{url}/discussions/{number}"
        return JSONResponse(answer)

    return [Route("/api/{kind:kinds}/{namespace}/{name}/commit/{revision}", commit, methods=["POST"])]


def _find_large(hub: Hub, account: Account, repository: Repository, oid: str) -> bool:
    """Whether the repository has that git-lfs object, if need be by a copy from another one that the user may read."""
    target = repository.large_file(oid)
    if target.exists():
        return True
    for kind in ("models", "datasets", "spaces"):
        for other in hub.repositories.all(kind):
            source = other.large_file(oid)
            if source.exists() and hub.may_read(account, other) and may_open(account, other):
                with repository.writing(), suppress(FileExistsError):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.hardlink_to(source)
                return True
    return False
