"""What leaves the workbench for the Hub in use: a run's model with its card, or a card alone.

Everything here acts with the visitor's token. A repository that exists is never written to unasked and never changes
its visibility; one that was changed since it was looked at is left alone. Publishing takes the files of a run as they
are on disk, so after a failure it can be repeated without training again, and what has arrived is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from huggingface_hub import CommitOperationAdd

from components.service import rights
from components.service.cards import Cards, with_repo
from components.service.cards.diff import diff_card
from components.service.cards.edit import check_card
from components.service.cards.merge import merge_card
from components.service.contents import Contents
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot, checked_id
from components.service.manage import Manager
from components.service.repositories import Repositories
from components.service.tasks.texts import check_characters
from components.service.transfer import Push, Upload, finished
from components.service.visitor import Visitor


class Publisher:
    """Publishes to the Hub in use."""

    def __init__(self, hub: Hub, cards: Cards) -> None:
        self.hub = hub
        self.cards = cards
        self.manager = Manager(hub)
        self.contents = Contents(hub)
        self.repositories = Repositories(hub)

    def namespaces(self, visitor: Visitor) -> list[str]:
        """The namespaces that the visitor may write to: their own name first, then their organizations."""
        return rights.namespaces(self.hub, visitor)

    def is_there(self, repo: str, *, visitor: Visitor) -> bool | None:
        """Whether a model's repository is on the Hub, as far as the visitor may see; None where that is not known."""
        try:
            self.contents.head(repo, visitor=visitor)
        except WorkbenchError as error:
            return False if error.kind == "not_found" else None
        return True

    def publish_run(
        self,
        run: str,
        repo: str,
        card: str = "",
        private: bool = True,
        message: str = "",
        update: bool = False,
        create_pr: bool = False,
        parent_commit: str = "",
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
            update: Whether a repository that exists, and holds something, may get a new commit.
            create_pr: Propose the commit to a repository that exists, as a pull request, instead of making it.
            parent_commit: The commit that one has seen; a repository changed since then is left alone.

        Returns:
            `{"repo", "commit", "address", "private", "files", "pull_request", "changed"}`; `pull_request` is its
            address or None, and `changed` is False where the repository held exactly this already.
        """
        push = Push(message, private, update, create_pr, parent_commit)
        return finished(self.publishing(run, repo, card, push, visitor=visitor))

    def publishing(self, run: str, repo: str, card: str, push: Push, *, visitor: Visitor) -> Iterator[dict[str, Any]]:
        """`publish_run` in steps of `{"sent", "bytes", "result"}`; the last one holds the result."""
        snapshot = self._run_model(run, visitor)
        repo = self._target(repo, push.create_pr, visitor)
        card = with_repo(card, repo) if card.strip() else self.cards.draft(run, repo, visitor=visitor)["text"]
        upload = Upload()
        for file in sorted(snapshot.path.iterdir()):
            if file.is_file() and file.name != "README.md":
                upload.add(file.name, file)
        upload.add("README.md", card.encode())
        parent, created = push.parent_commit or None, False
        if not push.create_pr:
            created, head = self.manager.open_repo(repo, push.private, push.update, visitor=visitor)
            parent = parent or head
        names = sorted(operation.path_in_repo for operation in upload.operations)

        def commit(operations: list[CommitOperationAdd]) -> dict[str, Any]:
            title = push.message or f"Add the model of run {snapshot.id.removeprefix('runs/')}"
            done = self.contents.commit(
                repo, operations, title, parent=parent, create_pr=push.create_pr, visitor=visitor
            )
            return {**done, "files": names}

        try:
            yield from upload.run(commit)
        except WorkbenchError as error:
            raise _not_arrived(error, repo, created) from None

    def push_card(
        self,
        repo: str,
        text: str,
        message: str = "",
        parent_commit: str = "",
        create_pr: bool = False,
        create: bool = False,
        private: bool = True,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Write a model's card; returns `{"repo", "commit", "address", "private", "pull_request", "changed"}`.

        Args:
            repo: A repository that exists: the visitor's own, or with `create_pr` any.
            text: The card, front matter included.
            message: The commit's message; without one it names the fields and sections that change.
            parent_commit: The commit that the text was made from; a repository changed since then is left alone, and
                `rebase_card` brings the text up to date.
            create_pr: Propose the card as a pull request.
            create: Whether a repository that does not exist is created; not with `create_pr` or `parent_commit`.
            private: Whether one that is created can be read by its owner alone.
        """
        repo = self._target(repo, create_pr, visitor)
        if not text.strip():
            raise WorkbenchError("The card is empty. Write or draft one first.", field="text")
        check_characters(text, "text")
        if len(text.encode()) > self.hub.settings.card_bytes:
            raise WorkbenchError(
                f"The card is longer than the {self.hub.settings.card_bytes:,} bytes allowed. Shorten it.",
                field="text",
            )
        if not create or create_pr or parent_commit or self.is_there(repo, visitor=visitor) is not False:
            return self._with_card(repo, text, message, parent_commit, create_pr, visitor)
        self.manager.create_repo(repo, private, visitor=visitor)
        try:
            return self._with_card(repo, text, message, "", False, visitor)
        except WorkbenchError as error:
            said = f"{repo} was created, but the card did not arrive. {error.message} Publish it again."
            raise WorkbenchError(said, kind=error.kind, field=error.field) from None

    def _with_card(
        self, repo: str, text: str, message: str, parent_commit: str, create_pr: bool, visitor: Visitor
    ) -> dict[str, Any]:
        """The commit of a card in a repository that exists."""
        parent = parent_commit or self.contents.head(repo, visitor=visitor)
        title = message or self._title(repo, text, parent, visitor)
        operations = [CommitOperationAdd("README.md", text.encode())]
        return self.contents.commit(repo, operations, title, parent=parent, create_pr=create_pr, visitor=visitor)

    def rebase_card(self, repo: str, text: str, parent_commit: str, *, visitor: Visitor) -> dict[str, Any]:
        """Put what others changed in a card on the Hub since one began into one's own text; nothing is written.

        Args:
            repo: The model's repository.
            text: One's own text.
            parent_commit: The commit that it was made from.

        Returns:
            `{"text", "conflicts", "base", "theirs", "commit"}`: the merged text with one's own where both changed the
            same, named in `conflicts` (`[{"field" or "section", "base", "mine", "theirs"}]`); the card at
            `parent_commit` and at `commit`, the newest, which is the `parent_commit` to push with.

        Raises:
            WorkbenchError: There is no such repository or commit, or a card is too long.
        """
        check_card(text)
        if not isinstance(parent_commit, str) or not parent_commit.strip():
            raise WorkbenchError("Name the commit that the card was made from.", field="parent_commit")
        newest = self.contents.head(repo, visitor=visitor)
        base = self._card(repo, parent_commit.strip(), visitor)
        theirs = self._card(repo, newest, visitor)
        return {**merge_card(base, text, theirs), "base": base, "theirs": theirs, "commit": newest}

    def _card(self, repo: str, commit: str, visitor: Visitor) -> str:
        """The card at a commit, empty where there is none."""
        return str(self.repositories.repo_card(repo, revision=commit, visitor=visitor)["text"])

    def _title(self, repo: str, text: str, parent: str, visitor: Visitor) -> str:
        """A commit's message that names what it changes."""
        try:
            there = self.repositories.repo_card(repo, revision=parent, visitor=visitor)
            before = str(there["text"])
            summary = str(diff_card(before, text)["summary"])
        except WorkbenchError:
            # A card too long to be compared is pushed all the same.
            return "Update the model card"
        told = summary.removeprefix("Changes ").removesuffix(".")
        if there["remark"]:
            told = "UTF-8" if before == text else f"{told}; UTF-8"
        return f"Update the model card: {told}" if before else "Add a model card"

    def _target(self, repo: str, create_pr: bool, visitor: Visitor) -> str:
        """The full name of the repository; a proposal may go to any that exists."""
        if not create_pr:
            return rights.own(self.hub, repo, visitor)
        mine = rights.namespaces(self.hub, visitor)
        repo = checked_id(repo.strip() if "/" in repo else f"{mine[0]}/{repo.strip()}", "repo")
        self.contents.head(repo, visitor=visitor)
        return repo

    def _run_model(self, run: str, visitor: Visitor) -> Snapshot:
        model = run if run.startswith("runs/") else f"runs/{run}"
        snapshot = self.hub.local(checked_id(model, "run"), visitor)
        assert snapshot is not None
        return snapshot


def _not_arrived(error: WorkbenchError, repo: str, created: bool) -> WorkbenchError:
    """A push that failed: the training has nothing to do with it, and it can be repeated."""
    state = f"{repo} was created, but the files did not arrive." if created else f"The files did not arrive in {repo}."
    again = "The trained model is safe on this machine: press Publish again when that is mended."
    return WorkbenchError(f"{state} {error.message} {again}", kind=error.kind, field=error.field)
