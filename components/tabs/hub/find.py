"""Searching the Hub in use, a page at a time."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.hub.view import View
from components.widgets import html, repository

KINDS = [("Models", "model"), ("Data sets", "dataset"), ("Spaces", "space")]
_SORTS = [
    ("Trending", "trending_score"),
    ("Most downloads", "downloads"),
    ("Most likes", "likes"),
    ("Last changed", "last_modified"),
    ("Newest", "created_at"),
]
_TASKS = (
    "text-classification", "token-classification", "question-answering", "fill-mask", "text-generation",
    "summarization", "translation", "sentence-similarity", "feature-extraction", "zero-shot-classification",
    "image-classification", "object-detection", "image-segmentation", "image-to-text", "automatic-speech-recognition",
    "audio-classification", "text-to-speech", "tabular-classification",
)  # fmt: skip
_LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl", "pl", "ru", "uk", "tr", "ar", "hi", "zh", "ja", "ko")
_LICENSES = (
    "apache-2.0",
    "mit",
    "bsd-3-clause",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "openrail",
    "gpl-3.0",
    "other",
)
_LIBRARIES = (
    "transformers",
    "sentence-transformers",
    "diffusers",
    "timm",
    "peft",
    "gguf",
    "onnx",
    "datasets",
    "gradio",
)
_ROWS = 20
_NONE = "Nothing here fits. Take a filter away, or search for fewer words."


class Find:
    """The search: its fields, the list it gives, and the pages of that list."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.kind = gr.Radio(KINDS, value="model", label="Search among", elem_id="hub-kind")
        with gr.Row(equal_height=False, elem_classes="wb-bottom"):
            self.query = gr.Textbox(label="Words", placeholder="sentiment", max_lines=1, scale=3, elem_id="hub-query")
            self.search = gr.Button("Search", variant="primary", scale=1, min_width=90, elem_id="hub-search")
        with gr.Accordion("Filters and order", open=False):
            self.sort = gr.Dropdown(_SORTS, value="trending_score", label="Order", elem_id="hub-sort")
            self.fits = gr.Checkbox(label="Fits this machine", info="Models whose weights can be loaded here.")
            self.task = _choice("Task", _TASKS)
            with gr.Row():
                self.language = _choice("Language", _LANGUAGES)
                self.license = _choice("Licence", _LICENSES)
            with gr.Row():
                self.library = _choice("Library", _LIBRARIES)
                self.author = gr.Textbox(label="Author", max_lines=1, elem_id="hub-author")
        self.told = gr.HTML(padding=False, elem_id="hub-find-told")
        self.found = gr.Radio(
            [], show_label=False, label="Found", container=False, elem_classes="wb-list", elem_id="hub-found"
        )
        with gr.Row(elem_classes="wb-pager", visible=False) as self.pager:
            self.previous = gr.Button("Previous", size="sm", min_width=80, elem_id="hub-previous")
            self.place = gr.HTML(padding=False)
            self.next = gr.Button("Next", size="sm", min_width=80, elem_id="hub-next")
        #: The cursor of each page up to the one that is shown, and of the one after it (None: there is none).
        self.cursors = gr.State([""])

    @property
    def fields(self) -> list[Any]:
        """What is asked for, in the order of `_page`."""
        return [
            self.kind,
            self.query,
            self.task,
            self.language,
            self.library,
            self.license,
            self.author,
            self.fits,
            self.sort,
        ]

    def wire(self, tab: gr.Tab, view: View) -> None:
        """Search when asked, turn pages, open what is chosen; the tab starts with the first thing that it finds."""
        outputs = [self.found, self.pager, self.place, self.previous, self.next, self.cursors]
        for event in (self.search.click, self.query.submit, self.kind.input):
            self.ctx.wire(event, self.first, self.fields, outputs, told=self.told)
        for button, turn in ((self.next, self.later), (self.previous, self.earlier)):
            self.ctx.wire(button.click, turn, [self.cursors, *self.fields], outputs, told=self.told)
        begun = self.ctx.wire(tab.select, self.begin, [self.cursors, *self.fields], outputs, told=self.told)
        view.follow(
            self.ctx.wire(begun.then, self.show, [view.repo, self.found, self.kind], view.outputs, told=self.told)
        )
        self.view = view
        opened = self.ctx.wire(self.found.input, view.open, [self.found, self.kind], view.outputs, told=self.told)
        view.follow(opened)

    def begin(self, visitor: Visitor, cursors: list[str], *asked: Any) -> Updates:
        """The first page, the first time that the tab is looked at; its first row is chosen."""
        if cursors != [""]:
            return {}
        updates = self.first(visitor, *asked)
        choices = updates[self.found]["choices"]
        return {**updates, self.found: gr.update(choices=choices, value=choices[0][1] if choices else None)}

    def show(self, visitor: Visitor, shown: str, chosen: str | None, kind: str) -> Updates:
        """Open the chosen row, if nothing is open yet."""
        return {} if shown or not chosen else self.view.open(visitor, chosen, kind)

    def first(self, visitor: Visitor, *asked: Any) -> Updates:
        """The first page."""
        return self._page(visitor, [""], *asked)

    def later(self, visitor: Visitor, cursors: list[str], *asked: Any) -> Updates:
        """The next page; the last cursor leads to it."""
        return self._page(visitor, cursors, *asked)

    def earlier(self, visitor: Visitor, cursors: list[str], *asked: Any) -> Updates:
        """The page before."""
        return self._page(visitor, cursors[:-2] or [""], *asked)

    def _page(self, visitor: Visitor, cursors: list[str], kind: str, query: str, *filters: Any) -> Updates:
        names = ("task", "language", "library", "license", "author", "fits")
        *given, sort = filters
        chosen = {name: value for name, value in zip(names, given, strict=True) if value}
        if kind != "model":
            chosen.pop("fits", None)
        page = self.ctx.bench.catalog.browse_hub(
            kind, query or "", chosen, sort, cursors[-1] or "", _ROWS, visitor=visitor
        )
        number, rows = len(cursors), page["rows"]
        return {
            self.found: gr.update(choices=[(repository.row_label(row), row["id"]) for row in rows], value=None),
            self.told: "" if rows else html.empty(_NONE),
            self.pager: gr.update(visible=number > 1 or page["next"] is not None),
            self.place: f'<div class="wb-quiet">Page {number}</div>',
            self.previous: gr.update(interactive=number > 1),
            self.next: gr.update(interactive=page["next"] is not None),
            self.cursors: [*cursors, page["next"]],
        }


def _choice(label: str, values: tuple[str, ...]) -> gr.Dropdown:
    choices = [("Any", ""), *((value, value) for value in values)]
    return gr.Dropdown(choices, value="", label=label, allow_custom_value=True, min_width=120)
