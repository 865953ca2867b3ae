"""The card as a document: YAML front matter and Markdown. Parsing is safe, bounded, and keeps line numbers."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CARD_BYTES = 200_000
FRONT_BYTES = 100_000
ALIASES = 20
DEPTH = 40
#: As the Hub finds it; there a mark of byte order counts as white space.
_FRONT = re.compile(r"^([\s\ufeff]*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$))")


class Unreadable(Exception):
    """The front matter cannot be read.

    Args:
        message: Why, in words.
        line: Where in the card, counted from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass
class Front:
    """The front matter.

    Attributes:
        values: Its keys and JSON values.
        lines: The line of each top-level key in the card, counted from 1.
        twice: Top-level keys that come more than once, with the line of the later one.
        offset: The card's line on which the front matter's first key may stand.
    """

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    twice: dict[str, int] = field(default_factory=dict)
    offset: int = 2


def read_card(path: Path) -> str:
    """The text of a card's file, with its own line breaks."""
    return path.read_bytes().decode("utf-8", "replace")


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
            aliases, deep nesting).
    """
    source, _ = split(text[:CARD_BYTES])
    if source is None:
        return Front()
    match = _FRONT.match(text)
    before = match[1].count("\n") if match else 1
    if len(source) > FRONT_BYTES:
        raise Unreadable("The metadata is too long to be read here.", 1)
    try:
        node = _compose(source)
        values = yaml.SafeLoader("").construct_document(node) if node is not None else {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable(_problem(error), before + (mark.line if mark else 0) + 1) from None
    except RecursionError:
        raise Unreadable("The metadata is nested too deep.", before + 1) from None
    except ValueError as error:
        raise Unreadable(f"A value is not what it looks like ({error}).", before + 1) from None
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode | None):
        raise Unreadable("The metadata must be keys with values, such as `license: mit`.", before + 1)
    front = Front({str(key): _plain(value) for key, value in values.items()}, offset=before + 1)
    for key, _value in node.value if node is not None else []:
        line = before + key.start_mark.line + 1
        if key.value in front.lines:
            front.twice[key.value] = line
        front.lines[str(key.value)] = line
    return front


def _compose(source: str) -> Any:
    aliases = sum(isinstance(token, yaml.AliasToken) for token in yaml.scan(source, Loader=yaml.SafeLoader))
    if aliases > ALIASES:
        raise yaml.YAMLError(f"it uses {aliases} aliases; a card needs none")
    node = yaml.compose(source, Loader=yaml.SafeLoader)
    _check_depth(node, 0)
    return node


def _check_depth(node: Any, depth: int) -> None:
    """Refuse what nests too deep, which an alias inside its own anchor does without end."""
    if depth > DEPTH:
        raise yaml.YAMLError("it is nested too deep")
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check_depth(item, depth + 1)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _check_depth(key, depth + 1)
            _check_depth(value, depth + 1)


def _problem(error: yaml.YAMLError) -> str:
    problem = getattr(error, "problem", None) or str(error)
    if "could not determine a constructor" in problem:
        tag = re.search(r"'(?:tag:yaml\.org,2002:)?([^']*)'", problem)
        return f"The metadata has the unsupported tag {tag[1] if tag else ''}, which a card never needs."
    return f"The metadata is not valid YAML: {problem}."


def _plain(value: Any) -> Any:
    """JSON values only: dates become text, sets become lists."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if isinstance(value, float) and value != value else value
