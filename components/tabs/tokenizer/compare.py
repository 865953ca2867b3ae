"""Compare: up to four tokenizers on one text."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.form import Form, known
from components.widgets import html
from components.widgets.tokens.compare import compared_view

_EMPTY = "Press Compare. The text is cut by each tokenizer: how many tokens, where they differ, and what is lost."
EXAMPLE = """English: The small cat sleeps in the garden, and nobody wakes it.
French: Le petit chat dort dans le jardin, et personne ne le réveille.
German: Die kleine Katze schläft im Garten, und niemand weckt sie.
Russian: Маленькая кошка спит в саду, и никто её не будит.
Chinese: 小猫在花园里睡觉,没有人叫醒它。
Arabic: القطة الصغيرة تنام في الحديقة ولا أحد يوقظها."""


class ComparePanel:
    """Tokenizers, a text, and how they differ on it. `made` is what it was last made from."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.made = gr.State({})
        settings = ctx.bench.settings
        first = [TASKS[task].default_model(settings) for task in ("text-classification", "text-generation")]
        self.models = gr.Dropdown(
            first,
            value=first,
            label="Tokenizers",
            info="Up to four: choose, or type any id.",
            multiselect=True,
            max_choices=4,
            allow_custom_value=True,
            elem_id="tok-cmp-models",
        )
        self.text = gr.Textbox(label="Text", value=EXAMPLE, lines=6, max_lines=14, elem_id="tok-cmp-text")
        with gr.Row():
            self.labelled = gr.Checkbox(
                label="Lines begin with a label",
                info="Such as “French: …”; without labels, tokens are counted by writing.",
                value=True,
                min_width=230,
                elem_id="tok-cmp-labelled",
            )
            self.prices = gr.Textbox(
                label="Prices of a million tokens (optional)",
                info="One for each tokenizer, with spaces between.",
                max_lines=1,
                min_width=230,
                elem_id="tok-cmp-prices",
            )
        with gr.Row():
            self.run = gr.Button("Compare", variant="primary", scale=3, elem_id="tok-cmp-run")
            self.take = gr.Button("Take the form's text", scale=2, min_width=140, elem_id="tok-cmp-take")
        self.told = gr.HTML(padding=False, elem_id="tok-cmp-told")
        self.view = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="tok-cmp-view")

    def wire(self) -> None:
        """Compare, take the text of the form, offer the models at hand."""
        ctx = self.ctx
        fields = [self.models, self.text, self.labelled, self.prices]
        ctx.wire(
            self.run.click,
            self._compare,
            fields,
            [self.view, self.made],
            told=self.told,
            failed={self.view: html.empty(_EMPTY), self.made: {}},
        )
        self.take.click(
            lambda text: (text, False),
            self.form.text,
            [self.text, self.labelled],
            api_visibility="private",
            queue=False,
        )
        quiet: dict[str, Any] = {"told": self.told, "clears": False, "show_progress": "hidden"}
        ctx.wire(
            self.models.focus,
            lambda visitor: {self.models: gr.update(choices=known(ctx, visitor))},
            [],
            [self.models],
            **quiet,
        )

    def _compare(
        self, visitor: Visitor, models: list[str] | None, text: str, labelled: bool, prices: str | None
    ) -> Updates:
        options = {"labelled": labelled, "prices": read_prices(prices or "")}
        made = self.ctx.bench.tokens.compare_tokenizers(models or [], text or "", options, visitor=visitor)
        kept = {
            "tokenizers": [{"model": one["model"], "commit": one["commit"]} for one in made["tokenizers"]],
            "text": text,
            "options": options,
        }
        return {self.view: compared_view(made), self.made: asked("compare_tokenizers", kept)}


def read_prices(typed: str) -> list[float]:
    """Prices as they are typed, with spaces or semicolons between.

    Raises:
        WorkbenchError: One of them is no number.
    """
    words = re.findall(r"[^\s;]+", typed)
    wrong = next((word for word in words if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", word)), None)
    if wrong is not None:
        raise WorkbenchError(f"“{wrong[:40]}” is not a price. Write numbers, such as 0.15 2.5.", field="prices")
    return [float(word) for word in words]
