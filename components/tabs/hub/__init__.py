"""The Hub tab: find repositories, look after one's own, sign in, and see how each thing is done in code."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from components.tabs.context import Context
from components.tabs.hub.account import Account
from components.tabs.hub.find import Find
from components.tabs.hub.learn import Learn
from components.tabs.hub.look_after import LookAfter
from components.tabs.hub.view import View
from components.tabs.hub.yours import Yours
from components.widgets.explain import explain

__all__ = ["HubTab", "build"]


@dataclass(frozen=True)
class HubTab:
    """The components that the page hands on to other tabs.

    Attributes:
        repo, repo_type, task: Id, kind and task of the repository that is shown; empty where none is.
        to_playground, to_tokens, to_finetune, to_card: Send a model.
        to_data: Sends a data set.
        view: Shows a repository.
    """

    repo: gr.State
    repo_type: gr.State
    task: gr.State
    to_playground: gr.Button
    to_tokens: gr.Button
    to_finetune: gr.Button
    to_card: gr.Button
    to_data: gr.Button
    view: View


def build(ctx: Context, page: gr.Blocks, header: gr.HTML, tab: gr.Tab) -> HubTab:
    """Lay out `tab` and wire it; `header` shows the Hub in use and who one is there."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320), gr.Tabs():
            with gr.Tab("Find"):
                explain("hub", "Find")
                find = Find(ctx)
            with gr.Tab("Yours"):
                explain("hub", "Yours")
                yours = Yours(ctx)
            with gr.Tab("Account"):
                explain("hub", "Account")
                account = Account(ctx, header)
        with gr.Column(scale=7, min_width=320):
            view = View(ctx)
            with view.more:
                with gr.Tab("Manage"):
                    explain("hub", "Manage")
                    look_after = LookAfter(ctx, view)
                with gr.Tab("Learn"):
                    explain("hub", "Learn")
                    learn = Learn(ctx)
    learn.wire(view)
    look_after.wire(yours)
    find.wire(tab, view)
    yours.wire(tab, view)
    account.wire(page, yours)
    return HubTab(
        repo=view.repo,
        repo_type=view.repo_type,
        task=view.task,
        to_playground=view.to_playground,
        to_tokens=view.to_tokens,
        to_finetune=view.to_finetune,
        to_card=view.to_card,
        to_data=view.to_data,
        view=view,
    )
