"""The Publish panel of the card editor: a run with its card, or a card alone, to a repository of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from components.service.cards import metadata
from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.transfer import Push
from components.service.visitor import Visitor
from components.tabs.card.document import Document
from components.tabs.card.form import CardForm
from components.tabs.context import Context, Updates
from components.widgets import html, repository

#: What the playground opens with where the card names no task that it has.
_ANY_TASK = "text-classification"
_MOVED = (
    "It has changed since this card was opened, so nothing was written. Press Take in what changed there, read the "
    "text, then publish."
)
_UNSEEN = (
    "{repo} has a card already, which this one would replace. Press What would change there? to see how, or tick that "
    "it may be updated: the old one stays in its history."
)


class PublishPanel:
    """The panel; `repo` holds the full name of the repository once something was published."""

    def __init__(self, ctx: Context, document: Document, form: CardForm) -> None:
        self.ctx, self.document, self.form = ctx, document, form
        #: The repository that the card was loaded from, and the commit that it was at.
        self.origin = gr.State({"repo": "", "commit": ""})
        self.task = gr.State(_ANY_TASK)
        gr.HTML('<div class="wb-step"><b>↑</b> Publish to the Hub</div>', padding=False)
        self.what = gr.HTML(html.notice(_goes("", "", None, False)), padding=False, elem_id="card-what")
        with gr.Row(equal_height=False):
            with gr.Column(scale=1, min_width=320):
                with gr.Row():
                    self.owner = gr.Dropdown(
                        label="Owner",
                        info="Where you may write.",
                        choices=[],
                        value=None,
                        scale=1,
                        min_width=110,
                        elem_id="card-owner",
                    )
                    self.repo = gr.Textbox(
                        label="Repository",
                        placeholder="my-first-model",
                        info="Its name, or namespace/name.",
                        max_lines=1,
                        scale=2,
                        min_width=180,
                        elem_id="card-repo",
                    )
                self.message = gr.Textbox(label="Commit message", placeholder="optional", max_lines=1)
            with gr.Column(scale=1, min_width=320):
                self.private = gr.Checkbox(
                    label="Private", value=True, info="Only its owner can see it.", elem_id="card-private"
                )
                with gr.Accordion("A repository that exists", open=False) as self.existing:
                    self.update = gr.Checkbox(
                        label="May update it",
                        info="Adds a commit; nothing in its history is lost.",
                        elem_id="card-update",
                    )
                    self.propose = gr.Checkbox(
                        label="Propose it as a pull request",
                        info="Its owner decides; it need not be yours.",
                        elem_id="card-propose",
                    )
                with gr.Row():
                    self.against = gr.Button(
                        "What would change there?", size="sm", min_width=160, elem_id="card-against"
                    )
                    self.merge = gr.Button(
                        "Take in what changed there", size="sm", min_width=160, visible=False, elem_id="card-merge"
                    )
                self.publish = gr.Button("Publish", variant="primary", elem_id="card-publish")
                with gr.Row():
                    further: dict[str, Any] = {"size": "sm", "min_width": 150, "interactive": False}
                    self.to_playground = gr.Button("Run it in the playground", elem_id="card-to-play", **further)
                    self.to_hub = gr.Button("See it on the Hub", elem_id="card-to-hub", **further)
        self.told = gr.HTML(padding=False, elem_id="card-published")

    def wire(self, page: gr.Blocks, subject: gr.Dropdown, restored: Any) -> None:
        """Offer the owners, and publish `subject` with its card.

        Args:
            page: The Blocks, for what happens as it loads.
            subject: What the card is of.
            restored: What puts there what it was when the page was left, which its own `change` does not tell.
        """
        for event in (page.load, self.ctx.token.change):
            self.ctx.wire(event, self.owners, [], [self.owner], told=self.told, show_progress="hidden")
        published = self.ctx.wire(
            self.publish.click,
            self.push,
            [
                subject,
                *self.document.fields,
                self.owner,
                self.repo,
                self.message,
                self.private,
                self.update,
                self.propose,
                self.origin,
                *self.form.typed,
            ],
            [
                *(self.to_playground, self.to_hub, self.repo, self.task, self.origin, self.existing, self.merge),
                *(self.document.editor, self.document.before),
            ],
            told=self.told,
        )
        here = [*self.document.fields, self.owner, self.repo]
        opened = [self.document.before, self.origin]
        self.ctx.wire(self.against.click, self._against, [self.owner, self.repo], opened, told=self.told)
        merged = [self.document.editor, *opened, self.merge]
        self.ctx.wire(self.merge.click, self._merge, [*here, self.origin], merged, told=self.told)
        self._wire_where(subject, published.then, restored.then)
        subject.input(
            lambda: ("", *[gr.update(interactive=False)] * 2),
            None,
            [self.told, self.to_playground, self.to_hub],
            api_visibility="private",
            queue=False,
        )

    def _wire_where(self, subject: gr.Dropdown, *others: Any) -> None:
        """Say what goes where, whenever one of them may have changed."""
        quiet: dict[str, Any] = {"told": self.told, "clears": False, "show_progress": "hidden"}
        asked = [subject, self.owner, self.repo, self.propose]
        says = [self.what, self.private, self.update]
        named = (self.repo.blur, self.repo.submit, self.owner.change, self.origin.change)
        for event in (subject.change, self.propose.change, *named, *others):
            self.ctx.wire(event, self._where, asked, says, trigger_mode="always_last", **quiet)

    def owners(self, visitor: Visitor) -> Updates:
        """The namespaces that the visitor may write to; none for somebody who is not signed in."""
        try:
            names = self.ctx.bench.manager.list_namespaces(visitor=visitor)
        except WorkbenchError:
            names = []
        return {self.owner: gr.update(choices=names, value=names[0] if names else None)}

    def push(
        self,
        visitor: Visitor,
        subject: str | None,
        text: str | None,
        before: dict[str, Any],
        owner: str | None,
        name: str | None,
        message: str | None,
        private: bool,
        update: bool,
        propose: bool,
        origin: dict[str, str],
        filled: dict[str, Any],
        section: str | None,
        written: str | None,
        *given: Any,
    ) -> Iterator[Updates]:
        """Publish, showing how far it is. What fails here leaves the run as it is, so it can be repeated."""
        repo, card = _full(owner, name), self.document.read(text, before)
        text = self.form.taken(card, filled, section, written, given)
        if text != card:
            yield {self.document.editor: text}
        self._check(text)
        seen = origin["commit"] if origin["repo"] == repo else ""
        try:
            if not (seen or update or propose or (subject or "").startswith("runs/")):
                self._unseen(visitor, repo)
            push = Push(message or "", private, update, propose, seen)
            for step in self._sending(visitor, subject, repo, text, push):
                told = {self.told: repository.sent(step)} if step["result"] is None else {}
                yield told or self._published(step["result"], text)
        except WorkbenchError as error:
            if self._moved(visitor, repo, seen, error):
                yield {self.merge: gr.update(visible=True)}
                raise WorkbenchError(_MOVED, kind="conflict", field="repo") from None
            if error.kind == "conflict":
                yield {self.existing: gr.update(open=True)}
            raise

    def _sending(
        self, visitor: Visitor, subject: str | None, repo: str, text: str, push: Push
    ) -> Iterator[dict[str, Any]]:
        """A run's model with the card, or the card alone, in steps of which the last has a result."""
        chosen, publisher = (subject or "").strip(), self.ctx.bench.publisher
        if chosen.startswith("runs/"):
            yield from publisher.publishing(chosen, repo, text, push, visitor=visitor)
            return
        how = (push.message, push.parent_commit, push.create_pr, not push.create_pr, push.private)
        yield {"result": publisher.push_card(repo, text, *how, visitor=visitor)}

    def _moved(self, visitor: Visitor, repo: str, seen: str, error: WorkbenchError) -> bool:
        """Whether the Hub refused because the repository has a newer commit than the one that was seen."""
        if not seen or error.kind != "busy":
            return False
        return bool(self.ctx.bench.repositories.repo_card(repo, visitor=visitor)["commit"] != seen)

    def _unseen(self, visitor: Visitor, repo: str) -> None:
        """Refuse to replace a card that nobody has looked at here."""
        bench = self.ctx.bench
        there = bench.publisher.is_there(repo, visitor=visitor)
        if there and bench.repositories.repo_card(repo, visitor=visitor)["text"].strip():
            raise WorkbenchError(_UNSEEN.format(repo=repo), kind="conflict", field="repo")

    def _where(
        self, visitor: Visitor, subject: str | None, owner: str | None, name: str | None, propose: bool
    ) -> Updates:
        """Say what is published and where, and ask only for what counts there."""
        there, repo = None, ""
        if (name or "").strip():
            repo = _full(owner, name)
            there = self.ctx.bench.publisher.is_there(repo, visitor=visitor)
        account = "" if owner else "Sign in first, under Hub: publishing needs an account. "
        return {
            self.what: html.notice(account + _goes(subject or "", repo, there, propose)),
            self.private: gr.update(visible=not (there or propose)),
            self.update: gr.update(visible=not propose),
        }

    def _check(self, text: str) -> None:
        if not text.strip():
            raise WorkbenchError("There is no card yet. Press Draft, read what it says, then publish.", field="text")
        errors = [problem for problem in self.ctx.bench.cards.check(text) if problem["level"] == "error"]
        if errors:
            raise WorkbenchError(f"The card is not valid yet: {errors[0]['message']} {errors[0].get('fix') or ''}")

    def _against(self, visitor: Visitor, owner: str | None, name: str | None) -> Updates:
        """Hold the card against what the repository holds now; publishing is then refused if that changes."""
        repo = _full(owner, name)
        card = self.ctx.bench.repositories.repo_card(repo, visitor=visitor)
        return {
            **self._seen(card["text"], repo, card["commit"], card["remark"]),
            self.told: html.notice(f"Changes, above, shows what publishing would change in {repo}."),
        }

    def _merge(
        self,
        visitor: Visitor,
        text: str | None,
        before: dict[str, Any],
        owner: str | None,
        name: str | None,
        origin: dict[str, str],
    ) -> Updates:
        """Put what others changed into the text; where both changed the same, one's own stays and is named."""
        repo, card = _full(owner, name), self.document.read(text, before)
        made = self.ctx.bench.publisher.rebase_card(repo, card, origin["commit"], visitor=visitor)
        named = [
            str(one.get("field") or f"section {one.get('section') or 'before the first heading'}")
            for one in made["conflicts"]
        ]
        said = "What changed there is in the text now. Read it, then publish."
        if named:
            said = f"Both changed {', '.join(named)}: yours is kept there. " + said.replace("What", "What else")
        return {
            self.document.editor: made["text"],
            **self._seen(made["theirs"], repo, made["commit"]),
            self.merge: gr.update(visible=False),
            self.told: html.notice(said, "warning" if named else "success"),
        }

    def _published(self, done: dict[str, Any], text: str) -> Updates:
        kind = "private" if done["private"] else "public"
        said = f"{done['repo']} now has commit {done['commit'][:7]}. It is {kind}. Address:"
        if not done["changed"]:
            said = f"{done['repo']} holds exactly this already, in commit {done['commit'][:7]}. Address:"
        elif done["pull_request"]:
            said = f"{done['repo']} has a pull request with commit {done['commit'][:7]}. Address:"
        title = "Published." if done["changed"] else "Nothing to do."
        task = str(metadata(text).get("pipeline_tag"))
        return {
            self.told: repository.confirmed(said, done["pull_request"] or done["address"], title),
            self.to_playground: gr.update(interactive=not done["pull_request"]),
            self.to_hub: gr.update(interactive=True),
            self.repo: done["repo"],
            self.task: task if task in TASKS else _ANY_TASK,
            self.merge: gr.update(visible=False),
            # A pull request changes nothing there: the next commit is still held against the one that was seen.
            **({} if done["pull_request"] else self._seen(text, done["repo"], done["commit"])),
        }

    def _seen(self, text: str, repo: str, commit: str, remark: str = "") -> Updates:
        """What the repository holds, and from which commit on it may have changed."""
        before = {"text": text, "named": f"what {repo} holds at {commit[:7]}", "remark": remark}
        return {self.document.before: before, self.origin: {"repo": repo, "commit": commit}}


def _full(owner: str | None, name: str | None) -> str:
    name = (name or "").strip()
    if not name:
        raise WorkbenchError("Give the repository a name, such as my-first-model.", field="repo")
    return name if "/" in name or not owner else f"{owner}/{name}"


def _goes(subject: str, repo: str, there: bool | None, propose: bool) -> str:
    """What is published where; `there` is whether the repository exists, None where nobody knows."""
    run = subject.startswith("runs/")
    what = "The model of the chosen run goes, with this card," if run else "This card alone goes"
    where = f"to {repo}" if repo else "to the repository"
    if propose:
        return f"{what} {where} as a pull request, which its owner may take or not."
    if there:
        return f"{what} {where} as a new commit; " + ("its history stays." if run else "the other files there stay.")
    if there is None:
        return f"{what} {where}, which is created if it is not there yet."
    return f"{what} {where}, which is created."
