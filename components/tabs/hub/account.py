"""Who one is on the Hub in use, signing in for this page only, and signing out again."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.hub.yours import Yours
from components.web.visitors import Kept, kept_token
from components.widgets import html


class Account:
    """The account panel; `header` is the line at the top of the page that names the Hub and the account."""

    def __init__(self, ctx: Context, header: gr.HTML) -> None:
        self.ctx, self.header = ctx, header
        self.who = gr.HTML(padding=False, elem_id="hub-who")
        if gr.utils.get_space() is not None:
            # Elsewhere the button would log in as the machine's owner, or fail at the start.
            gr.LoginButton()
        with gr.Group():
            self.pasted = gr.Textbox(
                label="Access token",
                type="password",
                info="Kept for this page only, never stored. It needs write access for publishing.",
                max_lines=1,
                elem_id="hub-token",
            )
        with gr.Row():
            self.sign_in = gr.Button("Sign in", variant="primary", elem_id="hub-sign-in")
            self.sign_out = gr.Button("Sign out", elem_id="hub-sign-out")
        self.told = gr.HTML(padding=False, elem_id="hub-told")
        self.problem = gr.HTML(padding=False)

    def wire(self, page: gr.Blocks, yours: Yours) -> None:
        """Show who one is when the page opens, and after signing in and out."""
        self.yours = yours
        shown = [self.header, self.who, yours.told, *yours.outputs]
        self.ctx.wire(page.load, self.identify, [], shown, told=self.problem, show_progress="hidden")
        for event in (self.sign_in.click, self.pasted.submit):
            self.ctx.wire(event, self.enter, [self.pasted], [self.ctx.token, self.pasted], told=self.told)
        # Signing out asks nobody who one is: it must work with a token that is worthless by now.
        self.sign_out.click(
            self.leave, self.ctx.token, [self.ctx.token, self.pasted, self.told], api_visibility="private"
        )
        self.ctx.wire(self.ctx.token.change, self.identify, [], shown, told=self.problem, show_progress="hidden")

    def identify(self, visitor: Visitor) -> Updates:
        """Who one is, and what is one's own."""
        me = self.ctx.bench.hub.whoami(visitor)
        settings = self.ctx.bench.settings
        return {
            self.header: _header(me, embedded=settings.embedded),
            self.who: _who(me),
            **self.yours.enter(visitor),
        }

    def enter(self, _visitor: Visitor, pasted: str) -> Updates:
        """Take a pasted token for this page, if the Hub accepts it."""
        token = (pasted or "").strip()
        if not token:
            raise WorkbenchError("Paste an access token first. The Hub makes one under Settings, Access Tokens.")
        name = self.ctx.bench.hub.whoami(Visitor("", token))["name"]
        return {
            self.ctx.token: token,
            self.pasted: "",
            self.told: html.notice(f"You act as {name} on this page, until you sign out or close it.", "success"),
        }

    def leave(self, request: gr.Request, pasted: Kept) -> Updates:
        """Forget the pasted token, here and in the service."""
        if not pasted:
            return {self.told: html.notice(self._nothing())}
        self.ctx.bench.hub.sign_out(Visitor("", kept_token(pasted, request) or False))
        return {
            self.ctx.token: "",
            self.pasted: "",
            self.told: html.notice(f"Signed out: the token is forgotten here. {self._now()}".strip(), "success"),
        }

    def _now(self) -> str:
        if self.ctx.bench.settings.machine_token:
            return "On this machine of your own, its login counts again."
        if gr.utils.get_space() is not None:
            return "If you also signed in with Hugging Face, that counts again until you sign out there."
        return ""

    def _nothing(self) -> str:
        if self.ctx.bench.settings.machine_token:
            return (
                "No token was pasted on this page: what counts is the login of this machine, which is yours alone. "
                "Paste another token to act as somebody else."
            )
        if gr.utils.get_space() is not None:
            return "No token was pasted on this page. If you signed in with Hugging Face, sign out with that button."
        return "You are not signed in."


def _header(me: dict[str, Any], *, embedded: bool) -> str:
    hub = "Embedded Hub" if embedded else me["hub"].removeprefix("https://").removeprefix("http://")
    name = f"signed in as <b>{html.escape(me['name'])}</b>" if me["name"] else "not signed in"
    line = f"<span><b>{html.escape(hub)}</b> · {name}</span>"
    return f'<div class="wb-who" role="status"><i aria-hidden="true"></i>{line}</div>'


def _who(me: dict[str, Any]) -> str:
    if not me["name"]:
        return html.notice("You are not signed in. Everything but publishing works without an account.")
    orgs = ", ".join(f"{name} ({role or 'member'})" for name, role in me["org_roles"].items())
    return html.facts(
        [
            ("Hub", me["hub"]),
            ("You are", me["name"]),
            ("Organizations", orgs or "none"),
            ("Your token may", me["role"]),
        ]
    )
