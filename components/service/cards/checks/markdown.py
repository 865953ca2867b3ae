"""The text of a card: what is still open in it, its sections, its code, and where its links lead."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

from components.cardrules.names import nearest
from components.cardrules.snapshots import snapshot
from components.service.cards.checks.card import Card
from components.service.cards.checks.expected import ASK, PLACEHOLDERS, REPO_PLACEHOLDER
from components.service.cards.checks.findings import MOST_ALIKE, Findings, rewrite, shown
from components.service.cards.template import TEMPLATE

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_LINK = re.compile(r"(!?)\[([^\[\]]{0,500})\]\(<?([^()<>\s]{1,500})>?(?:\s+[\"'][^\"'()]{0,200}[\"'])?\)")
_TAG = re.compile(r"<(?:img|a)\b[^<>]{0,500}?\b(?:src|href)=[\"']([^\"'<>]{1,500})[\"']", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//|/|#|\?", re.IGNORECASE)
_WORD = re.compile(r"[a-z0-9_]+")
_PAGE = re.compile(r"(?:\./)?(?:resolve|blob|raw|tree)/[^/]+/")
#: The sections that every card should have, and the one that says how good the model is.
COURSE = tuple(section for section in TEMPLATE if section.course)
RESULTS = next(section for section in COURSE if section.title == "Evaluation results")
#: Most links that are followed, and most files among which one of a like name is looked for.
LINKS, FILES = 2000, 200


def check_markdown(card: Card, found: Findings) -> None:
    """Look over the text of a card."""
    _check_placeholders(card, found)
    _check_sections(card, found)
    if card.open_fence:
        last = card.first + len(card.lines) - 1
        end = f"{card.lines[-1]}\n{card.open_fence}" if card.lines[-1] else card.open_fence
        fix = f"Add a line of {card.open_fence}."
        found.tell("warning", last, "body", "A block of code is never closed.", fix, [rewrite(last, end)])
    if card.files is not None:
        _check_links(card, found)


def _check_placeholders(card: Card, found: Findings) -> None:
    seen = set[str]()
    if not any(placeholder in card.markdown for placeholder, _ in PLACEHOLDERS):
        return
    for number, line in enumerate(card.lines):
        for placeholder, fix in PLACEHOLDERS:
            if placeholder in line and (placeholder != REPO_PLACEHOLDER or placeholder not in seen):
                seen.add(placeholder)
                asked = line.strip().lstrip("> ").replace(ASK, "").strip() if placeholder == ASK else placeholder
                message = f"Still to be filled in: {asked[:200]}"
                found.tell("warning", card.first + number, "body", message, fix)
                break


def _check_sections(card: Card, found: Findings) -> None:
    headings: list[tuple[int, int, str]] = []
    for number, line in enumerate(card.prose):
        if line.lstrip(" ").startswith("#") and (match := _HEADING.match(line[:500])):
            headings.append((number, len(match[1]), match[2].rstrip(" #")))
    titles = "\n".join({title.lower() for _, _, title in headings})
    for section in COURSE:
        if not any(word in titles for word in section.words) and not _told_elsewhere(section.title, headings, card):
            message = f"There is no section on: {section.title}."
            found.tell("warning", card.first, "body", message, f"Add a heading ## {section.title}, and write it.")
    for number, level, title in islice(_empty(headings, card), MOST_ALIKE):
        needed = any(word in title.lower() for section in COURSE for word in section.words)
        remedy = [rewrite(card.first + number, None)] if level > 1 and not needed else None
        message = f"The section {shown(title)!r} is empty."
        found.tell("warning", card.first + number, "body", message, "Write it, or delete it.", remedy)


def _empty(headings: list[tuple[int, int, str]], card: Card) -> Iterator[tuple[int, int, str]]:
    """The headings under which nothing stands, no deeper heading either."""
    following = [*headings[1:], (len(card.lines), 0, "")]
    for heading, (end, level, _) in zip(headings, following, strict=False):
        if level <= heading[1] and not any(line.strip() for line in card.lines[heading[0] + 1 : end]):
            yield heading


def _told_elsewhere(title: str, headings: list[tuple[int, int, str]], card: Card) -> bool:
    """Whether what a section is for stands elsewhere: the description under the title, the metrics in the metadata."""
    if title == "Model description":
        begin = headings[0][0] + 1 if headings and headings[0][1] == 1 else 0
        end = next((number for number, _, _ in headings if number >= begin), len(card.lines))
        return any(len(line.split()) > 4 for line in card.prose[begin:end])
    if title == "Variables and metrics":
        return bool(card.values.get("metrics")) or _names_a_metric(headings, card)
    return False


def _names_a_metric(headings: list[tuple[int, int, str]], card: Card) -> bool:
    """Whether the section with the results says what was measured."""
    starts = [number for number, _, _ in headings]
    for (number, _, title), end in zip(headings, [*starts[1:], len(card.lines)], strict=False):
        if any(word in title.lower() for word in RESULTS.words):
            told = set(_WORD.findall(" ".join(card.prose[number:end])[:50_000].lower()))
            if told & snapshot("metrics").names.keys():
                return True
    return False


def _check_links(card: Card, found: Findings) -> None:
    others = [name for name in sorted(card.files or ())[:FILES] if name != "README.md"]
    by_name = _by_name(card)
    dead = (one for one in _paths(card) if not card.has_file(one[2]))
    for number, line, path in islice(dead, MOST_ALIKE):
        alike = by_name.get(posixpath.basename(path).lower(), [])
        right = alike[0] if len(alike) == 1 else nearest(path, others, 0.8)
        text = card.lines[number]
        mended = text.replace(line, line.replace(_target(line), right)) if right else _without(text, line)
        fix = f"It may be {right}." if right else "Upload the file, or delete the link."
        message = f"The repository has no {shown(path)}, to which this leads."
        remedy = [rewrite(card.first + number, mended)] if mended != text else None
        found.tell("warning", card.first + number, "body", message, fix, remedy)
    for path, value in _file_fields(card):
        if isinstance(value, str) and not _SCHEME.match(value) and not card.has_file(_clean(value)):
            message = f"The repository has no {shown(value)}, which {path} names."
            found.tell("warning", card.line(path), path, message, "Upload the file, or write its address.")


def _paths(card: Card) -> Iterator[tuple[int, str, str]]:
    """The links to files of the repository: line, the link as written, and the path."""
    left = LINKS
    for number, line in enumerate(card.prose):
        if "](" not in line and "<" not in line:
            continue
        for match in (*_LINK.finditer(line), *_TAG.finditer(line)):
            target = match[3] if match.re is _LINK else match[1]
            if left and not _SCHEME.match(target) and (path := _clean(target)) and not path.startswith(".."):
                left -= 1
                yield number, match[0], path


def _target(link: str) -> str:
    match = _LINK.fullmatch(link)
    return match[3] if match else _TAG.fullmatch(link)[1]  # type: ignore[index]


def _clean(target: str) -> str:
    """The path of a file from how it is written in a link."""
    bare = unquote(re.split(r"[?#]", target, maxsplit=1)[0])
    path = posixpath.normpath(_PAGE.sub("", bare, count=1)) if bare else ""
    return "" if path == "." else path


def _by_name(card: Card) -> dict[str, list[str]]:
    """The repository's files by their names alone."""
    found: dict[str, list[str]] = {}
    for file in sorted(card.files or ()):
        found.setdefault(posixpath.basename(file).lower(), []).append(file)
    return found


def _without(text: str, link: str) -> str:
    """A line without an image, or with the words of a link alone."""
    match = _LINK.fullmatch(link)
    if match is None:
        return text
    return text.replace(link, "" if match[1] else match[2])


def _file_fields(card: Card) -> Iterator[tuple[str, object]]:
    yield "license_link", card.values.get("license_link")
    yield "thumbnail", card.values.get("thumbnail")
    examples = card.values.get("widget")
    for number, example in enumerate(examples[:200] if isinstance(examples, list) else []):
        if isinstance(example, dict):
            yield f"widget[{number}].src", example.get("src")
