"""Repositories of the visitor's own on the Hub in use: create them, and put a run or a card into them.

Everything here acts with the visitor's token, in a namespace that the visitor may write to. An existing repository is
never written to unasked, and never changes its visibility.
"""

from __future__ import annotations

from typing import Any

from huggingface_hub import CommitOperationAdd

from components.service.cards import Cards, with_repo
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot, checked_id
from components.service.hub_errors import hub_errors
from components.service.visitor import Visitor


class Publisher:
    """Writes to the Hub in use."""

    def __init__(self, hub: Hub, cards: Cards) -> None:
        self.hub = hub
        self.cards = cards

    def namespaces(self, visitor: Visitor) -> list[str]:
        """The namespaces that the visitor may write to: their own name first, then their organizations.

        Raises:
            WorkbenchError: Nobody is signed in, or the token may only read.
        """
        me = self.hub.whoami(visitor)
        if not me["name"]:
            raise WorkbenchError("Sign in first: publishing needs an account on the Hub in use.", kind="forbidden")
        if me["role"] == "read":
            raise WorkbenchError(
                "Your token may only read. Make one with write access on the Hub and sign in with it.",
                kind="forbidden",
            )
        return [me["name"], *me["orgs"]]

    def create_repo(
        self, repo: str, private: bool = True, repo_type: str = "model", *, visitor: Visitor
    ) -> dict[str, Any]:
        """Create a repository; returns `{"repo", "address", "private"}`.

        Raises:
            WorkbenchError: It exists already (`kind="conflict"`), or the namespace is not the visitor's.
        """
        repo = self._own(repo, visitor)
        if repo_type not in ("model", "dataset", "space"):
            raise WorkbenchError("A repository is a model, a dataset or a space.", field="repo_type")
        sdk = "gradio" if repo_type == "space" else None
        try:
            with hub_errors(repo, field="repo"):
                self.hub.api.create_repo(repo, private=private, repo_type=repo_type, space_sdk=sdk, token=visitor.token)
        except WorkbenchError as error:
            if error.kind == "conflict":
                raise WorkbenchError(
                    f"You already have a repository named {repo}. Choose another name, or tick that it may be "
                    "updated: a new commit is added then, and nothing in its history is lost.",
                    kind="conflict",
                    field="repo",
                ) from None
            raise
        return {"repo": repo, "address": self._address(repo, repo_type), "private": private}

    def publish_run(
        self,
        run: str,
        repo: str,
        card: str = "",
        private: bool = True,
        message: str = "",
        update: bool = False,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Put a run's model, its tokenizer and its card into a repository of the visitor's own, in one commit.

        Args:
            run: The run's id.
            repo: `namespace/name`, or `name` for the visitor's own namespace. Created if it does not exist.
            card: The text of the card; drafted from the run's recorded facts when empty.
            private: Whether a repository that is created can be read by its owner alone.
            message: The commit's message.
            update: Whether a repository that exists may get a new commit.

        Returns:
            `{"repo", "commit", "address", "private", "files"}`.
        """
        snapshot = self._run_model(run, visitor)
        repo = self._own(repo, visitor)
        card = with_repo(card, repo) if card.strip() else self.cards.draft(run, repo, visitor=visitor)["text"]
        parent = self._open(repo, private, update, visitor)
        files = {file.name: file for file in sorted(snapshot.path.iterdir()) if file.is_file()}
        operations = [CommitOperationAdd(name, file) for name, file in files.items() if name != "README.md"]
        operations.append(CommitOperationAdd("README.md", card.encode()))
        commit = self._commit(repo, operations, message or f"Add the model of run {snapshot.id}", parent, visitor)
        return {**commit, "files": sorted(operation.path_in_repo for operation in operations)}

    def push_card(
        self, repo: str, text: str, message: str = "", parent_commit: str = "", *, visitor: Visitor
    ) -> dict[str, Any]:
        """Write a model's card; returns `{"repo", "commit", "address", "private"}`.

        Args:
            repo: A repository of the visitor's own that exists.
            text: The card, front matter included.
            message: The commit's message.
            parent_commit: The commit that the text was made from; a repository changed since then is left alone.
        """
        repo = self._own(repo, visitor)
        if not text.strip():
            raise WorkbenchError("The card is empty. Write or draft one first.", field="text")
        if len(text.encode()) > self.hub.settings.card_bytes:
            raise WorkbenchError(
                f"The card is longer than the {self.hub.settings.card_bytes:,} bytes allowed. Shorten it.",
                field="text",
            )
        parent = parent_commit or str(self.hub.model_info(repo, visitor=visitor).sha)
        operations = [CommitOperationAdd("README.md", text.encode())]
        return self._commit(repo, operations, message or "Update the model card", parent, visitor)

    def list_files(
        self, repo: str, revision: str | None = None, repo_type: str = "model", *, visitor: Visitor
    ) -> list[dict[str, Any]]:
        """The files of a repository, `[{"name", "bytes"}]`."""
        ask = self.hub.dataset_info if repo_type == "dataset" else self.hub.model_info
        info = ask(repo, revision, visitor=visitor)
        return [{"name": sibling.rfilename, "bytes": sibling.size} for sibling in info.siblings or []]

    def own_models(self, *, visitor: Visitor) -> list[dict[str, Any]]:
        """The visitor's own model repositories, newest first: `[{"id", "private", "modified"}]`."""
        me = self.hub.whoami(visitor)["name"]
        if not me:
            return []
        with hub_errors("your models"):
            found = self.hub.api.list_models(author=me, sort="last_modified", limit=100, full=True, token=visitor.token)
            return [
                {"id": info.id, "private": bool(info.private), "modified": str(info.last_modified)} for info in found
            ]

    def _run_model(self, run: str, visitor: Visitor) -> Snapshot:
        model = run if run.startswith("runs/") else f"runs/{run}"
        snapshot = self.hub.local(checked_id(model, "run"), visitor)
        assert snapshot is not None
        return snapshot

    def _own(self, repo: str, visitor: Visitor) -> str:
        """The full name of a repository in a namespace that the visitor may write to."""
        mine = self.namespaces(visitor)
        repo = repo.strip()
        full = checked_id(repo if "/" in repo else f"{mine[0]}/{repo}", "repo")
        if full.partition("/")[0] not in mine:
            raise WorkbenchError(
                f"You may not write to {full.partition('/')[0]}. Choose one of: {', '.join(mine)}.",
                kind="forbidden",
                field="repo",
            )
        return full

    def _open(self, repo: str, private: bool, update: bool, visitor: Visitor) -> str | None:
        """Create the repository, or find the head of the one that may be updated."""
        try:
            self.create_repo(repo, private, visitor=visitor)
        except WorkbenchError as error:
            if not (update and error.kind == "conflict"):
                raise
            self.hub.forget()
            return str(self.hub.model_info(repo, visitor=visitor).sha)
        return None

    def _commit(
        self,
        repo: str,
        operations: list[CommitOperationAdd],
        message: str,
        parent: str | None,
        visitor: Visitor,
    ) -> dict[str, Any]:
        with hub_errors(repo, field="repo"):
            commit = self.hub.api.create_commit(
                repo, operations, commit_message=message, parent_commit=parent, token=visitor.token
            )
        self.hub.forget()
        private = bool(self.hub.model_info(repo, visitor=visitor).private)
        return {"repo": repo, "commit": commit.oid, "address": self._address(repo, "model"), "private": private}

    def _address(self, repo: str, repo_type: str) -> str:
        folder = {"model": "", "dataset": "datasets/", "space": "spaces/"}[repo_type]
        return f"{self.hub.settings.endpoint}/{folder}{repo}"
