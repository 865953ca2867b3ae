"""One repository: what it is, its card, files, history, discussions and metadata, and where it can be sent."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html, repository
from components.widgets.explain import explain

_EMPTY = "Choose a repository from the list: its card, files and history are shown here."
_NO_CARD = "*This repository has no card. A card is its README.md.*"
_ANY_TASK = "text-classification"


class View:
    """The view of one repository; `more` is its row of tabs, for others to add theirs."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.repo, self.repo_type = gr.State(""), gr.State("model")
        self.task, self.commit = gr.State(_ANY_TASK), gr.State("")
        self.header = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="hub-repo")
        self.told = gr.HTML(padding=False, elem_id="hub-view-told")
        with gr.Row(visible=False) as self.buttons:
            self.to_playground = gr.Button("Run it", size="sm", min_width=100, elem_id="hub-to-play")
            self.to_tokens = gr.Button("See its tokens", size="sm", min_width=100, elem_id="hub-to-tokens")
            self.to_finetune = gr.Button("Fine-tune from it", size="sm", min_width=125, elem_id="hub-to-finetune")
            self.to_data = gr.Button("Fine-tune on it", size="sm", min_width=100, elem_id="hub-to-data")
            self.to_card = gr.Button("Edit its card", size="sm", min_width=100, elem_id="hub-to-card")
        with gr.Tabs(visible=False, elem_id="hub-parts", overflow_behavior="wrap") as self.more:
            with gr.Tab("Card"):
                explain("hub", "Card")
                self.card = gr.Markdown(container=True, max_height=640, elem_id="hub-card")
            with gr.Tab("Files"):
                explain("hub", "Files")
                self.revision = gr.Dropdown(
                    label="Revision", choices=["main"], value="main", allow_custom_value=True, elem_id="hub-revision"
                )
                self.files = gr.HTML(padding=False, elem_id="hub-files")
            with gr.Tab("History"):
                explain("hub", "History")
                self.history = gr.HTML(padding=False, elem_id="hub-history")
            with gr.Tab("Discussions"):
                explain("hub", "Discussions")
                self.discussions = gr.HTML(padding=False, elem_id="hub-discussions")
            with gr.Tab("Metadata"):
                explain("hub", "Metadata")
                self.metadata = gr.HTML(padding=False, elem_id="hub-metadata")
        self.listeners: list[Any] = []
        ctx.wire(
            self.revision.input,
            self.at_revision,
            [self.repo, self.repo_type, self.revision],
            self.outputs,
            told=self.told,
        )

    @property
    def outputs(self) -> list[Any]:
        """Everything that opening a repository may change."""
        sends = [self.to_playground, self.to_tokens, self.to_finetune, self.to_data, self.to_card]
        shown = [self.header, self.buttons, self.more, self.card, self.files, self.metadata, self.revision]
        return [self.repo, self.repo_type, self.task, self.commit, *shown, *sends, self.history, self.discussions]

    def open(self, visitor: Visitor, repo: str | None, repo_type: str, revision: str | None = None) -> Updates:
        """Show a repository; its past is read by `past` afterwards."""
        if not repo:
            return self.closed()
        bench = self.ctx.bench
        info = bench.repositories.repo_info(repo, repo_type, revision, visitor=visitor)
        card = bench.repositories.card_of(info, visitor=visitor)
        model, dataset = repo_type == "model", repo_type == "dataset"
        return {
            self.repo: info["id"],
            self.repo_type: repo_type,
            self.task: info["task"] if info["task"] in TASKS else _ANY_TASK,
            self.commit: info["commit"],
            self.header: repository.header(info),
            self.buttons: gr.update(visible=model or dataset),
            self.more: gr.update(visible=True),
            self.card: card["body"] or _NO_CARD,
            self.files: repository.files(info),
            self.metadata: repository.metadata(info),
            self.to_playground: gr.update(visible=model),
            self.to_tokens: gr.update(visible=model),
            self.to_finetune: gr.update(visible=model),
            self.to_card: gr.update(visible=model),
            self.to_data: gr.update(visible=dataset),
            **({} if revision else {self.revision: gr.update(choices=["main"], value="main")}),
        }

    def closed(self) -> Updates:
        """Show no repository."""
        return {
            self.repo: "",
            self.commit: "",
            self.header: html.empty(_EMPTY),
            self.buttons: gr.update(visible=False),
            self.more: gr.update(visible=False),
        }

    def past(self, visitor: Visitor, repo: str, repo_type: str, revision: str | None) -> Updates:
        """Commits, branches, tags and discussions."""
        if not repo:
            return {}
        repositories = self.ctx.bench.repositories
        refs = repositories.list_refs(repo, repo_type, visitor=visitor)
        commits = repositories.list_commits(repo, repo_type, revision, visitor=visitor)
        names = [ref["name"] for ref in refs["branches"] + refs["tags"]]
        return {
            self.history: repository.history(commits, refs),
            self.revision: gr.update(choices=names),
            self.discussions: repository.discussions(repositories.list_discussions(repo, repo_type, visitor=visitor)),
        }

    def at_revision(self, visitor: Visitor, repo: str, repo_type: str, revision: str | None) -> Updates:
        """Show the repository as it was at a revision."""
        if not repo:
            return {}
        updates = {**self.open(visitor, repo, repo_type, revision), **self.past(visitor, repo, repo_type, revision)}
        del updates[self.commit]  # what is changed is the main branch, whatever is looked at
        return updates

    def follow(self, event: Any) -> Any:
        """Read the past after an event that opened a repository, and tell those who listen."""
        read = self.ctx.wire(
            event.then,
            lambda visitor, repo, repo_type: self.past(visitor, repo, repo_type, None),
            [self.repo, self.repo_type],
            [self.history, self.revision, self.discussions],
            told=self.told,
            show_progress="hidden",
        )
        for function, inputs, outputs in self.listeners:
            self.ctx.wire(event.then, function, inputs, outputs, told=self.told, show_progress="hidden")
        return read
