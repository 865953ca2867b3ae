"""What follows the text of a card: findings, what is missing, where values come from, what has changed, and code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from components.service.cards import body, metadata
from components.service.cards.completeness import completeness
from components.service.cards.edit import edit
from components.service.cards.outline import sections
from components.service.cards.template import section_of
from components.service.errors import WorkbenchError
from components.service.readable import readable
from components.service.visitor import Visitor
from components.tabs.card.document import Document
from components.tabs.card.fields import field_of
from components.tabs.card.form import CardForm
from components.tabs.context import Context, Updates
from components.widgets import html
from components.widgets.card import PICKING, to_place
from components.widgets.card.changes import changes_view
from components.widgets.card.findings import findings_view
from components.widgets.card.lacking import lacking_view
from components.widgets.card.preview import examples_view, header_view, results_view
from components.widgets.card.sources import sources_view
from components.widgets.script import script

EMPTY = (
    "Choose a finished run, a model id or the template, and press Draft: the card is filled with what was recorded, "
    "and asks for what is not known. Or open a README.md of yours."
)
_FACTS = "Press Look: each value that was filled in is held against the run or the model that it comes from."
_CODE = "# Change something in the card: the code that makes the same changes stands here."


class Preview:
    """The card as the Hub shows it."""

    def __init__(self) -> None:
        self.header = gr.HTML(padding=False, elem_id="card-tags")
        self.text = gr.Markdown(EMPTY, elem_id="card-preview", container=True, max_height=640)
        self.beside = gr.HTML(padding=False, elem_id="card-beside")

    def show(self, text: str, name: str, rows: list[dict[str, Any]]) -> Updates:
        """Draw it."""
        values = metadata(text)
        return {
            self.header: header_view(values, name),
            self.text: readable(body(text)),
            self.beside: results_view(rows) + examples_view(values),
        }

    def empty(self) -> Updates:
        """There is no card."""
        return {self.header: "", self.text: EMPTY, self.beside: ""}


class Findings:
    """What is wrong, with remedies; `remedies` and `hub_remedies` hold those that were offered last."""

    def __init__(self, ctx: Context, tab: gr.Tab) -> None:
        self.ctx, self.tab = ctx, tab
        self.remedies, self.hub_remedies = gr.State([]), gr.State([])
        self.shown = gr.HTML(html.empty(EMPTY), padding=False, js_on_load=PICKING, elem_id="card-findings")
        self.ask = gr.Button("Ask the Hub, too", size="sm", elem_id="card-validate")
        self.said = gr.HTML(padding=False, js_on_load=PICKING, elem_id="card-validated")
        self.told = gr.HTML(padding=False, elem_id="card-findings-told")

    @property
    def outputs(self) -> list[Any]:
        """What `show` and `empty` update."""
        return [self.shown, self.tab, self.remedies, self.said, self.told]

    def show(self, text: str, problems: list[dict[str, Any]]) -> Updates:
        """Draw them."""
        return {
            self.shown: findings_view(problems, field_of, Document.above(text)),
            self.tab: gr.update(label=f"Findings ({len(problems)})" if problems else "Findings"),
            self.remedies: [problem.get("remedy") for problem in problems],
            self.said: "",
            self.told: "",
        }

    def empty(self) -> Updates:
        """There is no card."""
        nothing: Updates = {self.shown: html.empty(EMPTY), self.tab: gr.update(label="Findings")}
        return {**nothing, self.remedies: [], self.said: "", self.told: ""}

    def wire(self, document: Document, form: CardForm, views: gr.Tabs) -> None:
        """Mend what is picked, or lead to its place; ask the Hub."""
        self._document = document

        def act(
            _visitor: Visitor,
            picked: dict[str, Any],
            text: str | None,
            before: dict[str, Any],
            remedies: list[Any],
        ) -> Updates:
            kind, _, place = str(picked.get("pick")).partition(" ")
            if kind == "line":
                return {views: gr.Tabs(selected="text")}
            if kind == "field":
                return {views: gr.Tabs(selected="form"), **form.opened(place)}
            return _remedied(document, picked, document.read(text, before), remedies)

        outputs = [document.editor, views, *form.parts]
        for shown, remedies in ((self.shown, self.remedies), (self.said, self.hub_remedies)):
            fields = [*document.fields, remedies]
            done = self.ctx.wire(
                shown.select, act, fields, outputs, told=self.told, detailed=True, show_progress="hidden"
            )
            done.then(None, js=to_place(shown.elem_id), api_visibility="private")
        said = [self.said, self.hub_remedies]
        self.ctx.wire(self.ask.click, self._validate, document.fields, said, told=self.told)

    def _validate(self, visitor: Visitor, text: str | None, before: dict[str, Any]) -> Updates:
        card = self._document.read(text, before)
        answer = self.ctx.bench.cards.validate(card, visitor=visitor)
        problems = answer["problems"]
        said = f"{answer['hub']} would take this card." if answer["accepted"] else f"{answer['hub']} would refuse it."
        level = "success" if answer["accepted"] else "error"
        listed = findings_view(problems, field_of, Document.above(card)) if problems else ""
        return {
            self.said: html.notice(said, level) + listed,
            self.hub_remedies: [problem.get("remedy") for problem in problems],
        }


class Lacking:
    """What is missing, by who reads the card; an item leads to its place in the form."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.shown = gr.HTML(html.empty(EMPTY), padding=False, js_on_load=PICKING, elem_id="card-lacking")

    def show(self, text: str, problems: list[dict[str, Any]]) -> Updates:
        """Draw it; `problems` are those of the card."""
        return {self.shown: lacking_view(completeness(text, problems))}

    def wire(self, document: Document, form: CardForm, views: gr.Tabs) -> None:
        """Open the form where an item asks for something."""

        def go(
            _visitor: Visitor,
            picked: dict[str, Any],
            text: str | None,
            before: dict[str, Any],
            filled: dict[str, Any],
        ) -> Updates:
            kind, _, place = str(picked.get("pick")).partition(" ")
            card, to = document.read(text, before), {views: gr.Tabs(selected="form")}
            if kind == "section":
                return {**to, **form.choose(card, filled, _present(card, place))}
            return {**to, **form.opened(place)}

        outputs = [views, form.filled, form.section, form.why, form.text, *form.parts]
        fields = [*document.fields, form.filled]
        gone = self.ctx.wire(self.shown.select, go, fields, outputs, told=form.told, detailed=True)
        gone.then(None, js=to_place(self.shown.elem_id), api_visibility="private")


