"""What a visitor gives: a tokenizer, and a text or a pair of texts."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context
from components.widgets.model_picker import ModelPicker

#: title -> text
EXAMPLES = {
    "Long words": "Using a Transformer network is simple. Tokenizers split unbelievably long words, too.",
    "The course": "I've been waiting for a HuggingFace course my whole life.",
    "Accents and numbers": "naïve café, ½ price: 12,345.67 €",
    "Emoji": "One family 👨‍👩‍👧 and one thumb 👍🏽, each one character to us.",
    "Many scripts": "你好,世界。 مرحبا بالعالم שלום עולם Привет, мир!",
    "Code": "def add(a, b):\n    return a + b  # four spaces",
}


class Form:
    """The left side of the tab."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.picker = ModelPicker.build(
            "Tokenizer of", TASKS["text-classification"].default_model(ctx.bench.settings), filters=True, later=True
        )
        self.text = gr.Textbox(label="Text", value=EXAMPLES["Long words"], lines=4, max_lines=12, elem_id="tok-text")
        self.examples = gr.Dataset(
            label="Examples",
            components=[gr.Textbox(visible=False)],
            samples=[[title] for title in EXAMPLES],
            type="index",
            elem_id="tok-examples",
        )
        self.tokenize = gr.Button("Tokenize", variant="primary", elem_id="tok-run")
        self.told = gr.HTML(padding=False, elem_id="tok-told")
        with gr.Accordion("Options", open=False):
            self.pair = gr.Textbox(label="Second text", info="For models that read pairs.", lines=2, elem_id="tok-pair")
            self.special = gr.Checkbox(label="Add special tokens", value=True)
            self.price = gr.Number(
                label="Price of a million tokens",
                info="In any currency; 0 shows no cost.",
                value=0,
                elem_id="tok-price",
            )
            self.revision = gr.Textbox(
                label="Revision", info="A branch, a tag or a commit; empty for the newest.", max_lines=1
            )

    @property
    def chosen(self) -> list[Any]:
        """The fields of the tokenizer: its model and its revision."""
        return [self.picker.model, self.revision]

    @property
    def fields(self) -> list[Any]:
        """The fields whose values `read` takes, in order."""
        return [*self.chosen, self.text, self.pair, self.special, self.price]

    @staticmethod
    def read(
        model: str | None, revision: str | None, text: str, pair: str, special: bool, price: float | None
    ) -> dict[str, Any]:
        """The arguments of `tokenize`."""
        options = {"add_special_tokens": special, "price_per_million": price or 0.0}
        return {"model": model or "", "revision": at(revision), "text": text, "text_pair": pair or None} | {
            "options": options
        }

    def wire(self) -> None:
        """Take examples, and offer the models at hand when the field of the model is entered."""
        ctx, model = self.ctx, self.picker.model
        self.examples.click(
            lambda number: list(EXAMPLES.values())[number],
            self.examples,
            self.text,
            api_visibility="private",
            queue=False,
        )
        quiet: dict[str, Any] = {"told": self.told, "clears": False, "show_progress": "hidden"}
        ctx.wire(model.focus, lambda visitor: {model: gr.update(choices=known(ctx, visitor))}, [], [model], **quiet)


def at(revision: str | None) -> str | None:
    """A revision as the service takes it."""
    return (revision or "").strip() or None


def known(ctx: Context, visitor: Visitor) -> list[str]:
    """Ids to choose from: the visitor's finished runs, then what the Hub lists first."""
    runs = [run["model"] for run in ctx.bench.runs.list(visitor=visitor) if run["model"]]
    found = [row["id"] for row in ctx.bench.catalog.search_models("", limit=30, visitor=visitor)]
    return list(dict.fromkeys([*runs, *found]))
