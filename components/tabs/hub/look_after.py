"""Looking after a repository of one's own: files, branches and tags, visibility, name, and its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr
import orjson

from components.api import uploads_only
from components.service.errors import WorkbenchError
from components.service.transfer import Push
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.hub.view import View
from components.tabs.hub.yours import Yours
from components.widgets import html, repository
from components.widgets.file_drop import file_drop

_OTHERS = "This repository is not yours to change. You may propose files as a pull request, if you are signed in."


class LookAfter:
    """What one may do with the repository that is shown."""

    def __init__(self, ctx: Context, view: View) -> None:
        self.ctx, self.view = ctx, view
        self.rights = gr.HTML(padding=False, elem_id="hub-rights")
        with gr.Accordion("Upload files", open=True):
            self.drop = file_drop("hub-drop")
            with gr.Row():
                self.folder = gr.Textbox(label="Into the folder", placeholder="data", max_lines=1, min_width=120)
                self.message = gr.Textbox(label="Commit message", placeholder="optional", max_lines=1, min_width=160)
            with gr.Row():
                self.update = gr.Checkbox(label="May replace files that exist", elem_id="hub-update")
                self.propose = gr.Checkbox(label="As a pull request", elem_id="hub-propose")
            self.upload = gr.Button("Upload", variant="primary", elem_id="hub-upload")
            self.told_upload = gr.HTML(padding=False, elem_id="hub-told-upload")
        with gr.Accordion("Delete a file", open=False) as self.deletes:
            self.file = gr.Dropdown(label="File", choices=[], value=None, elem_id="hub-file")
            self.delete_file = gr.Button("Delete this file", elem_classes="wb-danger", elem_id="hub-delete-file")
            self.told_file = gr.HTML(padding=False, elem_id="hub-told-file")
        with gr.Accordion("Branches and tags", open=False) as self.refs:
            self._ref_fields()
        with gr.Accordion("Visibility, name, deletion", open=False) as self.settings:
            self._settings_fields()

    def _ref_fields(self) -> None:
        with gr.Row():
            self.ref_kind = gr.Radio([("Branch", "branch"), ("Tag", "tag")], value="tag", label="Kind", min_width=140)
            self.ref = gr.Textbox(label="Name", placeholder="v1.0", max_lines=1, min_width=120, elem_id="hub-ref")
            self.start = gr.Textbox(
                label="At", placeholder="main", info="A branch, tag or commit.", max_lines=1, min_width=120
            )
        with gr.Row():
            self.add_ref = gr.Button("Create", variant="primary", elem_id="hub-add-ref")
            self.drop_ref = gr.Button("Delete", elem_classes="wb-danger", elem_id="hub-drop-ref")
        self.told_ref = gr.HTML(padding=False, elem_id="hub-told-ref")

    def _settings_fields(self) -> None:
        with gr.Row(equal_height=False, elem_classes="wb-bottom"):
            self.visibility = gr.Radio(
                [("Private", True), ("Public", False)], value=True, label="Who may see it", scale=3
            )
            self.show = gr.Button("Change visibility", scale=1, min_width=150, elem_id="hub-show")
        with gr.Row(equal_height=False, elem_classes="wb-bottom"):
            self.name = gr.Textbox(
                label="New name", placeholder="me/better-name", max_lines=1, scale=3, elem_id="hub-name"
            )
            self.move = gr.Button("Rename", scale=1, min_width=150, elem_id="hub-move")
        with gr.Row(equal_height=False, elem_classes="wb-bottom"):
            self.confirm = gr.Textbox(
                label="Type the full name to delete it for good", max_lines=1, scale=3, elem_id="hub-confirm"
            )
            self.delete = gr.Button(
                "Delete repository", elem_classes="wb-danger", scale=1, min_width=150, elem_id="hub-delete"
            )
        self.told_settings = gr.HTML(padding=False, elem_id="hub-told-settings")

    def wire(self, yours: Yours) -> None:
        """Wire every action; each says what it did and shows the repository anew."""
        self.yours = yours
        here = [self.view.repo, self.view.repo_type]
        shown = [self.rights, self.deletes, self.refs, self.settings, self.file, self.visibility]
        self.view.listeners.append((self.opened, here, shown))
        self._act(
            self.upload,
            self.put,
            [self.view.commit, self.drop, self.folder, self.message, self.update, self.propose],
            [self.drop, self.message],
            self.told_upload,
        )
        self._act(self.delete_file, self.take_out, [self.view.commit, self.file], [], self.told_file)
        self._act(self.add_ref, self.name_ref, [self.ref_kind, self.ref, self.start], [self.ref], self.told_ref)
        self._act(self.drop_ref, self.forget_ref, [self.ref_kind, self.ref], [self.ref], self.told_ref)
        self._act(self.show, self.set_visibility, [self.visibility], [], self.told_settings)
        self._act(self.move, self.rename, [self.name], [self.name, self.view.repo], self.told_settings)
        ended = self.ctx.wire(
            self.delete.click,
            self.end,
            [*here, self.confirm],
            [self.confirm, self.yours.told_new, *self.view.outputs],
            told=self.told_settings,
        )
        self._list(ended)

    def _act(
        self,
        button: gr.Button,
        function: Callable[..., Any],
        inputs: list[Any],
        outputs: list[Any],
        told: gr.HTML,
    ) -> None:
        """Do it, then show the repository as it is now."""
        here = [self.view.repo, self.view.repo_type]
        done = self.ctx.wire(button.click, function, [*here, *inputs], outputs, told=told)
        shown = self.ctx.wire(
            done.then, self.view.open, here, self.view.outputs, told=self.view.told, show_progress="hidden"
        )
        self.view.follow(shown)
        self._list(done)

    def _list(self, event: Any) -> None:
        self.ctx.wire(
            event.then,
            self.yours.list,
            [self.yours.owner, self.yours.kind, self.view.repo],
            [self.yours.mine],
            told=self.yours.told,
            show_progress="hidden",
        )

    def opened(self, visitor: Visitor, repo: str, repo_type: str) -> Updates:
        """What one may do with the repository that was just opened."""
        if not repo:
            return {}
        info = self.ctx.bench.repositories.repo_info(repo, repo_type, visitor=visitor)
        mine = bool(info["writable"])
        return {
            self.rights: "" if mine else html.notice(_OTHERS),
            self.deletes: gr.update(visible=mine),
            self.refs: gr.update(visible=mine),
            self.settings: gr.update(visible=mine),
            self.file: gr.update(choices=[file["name"] for file in info["files"]], value=None),
            self.visibility: bool(info["private"]),
        }

    def put(
        self,
        visitor: Visitor,
        repo: str,
        repo_type: str,
        commit: str,
        chosen: str,
        folder: str | None,
        message: str | None,
        update: bool,
        propose: bool,
    ) -> Iterator[Updates]:
        """Upload the chosen files, showing how far it is."""
        files = _chosen(chosen, (folder or "").strip().strip("/"))
        push = Push(message or "", update=update, create_pr=propose, parent_commit=commit)
        steps = self.ctx.bench.contents.uploading(repo, files, push, repo_type, visitor=visitor)
        for step in steps:
            if step["result"] is None:
                yield {self.told_upload: repository.sent(step)}
                continue
            done = step["result"]
            what = _uploaded(done)
            yield {
                self.told_upload: repository.confirmed(what, done["pull_request"] or done["address"]),
                self.drop: "[]",
                self.message: "",
            }

    def take_out(self, visitor: Visitor, repo: str, repo_type: str, commit: str, file: str | None) -> Updates:
        """Delete a file."""
        if not file:
            raise WorkbenchError("Choose the file to delete.", field="path")
        done = self.ctx.bench.contents.delete_file(repo, file, "", repo_type, None, commit, visitor=visitor)
        said = f"{file} is gone since commit {done['commit'][:7]}; the history keeps it."
        return {self.told_file: repository.confirmed(said, done["address"])}

    def name_ref(
        self, visitor: Visitor, repo: str, repo_type: str, kind: str, name: str | None, start: str | None
    ) -> Updates:
        """Create a branch or a tag."""
        manager, at = self.ctx.bench.manager, (start or "").strip() or None
        if kind == "tag":
            manager.create_tag(repo, name or "", at, "", repo_type, visitor=visitor)
        else:
            manager.create_branch(repo, name or "", at, repo_type, visitor=visitor)
        return {self.ref: "", self.told_ref: repository.confirmed(f"The {kind} {name} is at {at or 'main'}.")}

    def forget_ref(self, visitor: Visitor, repo: str, repo_type: str, kind: str, name: str | None) -> Updates:
        """Delete a branch or a tag."""
        manager = self.ctx.bench.manager
        forget = manager.delete_tag if kind == "tag" else manager.delete_branch
        forget(repo, name or "", repo_type, visitor=visitor)
        return {self.ref: "", self.told_ref: repository.confirmed(f"The {kind} {name} is gone; its commits stay.")}

    def set_visibility(self, visitor: Visitor, repo: str, repo_type: str, private: bool) -> Updates:
        """Show it to everybody, or to its owner alone."""
        done = self.ctx.bench.manager.set_visibility(repo, private, repo_type, visitor=visitor)
        said = f"{repo} can be seen by {'its owner alone' if private else 'everybody'} now."
        return {self.told_settings: repository.confirmed(said, done["address"])}

    def rename(self, visitor: Visitor, repo: str, repo_type: str, name: str | None) -> Updates:
        """Give it another name."""
        if not (name or "").strip():
            raise WorkbenchError("Type the new name.", field="to")
        done = self.ctx.bench.manager.move_repo(repo, str(name), repo_type, visitor=visitor)
        said = repository.confirmed(f"{repo} is {done['repo']} now.", done["address"])
        return {self.name: "", self.view.repo: done["repo"], self.told_settings: said}

    def end(self, visitor: Visitor, repo: str, repo_type: str, confirm: str | None) -> Updates:
        """Delete it for good."""
        self.ctx.bench.manager.delete_repo(repo, confirm or "", repo_type, visitor=visitor)
        gone = repository.confirmed(f"{repo} and its history are deleted.")
        return {self.confirm: "", **self.view.closed(), self.view.header: gone}


def _chosen(value: str, folder: str) -> list[dict[str, Any]]:
    """The files of the field, which comes from the browser: each must be one that was uploaded."""
    try:
        files = orjson.loads(value or "[]")
    except orjson.JSONDecodeError:
        files = []
    if not isinstance(files, list) or not files:
        raise WorkbenchError("Choose files or a folder first.", field="files")
    checked: list[dict[str, Any]] = uploads_only([one for one in files if isinstance(one, dict) and "file" in one])
    return [{**one, "path": f"{folder}/{one.get('path')}" if folder else one.get("path")} for one in checked]


def _uploaded(done: dict[str, Any]) -> str:
    many = "1 file" if len(done["files"]) == 1 else f"{len(done['files'])} files"
    if done["pull_request"]:
        return f"{many} proposed as a pull request."
    if not done["changed"]:
        return f"Nothing to do: commit {done['commit'][:7]} holds exactly this already."
    return f"{many} in commit {done['commit'][:7]}."