class Sources:
    """Where values come from; `given` are the sources of the draft, `seen` those that were shown last."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.given, self.seen = gr.State(None), gr.State([])
        self.look = gr.Button("Look again", size="sm", elem_id="card-sources-look")
        self.told = gr.HTML(padding=False)
        self.shown = gr.HTML(html.empty(_FACTS), padding=False, js_on_load=PICKING, elem_id="card-sources")

    def wire(self, document: Document, subject: gr.Dropdown, tab: gr.Tab) -> None:
        """Look when asked to, or when the tab is opened; write the fact that is picked."""
        self._document, editor = document, document.editor
        fields = [*document.fields, subject, self.given]
        for event in (self.look.click, tab.select):
            self.ctx.wire(event, self._look, fields, [self.shown, self.seen], told=self.told)
        picked = self.ctx.wire(
            self.shown.select, self._write, [*document.fields, self.seen], [editor], told=self.told, detailed=True
        )
        self.ctx.wire(picked.then, self._look, fields, [self.shown, self.seen], told=self.told, clears=False)

    def _look(
        self,
        visitor: Visitor,
        text: str | None,
        before: dict[str, Any],
        subject: str | None,
        given: list[Any] | None,
    ) -> Updates:
        card = self._document.read(text, before)
        if not card.strip() or not subject:
            return {self.shown: html.empty(_FACTS), self.seen: []}
        seen = self.ctx.bench.cards.card_sources(card, subject, given, visitor=visitor)["sources"]
        return {self.shown: sources_view(seen), self.seen: [one["remedy"] for one in seen]}

    def _write(
        self, _visitor: Visitor, picked: dict[str, Any], text: str | None, before: dict[str, Any], remedies: list[Any]
    ) -> Updates:
        return _remedied(self._document, picked, self._document.read(text, before), remedies)


class Changes:
    """What has changed since the card was opened, and the code for it."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.shown = gr.HTML(html.empty(EMPTY), padding=False, elem_id="card-changes")

    def code_part(self) -> None:
        """Place the code, in a tab of its own."""
        self.code = script("card-code", _CODE)

    def show(self, text: str, before: Mapping[str, Any], repo: str) -> Updates:
        """Draw them."""
        if not before["named"]:
            return {self.shown: html.empty(EMPTY), self.code: _CODE}
        diff = self.ctx.bench.cards.diff_card(before["text"], text)
        return {
            self.shown: changes_view(diff, before["named"], before.get("remark") or ""),
            self.code: self._code(diff, text, repo),
        }

    def _code(self, diff: Mapping[str, Any], text: str, repo: str) -> str:
        parts = {part.name: text[part.text : part.own_end].strip() for part in sections(text)}
        changes: list[dict[str, Any]] = [{"field": one["field"], "value": one["after"]} for one in diff["fields"]]
        changes += [
            {"section": one["section"], "text": parts.get(one["section"])} for one in diff["sections"] if one["section"]
        ]
        try:
            return self.ctx.bench.snippet("card", {"repo": repo, "changes": changes}) if changes else _CODE
        except WorkbenchError as error:
            return f"# {error.message}"


def _remedied(document: Document, picked: Mapping[str, Any], card: str, remedies: list[Any]) -> Updates:
    """The card with the remedy that was picked, by its number; nothing where there is none of that number."""
    number = str(picked.get("pick"))
    remedy = remedies[int(number)] if number.isdecimal() and int(number) < len(remedies) else None
    return {document.editor: edit(card, remedy)} if remedy else {}


def _present(text: str, title: str) -> str:
    """The name of the card's section that tells what the template's does; the template's own where there is none."""
    return next(
        (part.name for part in sections(text) if (told := section_of(part.title)) and told.title == title), title
    )
