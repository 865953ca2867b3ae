"""The tokenizer inspector: a text as the model sees it, every stage on the way, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.tabs.context import Context, bring_back, bring_into_view
from components.tabs.model_search import wire_picker
from components.tabs.tokenizer.batch import BatchPanel
from components.tabs.tokenizer.chat import ChatPanel
from components.tabs.tokenizer.code import VIEWS, Asked, CodePanel
from components.tabs.tokenizer.compare import ComparePanel
from components.tabs.tokenizer.decode import DecodePanel
from components.tabs.tokenizer.form import Form
from components.tabs.tokenizer.tokens import TokensPanel
from components.tabs.tokenizer.vocabulary import VocabularyPanel
from components.widgets import html
from components.widgets.explain import explain
from components.widgets.model_picker import ModelPicker

__all__ = ["Tokenizer", "build"]


@dataclass(frozen=True)
class Tokenizer:
    """The components that other tabs send to, and the event wiring that shows the tokens."""

    picker: ModelPicker
    text: gr.Textbox
    show_on: Callable[[Any], Any]


def build(ctx: Context, page: gr.Blocks) -> Tokenizer:
    """Lay out the tab and wire it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            form = Form(ctx)
        with gr.Column(scale=7, min_width=320):
            stale = gr.HTML(padding=False, elem_id="tok-stale")
            with gr.Tabs(elem_id="tok-views", overflow_behavior="wrap") as views:
                with gr.Tab("Tokens", id="tokens"):
                    explain("tokenizer", "Tokens")
                    tokens = TokensPanel(ctx, form)
                with gr.Tab("Stages", id="stages"):
                    explain("tokenizer", "Stages")
                    tokens.stages_part()
                with gr.Tab("Offsets", id="offsets"):
                    explain("tokenizer", "Offsets")
                    tokens.offsets_part()
                with gr.Tab("Batch", id="batch"):
                    explain("tokenizer", "Batch")
                    batch = BatchPanel(ctx, form)
                with gr.Tab("Decode", id="decode") as decode_tab:
                    explain("tokenizer", "Decode")
                    decode = DecodePanel(ctx, form)
                    tokens.trip_part(decode.ids)
                with gr.Tab("Chat", id="chat"):
                    explain("tokenizer", "Chat")
                    chat = ChatPanel(ctx, form)
                with gr.Tab("Vocabulary", id="vocabulary"):
                    explain("tokenizer", "Vocabulary")
                    vocabulary = VocabularyPanel(ctx, form, views)
                with gr.Tab("Compare", id="compare"):
                    explain("tokenizer", "Compare")
                    compare = ComparePanel(ctx, form)
                with gr.Tab("Code", id="code"):
                    explain("tokenizer", "Code")
                    code = CodePanel(ctx)
    viewing = gr.State("Tokens")
    views.select(_selected, None, viewing, api_visibility="private", queue=False, show_progress="hidden")
    for part in (form, tokens, batch, chat, vocabulary, compare):
        part.wire()
    decode.wire(decode_tab)
    for strip in (tokens.strip, chat.tokens):
        vocabulary.look_up_on(strip)
    made = [tokens.made, batch.made, decode.made, chat.made, vocabulary.made, vocabulary.made_two, compare.made]
    code.wire(viewing, made)
    gr.on(
        [form.picker.model.change, *(state.change for state in made)],
        outdated,
        [form.picker.model, *made],
        stale,
        api_visibility="private",
        queue=False,
        show_progress="hidden",
        trigger_mode="always_last",  # an answer that is late may not speak of what has changed since
    )
    bring_into_view(form.tokenize.click, "tok-strip")
    for event in (form.tokenize.click, form.text.submit):
        bring_back(tokens.show_on(event).then, "tok-told")
    wire_picker(ctx, page, form.picker, form.told, task=gr.State(""))
    return Tokenizer(form.picker, form.text, tokens.show_on)


def outdated(model: str | None, *made: Asked) -> str:
    """Which views show another model than the one that is chosen, as HTML; nothing where none does."""
    older: dict[str, list[str]] = {}
    for view, arguments in ((view, arguments) for one in made for view, arguments in one.items()):
        shown = arguments.get("model")
        if shown and model and shown != model:
            older.setdefault(shown, []).append(VIEWS[view])
    told = "; ".join(f"of {shown}: {', '.join(views)}" for shown, views in older.items())
    sentence = f"These views are still {told}. Press their buttons again to see {model}."
    return html.notice(sentence, "warning") if told else ""


def _selected(event: gr.SelectData) -> str:
    return str(event.value)
