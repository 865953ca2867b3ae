"""One's own repositories and those of one's organizations, and making a new one."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.hub.find import KINDS
from components.tabs.hub.view import View
from components.widgets import html, repository

_EMPTY = "Nothing of yours is here yet. Fine-tune a model and publish it, or make a new repository below."
_NOBODY = "Sign in to see what is yours: open Account."


class Yours:
    """The list of one's own repositories, and the form for a new one."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        with gr.Row(equal_height=False, elem_classes="wb-bottom"):
            self.owner = gr.Dropdown(
                label="Repositories of", choices=[], value=None, scale=2, min_width=120, elem_id="hub-owner"
            )
            self.refresh = gr.Button("Refresh", size="sm", scale=1, min_width=90)
        self.kind = gr.Radio(KINDS, value="model", show_label=False, label="Kind", container=False)
        self.told = gr.HTML(html.empty(_NOBODY), padding=False, elem_id="hub-yours-told")
        self.mine = gr.Radio(
            [], show_label=False, label="Yours", container=False, elem_classes="wb-list", elem_id="hub-mine"
        )
        with gr.Accordion("New repository", open=False, elem_id="hub-new"):
            with gr.Row():
                self.new_owner = gr.Dropdown(label="Owner", choices=[], value=None, min_width=110)
                self.name = gr.Textbox(
                    label="Name", placeholder="my-first-model", max_lines=1, min_width=150, elem_id="hub-new-name"
                )
            self.new_kind = gr.Radio(KINDS, value="model", label="Kind")
            self.private = gr.Checkbox(label="Private", value=True, info="Only its owner can see it.")
            self.create = gr.Button("Create", variant="primary", elem_id="hub-create")
            self.told_new = gr.HTML(padding=False, elem_id="hub-told-new")

    @property
    def outputs(self) -> list[Any]:
        """Everything that `enter` changes."""
        return [self.owner, self.new_owner, self.mine]

    def wire(self, tab: gr.Tab, view: View) -> None:
        """List what is chosen, open what is clicked, create what is asked for."""
        listed = [self.owner, self.kind, view.repo]
        for event in (tab.select, self.refresh.click, self.owner.input, self.kind.input):
            self.ctx.wire(event, self.list, listed, [self.mine], told=self.told)
        opened = self.ctx.wire(self.mine.input, view.open, [self.mine, self.kind], view.outputs, told=self.told)
        view.follow(opened)
        created = self.ctx.wire(
            self.create.click,
            self.make,
            [self.new_owner, self.name, self.new_kind, self.private],
            [self.name, self.owner, self.kind, self.mine, self.told],
            told=self.told_new,
        )
        view.follow(self.ctx.wire(created.then, view.open, [self.mine, self.kind], view.outputs, told=view.told))

    def enter(self, visitor: Visitor) -> Updates:
        """What somebody who has just signed in, or come, sees."""
        me = self.ctx.bench.hub.whoami(visitor)
        if not me["name"]:
            nobody = gr.update(choices=[], value=None)
            return {
                self.owner: nobody,
                self.new_owner: nobody,
                self.mine: nobody,
                self.told: html.empty(_NOBODY),
            }
        writable = self._writable(visitor)
        return {
            self.owner: gr.update(choices=[me["name"], *me["orgs"]], value=me["name"]),
            self.new_owner: gr.update(choices=writable, value=writable[0] if writable else None),
            **self.list(visitor, me["name"], "model"),
        }

    def list(self, visitor: Visitor, owner: str | None, kind: str, chosen: str | None = None) -> Updates:
        """The repositories of an owner, last changed first."""
        if not visitor.token:
            return {self.mine: gr.update(choices=[], value=None), self.told: html.empty(_NOBODY)}
        rows = self.ctx.bench.manager.list_own(kind, owner or "", visitor=visitor)
        names = [row["id"] for row in rows]
        labels = [(repository.row_label(row), row["id"]) for row in rows]
        return {
            self.mine: gr.update(choices=labels, value=chosen if chosen in names else None),
            self.told: "" if rows else html.empty(_EMPTY),
        }

    def make(self, visitor: Visitor, owner: str | None, name: str | None, kind: str, private: bool) -> Updates:
        """Create a repository, and show it."""
        if not (name or "").strip():
            raise WorkbenchError("Give the repository a name, such as my-first-model.", field="repo")
        repo = str(name).strip() if "/" in str(name) or not owner else f"{owner}/{str(name).strip()}"
        done = self.ctx.bench.manager.create_repo(repo, private, kind, visitor=visitor)
        place = done["repo"].partition("/")[0]
        listed = self.list(visitor, place, kind, done["repo"])
        seen = "private" if private else "public"
        return {
            self.name: "",
            self.owner: place,
            self.kind: kind,
            **listed,
            self.told_new: repository.confirmed(f"{done['repo']} is there, {seen} and empty.", done["address"]),
        }

    def _writable(self, visitor: Visitor) -> list[str]:
        try:
            return self.ctx.bench.manager.list_namespaces(visitor=visitor)
        except WorkbenchError:
            return []
