"""What a repository of the Hub in use holds: its card, files, commits, branches, tags and discussions."""

from __future__ import annotations

import base64
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download

from components.service.cards import body, metadata
from components.service.cards.encoding import read_card
from components.service.errors import WorkbenchError
from components.service.hub import Hub, checked_id, checked_revision
from components.service.hub_errors import hub_errors
from components.service.listing import license_of
from components.service.readable import readable
from components.service.rights import address, checked_type, may_write
from components.service.visitor import Visitor

_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp"}
#: Pictures of a card that are shown, and the largest of them in bytes.
PICTURES, PICTURE_BYTES = 8, 1_000_000


class Repositories:
    """Reads repositories of the Hub in use."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def repo_info(
        self, repo: str, repo_type: str = "model", revision: str | None = None, *, visitor: Visitor
    ) -> dict[str, Any]:
        """What the Hub says of a repository at a revision.

        Returns:
            `{"id", "repo_type", "commit", "private", "gated", "task", "library", "license", "tags", "downloads",
            "likes", "created", "modified", "metadata", "files": [{"name", "bytes"}], "address", "writable"}`;
            `metadata` is the card's front matter, `writable` whether the visitor may change it.
        """
        checked_id(repo, "repo")
        with hub_errors(repo, field="repo"):
            info: Any = self.hub.api.repo_info(
                repo,
                repo_type=checked_type(repo_type),
                revision=checked_revision(revision),
                files_metadata=True,
                timeout=self.hub.settings.hub_seconds,
                token=visitor.token,
            )
        tags = list(info.tags or [])
        card = info.card_data.to_dict() if info.card_data else {}
        return {
            "id": info.id,
            "repo_type": repo_type,
            "commit": info.sha,
            "private": bool(info.private),
            "gated": getattr(info, "gated", False) or False,
            "task": getattr(info, "pipeline_tag", None),
            "library": getattr(info, "library_name", None) or getattr(info, "sdk", None),
            "license": license_of(tags),
            "tags": tags,
            "downloads": getattr(info, "downloads", None),
            "likes": info.likes,
            "created": _moment(info.created_at),
            "modified": _moment(info.last_modified),
            "metadata": card,
            "files": [{"name": file.rfilename, "bytes": file.size} for file in info.siblings or []],
            "address": address(self.hub, info.id, repo_type),
            "writable": may_write(self.hub, info.id, visitor),
        }

    def repo_card(
        self, repo: str, repo_type: str = "model", revision: str | None = None, *, visitor: Visitor
    ) -> dict[str, Any]:
        """A repository's card: `{"text", "body", "metadata", "commit", "remark"}`.

        `text` is README.md as it stands, empty if there is none; `body` is what a page may show of it, without the
        front matter and without pictures from elsewhere; `remark` says how a file that is not UTF-8 was opened.
        """
        return self.card_of(self.repo_info(repo, repo_type, revision, visitor=visitor), visitor=visitor)

    def card_of(self, info: dict[str, Any], *, visitor: Visitor) -> dict[str, Any]:
        """The card of a repository whose `repo_info` is known."""
        sizes = {file["name"]: file["bytes"] or 0 for file in info["files"]}
        if "README.md" not in sizes:
            return {"text": "", "body": "", "metadata": {}, "commit": info["commit"], "remark": ""}
        if sizes["README.md"] > self.hub.settings.card_bytes:
            raise WorkbenchError(
                f"The card of {info['id']} is longer than the {self.hub.settings.card_bytes:,} bytes shown here. "
                "Read it on the Hub.",
                field="repo",
            )
        card = read_card(self._file(info, "README.md", visitor))
        shown: dict[str, str | None] = {}

        def picture(name: str) -> str | None:
            kind = _PICTURES.get(Path(name).suffix.lower())
            if not kind or not 0 < sizes.get(name, 0) <= PICTURE_BYTES or len(shown) >= PICTURES:
                return None
            if name not in shown:
                content = base64.b64encode(self._file(info, name, visitor).read_bytes()).decode()
                shown[name] = f"data:image/{kind};base64,{content}"
            return shown[name]

        return {
            "text": card.text,
            "body": readable(body(card.text), picture),
            "metadata": metadata(card.text),
            "commit": info["commit"],
            "remark": card.remark,
        }

    def list_files(
        self, repo: str, revision: str | None = None, repo_type: str = "model", *, visitor: Visitor
    ) -> list[dict[str, Any]]:
        """The files of a repository, `[{"name", "bytes"}]`."""
        files: list[dict[str, Any]] = self.repo_info(repo, repo_type, revision, visitor=visitor)["files"]
        return files

    def list_commits(
        self, repo: str, repo_type: str = "model", revision: str | None = None, limit: int = 50, *, visitor: Visitor
    ) -> list[dict[str, Any]]:
        """The last commits of a branch, newest first: `[{"commit", "title", "message", "date", "authors"}]`."""
        checked_id(repo, "repo")
        if not isinstance(limit, int) or not 1 <= limit <= 1000:
            raise WorkbenchError("The limit must be from 1 to 1,000.", field="limit")
        with hub_errors(repo, field="repo"):
            found = self.hub.api.list_repo_commits(
                repo, repo_type=checked_type(repo_type), revision=checked_revision(revision), token=visitor.token
            )
        return [
            {
                "commit": one.commit_id,
                "title": one.title,
                "message": one.message,
                "date": _moment(one.created_at),
                "authors": list(one.authors),
            }
            for one in found[:limit]
        ]

    def list_refs(self, repo: str, repo_type: str = "model", *, visitor: Visitor) -> dict[str, Any]:
        """Branches and tags: `{"branches": [{"name", "commit"}], "tags": [{"name", "commit"}]}`."""
        checked_id(repo, "repo")
        with hub_errors(repo, field="repo"):
            refs = self.hub.api.list_repo_refs(repo, repo_type=checked_type(repo_type), token=visitor.token)
        return {
            "branches": [{"name": ref.name, "commit": ref.target_commit} for ref in refs.branches],
            "tags": [{"name": ref.name, "commit": ref.target_commit} for ref in refs.tags],
        }

    def list_discussions(self, repo: str, repo_type: str = "model", *, visitor: Visitor) -> list[dict[str, Any]]:
        """The newest 50 discussions and pull requests.

        Returns:
            For each: `{"number", "title", "author", "status", "pull_request", "created", "address"}`.
        """
        checked_id(repo, "repo")
        with hub_errors(repo, field="repo"):
            found = list(
                islice(
                    self.hub.api.get_repo_discussions(repo, repo_type=checked_type(repo_type), token=visitor.token), 50
                )
            )
        return [
            {
                "number": one.num,
                "title": one.title,
                "author": one.author,
                "status": one.status,
                "pull_request": one.is_pull_request,
                "created": _moment(one.created_at),
                "address": f"{address(self.hub, repo, repo_type)}/discussions/{one.num}",
            }
            for one in found
        ]

    def _file(self, info: dict[str, Any], name: str, visitor: Visitor) -> Path:
        with hub_errors(info["id"], field="repo"):
            path = hf_hub_download(
                info["id"],
                name,
                repo_type=info["repo_type"],
                revision=info["commit"],
                cache_dir=self.hub.cache(visitor, private=bool(info["private"] or info["gated"])),
                token=visitor.token,
                endpoint=self.hub.settings.endpoint,
            )
        return Path(path)


def _moment(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
