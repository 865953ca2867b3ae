"""Vocabulary: search the entries, see how one came to be, hold two vocabularies side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.batch import whole
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.form import Form, at, known
from components.tabs.tokenizer.tokens import Pager, place_of
from components.widgets import html
from components.widgets.tokens import vocabulary as draw

_PAGE = 50
_EMPTY = "Press Search. Entries are listed with their bytes and their script; choose one to see how it came to be."
_MODES = [
    ("Contains", "contains"),
    ("Begins with", "prefix"),
    ("Ends with", "suffix"),
    ("Is exactly", "exact"),
    ("Regular expression (RE2)", "regex"),
    ("Has the id", "id"),
]
_ONLY = [
    ("All", ""),
    ("Special", "special"),
    ("Added", "added"),
    ("Kept free", "unused"),
    ("Parts of characters", "bytes"),
]
_SORTS = [("Id", "id"), ("Token", "token"), ("Length", "length")]
_SCRIPTS = ["Latin", "Greek", "Cyrillic", "Arabic", "Hebrew", "Devanagari", "Han", "Hiragana", "Katakana", "Hangul"]
_CLASSES = ["Digits", "Punctuation", "Symbols", "Spaces", "Controls", "Bytes", "Special"]


class VocabularyPanel:
    """The search, its entries, and the one that is looked up. `made` is what it was last made from."""

    def __init__(self, ctx: Context, form: Form, views: gr.Tabs) -> None:
        self.ctx, self.form, self.views = ctx, form, views
        self.made, self._picked = gr.State({}), gr.State(None)
        with gr.Row(elem_classes="wb-bottom"):
            self.query = gr.Textbox(
                label="Search for", value="ing", max_lines=1, scale=3, min_width=150, elem_id="tok-voc-query"
            )
            self.mode = gr.Dropdown(
                _MODES, value="contains", label="How", scale=2, min_width=140, elem_id="tok-voc-mode"
            )
            self.search = gr.Button("Search", variant="primary", scale=1, min_width=90, elem_id="tok-voc-search")
        self.filters = self._filters()
        self.told = gr.HTML(padding=False, elem_id="tok-voc-told")
        self.detail = gr.HTML(js_on_load=draw.SCRIPT, padding=False, elem_id="tok-voc-detail")
        self.found = gr.HTML(html.empty(_EMPTY), js_on_load=draw.SCRIPT, padding=False, elem_id="tok-voc-found")
        self.pager = Pager("tok-voc")
        self.facts = gr.HTML(padding=False, elem_id="tok-voc-facts")
        self._two()

    @staticmethod
    def _filters() -> dict[str, Any]:
        """The fields of the filters, by the names of their options."""
        small: dict[str, Any] = {"min_width": 130}
        with gr.Accordion("Filters and order", open=False):
            with gr.Row():
                script = gr.Dropdown(
                    [("Any", ""), *((name, name) for name in (*_SCRIPTS, *_CLASSES))],
                    value="",
                    label="Script",
                    allow_custom_value=True,
                    elem_id="tok-voc-script",
                    **small,
                )
                only = gr.Dropdown(_ONLY, value="", label="Only", elem_id="tok-voc-only", **small)
                least = gr.Number(label="Characters, at least", value=0, **small)
                most = gr.Number(label="at most (0: any)", value=0, **small)
            with gr.Row():
                sort = gr.Dropdown(_SORTS, value="id", label="Order by", elem_id="tok-voc-sort", **small)
                descending = gr.Checkbox(label="Largest first", **small)
                case = gr.Checkbox(label="Upper and lower case alike", **small)
        fields = (script, only, least, most, sort, descending, case)
        return dict(
            zip(
                ("script", "only", "min_length", "max_length", "sort", "descending", "ignore_case"), fields, strict=True
            )
        )

    def _two(self) -> None:
        self.made_two = gr.State({})
        second = TASKS["text-generation"].default_model(self.ctx.bench.settings)
        with gr.Accordion("Beside another vocabulary", open=False):
            with gr.Row(elem_classes="wb-bottom"):
                self.other = gr.Dropdown([], value=second, label="The other model", allow_custom_value=True, scale=3)
                self.compare = gr.Button("Compare", scale=1, min_width=90, elem_id="tok-voc-compare")
            self.told_two = gr.HTML(padding=False, elem_id="tok-voc-told-two")
            self.two = gr.HTML(padding=False, elem_id="tok-voc-two")

    def wire(self) -> None:
        """Search, move the window, look an entry up, compare."""
        ctx = self.ctx
        fields = [self.query, self.mode, *self.form.chosen, *self.filters.values()]
        outputs = [self.found, self.facts, self.detail, self.made, *self.pager.outputs]
        failed = {self.found: html.empty(_EMPTY), self.facts: "", self.detail: "", self.made: {}, **self.pager.hidden()}
        for event in (self.search.click, self.query.submit):
            ctx.wire(event, self._search, fields, outputs, told=self.told, failed=failed)
        for button, by in ((self.pager.earlier, -_PAGE), (self.pager.later, _PAGE)):
            ctx.wire(button.click, self._move(by), [self.pager.start, *fields], outputs, told=self.told)
        ctx.wire(self.pager.to.submit, self._jump, [self.pager.to, *fields], outputs, told=self.told)
        for listed in (self.found, self.detail):
            self.look_up_on(listed)
        quiet: dict[str, Any] = {"told": self.told_two, "clears": False, "show_progress": "hidden"}
        ctx.wire(
            self.other.focus,
            lambda visitor: {self.other: gr.update(choices=known(ctx, visitor))},
            [],
            [self.other],
            **quiet,
        )
        ctx.wire(
            self.compare.click,
            self._compare,
            [self.form.picker.model, self.other],
            [self.two, self.made_two],
            told=self.told_two,
            failed={self.two: "", self.made_two: {}},
        )

    def look_up_on(self, listed: gr.HTML) -> None:
        """Look up the entry that is chosen in a list of tokens, and open this tab."""
        picked = listed.click(_number, None, self._picked, api_visibility="private", queue=False)
        self.ctx.wire(
            picked.then,
            self._look_up,
            [self._picked, *self.form.chosen],
            [self.detail, self.made, self.views],
            told=self.told,
        )

    def _move(self, by: int) -> Callable[..., Updates]:
        def move(visitor: Visitor, start: int, *values: Any) -> Updates:
            return self._search(visitor, *values, start=max(0, start + by))

        return move

    def _jump(self, visitor: Visitor, number: float | None, *values: Any) -> Updates:
        return self._search(visitor, *values, start=place_of(number))

    def _search(
        self, visitor: Visitor, query: str, mode: str, model: str, revision: str, *values: Any, start: int = 0
    ) -> Updates:
        filters = dict(zip(self.filters, values, strict=True))
        numbers = {name: whole(filters[name]) for name in ("min_length", "max_length")}
        options = {**filters, **numbers, "script": filters["script"] or "", "mode": mode}
        window = {"start": start, "count": _PAGE}
        found = self.ctx.bench.tokens.search_vocabulary(
            model or "", query or "", {**options, **window}, at(revision), visitor=visitor
        )
        kept = {"model": found["model"], "commit": found["commit"], "query": query or "", "options": options}
        return {
            self.found: draw.found_view(found),
            self.facts: draw.vocabulary_facts(found),
            self.detail: _detail(found),
            self.made: asked("search_vocabulary", kept),
            **self.pager.show(start, len(found["entries"]), found["total"], "entries"),
        }

    def _look_up(self, visitor: Visitor, number: int | None, model: str, revision: str) -> Updates:
        if number is None:
            return {}
        options = {"mode": "id"}
        found = self.ctx.bench.tokens.search_vocabulary(
            model or "", str(number), options, at(revision), visitor=visitor
        )
        kept = {"model": found["model"], "commit": found["commit"], "query": str(number), "options": options}
        return {
            self.detail: _detail(found),
            self.made: asked("search_vocabulary", kept),
            self.views: gr.Tabs(selected="vocabulary"),
        }

    def _compare(self, visitor: Visitor, model: str, other: str) -> Updates:
        made = self.ctx.bench.tokens.compare_vocabularies([model or "", other or ""], visitor=visitor)
        both = [{"model": one["model"], "commit": one["commit"]} for one in made["vocabularies"]]
        kept = {"vocabularies": both, "matched_by": made["matched_by"]}
        return {self.two: draw.vocabularies_view(made), self.made_two: asked("compare_vocabularies", kept)}


def _number(event: gr.EventData) -> int | None:
    """The id that the page sent, which may be anything."""
    number = event._data.get("number") if isinstance(event._data, dict) else None
    return number if isinstance(number, int) else None


def _detail(found: dict[str, Any]) -> str:
    return draw.detail_view(found["entries"][0], found["detail"]) if found["detail"] else ""
