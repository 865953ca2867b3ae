"""The card as a document: YAML front matter and Markdown. Parsing is safe, bounded, and keeps line numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from components.cardrules.reading import BYTES as FRONT_BYTES
from components.cardrules.reading import Reading, Unreadable, read

__all__ = [
    "CARD_BYTES", "FRONT_BYTES", "Front", "Unreadable", "body", "front_span", "metadata", "read_front", "split",
]  # fmt: skip

CARD_BYTES = 200_000
#: As the Hub finds it; there a mark of byte order counts as white space.
_FRONT = re.compile(r"^([\s\ufeff]*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$))")
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass
class Front:
    """The front matter.

    Attributes:
        values: Its keys and JSON values.
        lines: The line in the card, counted from 1, of each value by its path.
        twice: Keys that come more than once in their mapping, by their paths, with the line of the later one.
        offset: The card's line on which the front matter's first key may stand.
        reading: The YAML itself.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    twice: dict[str, int] = field(default_factory=dict)
    offset: int = 2
    reading: Reading = field(default_factory=Reading)


def split(text: str) -> tuple[str | None, str]:
    """YAML of the front matter (`None` without one) and the Markdown after it."""
    match = _FRONT.match(text)
    return (match[2], text[match.end() :]) if match else (None, text)


def front_span(text: str) -> tuple[int, int] | None:
    """Where the YAML of the front matter begins and ends, with the line break before its last `---`."""
    match = _FRONT.match(text)
    return (match.end(1), match.start(3) + match[3].index("---")) if match else None


def body(text: str) -> str:
    """The Markdown of a card, without its front matter."""
    return split(text or "")[1].lstrip("\n")


def metadata(text: str) -> dict[str, Any]:
    """The front matter of a card as JSON values; empty if there is none that can be read."""
    try:
        return read_front(text or "").values
    except Unreadable:
        return {}


def read_front(text: str) -> Front:
    """Read the front matter.

    Raises:
        Unreadable: It is too long, not YAML, not a mapping, or uses what a card never needs (tags of Python, many
            aliases, deep nesting); its line counts from 1 in the card.
    """
    source, _ = split(text[:CARD_BYTES])
    span = front_span(text)
    if source is None or span is None:
        return Front()
    top = len(_BREAK.findall(text[: span[0]])) + 1
    try:
        reading = read(source)
    except Unreadable as error:
        # YAML that breaks off is found wrong behind its end.
        last = len(_BREAK.findall(source.rstrip()))
        raise Unreadable(error.message, top + min(error.line, last)) from None
    if not isinstance(reading.value, dict | None):
        raise Unreadable("The metadata must be keys with values, such as `license: mit`.", top)
    lines, twice = ({path: top + line for path, line in some.items()} for some in (reading.lines, reading.twice))
    return Front(reading.value or {}, lines, twice, top, reading)
