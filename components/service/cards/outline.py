"""The sections of a card's Markdown, and writing one of them anew.

Headings in code, quotes, lists and HTML do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, heading, lheading, paragraph

from components.service.cards.document import split
from components.service.cards.template import TEMPLATE, section_of
from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters

#: Longest title that is written, in characters.
TITLE = 200
_BREAK = re.compile(r"\r\n|\r|\n")
_LEAD = re.compile(r"\A(?:[ \t]*(?:\r\n|\r|\n))+")
_NUMBERED = re.compile(r"(.*\S)\s*#([1-9][0-9]{0,4})")


@dataclass(frozen=True)
class Section:
    """One section of a card; those of deeper levels under it belong to it.

    Attributes:
        title: Its heading as it is written, without its marks.
        name: What changes and diffs call it: the title, and `#2` behind that of the second one that has it.
        level: 1 to 6.
        line: The card's line with the heading, counted from 1.
        start, text, end: Where the heading begins, where what stands under it begins, and where that ends: before the
            next heading of its level or above. In characters of the card.
        own_end: Where what stands under it ends without the sections under it.
    """

    title: str
    name: str
    level: int
    line: int
    start: int
    text: int
    end: int
    own_end: int


def outline(text: str) -> list[dict[str, Any]]:
    """The sections of a card, in order: `[{title, name, level, line, start, text, end, own_end}]`; see `Section`."""
    return [asdict(section) for section in sections(text)]


def sections(text: str) -> list[Section]:
    """The sections of a card, in order."""
    markdown = split(text)[1]
    offset = len(text) - len(markdown)
    first = len(_BREAK.findall(text[:offset])) + 1
    starts = [offset, *(offset + match.end() for match in _BREAK.finditer(markdown))]
    heads = _headings(markdown)
    count: dict[str, int] = {}
    for title, *_ in heads:
        count[title] = count.get(title, 0) + 1
    seen: dict[str, int] = {}
    made, places = list[Section](), [starts[begin] for _, _, begin, _ in heads] + [len(text)]
    ends = _ends([level for _, level, _, _ in heads])
    for number, (title, level, begin, after) in enumerate(heads):
        seen[title] = seen.get(title, 0) + 1
        name = title if count[title] == 1 else f"{title}#{seen[title]}"
        below = starts[after] if after < len(starts) else len(text)
        made.append(
            Section(title, name, level, first + begin, places[number], below, places[ends[number]], places[number + 1])
        )
    return made


#: Title, level, first line and the line after, of a heading.
Heading = tuple[str, int, int, int]
_Rule = Callable[[StateBlock, int, int, bool], bool]


def _noting(rule: _Rule) -> _Rule:
    """A rule of the parser that notes each heading outside of quotes and lists, and leaves no tokens of its own there:
    of tens of thousands, making and keeping them is most of the work."""

    def noted(state: StateBlock, start: int, end: int, silent: bool) -> bool:
        first = len(state.tokens)
        found = rule(state, start, end, silent)
        if found and not silent and state.level == 0:
            token = state.tokens[first]
            if token.type == "heading_open" and token.map:
                title = " ".join(state.tokens[first + 1].content.split())
                state.env["headings"].append((title, int(token.tag[1]), *token.map))
            del state.tokens[first:]
        return found

    return noted


def _parser() -> MarkdownIt:
    """A parser of blocks: what stands within a line is no matter here. Headings are tried before all else, as no line
    that is one can be anything else."""
    made = MarkdownIt("commonmark").disable("heading")
    made.core.ruler.enableOnly(["normalize", "block"])
    made.block.ruler.before(
        "code", "noted heading", _noting(heading), {"alt": ["paragraph", "reference", "blockquote"]}
    )
    made.block.ruler.at("lheading", _noting(lheading))
    made.block.ruler.at("paragraph", _noting(paragraph))
    return made


_MARKDOWN = _parser()


def _headings(markdown: str) -> list[Heading]:
    """The headings that stand in no quote or list."""
    found: dict[str, list[Heading]] = {"headings": []}
    _MARKDOWN.parse(markdown, found)
    return found["headings"]


def _ends(levels: list[int]) -> list[int]:
    """For each heading the number of the next one of its level or above."""
    ends, open_ = [len(levels)] * len(levels), list[int]()
    for number, level in enumerate(levels):
        while open_ and levels[open_[-1]] >= level:
            ends[open_.pop()] = number
        open_.append(number)
    return ends


def with_section(text: str, title: Any, markdown: Any) -> str:
    """The card with what stands under a heading replaced, created or (None) taken away with the heading.

    Args:
        title: The heading, in any case of letters; `Title#2` is the second one that has it.
        markdown: What stands under it then, with the sections of deeper levels.

    Raises:
        WorkbenchError: The title fits several sections, or the text would change what comes after it.
    """
    if not isinstance(title, str) or not title.strip() or len(title) > TITLE or _BREAK.search(title.strip()):
        raise WorkbenchError(f"The title of a section is one line of at most {TITLE} characters.", field="changes")
    if markdown is not None and not isinstance(markdown, str):
        raise WorkbenchError("What stands in a section is a text, or null to take it away.", field=title)
    check_characters(title + (markdown or ""), "changes")
    title = " ".join(title.split())
    before = sections(text)
    section = _named(before, title)
    if section is None:
        return text if markdown is None else _created(text, before, title, markdown)
    if markdown is None:
        after = text[: section.start] + text[section.end :]
        return _held(text, before, section, after, None, title)
    newline = newline_of(text)
    old, new = text[section.text : section.end], _lines(markdown, newline)
    lead, core, tail = _parts(old)
    if _lines(core, newline) == new:
        return text
    if not core:
        lead = newline if text[: section.text].endswith(("\n", "\r")) else newline * 2
        tail = newline * 2 if section.end < len(text) else newline
    setext = section.end < len(text) and not text[section.end :].lstrip(" ").startswith("#")
    if setext and len(_BREAK.findall(tail)) < 2:
        # Without a blank line the last paragraph would become a part of the heading that follows.
        tail += newline
    made = lead + new + tail if new else lead
    after = text[: section.text] + made + text[section.end :]
    return _held(text, before, section, after, section.start, title)


def _parts(old: str) -> tuple[str, str, str]:
    """Blank lines, what stands between them, and the white space after it."""
    core = _LEAD.sub("", old).rstrip()
    at = len(old) - len(_LEAD.sub("", old))
    return old[:at], core, old[at + len(core) :]


def _lines(markdown: str, newline: str) -> str:
    """A text with one kind of line break, without blank lines around it."""
    return _BREAK.sub(newline, _LEAD.sub("", markdown).rstrip())


def _named(known: list[Section], title: str) -> Section | None:
    """The section of that title.

    Raises:
        WorkbenchError: There are several, or there are fewer than the number behind it says.
    """
    folded = title.casefold()
    found = (
        [section for section in known if section.name == title]
        or [section for section in known if section.title == title]
        or [section for section in known if section.name.casefold() == folded]
        or [section for section in known if section.title.casefold() == folded]
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise WorkbenchError(
            f"The card has {len(found)} sections {title}. Name the one that is meant, from {title}#1 to "
            f"{title}#{len(found)}.",
            kind="conflict",
            field=title,
        )
    match = _NUMBERED.fullmatch(title)
    again = [section for section in known if match and section.title.casefold() == match[1].casefold()]
    if match and int(match[2]) <= len(again):
        return again[int(match[2]) - 1]
    if again:
        raise WorkbenchError(
            f"The card has no section {title}, only {len(again)} of that name.", kind="not_found", field=title
        )
    return None


def _held(text: str, before: list[Section], old: Section | None, after: str, start: int | None, title: str) -> str:
    """The card `after`, if all sections but `old` and the one that now begins at `start` are as they were.

    Raises:
        WorkbenchError: They are not: a block of code that is not closed, or a heading too high, reaches into the rest.
    """
    now = sections(after)
    made = next((section for section in now if section.start == start), None)
    if start is not None and (made is None or (old is None and made.title != title)):
        raise WorkbenchError(f"{title} cannot be a heading in this place. Write it in the card's source.", field=title)
    if _told(text, before, old) != _told(after, now, made):
        level = made.level if made else 6
        raise WorkbenchError(
            f"This would change more than the section {title}. Close its blocks of code and its comments, and give the "
            f"headings in it more than {level} marks #.",
            field=title,
        )
    return after


def _told(text: str, known: list[Section], but: Section | None) -> list[tuple[str, int, str]]:
    return [
        (section.title, section.level, text[section.text : section.own_end].strip())
        for section in known
        if but is None or not but.start <= section.start < but.end
    ]


def _created(text: str, known: list[Section], title: str, markdown: str) -> str:
    place, level = _place(known, title, len(text))
    newline = newline_of(text)
    body, before, rest = _lines(markdown, newline), text[:place], text[place:]
    front = len(text) - len(split(text)[1])
    blank = len(_BREAK.findall(before[len(before.rstrip("\r\n")) :]))
    gap = newline * max(0, 2 - blank) if before[front:].strip() else ""
    made = f"{'#' * level} {title}{newline}" + (f"{newline}{body}{newline}" if body else "")
    after = before + gap + made + (newline if rest else "") + rest
    return _held(text, known, None, after, len(before) + len(gap), title)


def _place(known: list[Section], title: str, end: int) -> tuple[int, int]:
    """Where the template has a section among those of a card, and of which level its heading is there."""
    order = {section.title: number for number, section in enumerate(TEMPLATE)}
    # A lone heading of the first level is the card's own title.
    tops = [s for s in known if s.level == 1]
    main = [s for s in known if s not in tops] if len(tops) == 1 and len(known) > 1 else known
    level = min((s.level for s in main), default=2)
    if len(tops) == 1 and len(known) == 1:
        main, level = [], 2
    mine = section_of(title)
    if mine is None or not main:
        return end, level
    ranked = [(order[told.title], s) for s in main if s.level == level and (told := section_of(s.title))]
    earlier = [(rank, s.end) for rank, s in ranked if rank <= order[mine.title]]
    if earlier:
        return max(earlier)[1], level
    later = [(rank, s.start) for rank, s in ranked]
    return (min(later)[1] if later else end), level


def newline_of(text: str) -> str:
    """The line break of a card: its first one."""
    match = _BREAK.search(text)
    return match[0] if match else "\n"
