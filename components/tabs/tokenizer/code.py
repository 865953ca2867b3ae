"""Code: the Python that reproduces the view last shown, or any other that was shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html
from components.widgets.script import script

#: The views that have code, with their titles.
VIEWS = {
    "tokenize": "Tokens",
    "token_stages": "Stages",
    "merges": "Merges of a word",
    "decode": "Decode",
    "collate": "Batch",
    "render_chat": "Chat",
    "search_vocabulary": "Vocabulary",
    "compare_vocabularies": "Two vocabularies",
    "compare_tokenizers": "Compare",
}
#: Which of them a tab shows.
_OF_TAB = {
    "Tokens": ("tokenize",),
    "Stages": ("token_stages", "merges"),
    "Offsets": ("tokenize",),
    "Batch": ("collate",),
    "Decode": ("decode",),
    "Chat": ("render_chat",),
    "Vocabulary": ("search_vocabulary", "compare_vocabularies"),
    "Compare": ("compare_tokenizers",),
}
#: Longest input that is written into code, in characters of JSON.
_LONGEST = 20_000
_EMPTY = "Tokenize something first: the Python that does the same is shown here."
_TOO_LONG = f"# What was shown is too long to stand in code. Up to {_LONGEST:,} characters, it is written here.\n"

Asked = dict[str, dict[str, Any]]


def asked(view: str, arguments: dict[str, Any]) -> Asked:
    """What a view was made from, for its code; a long input is left out."""
    return {view: arguments if len(json.dumps(arguments)) <= _LONGEST else {}}


class CodePanel:
    """The code, and which view it is of."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.view = gr.Radio([], label="Of which view", visible=False, elem_id="tok-way")
        self.empty = gr.HTML(html.empty(_EMPTY), padding=False)
        self.code = script("tok-code", visible=False)
        self.told = gr.HTML(padding=False)

    def wire(self, viewing: gr.State, made: list[gr.State]) -> None:
        """Follow the views.

        Args:
            viewing: The title of the tab that is open.
            made: For each panel, what its views were last made from: `{view: arguments}`.
        """
        outputs = [self.view, self.empty, self.code]
        fields = [viewing, self.view, *made]
        quiet: dict[str, Any] = {"told": self.told, "show_progress": "hidden"}
        for number, state in enumerate(made):
            self.ctx.wire(state.change, self._follow(number), fields, outputs, **quiet)
        self.ctx.wire(viewing.change, self._follow(None), fields, outputs, **quiet)
        self.ctx.wire(self.view.input, self._choose, [self.view, *made], [self.code], **quiet)

    def _follow(self, number: int | None) -> Callable[..., Updates]:
        """Show the view of the tab that is open, else the newest, else the one that was shown."""

        def follow(_visitor: Visitor, viewing: str, chosen: str | None, *made: Asked) -> Updates:
            shown = {view: arguments for one in made for view, arguments in one.items()}
            newest = list(made[number]) if number is not None else []
            of_tab = _OF_TAB.get(viewing, ())
            wanted = [*(view for view in newest if view in of_tab), *of_tab, chosen, *newest]
            view = next((view for view in wanted if view in shown), None)
            if view is None:
                return {}
            return {
                self.view: gr.update(
                    choices=[(title, name) for name, title in VIEWS.items() if name in shown], value=view, visible=True
                ),
                self.empty: gr.update(visible=False),
                self.code: gr.update(value=self._written(view, shown), visible=True),
            }

        return follow

    def _choose(self, _visitor: Visitor, view: str, *made: Asked) -> Updates:
        shown = {name: arguments for one in made for name, arguments in one.items()}
        return {self.code: self._written(view, shown)}

    def _written(self, view: str, shown: Asked) -> str:
        return self.ctx.bench.snippet(view, shown[view]) if shown[view] else _TOO_LONG
