"""YAML for a JSON value, in the style of what stands around it, which readers of YAML 1.1 and 1.2 read alike."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from components.service.cards.tree import is_text

#: Characters that stand in YAML as they are; line breaks of any kind, tabs and marks of byte order do not.
_SEEN = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`]")
_HIDDEN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Style:
    """How a card lays out its metadata.

    Attributes:
        newline: Its line break.
        dash: How far a list is moved in from the key that it belongs to.
        indent: How far the keys of a mapping are.
        quote: The quote of the value that is replaced, if it had one.
        careful: Whether every text is put in double quotes, in one line.
    """

    newline: str = "\n"
    dash: int = 0
    indent: int = 2
    quote: str = ""
    careful: bool = False


def inline(value: Any, style: Style, *, flow: bool = False) -> str:
    """A value in one line; `flow` between brackets, where fewer texts can go without quotes."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{inline(k, style, flow=True)}: {inline(v, style, flow=True)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return f"[{', '.join(inline(item, style, flow=True) for item in value)}]"
    if isinstance(value, str):
        return _text(value, style, flow)
    if isinstance(value, float):
        mantissa, mark, exponent = repr(value).partition("e")
        return mantissa + (".0" if mark and "." not in mantissa else "") + mark + exponent
    return json.dumps(value)


def is_block(value: Any, style: Style) -> bool:
    """Whether a value takes lines of its own: a list or mapping that holds something, a text of several lines."""
    return bool(value) and (isinstance(value, dict | list) or (isinstance(value, str) and is_literal(value, style)))


def is_literal(text: str, style: Style) -> bool:
    """Whether a text of several lines can stand behind a `|`, as it is."""
    lines = text.split("\n")
    return (
        not style.careful
        and len(lines) > 1
        and bool(lines[0].strip())
        and not text.startswith((" ", "\t"))
        and not text.endswith("\n\n")
        and all(_SEEN.fullmatch(line.replace("\t", "")) and (line.strip() or not line) for line in lines)
    )


def literal(text: str, column: int) -> list[str]:
    """The mark `|` and the lines of a text that `is_literal`, moved in to a column."""
    lines = text.removesuffix("\n").split("\n")
    return ["|" if text.endswith("\n") else "|-", *(" " * column + line if line else "" for line in lines)]


def block(value: Any, column: int, style: Style) -> list[str]:
    """The lines of a list or mapping that holds something, its dashes or keys in a column."""
    pad = " " * column
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            first, *rest = entry(item, column, style, dash=False)
            lines += [f"{pad}{inline(key, style)}:{first}", *rest]
    else:
        for item in value:
            first, *rest = entry(item, column, style, dash=True)
            lines += [f"{pad}-{first}", *rest]
    return lines


def entry(value: Any, column: int, style: Style, *, dash: bool) -> list[str]:
    """What follows a dash or the colon of a key that stands in a column: the rest of its line, and more lines."""
    if not is_block(value, style):
        return [f" {inline(value, style)}"]
    if isinstance(value, str):
        mark, *lines = literal(value, column + style.indent)
        return [f" {mark}", *lines]
    if dash:
        first, *rest = block(value, column + 2, style)
        return [f" {first.lstrip(' ')}", *rest]
    return ["", *block(value, column + (style.dash if isinstance(value, list) else style.indent), style)]


def _text(text: str, style: Style, flow: bool) -> str:
    seen = bool(_SEEN.fullmatch(text))
    if style.careful or not seen:
        return _double(text)
    if style.quote == "'" or (style.quote != '"' and any(mark in text for mark in '"\\')):
        quoted = "'" + text.replace("'", "''") + "'"
    else:
        quoted = _double(text)
    return text if not style.quote and _is_plain(text, flow) else quoted


def _is_plain(text: str, flow: bool) -> bool:
    return (
        bool(_PLAIN_START.match(text))
        and text == text.strip()
        and not text.startswith(("---", "..."))
        and not text.endswith(":")
        and ": " not in text
        and " #" not in text
        and not (flow and any(mark in text for mark in ",[]{}:?"))
        and is_text(text)
    )


def _double(text: str) -> str:
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
