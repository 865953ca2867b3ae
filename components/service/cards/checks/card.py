"""A card as the checks read it: once, within bounds, every value with its line."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from components.cardrules.reading import Reading
from components.service.cards.document import Unreadable, front_span, read_front, split
from components.service.cards.paths import read_path

_BREAK = re.compile(r"\r\n|\r|\n")
_LAST = re.compile(r'(\.[^.\[\]"]+|\[\d+\]|\["(?:[^"\\]|\\.)*"\])$')
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


class Card:
    """A card taken apart.

    Attributes:
        source: The YAML of the metadata; `None` without any.
        markdown: What follows it.
        first: The card's line on which the Markdown begins.
        top: The card's line on which the first key may stand.
        values: The metadata; empty if it cannot be read.
        reading: Where its values stand.
        unreadable: Why the metadata cannot be read, with the line in the card.
        files: The paths of the repository's files, if they are known.
        lines: The lines of the Markdown.
        prose: The same lines, those of code emptied.
        blocks: The blocks of code: each the number of its first line within the Markdown, and its text.
        open_fence: The mark of a block of code that is never closed.
    """

    def __init__(self, text: str, files: Collection[str] | None) -> None:
        self.text = text
        self.files = None if files is None else frozenset(files)
        self._folders = _folders(self.files or ())
        self.source, self.markdown = split(text)
        span = front_span(text)
        self.first = len(_BREAK.findall(text[: len(text) - len(self.markdown)])) + 1
        self.top = len(_BREAK.findall(text[: span[0]])) + 1 if span else 1
        self.reading = Reading()
        self.unreadable: tuple[str, int] | None = None
        self._read()
        self.values: dict[str, Any] = self.reading.value or {}
        self.lines = _BREAK.split(self.markdown)
        self.prose: list[str] = []
        self.blocks: list[tuple[int, str]] = []
        self.open_fence = ""
        self._part()

    def _read(self) -> None:
        try:
            self.reading = read_front(self.text).reading
        except Unreadable as error:
            self.unreadable = (error.message, error.line)

    def _part(self) -> None:
        """Tell code from prose."""
        block: list[str] = []
        for number, line in enumerate(self.lines):
            match = _FENCE.match(line) if line.lstrip(" ")[:3] in ("```", "~~~") else None
            if self.open_fence:
                closing = match and match[1].startswith(self.open_fence) and not match[2].strip()
                self.prose.append("")
                if closing:
                    self.blocks.append((number - len(block), "\n".join(block)))
                    self.open_fence = ""
                else:
                    block.append(line)
            elif match and not (match[1][0] == "`" and "`" in match[2]):
                self.open_fence, block = match[1], []
                self.prose.append("")
            else:
                self.prose.append(line)

    def line(self, path: str) -> int:
        """The card's line of a value, or of what it would stand in, counted from 1."""
        while path:
            if path in self.reading.lines:
                return self.top + self.reading.lines[path]
            path = _LAST.sub("", path) if _LAST.search(path) else ""
        return self.top

    def has_file(self, path: str) -> bool:
        """Whether the repository has a file or folder of that path; true where its files are not known."""
        return self.files is None or path in ("", ".") or path in self.files or path in self._folders


def _folders(files: Collection[str]) -> set[str]:
    """The folders in which files lie."""
    found: set[str] = set()
    for name in files:
        folder = name.rpartition("/")[0]
        while folder and folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return found


def value_at(values: Any, path: str) -> Any:
    """What stands at a path of the metadata, which was read from it."""
    for key in read_path(path):
        values = values[key]
    return values
