"""The files of a repository: put some in, take one out, each in a commit of its own.

A file that exists is never overwritten unasked; a commit is made on the commit that was looked at, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from components.service.errors import WorkbenchError
from components.service.hub import Hub, checked_id, checked_revision
from components.service.hub_errors import hub_errors
from components.service.rights import address, checked_type, namespaces, own
from components.service.transfer import Push, Upload, finished
from components.service.visitor import Visitor

#: Most files of one upload, and the longest path in a repository, in characters.
FILES, PATH_CHARS = 1000, 255
_COMMIT = re.compile("[0-9a-fA-F]{5,40}")
#: How the Hub's client begins what the Hub says of a card's metadata.
_METADATA = "Invalid metadata in README.md.\n"
#: What no path may hold: control characters, the backslash, and signs that turn the direction of writing.
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\\u202a-\u202e\u2066-\u2069]")


class Contents:
    """Changes what repositories of the Hub in use hold."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def head(self, repo: str, repo_type: str = "model", revision: str | None = None, *, visitor: Visitor) -> str:
        """The commit that a repository is at."""
        return str(self.info(repo, repo_type, revision, visitor).sha)

    def upload_files(
        self,
        repo: str,
        files: list[dict[str, Any]],
        message: str = "",
        repo_type: str = "model",
        revision: str | None = None,
        update: bool = False,
        parent_commit: str = "",
        create_pr: bool = False,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Put files into a repository, in one commit.

        Args:
            repo: A repository of the visitor's own that exists; with `create_pr`, any.
            files: `[{"file": an uploaded file, "path": where it goes}]`; without a path, its own name.
            message: The commit's message.
            revision: The branch; `main` if none is given.
            update: Whether files that exist may be replaced.
            parent_commit: The commit that one has seen; a repository changed since then is left alone.
            create_pr: Propose the files as a pull request.

        Returns:
            `{"repo", "commit", "address", "private", "files", "pull_request", "changed"}`.
        """
        push = Push(message, update=update, create_pr=create_pr, parent_commit=parent_commit)
        return finished(self.uploading(repo, files, push, repo_type, revision, visitor=visitor))

    def uploading(
        self,
        repo: str,
        files: list[dict[str, Any]],
        push: Push,
        repo_type: str = "model",
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> Iterator[dict[str, Any]]:
        """`upload_files` in steps of `{"sent", "bytes", "result"}`; the last one holds the result."""
        placed = _placed(files)
        if push.create_pr:
            namespaces(self.hub, visitor)
        else:
            repo = own(self.hub, repo, visitor)
        info = self.info(repo, repo_type, revision, visitor)
        there = {file.rfilename for file in info.siblings or []}
        if (again := sorted(there & placed.keys())) and not push.update:
            raise WorkbenchError(
                f"{repo} already holds {', '.join(again[:5])}{' ...' if len(again) > 5 else ''}. Tick that files may "
                "be replaced, or give them another name.",
                kind="conflict",
                field="files",
            )
        upload = Upload()
        for path, file in placed.items():
            upload.add(path, file)
        title = push.message or (f"Upload {next(iter(placed))}" if len(placed) == 1 else f"Upload {len(placed)} files")

        def commit(operations: list[CommitOperationAdd]) -> dict[str, Any]:
            done = self.commit(
                repo,
                operations,
                title,
                parent=push.parent_commit or str(info.sha),
                create_pr=push.create_pr,
                repo_type=repo_type,
                revision=revision,
                visitor=visitor,
            )
            return {**done, "files": sorted(placed)}

        yield from upload.run(commit)

    def delete_file(
        self,
        repo: str,
        path: str,
        message: str = "",
        repo_type: str = "model",
        revision: str | None = None,
        parent_commit: str = "",
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Delete a file in a new commit (its history keeps it); returns `{"repo", "commit", "address", "private"}`."""
        repo, path = own(self.hub, repo, visitor), checked_path(path)
        info = self.info(repo, repo_type, revision, visitor)
        if path not in {file.rfilename for file in info.siblings or []}:
            raise WorkbenchError(f"{repo} has no file {path}. Look at its files.", kind="not_found", field="path")
        return self.commit(
            repo,
            [CommitOperationDelete(path)],
            message or f"Delete {path}",
            parent=parent_commit or str(info.sha),
            repo_type=repo_type,
            revision=revision,
            visitor=visitor,
        )

    def commit(
        self,
        repo: str,
        operations: Sequence[CommitOperationAdd | CommitOperationDelete],
        message: str,
        *,
        parent: str | None,
        create_pr: bool = False,
        repo_type: str = "model",
        revision: str | None = None,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Make a commit on `parent`, or propose it.

        Returns:
            `{"repo", "repo_type", "commit", "address", "private", "pull_request", "changed"}`; `changed` is False where
            the repository held exactly this already, so that no commit was made.
        """
        if parent and not _COMMIT.fullmatch(parent):
            raise WorkbenchError("A commit is named by 5 to 40 hexadecimal digits.", field="parent_commit")
        with _readable_card(), hub_errors(repo, field="repo"):
            made = self.hub.api.create_commit(
                repo,
                list(operations),
                commit_message=message[:500],
                parent_commit=parent,
                create_pr=create_pr,
                repo_type=checked_type(repo_type),
                revision=checked_revision(revision),
                token=visitor.token,
            )
        private = bool(self.info(repo, repo_type, None, visitor).private)
        self.hub.forget()
        return {
            "repo": repo,
            "repo_type": repo_type,
            "commit": made.oid,
            "address": address(self.hub, repo, repo_type),
            "private": private,
            "pull_request": made.pr_url,
            "changed": bool(made.pr_url) or made.oid != parent,
        }

    def info(self, repo: str, repo_type: str, revision: str | None, visitor: Visitor) -> Any:
        """What the Hub says of a repository at a revision, asked anew."""
        checked_id(repo, "repo")
        with hub_errors(repo, field="repo"):
            return self.hub.api.repo_info(
                repo,
                repo_type=checked_type(repo_type),
                revision=checked_revision(revision),
                timeout=self.hub.settings.hub_seconds,
                token=visitor.token,
            )


@contextmanager
def _readable_card() -> Iterator[None]:
    """Say what is wrong with a card that the Hub's client, or the Hub, refuses before anything is sent."""
    try:
        yield
    except UnicodeDecodeError:
        raise WorkbenchError(
            "README.md is not text in UTF-8, as which the Hub reads a card. Open it in the card editor, which tells "
            "what its letters are, and publish it from there.",
            field="files",
        ) from None
    except ValueError as error:
        # The Hub judges the metadata before it is sent, and the client gives its words in an exception of this kind.
        said = str(error).removeprefix(_METADATA)
        if said == str(error):
            raise
        raise WorkbenchError(
            f"The Hub refuses the metadata of README.md: {' '.join(said.split())[:500]}. Mend it in the card editor.",
            field="text",
        ) from None


def checked_path(path: object) -> str:
    """Where a file goes in a repository, if it stays inside and can be named there.

    Raises:
        WorkbenchError: It is absolute, climbs out, or goes into git's own folder.
    """
    text = str(path or "").strip()
    parts = text.split("/")
    if (
        not text
        or len(text) > PATH_CHARS
        or _FORBIDDEN.search(text)
        or re.match(r"[A-Za-z]:", text)
        or any(part in ("", ".", "..") or part.lower() == ".git" or part != part.strip() for part in parts)
    ):
        raise WorkbenchError(
            "This is not a path in a repository. Write it like data/train.csv: no slash at the start, no dots alone, "
            f"at most {PATH_CHARS} characters.",
            field="path",
        )
    return text


def _placed(files: Any) -> dict[str, Path]:
    """Where each file goes, and where it lies on this machine."""
    if not isinstance(files, list) or not files:
        raise WorkbenchError("Choose at least one file to upload.", field="files")
    if len(files) > FILES:
        raise WorkbenchError(f"These are more than {FILES:,} files. Upload them in parts, or with git.", field="files")
    placed: dict[str, Path] = {}
    for one in files:
        if not isinstance(one, dict) or "file" not in one:
            raise WorkbenchError('Name each file as {"file": ..., "path": ...}.', field="files")
        file = Path(one["file"])
        if not file.is_file():
            raise WorkbenchError("One of the files is not there any more. Choose it again.", field="files")
        path = checked_path(one.get("path") or one.get("name") or file.name)
        if path in placed:
            raise WorkbenchError(f"Two of the files would both become {path}. Give one another path.", field="files")
        placed[path] = file
    return placed
