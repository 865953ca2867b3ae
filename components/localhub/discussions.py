"""Discussions and pull requests of a repository: one JSON file each, with the events in the Hub's own shape.

A pull request's commits lie under `refs/pr/N`. Writers hold the repository's lock.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from components.localhub.accounts import Account
from components.localhub.disk import write_whole
from components.localhub.errors import HubError, revision_not_found
from components.localhub.hub import forbidden
from components.localhub.repositories import Repository

TITLE_CHARS = 200
COMMENT_CHARS = 65_536
FOLDER = "discussions"
#: Statuses in which a pull request takes commits.
OPEN = ("open", "draft")


def reference(number: int) -> str:
    """Where the commits of that pull request lie."""
    return f"refs/pr/{number}"


def now() -> str:
    """The time, as ISO text in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def person(name: str) -> dict[str, str]:
    """An author as the Hub describes one."""
    return {"name": name, "fullname": name, "type": "user", "avatarUrl": ""}


def check_text(value: object, field: str, limit: int) -> str:
    """A title or comment; 400 if it is empty, too long or no text."""
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise HubError(400, f"`{field}` must be text of at most {limit} characters, and not empty.")
    return value.encode("utf-8", "replace").decode()


def create(repository: Repository, author: str, title: str, text: str, **more: Any) -> dict[str, Any]:
    """A new discussion. The caller holds the lock."""
    found: dict[str, Any] = {
        "num": 1 + max(_numbers(repository), default=0),
        "title": check_text(title, "title", TITLE_CHARS),
        "author": person(author),
        "createdAt": now(),
        "status": "open",
        "isPullRequest": False,
        "events": [comment(author, text)] if text else [],
        **more,
    }
    if found["isPullRequest"]:  # first, so that a pull request never lacks its commits
        repository.set_ref(reference(found["num"]), found["changes"]["head"])
    save(repository, found)
    return found


def propose(
    repository: Repository, author: str, title: str, text: str, *, base: str, head: str, status: str = "open"
) -> dict[str, Any]:
    """A new pull request of commit `head` into the branch `base` (a full ref). The caller holds the lock."""
    changes = {"base": base, "head": head}
    found = create(repository, author, title, text, isPullRequest=True, changes=changes, status=status)
    if head != repository.ref(base):
        add_commit(repository, found, author, head)
    return found


def add_commit(repository: Repository, found: dict[str, Any], author: str, commit: str) -> None:
    """Note a commit that was added to a pull request. The caller holds the lock."""
    subject = repository.objects.data(commit).partition(b"\n\n")[2].partition(b"\n")[0].decode("utf-8", "replace")
    found["events"].append(event("commit", author, {"subject": subject, "oid": commit}))
    found["changes"]["head"] = commit
    save(repository, found)


def load(repository: Repository, number: str | int) -> dict[str, Any]:
    """The discussion or pull request of that number; 404 if there is none."""
    file = _folder(repository) / f"{number}.json"
    if not str(number).isdecimal() or not str(number).isascii() or not file.exists():
        raise HubError(404, f"There is no discussion #{str(number)[:20]}.")
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def save(repository: Repository, item: dict[str, Any]) -> None:
    """Store a discussion. The caller holds the lock."""
    _folder(repository).mkdir(exist_ok=True)
    write_whole(_folder(repository) / f"{item['num']}.json", json.dumps(item, indent=1).encode())


def every(repository: Repository) -> Iterator[dict[str, Any]]:
    """All discussions and pull requests, newest first."""
    for number in sorted(_numbers(repository), reverse=True):
        yield load(repository, number)


def pull_request(repository: Repository, ref: str) -> dict[str, Any] | None:
    """The pull request whose commits lie under that full ref."""
    start, _, number = ref.rpartition("/")
    if start != "refs/pr" or repository.ref(ref) is None:
        return None
    found = load(repository, number)
    return found if found["isPullRequest"] else None


def check_open(repository: Repository, account: Account, ref: str) -> None:
    """Refuse commits to a pull request that is missing (404), closed, or somebody else's (403)."""
    found = pull_request(repository, ref)
    if found is None:
        raise revision_not_found(ref)
    if found["status"] not in OPEN:
        raise HubError(403, f"Pull request #{found['num']} is {found['status']}: open a new one")
    if found["author"]["name"] != account.name and not account.owns(repository.namespace):
        raise forbidden(account)


# -- events --------------------------------------------------------------------------------------------------------


def event(kind: str, author: str, data: dict[str, Any]) -> dict[str, Any]:
    """Something that happened in a discussion."""
    return {"id": secrets.token_hex(12), "type": kind, "createdAt": now(), "author": person(author), "data": data}


def comment(author: str, text: object) -> dict[str, Any]:
    """A comment. (Its text is shown as it is: Markdown is not rendered.)"""
    version = _version(author, check_text(text, "comment", COMMENT_CHARS))
    return event("comment", author, {"edited": False, "hidden": False, "latest": version, "history": []})


def edit(found: dict[str, Any], author: str, text: object) -> None:
    """Give a comment another text; the older ones stay in its history."""
    data = found["data"]
    if data["hidden"]:
        raise HubError(400, "This comment is hidden.")
    version = _version(author, check_text(text, "content", COMMENT_CHARS))
    data["history"] = [*(data["history"] or [data["latest"]]), version]
    data |= {"latest": version, "edited": True}


def hide(found: dict[str, Any], author: str) -> None:
    """Take a comment's text away for good."""
    found["data"] |= {"hidden": True, "latest": _version(author, ""), "history": []}


def _version(author: str, text: str) -> dict[str, Any]:
    return {"raw": text, "html": f"<p>{escape(text)}</p>", "updatedAt": now(), "author": person(author)}


def _numbers(repository: Repository) -> list[int]:
    return [int(file.stem) for file in _folder(repository).glob("*.json") if file.stem.isdecimal()]


def _folder(repository: Repository) -> Path:
    return repository.path / FOLDER
