"""Whether a card still says what was filled in, and whether that still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.service.cards.document import metadata
from components.service.cards.facts import Source
from components.service.cards.outline import Section, sections
from components.service.cards.paths import read_path
from components.service.cards.template import TEMPLATE
from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters

#: Most sources that are looked at in one call, and most characters of a text in them.
SOURCES, CHARS = 2000, 20_000
_TITLES = frozenset(section.title for section in TEMPLATE)
_MISSING = object()


def read_sources(given: Any) -> list[Source]:
    """Sources as a draft gave them, checked.

    Raises:
        WorkbenchError: They are in another form.
    """
    if not isinstance(given, list) or len(given) > SOURCES:
        raise WorkbenchError(f"Give the sources of a draft, a list of at most {SOURCES:,}.", field="sources")
    read = []
    for one in given:
        kind = "field" if isinstance(one, Mapping) and "field" in one else "section"
        if not isinstance(one, Mapping) or not {kind, "value", "fact", "from"} <= one.keys():
            raise WorkbenchError("A source has field or section, value, fact and from.", field="sources")
        texts = [one[kind], one["fact"], one["from"], *([one["value"]] if kind == "section" else [])]
        if not all(isinstance(text, str) and len(text) <= CHARS for text in texts):
            raise WorkbenchError("A source has texts that are too long, or none.", field="sources")
        for text in texts:
            check_characters(text, "sources")
        if kind == "field":
            read_path(one["field"])
        read.append({kind: one[kind], "value": one["value"], "fact": one["fact"], "from": one["from"]})
    return read


def look(text: str, given: Sequence[Source] | None, now: Sequence[Source]) -> list[dict[str, Any]]:
    """How a card stands to its sources.

    Args:
        text: The card.
        given: The sources of the draft that it was made from; None where they are not known.
        now: Those of a draft that is made now.

    Returns:
        Each source with `state`, `now` and `remedy`: `same` (the card says it), `edited` (the card says something
        else, and the fact is as it was), `stale` (the fact is no longer so). `now` is the value of the fact as it is,
        or None where nothing is known of it any more; `remedy` are changes that let the card say it, or None where the
        place in the text is not known. Where no sources were given, those are left out that the card says nothing of.
    """
    card = _Card(text)
    known = {_key(source): source for source in now}
    told = [_told(card, source, known.get(_key(source))) for source in (now if given is None else given)]
    if given is not None:
        return told
    return [
        one for one in told if one["state"] == "same" or ("field" in one and card.field(one["field"]) is not _MISSING)
    ]


def _key(source: Source) -> tuple[str, str, str]:
    """What stays the same of a source when its value changes. The title of the card is no part of it."""
    if "field" in source:
        return "field", str(source["field"]), str(source["fact"])
    section = str(source["section"])
    return "section", section if section in _TITLES else "", str(source["fact"])


class _Card:
    """What a card says."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values = metadata(text)
        self.sections = sections(text)

    def field(self, path: str) -> Any:
        """The value of a field, or `_MISSING`."""
        value: Any = self.values
        for key in read_path(path):
            held = dict(enumerate(value)) if isinstance(value, list) else value
            if not isinstance(held, dict) or key not in held:
                return _MISSING
            value = held[key]
        return value

    def section(self, title: str, piece: str) -> Section | None:
        """The section of that title (of the card's own, whatever it is now) which holds a text; else the first one."""
        found = [one for one in self.sections if one.title == title]
        if not found and title not in _TITLES:
            found = [one for one in self.sections if one.level == 1][:1]
        return next((one for one in found if piece in self.under(one)), found[0] if found else None)

    def under(self, section: Section) -> str:
        """What stands under a heading."""
        return self.text[section.text : section.end]

    def says(self, source: Source, value: Any) -> bool:
        """Whether it says a value where the source has its place."""
        if "field" in source:
            return bool(self.field(source["field"]) == value)
        section = self.section(source["section"], value)
        return section is not None and value in self.under(section)

    def remedy(self, source: Source, value: Any) -> list[dict[str, Any]] | None:
        """Changes after which it says another value than the source has."""
        if "field" in source:
            return [{"field": source["field"], "value": value}]
        section = self.section(source["section"], source["value"])
        if section is None or source["value"] not in self.under(section):
            return None
        return [{"section": section.name, "text": self.under(section).replace(source["value"], value, 1)}]


def _told(card: _Card, source: Source, now: Source | None) -> dict[str, Any]:
    value = now["value"] if now else None
    changed = now is None or value != source["value"]
    if card.says(source, value) if changed and now else not changed and card.says(source, source["value"]):
        state = "same"
    else:
        state = "stale" if changed else "edited"
    remedy = card.remedy(source, value) if state != "same" and now is not None else None
    return {**source, "state": state, "now": value, "remedy": remedy}
