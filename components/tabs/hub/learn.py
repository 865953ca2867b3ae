"""How each thing is done in code: the three ways of the course, with the names at hand."""

from __future__ import annotations

import gradio as gr

from components.service.metrics import list_metrics
from components.service.snippets.sharing import ACTIONS, WAYS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.hub.view import View
from components.widgets import html
from components.widgets.script import script

_READS = ("clone", "pull", "list_files")


class Learn:
    """The same action in three ways, as code that runs."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        with gr.Row(equal_height=False):
            self.action = gr.Dropdown(
                [(one.title, name) for name, one in ACTIONS.items()],
                value="upload_folder",
                label="What",
                min_width=180,
                elem_id="hub-action",
            )
            self.way = gr.Radio(
                [(title, name) for name, title in WAYS.items()],
                value="huggingface_hub",
                label="Way",
                min_width=260,
                elem_id="hub-way",
            )
        self.note = gr.HTML(padding=False, elem_id="hub-note")
        self.code = script("hub-code", label="As it runs")
        self.told = gr.HTML(padding=False)

    def wire(self, view: View) -> None:
        """Write the code anew for another action, way or repository."""
        inputs, outputs = [view.repo, view.repo_type, self.action, self.way], [self.note, self.code]
        for event in (self.action.input, self.way.input):
            self.ctx.wire(event, self.write, inputs, outputs, told=self.told, show_progress="hidden")
        view.listeners.append((self.write, inputs, outputs))

    def write(self, visitor: Visitor, repo: str, repo_type: str, action: str, way: str) -> Updates:
        """The note and the code."""
        names = {"action": action, "way": way, "repo": self._repo(visitor, repo, action)}
        code = self.ctx.bench.snippet("share", {**names, "repo_type": repo_type})
        note = html.notice(ACTIONS[action].note)
        if action == "list_metrics":
            rows = [(one["name"], one["measures"], ", ".join(one["tasks"])) for one in list_metrics()["metrics"]]
            note += html.table(["Metric", "What it measures", "Usual for"], rows, label="The usual metrics")
        return {self.note: note, self.code: gr.update(value=code, language="shell" if way == "git" else "python")}

    def _repo(self, visitor: Visitor, repo: str, action: str) -> str:
        """The repository at hand, or for what changes it one of the visitor's own of that name."""
        if repo and action in _READS:
            return repo
        me = self.ctx.bench.hub.whoami(visitor)
        mine = [me["name"] or "me", *me["orgs"]]
        owner, _, name = repo.partition("/")
        return repo if owner in mine else f"{mine[0]}/{name or 'my-model'}"
