"""Repositories of the visitor's own: create, show, move and delete them; name their branches and tags.

Everything acts with the visitor's token, in a namespace that the visitor may write to, and tells what it did.
"""

from __future__ import annotations

import re
from typing import Any

from components.service.contents import Contents
from components.service.errors import WorkbenchError
from components.service.hub import Hub, checked_revision
from components.service.hub_errors import hub_errors
from components.service.listing import ask, question
from components.service.rights import address, checked_type, namespaces, own
from components.service.visitor import Visitor

_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", re.ASCII)


class Manager:
    """Changes repositories of the Hub in use."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.contents = Contents(hub)

    def list_namespaces(self, *, visitor: Visitor) -> list[str]:
        """The namespaces that the visitor may write to: their own name first, then their organizations."""
        return namespaces(self.hub, visitor)

    def list_own(
        self, repo_type: str = "model", owner: str = "", limit: int = 100, *, visitor: Visitor
    ) -> list[dict[str, Any]]:
        """The repositories of the visitor, or of an organization of theirs, last changed first.

        Args:
            repo_type: `model`, `dataset` or `space`.
            owner: Whose; empty for the visitor's own name.
            limit: Most rows, up to 100.

        Returns:
            Rows as of `search_models`; empty for somebody who is not signed in.
        """
        me = self.hub.whoami(visitor)
        if not me["name"]:
            return []
        if owner and owner not in (me["name"], *me["orgs"]):
            raise WorkbenchError(f"You are not a member of {owner}. Search for it instead.", field="owner")
        asked = question(repo_type, "", {"author": owner or me["name"]}, "last_modified", limit)
        return ask(self.hub, repo_type, asked, "", visitor).rows

    def create_repo(
        self, repo: str, private: bool = True, repo_type: str = "model", *, visitor: Visitor
    ) -> dict[str, Any]:
        """Create a repository; returns `{"repo", "repo_type", "address", "private"}`.

        Args:
            repo: `namespace/name`, or `name` for the visitor's own namespace.
            private: Whether its owner alone may read it.
            repo_type: `model`, `dataset` or `space` (made with Gradio).

        Raises:
            WorkbenchError: It exists already (`kind="conflict"`), or the namespace is not the visitor's.
        """
        repo = own(self.hub, repo, visitor)
        sdk = "gradio" if checked_type(repo_type) == "space" else None
        try:
            with hub_errors(repo, field="repo"):
                self.hub.api.create_repo(repo, private=private, repo_type=repo_type, space_sdk=sdk, token=visitor.token)
        except WorkbenchError as error:
            if error.kind == "conflict":
                raise WorkbenchError(
                    f"You already have a repository named {repo}. Choose another name, or add to that one.",
                    kind="conflict",
                    field="repo",
                ) from None
            raise
        self.hub.forget()
        return {"repo": repo, "repo_type": repo_type, "address": address(self.hub, repo, repo_type), "private": private}

    def open_repo(self, repo: str, private: bool, update: bool, *, visitor: Visitor) -> tuple[bool, str]:
        """Create a model repository, or find the one that may be written to.

        One that holds nothing yet, such as one whose first upload failed, may be written to without `update`.

        Returns:
            Whether it was created, and its head.
        """
        try:
            self.create_repo(repo, private, visitor=visitor)
        except WorkbenchError as error:
            if error.kind != "conflict":
                raise
            info = self.contents.info(repo, "model", None, visitor)
            holds = {file.rfilename for file in info.siblings or []} - {".gitattributes"}
            if not update and (holds or (private and not info.private)):
                raise WorkbenchError(
                    f"You already have a repository named {repo}. Choose another name, or tick that it may be "
                    "updated: a new commit is added then, and nothing in its history is lost.",
                    kind="conflict",
                    field="repo",
                ) from None
            return False, str(info.sha)
        return True, self.contents.head(repo, visitor=visitor)

    def set_visibility(
        self, repo: str, private: bool = True, repo_type: str = "model", *, visitor: Visitor
    ) -> dict[str, Any]:
        """Show a repository to everybody, or to its owner alone; returns `{"repo", "address", "private"}`."""
        repo = own(self.hub, repo, visitor)
        with hub_errors(repo, field="repo"):
            self.hub.api.update_repo_settings(
                repo, private=private, repo_type=checked_type(repo_type), token=visitor.token
            )
        return self._done(repo, repo_type, private=private)

    def move_repo(self, repo: str, to: str, repo_type: str = "model", *, visitor: Visitor) -> dict[str, Any]:
        """Rename a repository, or move it to another namespace of the visitor's; returns `{"repo", "address"}`.

        Args:
            repo: Its name.
            to: The new one, `namespace/name` or `name`; nothing may be there yet.
        """
        repo, to = own(self.hub, repo, visitor), own(self.hub, to, visitor, "to")
        if repo == to:
            raise WorkbenchError("That is its name already. Type another one.", field="to")
        with hub_errors(repo, field="to"):
            self.hub.api.move_repo(repo, to, repo_type=checked_type(repo_type), token=visitor.token)
        return self._done(to, repo_type)

    def delete_repo(
        self, repo: str, confirm: str = "", repo_type: str = "model", *, visitor: Visitor
    ) -> dict[str, Any]:
        """Delete a repository with its whole history, for good; returns `{"repo", "deleted"}`.

        Args:
            repo: Its full name.
            confirm: The full name once more.
        """
        repo = own(self.hub, repo, visitor)
        if confirm.strip() != repo:
            raise WorkbenchError(
                f"Nothing was deleted. To delete it for good, type its full name: {repo}.", field="confirm"
            )
        with hub_errors(repo, field="repo"):
            self.hub.api.delete_repo(repo, repo_type=checked_type(repo_type), token=visitor.token)
        self.hub.forget()
        return {"repo": repo, "deleted": True}

    def create_branch(
        self, repo: str, branch: str, revision: str | None = None, repo_type: str = "model", *, visitor: Visitor
    ) -> dict[str, Any]:
        """Start a branch at a revision (`main` if none is given); returns `{"repo", "address", "branch"}`."""
        repo, branch = own(self.hub, repo, visitor), checked_ref(branch, "branch")
        with _named(f"{repo} already has a branch {branch}."), hub_errors(repo, field="branch"):
            self.hub.api.create_branch(
                repo,
                branch=branch,
                revision=checked_revision(revision),
                repo_type=checked_type(repo_type),
                token=visitor.token,
            )
        return self._done(repo, repo_type, branch=branch)

    def delete_branch(self, repo: str, branch: str, repo_type: str = "model", *, visitor: Visitor) -> dict[str, Any]:
        """Delete a branch; `main` cannot be. Returns `{"repo", "address", "branch"}`."""
        repo, branch = own(self.hub, repo, visitor), checked_ref(branch, "branch")
        if branch == "main":
            raise WorkbenchError("The branch main cannot be deleted. Delete the repository instead.", field="branch")
        with hub_errors(repo, field="branch"):
            self.hub.api.delete_branch(repo, branch=branch, repo_type=checked_type(repo_type), token=visitor.token)
        return self._done(repo, repo_type, branch=branch)

    def create_tag(
        self,
        repo: str,
        tag: str,
        revision: str | None = None,
        message: str = "",
        repo_type: str = "model",
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Give a revision (`main` if none is given) a name that stays; returns `{"repo", "address", "tag"}`."""
        repo, tag = own(self.hub, repo, visitor), checked_ref(tag, "tag")
        with _named(f"{repo} already has a tag {tag}."), hub_errors(repo, field="tag"):
            self.hub.api.create_tag(
                repo,
                tag=tag,
                tag_message=message or None,
                revision=checked_revision(revision),
                repo_type=checked_type(repo_type),
                token=visitor.token,
            )
        return self._done(repo, repo_type, tag=tag)

    def delete_tag(self, repo: str, tag: str, repo_type: str = "model", *, visitor: Visitor) -> dict[str, Any]:
        """Delete a tag; the commit that it named stays. Returns `{"repo", "address", "tag"}`."""
        repo, tag = own(self.hub, repo, visitor), checked_ref(tag, "tag")
        with hub_errors(repo, field="tag"):
            self.hub.api.delete_tag(repo, tag=tag, repo_type=checked_type(repo_type), token=visitor.token)
        return self._done(repo, repo_type, tag=tag)

    def _done(self, repo: str, repo_type: str, **more: Any) -> dict[str, Any]:
        self.hub.forget()
        return {"repo": repo, "repo_type": repo_type, "address": address(self.hub, repo, repo_type), **more}


class _named:
    """A block in which the Hub's "there is one of that name" is told of a branch or a tag."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, WorkbenchError) and error.kind == "conflict":
            raise WorkbenchError(f"{self.sentence} Choose another name.", kind="conflict", field=error.field) from None


def checked_ref(name: str, field: str) -> str:
    """The name of a branch or a tag, if it can be one."""
    name = str(name or "").strip()
    if not _REF.fullmatch(name) or ".." in name or "//" in name or name.endswith(("/", ".", ".lock")):
        raise WorkbenchError(
            f"This is not a name for a {field}. Use letters, digits, dots, hyphens and underscores, such as v1.0.",
            field=field,
        )
    return name
