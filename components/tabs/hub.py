"""The Hub: who one is there, signing in for this session, and one's own repositories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html

_EMPTY = "Nothing of yours is on this Hub yet. Fine-tune a model, write its card and publish it."


@dataclass(frozen=True)
class HubTab:
    """The components that the page uses."""

    mine: gr.Dropdown
    to_playground: gr.Button


def build(ctx: Context, page: gr.Blocks, header: gr.HTML) -> HubTab:
    """Lay out the tab and wire it; `header` shows the Hub in use and who one is there."""
    on_space = gr.utils.get_space() is not None
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            who = gr.HTML(padding=False, elem_id="hub-who")
            with gr.Group():
                if on_space:
                    # Elsewhere the button would log in as the machine's owner, or fail at the start.
                    gr.LoginButton()
                pasted = gr.Textbox(
                    label="Access token",
                    type="password",
                    info="Kept for this page only, never stored. It needs write access for publishing.",
                    max_lines=1,
                    elem_id="hub-token",
                )
            with gr.Row():
                sign_in = gr.Button("Sign in", variant="primary", elem_id="hub-sign-in")
                sign_out = gr.Button("Sign out", elem_id="hub-sign-out")
            told = gr.HTML(padding=False, elem_id="hub-told")
        with gr.Column(scale=6, min_width=320):
            with gr.Row(equal_height=False, elem_classes="wb-bottom"):
                mine = gr.Dropdown(label="Your models", choices=[], value=None, scale=4, elem_id="hub-mine")
                refresh = gr.Button("Refresh", size="sm", scale=1, min_width=90)
            files = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="hub-files")
            to_playground = gr.Button("Run it in the playground", size="sm", elem_id="hub-to-play")

    def identity(visitor: Visitor) -> Updates:
        me = ctx.bench.hub.whoami(visitor)
        return {header: _header(me, embedded=ctx.bench.settings.embedded), who: _who(me)}

    def enter(visitor: Visitor) -> Updates:
        return {**identity(visitor), **repositories(visitor)}

    def repositories(visitor: Visitor) -> Updates:
        models = ctx.bench.publisher.own_models(visitor=visitor)
        names = [model["id"] for model in models]
        first = names[0] if names else None
        listing = contents(visitor, first)[files] if first else html.empty(_EMPTY)
        return {mine: gr.update(choices=names, value=first), files: listing}

    def contents(visitor: Visitor, repo: str | None) -> Updates:
        if not repo:
            return {files: html.empty(_EMPTY)}
        rows = ctx.bench.repositories.list_files(repo, visitor=visitor)
        return {
            files: html.table(
                ["File", "Size"],
                [(row["name"], html.size(row["bytes"])) for row in rows],
                numeric=(1,),
                label=f"Files of {repo}",
            )
        }

    outputs: list[Any] = [header, who, mine, files]
    ctx.wire(page.load, enter, [], outputs, told=told, show_progress="hidden")
    ctx.wire(refresh.click, repositories, [], [mine, files], told=told)
    ctx.wire(mine.input, contents, [mine], [files], told=told)
    stored = sign_in.click(
        lambda token: (token, ""), pasted, [ctx.token, pasted], api_visibility="private", queue=False
    )
    ctx.wire(stored.then, enter, [], outputs, told=told)
    left = sign_out.click(lambda: "", None, ctx.token, api_visibility="private", queue=False)
    ctx.wire(left.then, enter, [], outputs, told=told)
    return HubTab(mine, to_playground)


def _header(me: dict[str, Any], *, embedded: bool) -> str:
    hub = "Embedded Hub" if embedded else me["hub"].removeprefix("https://").removeprefix("http://")
    name = f"signed in as <b>{html.escape(me['name'])}</b>" if me["name"] else "not signed in"
    line = f"<span><b>{html.escape(hub)}</b> · {name}</span>"
    return f'<div class="wb-who" role="status"><i aria-hidden="true"></i>{line}</div>'


def _who(me: dict[str, Any]) -> str:
    if not me["name"]:
        return html.notice("You are not signed in. Everything but publishing works without an account.")
    return html.facts(
        [
            ("Hub", me["hub"]),
            ("You are", me["name"]),
            ("Organizations", ", ".join(me["orgs"]) or "none"),
            ("Your token may", me["role"]),
        ]
    )
