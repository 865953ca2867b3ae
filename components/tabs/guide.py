"""The guided start: the circle's steps and the course's chapters, each one click away from a filled form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets.guide import SCRIPT, Chapter, Opens, Step, guide

_SIMPLE = "Using a Transformer network is simple"
STEPS = (
    Step(
        "Run a model",
        "Let a classifier say whether a sentence is glad or cross.",
        Opens("Run the example", "playground", view="Result", task="text-classification", press="pg-run"),
        done="#pg-facts .wb-facts",
    ),
    Step(
        "Look inside",
        "See a sentence cut into tokens, as the model reads it.",
        Opens("See tokens", "tokenizer", view="Tokens", text=_SIMPLE, press="tok-run"),
        done="#tok-strip .wb-token",
    ),
    Step(
        "Fine-tune it",
        "Teach a small model to tell good reviews from bad ones.",
        Opens("Fill in a run", "finetune", view="Progress", task="text-classification"),
        done="#ft-run .wb-badge.wb-finished",
    ),
    Step(
        "Write its card",
        "Say what the model is for and how well it does.",
        Opens("Choose a model", "card", view="Text"),
        done="#card-tags h2",
    ),
    Step(
        "Share it",
        "Find on the Hub what you have published, and look after it.",
        Opens("See what is yours", "hub", view="Yours"),
        done=":is(#card-published, #ft-run, #hub-told-upload) .wb-success",
    ),
)


def _run(title: str, task: str, example: int = 0, view: str = "Result") -> Opens:
    # What a model is made of is looked up as the view opens.
    return Opens(title, "playground", view, task, example, press="" if view == "About" else "pg-run")


CHAPTERS = (
    Chapter(
        "1. Pipelines",
        (
            _run("Is it positive?", "text-classification"),
            _run("Labels of your own", "zero-shot-classification"),
            _run("Fill the gap", "fill-mask", 1),
            _run("Find the names", "token-classification"),
            _run("Answer a question", "question-answering"),
            _run("Go on writing", "text-generation"),
            _run("Shorten", "summarization"),
            _run("Translate", "translation"),
            _run("A text as numbers", "feature-extraction"),
            _run("What is in the picture?", "image-classification"),
            _run("The three steps by hand", "text-classification", view="Under the hood"),
        ),
    ),
    Chapter(
        "2. Tokenizers",
        (
            Opens("Text to ids", "tokenizer", "Stages", text=_SIMPLE, press="tok-run"),
            Opens("Texts of unequal length", "tokenizer", "Batch", press="tok-batch-run"),
            Opens("Ids back to text", "tokenizer", "Decode", text=_SIMPLE, press="tok-run"),
            Opens("Kinds of tokenizers", "tokenizer", "Compare", press="tok-cmp-run"),
            Opens("Subwords in the vocabulary", "tokenizer", "Vocabulary", press="tok-voc-search"),
        ),
    ),
    Chapter(
        "3. Models",
        (
            _run("Logits and softmax", "text-classification", 1, "Under the hood"),
            _run("Hidden states", "feature-extraction", view="Under the hood"),
            _run("Architecture and parameters", "text-generation", view="About"),
        ),
    ),
    Chapter(
        "4. Fine-tuning",
        (
            Opens("A classifier", "finetune", "Progress", "text-classification"),
            Opens("A causal language model", "finetune", "Progress", "text-generation"),
            Opens("Names in a text", "finetune", "Progress", "token-classification"),
        ),
    ),
    Chapter(
        "5. Sharing",
        (
            Opens("Who am I there?", "hub", "Account"),
            Opens("Three ways to push", "hub", "Learn"),
            Opens("Upload and delete files", "hub", "Manage"),
        ),
    ),
    Chapter(
        "6. The model card",
        (
            Opens("All sections of a card", "card", "Form", text="template"),
            Opens("What a card still lacks", "card", "Missing", text="template"),
        ),
    ),
)
#: In the order in which the page counts them.
OPENS = (*(step.opens for step in STEPS), *(one for chapter in CHAPTERS for one in chapter.examples))
#: What fills a tab's form with an example.
Fill = Callable[[Visitor, Opens], Updates]
_FILLED = 'document.querySelector("#guide .wb-guide").dispatchEvent(new Event("filled"))'


class Guide:
    """The guide over the tabs."""

    def __init__(self) -> None:
        drawn, own_look = guide(STEPS, CHAPTERS), {"padding": False, "apply_default_css": False}
        self.shown = gr.HTML(drawn, js_on_load=SCRIPT, elem_id="guide", **own_look)

    def wire(self, ctx: Context, fills: dict[str, Fill], outputs: list[Any], runs: list[Any]) -> None:
        """Fill in the example that is clicked.

        Args:
            ctx: The page's surroundings.
            fills: By the id of a tab, what fills its form; a tab without one opens as it is.
            outputs: All that these may update.
            runs: Events of the playground: what they still bring may not land under an example that is filled in.
        """
        self.shown.refill(None, cancels=runs, api_visibility="private", queue=False)

        def fill(visitor: Visitor, clicked: dict[str, Any]) -> Updates:
            opens = OPENS[clicked["number"]]
            return fills[opens.tab](visitor, opens) if opens.tab in fills else {}

        told = gr.HTML(padding=False, elem_id="guide-told")
        options: dict[str, Any] = {"detailed": True, "show_progress": "hidden", "queue": False}
        filled = ctx.wire(self.shown.select, fill, [], outputs, told=told, **options)
        filled.then(None, js=f"() => {{ {_FILLED} }}", api_visibility="private")
