"""The card as a form: its metadata, one section at a time, and its results as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from components.service.cards import metadata
from components.service.cards.document import Unreadable, read_front
from components.service.cards.edit import edit
from components.service.cards.outline import Section, sections
from components.service.cards.results import row_changes
from components.service.cards.template import TEMPLATE, section_of
from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.card.document import Document
from components.tabs.card.fields import FIELDS, GROUPS, Field
from components.tabs.card.lists import PickLists
from components.tabs.context import Context, Updates
from components.widgets import html

#: Columns of the table of results: what a row holds, and its title. The last says where the row stands in the card.
_COLUMNS = {
    "task": "Task",
    "dataset": "Data set",
    "metric": "Metric",
    "value": "Value",
    "split": "Split",
    "config": "Configuration",
    "name": "Called",
    "field": "Stands at",
}
_WHOLE = ("task", "dataset", "metric", "value")
_NEW = " (not there yet)"
#: The sections on offer where there is no card.
_ALL = [[section.title + _NEW, section.title] for section in TEMPLATE]


class CardForm:
    """The form. `filled` holds what it last took from the card: only what changes there is filled in anew, so that
    what is being typed in another field stays."""

    def __init__(self, ctx: Context, document: Document) -> None:
        self.ctx, self.document, self.editor = ctx, document, document.editor
        self.lists = PickLists(ctx.bench.cards)
        # In a card that is not there yet, every section of the template can be written.
        self.filled = gr.State({"section": [None, "", _ALL]})
        self.told = gr.HTML(padding=False, elem_id="card-form-told")
        self.fields: dict[str, Any] = {}
        #: The group that each field stands in, for those that are folded.
        self.groups: dict[str, gr.Accordion] = {}
        for number, (group, fields) in enumerate(GROUPS.items()):
            with gr.Accordion(group, open=number == 0) as folded:
                with gr.Row(equal_height=False):
                    for field in fields:
                        self.fields[field.path] = _component(field)
                        self.groups[field.path] = folded
                if number == 0:
                    self.unknown = gr.HTML(padding=False)
        with gr.Accordion("Sections", open=True, elem_id="card-sections"):
            # While another card is opened the page still names a section of the last one: that is no error.
            self.section = gr.Dropdown(
                label="Section",
                choices=[(name, title) for name, title in _ALL],
                value=None,
                allow_custom_value=True,
                elem_id="card-section",
            )
            self.why = gr.HTML(padding=False, elem_id="card-section-why")
            self.text = gr.Textbox(label="What stands there", info="Markdown.", lines=8, elem_id="card-section-text")
        with gr.Accordion("Evaluation results", open=False, elem_id="card-results-part") as self.results_part:
            self.results = gr.Dataframe(
                headers=list(_COLUMNS.values()),
                datatype=["str"] * len(_COLUMNS),
                type="array",
                interactive=True,
                row_count=1,
                show_label=False,
                static_columns=[len(_COLUMNS) - 1],
                elem_id="card-results",
            )
            gr.HTML(
                '<p class="wb-lead">A row is taken into the card once it has task, data set, metric and value.</p>',
                padding=False,
            )

    @property
    def outputs(self) -> list[Any]:
        """What `show` updates."""
        return [self.filled, self.unknown, self.section, self.why, self.text, self.results, *self.fields.values()]

    def show(
        self,
        text: str,
        results: list[dict[str, Any]],
        before: dict[str, Any],
        filled: dict[str, Any],
        section: str | None,
    ) -> Updates:
        """Fill in what has changed in the card since the form last took from it; `before` is the card as opened."""
        card = before.get("id")
        values, torn = _read(text)
        if torn:
            # Fields that stay are those of this card, and not of the one that was open before.
            parts = {} if filled.get("card") == card else self._emptied()
            parts |= self._shown_section(text, filled, section)
            now = parts.pop("section")
            # The fields are filled in anew once they can be read: what was typed there meanwhile is not in the card.
            # The sections can be read all the same, and what was typed in one is not taken away.
            return {**parts, self.told: torn, self.filled: {"section": now, "card": card}}
        shown = {field.path: field.shown(values) for field in FIELDS}
        known = {name for path in shown for name in (path, path.partition(".")[0])} | {"model-index"}
        others = sorted(str(key) for key in values if key not in known)
        said = f"Kept as they stand: {', '.join(others)}. Change them in the text." if others else ""
        updates: Updates = {self.unknown: html.notice(said[:400]), **self._shown_section(text, filled, section)}
        for path, value in shown.items():
            if path not in filled or filled[path] != value:
                updates[self.fields[path]] = value
        rows = _cells(results)
        if filled.get("results") != rows:
            updates[self.results] = rows or [[""] * len(_COLUMNS)]
        now = updates.pop("section")
        return {**updates, self.told: "", self.filled: {**shown, "results": rows, "section": now, "card": card}}

    def _emptied(self) -> Updates:
        """The fields without a card."""
        parts = {self.fields[field.path]: field.shown({}) for field in FIELDS}
        return {self.unknown: "", self.results: [[""] * len(_COLUMNS)], **parts}

    def _shown_section(
        self, text: str, filled: dict[str, Any], chosen: str | None, *, asked: bool = False
    ) -> dict[Any, Any]:
        """Fill in the chosen section; `asked` where it has just been asked for."""
        parts = sections(text)
        there = {part.name: _under(text, part) for part in parts if part.level > 1 or len(parts) == 1}
        told = {section_of(name) for name in there}
        missing = [section.title for section in TEMPLATE if section not in told]
        names = [(name, name) for name in there] + [(name + _NEW, name) for name in missing]
        before = [None, None, None] if asked else filled.get("section") or [None, None, None]
        stays = asked or (chosen == before[0] and not before[1] and before[2] != _ALL)
        if chosen not in there and not (stays and chosen in missing):
            # The section of a card that was open before, or a page that has yet to hear what is chosen.
            chosen = before[0] if before[0] in there else next((name for _, name in names), None)
        now = [chosen, there.get(chosen or "", "")]
        choices = [list(pair) for pair in names]
        updates: dict[Any, Any] = {"section": [*now, choices]}
        if before[2] != choices or before[0] != chosen:
            updates[self.section] = gr.update(choices=names, value=chosen)
        if before[:2] != now:
            updates[self.text] = now[1]
            updates[self.why] = _why(chosen)
        return updates

    def wire(self) -> None:
        """Let the card follow the form."""
        wire, quiet = self.ctx.wire, {"told": self.told, "show_progress": "hidden"}
        for field in FIELDS:
            component = self.fields[field.path]
            given = [*self.document.fields, self.filled, component]
            for event in _events(field, component):
                wire(event, self._put(field), given, [self.editor, component], **quiet)
            if field.of == "languages":
                # Each key is answered, one after the other: "always_last" would ask for the first one again.
                ordered = {"detailed": True, "trigger_mode": "multiple", "concurrency_limit": 1, **quiet}
                wire(component.key_up, self._search(field), [component], [component], **ordered)
        wire(
            self.section.input,
            self._choose,
            [*self.document.fields, self.filled, self.section],
            self._of_section,
            **quiet,
        )
        written = [*self.document.fields, self.filled, self.section, self.text]
        wire(self.text.blur, self._put_section, written, [self.editor], **quiet)
        tabled = [*self.document.fields, self.results]
        wire(self.results.input, self._put_results, tabled, [self.editor, self.results], **quiet)

    @property
    def _of_section(self) -> list[Any]:
        return [self.filled, self.section, self.why, self.text]

    def offer(self, _visitor: Visitor) -> Updates:
        """The lists that the fields are chosen from."""
        listed = {field: self.lists.choices(field.of, "") for field in FIELDS if field.of}
        return {
            self.fields[field.path]: gr.update(choices=[*_nothing(field), *choices])
            for field, choices in listed.items()
        }

    def _search(self, field: Field) -> Callable[..., Updates]:
        def search(_visitor: Visitor, typed: dict[str, Any], chosen: list[str] | None) -> Updates:
            query = str(typed.get("input_value") or "")
            return {self.fields[field.path]: gr.update(choices=self.lists.choices(field.of, query, chosen or []))}

        return search

    def _put(self, field: Field) -> Callable[..., Updates]:
        def put(
            _visitor: Visitor, text: str | None, before: dict[str, Any], filled: dict[str, Any], given: Any
        ) -> Updates:
            card = self.document.read(text, before)
            # What was told of the card itself stays, for a field tells of its change also when the card filled it in.
            values, torn = _read(card)
            unchanged: Updates = {self.told: torn}
            if field.path in filled and given == filled[field.path]:
                return unchanged
            made = self._with(field, card, values, given)
            if made != card:
                return {self.editor: made}
            says = field.shown(values)
            return {**unchanged, self.fields[field.path]: says} if filled and given != says else unchanged

        return put

    def _with(self, field: Field, card: str, values: dict[str, Any], given: Any) -> str:
        """The card, whose metadata are `values`, saying what a field of the form holds."""
        changes = field.changes(values, self.lists.coded(field.of, given))
        return edit(card, changes) if changes else card

    @property
    def typed(self) -> list[Any]:
        """What `taken` takes beside the card."""
        return [self.filled, self.section, self.text, *self.fields.values()]

    def taken(
        self, card: str, filled: dict[str, Any], section: str | None, written: str | None, given: Sequence[Any]
    ) -> str:
        """The card with what was typed in the form and is still on its way there: a click elsewhere overtakes it.

        Raises:
            WorkbenchError: It cannot be put there.
        """
        for field, value in zip(FIELDS, given, strict=True):
            if field.path in filled and value != filled[field.path]:
                card = self._with(field, card, metadata(card), value)
        return _with_section(card, filled, section, written)

    def opened(self, path: str) -> Updates:
        """Unfold the group that a field stands in."""
        group = self.results_part if path.startswith("model-index") else self.groups.get(path)
        return {group: gr.update(open=True)} if group is not None else {}

    @property
    def parts(self) -> list[Any]:
        """What `opened` updates."""
        return [*dict.fromkeys(self.groups.values()), self.results_part]

    def choose(self, text: str, filled: dict[str, Any], section: str | None) -> Updates:
        """Open a section."""
        updates = self._shown_section(text, filled, section, asked=True)
        now = updates.pop("section")
        return {**updates, self.filled: {**filled, "section": now}}

    def _choose(
        self, _visitor: Visitor, text: str | None, before: dict[str, Any], filled: dict[str, Any], section: str | None
    ) -> Updates:
        return self.choose(self.document.read(text, before), filled, section)

    def _put_section(
        self,
        _visitor: Visitor,
        text: str | None,
        before: dict[str, Any],
        filled: dict[str, Any],
        section: str | None,
        written: str | None,
    ) -> Updates:
        card = self.document.read(text, before)
        made = _with_section(card, filled, section, written)
        return {self.editor: made} if made != card else {}

    def _put_results(
        self, _visitor: Visitor, text: str | None, before: dict[str, Any], table: list[list[Any]]
    ) -> Updates:
        text = self.document.read(text, before)
        there = self.ctx.bench.cards.card_results(text)["rows"]
        if any(len(cells) != len(_COLUMNS) for cells in table):
            # The table's own menu adds and deletes columns: values would then stand under another title.
            said = html.notice("The columns stay as they are: a result has these.", "warning")
            return {self.results: _cells(there) or [[""] * len(_COLUMNS)], self.told: said}
        known = {row["field"]: row for row in there}
        rows = []
        for cells in table:
            given = {key: _cell(value) for key, value in zip(_COLUMNS, cells, strict=False)}
            row = {**known.get(given["field"] or "", {}), **given}
            row["field"] = row["field"] if row["field"] in known else None
            if row["field"] or all(row[key] is not None for key in _WHOLE):
                rows.append({**row, "value": _figure(row["value"])})
        if any(row["value"] is None for row in rows):
            raise WorkbenchError("A result has a value.", field="model-index")
        made = edit(text, row_changes(text, rows))
        return {self.editor: made} if made != text else {}


def _read(card: str) -> tuple[dict[str, Any], str]:
    """The metadata of a card, and what keeps the form from following it: nothing where nothing does."""
    try:
        return read_front(card).values, ""
    except Unreadable as error:
        said = f"{error.message} Mend line {error.line} in the text: until then the fields do not follow it."
        return {}, html.notice(said, "error")


def _cells(results: list[dict[str, Any]]) -> list[list[str]]:
    """The evaluation results of a card as the rows of their table."""
    return [["" if row[key] is None else str(row[key]) for key in _COLUMNS] for row in results]


def _events(field: Field, component: Any) -> list[Any]:
    """What tells that a field was changed by hand."""
    if field.kind == "choices":
        # `input` does not tell of a value that was typed, nor of all being taken away.
        return [component.change]
    if field.kind == "choice":
        return [component.input]
    return [component.blur] if field.kind in ("json", "lines") else [component.blur, component.submit]


def _nothing(field: Field) -> list[tuple[str, str]]:
    """What takes a single choice away. Without it, Enter in an emptied field would take the first choice there is."""
    return [("(none)", "")] if field.kind == "choice" else []


def _component(field: Field) -> Any:
    name = "card-f-" + field.path.replace("_", "-").replace(".", "-")
    common: dict[str, Any] = {"label": field.label, "info": field.info or None, "min_width": 220, "elem_id": name}
    if field.kind == "number":
        return gr.Number(value=None, minimum=0, **common)
    if field.kind in ("json", "lines"):
        return gr.Textbox(lines=3, max_lines=12, **common)
    if field.kind == "text":
        return gr.Textbox(max_lines=1, **common)
    several = field.kind == "choices"
    return gr.Dropdown(
        choices=[*_nothing(field), *((option, option) for option in field.options)],
        value=[] if several else None,
        multiselect=several,
        allow_custom_value=True,
        **common,
    )


def _with_section(card: str, filled: dict[str, Any], section: str | None, written: str | None) -> str:
    """The card with what was typed under a heading; as it was where nobody has typed there."""
    known, shown, _ = filled.get("section") or [None, "", []]
    typed = (written or "").strip()
    if typed and not section:
        raise WorkbenchError("Choose the section that this text belongs to.")
    # Where another section has just been chosen, the field still holds the text of the last one.
    return (
        card if not section or section != known or typed == shown else edit(card, [{"section": section, "text": typed}])
    )


def _under(text: str, part: Section) -> str:
    """What stands under a heading, as a field of the page holds it."""
    return "\n".join(text[part.text : part.end].strip().splitlines())


def _cell(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None


def _figure(value: str | None) -> Any:
    """A number where it reads as one, else the text."""
    try:
        number = float(value or "")
    except ValueError:
        return value
    return int(number) if number.is_integer() and "." not in str(value) else number


def _why(title: str | None) -> str:
    section = section_of(title) if title else None
    if section is None:
        return ""
    asked = "".join(f"<li>{html.escape(question)}</li>" for question in section.questions)
    course = ' <span class="wb-badge">in the course</span>' if section.course else ""
    return f'<p class="wb-lead">{html.escape(section.why)}{course}</p>' + (f"<ul>{asked}</ul>" if asked else "")
