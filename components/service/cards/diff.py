"""What changes between two cards: fields of the metadata, sections, and lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from patiencediff import PatienceSequenceMatcher, unified_diff

from components.service.cards.document import Unreadable, read_front, split
from components.service.cards.edit import check_card
from components.service.cards.outline import sections
from components.service.cards.paths import Keys, read_path, write_path

#: Most fields and sections that the summary names.
_NAMED = 6
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LINE_END = re.compile(r"\r\n|\r")
_SHORT = re.compile(r"\s+")


def diff_card(before: str, after: str) -> dict[str, Any]:
    """What one card has otherwise than another.

    Returns:
        `{"fields": [{"field", "before", "after"}], "sections": [{"section", "change"}], "lines", "summary"}`. A field
        that is not there is null. `change` is added, removed or changed, of what stands under the heading itself; the
        text before the first heading is the section "". `lines` are those of a unified diff, without line breaks;
        `summary` is one sentence.

    Raises:
        WorkbenchError: One of the two is no card, or too long for one.
    """
    for card in (before, after):
        check_card(card)
    try:
        values = read_front(before).values, read_front(after).values
    except Unreadable:
        values = None
    fields = list(_fields(values[0], values[1], ())) if values else []
    changed = list(_sections(before, after))
    return {
        "fields": fields,
        "sections": changed,
        "lines": _unified(before, after),
        "summary": _summary(before, after, fields, changed, values is not None),
    }


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same; true is not 1, and the order of keys does not count."""
    return one is other or (one == other and _written(one) == _written(other))


def lines_of(text: str) -> list[str]:
    """The lines of a text, each with its line break."""
    return _LINE.findall(text)


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _fields(before: Any, after: Any, keys: Keys) -> Iterator[dict[str, Any]]:
    """The fields that differ, as deep inside as both have the same parts."""
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from _fields(before.get(key), after.get(key), (*keys, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _fields(one, other, (*keys, number))
    else:
        yield {"field": write_path(keys), "before": before, "after": after}


def _sections(before: str, after: str) -> Iterator[dict[str, str]]:
    old, new = _told(before), _told(after)
    for name in {**new, **old}:
        if old.get(name) != new.get(name):
            change = "added" if name not in old else "removed" if name not in new else "changed"
            yield {"section": name, "change": change}


def _told(text: str) -> dict[str, list[str]]:
    """What stands under each heading itself, line by line, whatever its line breaks; "" is what stands before all."""
    known = sections(text)
    start = len(text) - len(split(text)[1])
    told = {"": text[start : known[0].start if known else len(text)]}
    told |= {section.name: text[section.text : section.own_end] for section in known}
    return {name: part.strip().splitlines() for name, part in told.items() if name or part.strip()}


def _unified(before: str, after: str) -> list[str]:
    """The lines of a unified diff; where only the last line break differs, git's remark tells so."""
    made = unified_diff(lines_of(before), lines_of(after), "before", "after", sequencematcher=PatienceSequenceMatcher)
    lines: list[str] = []
    for line in made:
        lines.append(line.rstrip("\r\n"))
        if not line.endswith(("\r", "\n")):
            lines.append("\\ No newline at end of file")
    return lines


def _summary(
    before: str, after: str, fields: Sequence[dict[str, Any]], changed: Sequence[dict[str, str]], readable: bool
) -> str:
    """One sentence that names what changes."""
    if before == after:
        return "Changes nothing."
    keys = list(dict.fromkeys(read_path(field["field"])[0] for field in fields))
    parts = [_listed([str(key) for key in keys])] if keys else []
    if not readable:
        parts.append("metadata that cannot be read")
    for change, sign in (("changed", ""), ("added", " (new)"), ("removed", " (removed)")):
        names = [one["section"] or "the beginning" for one in changed if one["change"] == change]
        if names:
            parts.append(f"section{'s' if len(names) > 1 else ''} {_listed(names)}{sign}")
    if parts:
        return f"Changes {'; '.join(parts)}."
    if _LINE_END.sub("\n", before) == _LINE_END.sub("\n", after):
        return "Changes line breaks only."
    return "Changes only how the card is written: comments, order, quotes or spaces."


def _listed(names: Sequence[str]) -> str:
    shown = [_SHORT.sub(" ", name)[:60] for name in names[:_NAMED]]
    if len(names) > _NAMED:
        return f"{', '.join(shown)} and {len(names) - _NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]
