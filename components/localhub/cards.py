"""Front matter of a README, and the checks that the Hub makes before it takes a card."""

from __future__ import annotations

import re
from typing import Any

from components.cardrules.reading import Reading, Unreadable, read
from components.cardrules.rules import broken, sentence

_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def front_matter(text: str) -> dict[str, Any] | None:
    """The metadata at the top of a README as plain JSON values, or None if there is none.

    Raises:
        ValueError: It is not YAML, not a mapping, gives a key twice, or is too large; the message says which.
    """
    match = _FRONT_MATTER.match(text)
    if match is None or not match[1].strip():
        return None
    try:
        found = read(match[1])
    except Unreadable as error:
        raise ValueError(f"Invalid YAML metadata: {error.message} (line {error.line + 2})") from error
    if found.value is None:
        return None
    _refuse_repeated(found)
    if not isinstance(found.value, dict):
        raise ValueError("The YAML metadata must be an object")
    return found.value


def _refuse_repeated(found: Reading) -> None:
    for path, line in found.twice.items():
        raise ValueError(f"Invalid YAML metadata: duplicated mapping key {path!r} (line {line + 2})")


def check(text: str, kind: str) -> tuple[list[str], list[str]]:
    """The errors and warnings of a README of a repository of that kind (`"model"`, `"dataset"`, `"space"`)."""
    try:
        data = front_matter(text)
    except ValueError as error:
        return [str(error)], []
    if data is None:
        return [], ["empty or missing yaml metadata in repo card"]
    return [sentence(one) for one in broken(data, kind)], []
