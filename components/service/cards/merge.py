"""Two people changed one card: both sets of changes in one text, by field in the metadata and by line below it."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from merge3 import Merge3
from patiencediff import PatienceSequenceMatcher

from components.service.cards.diff import lines_of, same
from components.service.cards.document import Unreadable, front_span, read_front
from components.service.cards.edit import check_card, edit
from components.service.cards.outline import newline_of, sections
from components.service.cards.paths import Keys, write_path
from components.service.errors import WorkbenchError

_BREAK = re.compile(r"\r\n|\r|\n")
#: Stands for a key that a mapping has not.
_ABSENT: Any = object()
_MATCHER: Any = PatienceSequenceMatcher


def merge_card(base: str, mine: str, theirs: str) -> dict[str, Any]:
    """Put what others changed in a card into one's own text.

    Args:
        base: The card that both began from.
        mine: One's own text.
        theirs: What the others made of it.

    Returns:
        `{"text", "conflicts": [{"field" or "section", "base", "mine", "theirs"}]}`. Where both changed the same field,
        or lines of the same section, otherwise, the text has one's own and the conflict names it. A field that is not
        there is null; the section "" is what stands before the first heading; the field "card" is metadata that cannot
        be read.

    Raises:
        WorkbenchError: One of the three is no card, or too long for one.
    """
    for card in (base, mine, theirs):
        check_card(card)
    if theirs in (base, mine):
        return {"text": mine, "conflicts": []}
    newline = newline_of(mine)
    base, theirs = _BREAK.sub(newline, base), _BREAK.sub(newline, theirs)
    if mine == base:
        return {"text": theirs, "conflicts": []}
    heads, bodies = zip(*(_apart(card) for card in (base, mine, theirs)), strict=True)
    head, conflicts = _heads(*heads)
    body, torn = _merged(*bodies)
    text = head + body
    return {"text": text, "conflicts": conflicts + _in_sections(text, len(head), torn)}


def _apart(card: str) -> tuple[str, str]:
    """The front matter with its marks, and the rest."""
    span = front_span(card)
    if span is None:
        return "", card
    close = card.find("\n", span[1])
    end = len(card) if close < 0 else close + 1
    return card[:end], card[end:]


def _heads(base: str, mine: str, theirs: str) -> tuple[str, list[dict[str, Any]]]:
    """The metadata of both: line by line where that gives what the fields say, so that comments of both stay."""
    made, torn = _merged(base, mine, theirs)
    try:
        values = [read_front(card).values for card in (base, mine, theirs)]
    except Unreadable:
        return made, [{"field": "card", "base": one, "mine": two, "theirs": three} for _, one, two, three in torn]
    fields = _Fields()
    wanted = fields.merge((), *values)
    try:
        if not torn and same(read_front(made).values, wanted):
            return made, fields.conflicts
    except Unreadable:
        # The lines of both do not make YAML together.
        pass
    for change in fields.changes:
        try:
            mine = edit(mine, [change])
        except WorkbenchError:
            fields.conflicts.append(fields.refused(change))
    return mine, fields.conflicts


@dataclass
class _Fields:
    """The merge of metadata: what to change in one's own, and what both changed."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    sides: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)

    def merge(self, keys: Keys, base: Any, mine: Any, theirs: Any) -> Any:
        """The value that holds the changes of both, with one's own where they differ."""
        if same(mine, theirs) or same(theirs, base):
            return mine
        if all(isinstance(side, dict) for side in (mine, theirs)) and (base is _ABSENT or isinstance(base, dict)):
            old = {} if base is _ABSENT else base
            made = {}
            for key in {**mine, **theirs}:
                sides = [side.get(key, _ABSENT) for side in (old, mine, theirs)]
                value = self.merge((*keys, key), *sides)
                if value is not _ABSENT:
                    made[key] = value
            return made
        lists = [side for side in (base, mine, theirs) if isinstance(side, list)]
        if len(lists) == 3 and len({len(side) for side in lists}) == 1:
            return [self.merge((*keys, at), *sides) for at, sides in enumerate(zip(*lists, strict=True))]
        path = write_path(keys)
        one, two, three = (None if side is _ABSENT else side for side in (base, mine, theirs))
        if same(mine, base):
            self.changes.append({"field": path, "value": three})
            self.sides[path] = one, two, three
            return theirs
        self.conflicts.append({"field": path, "base": one, "mine": two, "theirs": three})
        return mine

    def refused(self, change: dict[str, Any]) -> dict[str, Any]:
        """The conflict of a change that one's own text does not take."""
        base, mine, theirs = self.sides[change["field"]]
        return {"field": change["field"], "base": base, "mine": mine, "theirs": theirs}


Torn = tuple[int, str, str, str]


def _merged(base: str, mine: str, theirs: str) -> tuple[str, list[Torn]]:
    """The lines of both, one's own where they differ: with where that is in the text, and the three sides of it."""
    ended = [_ended(text) for text in (base, mine, theirs)]
    merge = Merge3(lines_of(ended[0]), lines_of(ended[1]), lines_of(ended[2]), sequence_matcher=_MATCHER)
    made, torn, length = list[str](), list[Torn](), 0
    for what, *groups in merge.merge_groups():
        chosen = groups[1] if what == "conflict" else groups[0]
        if what == "conflict":
            one, two, three = ("".join(group) for group in groups)
            torn.append((length, one, two, three))
        made += chosen
        length += sum(map(len, chosen))
    text = "".join(made)
    # A last line without a break is told from one with it only in one's own text.
    return (text if ended[1] == mine else text.removesuffix(newline_of(ended[1]))), torn


def _ended(text: str) -> str:
    return text if not text or text.endswith(("\n", "\r")) else text + newline_of(text)


def _in_sections(text: str, offset: int, torn: Sequence[Torn]) -> list[dict[str, Any]]:
    """Conflicts of lines, named by the section in which they stand."""
    known = sections(text) if torn else []
    starts = [section.start for section in known]
    found = []
    for place, base, mine, theirs in torn:
        at = bisect(starts, offset + place)
        name = known[at - 1].name if at else ""
        found.append({"section": name, "base": base, "mine": mine, "theirs": theirs})
    return found
