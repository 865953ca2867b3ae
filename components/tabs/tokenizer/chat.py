"""Chat: messages through a chat template, to the ids that the model reads."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.form import Form, at
from components.tabs.tokenizer.messages import MessagesForm, read_json
from components.tabs.tokenizer.tokens import WINDOW, Pager, place_of
from components.widgets import html
from components.widgets.tokens import strip
from components.widgets.tokens.chat import chat_tokens, chat_view

_EMPTY = "Press Render. The text that the template makes of the messages is shown, and its tokens, by who speaks."
#: A common format, for tokenizers that have no template, with the blocks that mark what a fine-tune learns from.
CHATML = """{% for message in messages %}<|im_start|>{{ message.role }}
{% if message.role == 'assistant' %}
{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}{{ '\\n' }}{% else %}{{ message.content }}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
_TOOLS = """[{"type": "function", "function": {"name": "get_weather", "description": "The weather of a town",
 "parameters": {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}}}]"""


class ChatPanel:
    """Messages, how they are rendered, and what comes of them. `made` is what it was last made from."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.made = gr.State({})
        self.messages = MessagesForm()
        self.prompt = gr.Checkbox(
            label="Add the generation prompt",
            info="The beginning of the assistant's next message: on to get an answer, off to train.",
            elem_id="tok-chat-prompt",
        )
        with gr.Accordion("Tools and template", open=False):
            self.tools = gr.Code(
                language="json", label="Tools: a list of JSON schemas", lines=3, max_lines=12, elem_id="tok-chat-tools"
            )
            self.example = gr.Button("Take an example of a tool", size="sm")
            self.template = gr.Textbox(
                label="Template",
                info="Jinja of your own, or the name of one of the tokenizer's; empty for its own.",
                lines=3,
                max_lines=14,
                elem_id="tok-chat-template",
            )
        self.run = gr.Button("Render", variant="primary", elem_id="tok-chat-run")
        self.told = gr.HTML(padding=False, elem_id="tok-chat-told")
        self.view = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="tok-chat-view")
        self.pager = Pager("tok-chat")
        self.tokens = gr.HTML(js_on_load=strip.SCRIPT, padding=False, elem_id="tok-chat-tokens")

    def wire(self) -> None:
        """Render, and move the window over the tokens."""
        self.messages.wire()
        self.example.click(lambda: _TOOLS, None, self.tools, api_visibility="private", queue=False)
        fields = [*self.form.chosen, self.prompt, self.tools, self.template, *self.messages.fields]
        outputs = [self.view, self.tokens, self.made, *self.pager.outputs]
        first = gr.State(0)
        failed = {self.view: html.empty(_EMPTY), self.tokens: "", self.made: {}, **self.pager.hidden()}
        for event, by in ((self.run, 0), (self.pager.earlier, -WINDOW), (self.pager.later, WINDOW)):
            start = self.pager.start if by else first
            self.ctx.wire(
                event.click, self._render, [gr.State(by), start, *fields], outputs, told=self.told, failed=failed
            )
        self.ctx.wire(self.pager.to.submit, self._jump, [self.pager.to, *fields], outputs, told=self.told)

    def _jump(self, visitor: Visitor, number: float | None, *values: Any) -> Updates:
        return self._render(visitor, 0, place_of(number), *values)

    def _render(
        self,
        visitor: Visitor,
        by: int,
        start: int,
        model: str,
        revision: str,
        prompt: bool,
        tools: str,
        template: str,
        *values: Any,
    ) -> Updates:
        messages = self.messages.read(*values)
        start = max(0, start + by)
        options = {
            "add_generation_prompt": prompt,
            "tools": read_json(tools, "tools"),
            "template": template or "",
            "start": start,
            "count": WINDOW,
        }
        made, lent = self._made(visitor, model or "", messages, options, at(revision))
        kept = {**options, **({"template": CHATML} if lent else {})}
        arguments = {"model": made["model"], "commit": made["commit"], "messages": messages, "options": kept}
        return {
            self.view: html.notice(lent, "warning") + chat_view(made),
            self.tokens: chat_tokens(made),
            self.made: asked("render_chat", arguments),
            **self.pager.show(start, len(made["tokens"]), made["counts"]["tokens"]),
        }

    def _made(
        self,
        visitor: Visitor,
        model: str,
        messages: list[dict[str, Any]],
        options: dict[str, Any],
        revision: str | None,
    ) -> tuple[dict[str, Any], str]:
        """The answer, and a sentence where a common template had to stand in for a tokenizer that has none."""
        tokens = self.ctx.bench.tokens
        try:
            return tokens.render_chat(model, messages, options, revision, visitor=visitor), ""
        except WorkbenchError as error:
            if options["template"] or error.field != "model":
                raise
            lent = {**options, "template": CHATML}
            made = tokens.render_chat(model, messages, lent, revision, visitor=visitor)
            return made, f"{error.message} To show what a template does, ChatML stands in here: a common one."
