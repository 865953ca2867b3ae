"""Cells of a table as what a role holds: texts, labels, numbers, lists of tokens, tags and labels, chats."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.service.runs.values import parsed
from components.service.worker.columns import kind_of, label_name

#: Texts that stand for a missing value in tables that were written by a program.
MISSING = frozenset({"nan", "null", "none", "n/a", "na", "<na>", "undefined"})
#: Whole numbers that differ more often than this are amounts, not classes.
MOST_NUMBERED = 20
_SEPARATOR = re.compile(r"\s*[;|,]\s*")
_SPEAKERS = {"human": "user", "gpt": "assistant", "bot": "assistant", "chatbot": "assistant"}


def text_value(cell: Any) -> str | None:
    """A text; `None` for a missing one and for what is none."""
    return None if cell is None or isinstance(cell, list | dict | bytes) else str(cell)


def number_value(cell: Any) -> float | None:
    """A finite number, also from its text; `None` for anything else."""
    try:
        number = float(cell) if isinstance(cell, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def labels_value(cell: Any, names: Sequence[str] = ()) -> list[str] | None:
    """Any number of labels, each once: a list (also as JSON), or a text with `;`, `|` or `,` between them."""
    value = parsed(cell)
    if isinstance(value, str):
        value = _SEPARATOR.split(value.strip())
    if value is None or isinstance(value, dict | bytes):
        return None
    labels = [label_name(one, names) for one in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(label for label in labels if label is not None))


def tokens_value(cell: Any) -> list[str] | None:
    """The tokens of a text: a list (also as JSON), or a text with spaces between them; `None` if one is missing."""
    value = parsed(cell)
    tokens = value.split() if isinstance(value, str) else value
    if not isinstance(tokens, list) or not tokens or not all(isinstance(one, str | int | float) for one in tokens):
        return None
    return [str(one) for one in tokens]


def tags_value(cell: Any, tokens: Sequence[str] | None, names: Sequence[str] = ()) -> list[str] | None:
    """The tag of each token, by name; `None` where they are not as many as the tokens, or one has no name."""
    value = parsed(cell)
    values = value.split() if isinstance(value, str) else value
    if not isinstance(values, list) or len(values) != len(tokens or ()):
        return None
    tags = [label_name(one, names) for one in values]
    return None if None in tags else [str(tag) for tag in tags]


def messages_value(cell: Any) -> list[dict[str, str]] | None:
    """A chat as `[{"role", "content"}]`, also from ShareGPT's `from` and `value`; `None` for what is none."""
    value = parsed(cell)
    if not isinstance(value, list) or not value:
        return None
    messages = []
    for one in value:
        if not isinstance(one, Mapping):
            return None
        role, content = one.get("role", one.get("from")), one.get("content", one.get("value"))
        if isinstance(content, list):
            content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
        if not isinstance(role, str) or not isinstance(content, str):
            return None
        messages.append({"role": _SPEAKERS.get(role.lower(), role), "content": content})
    return messages


def problem_of(values: Sequence[Any], names: Sequence[str] = ()) -> str:
    """What labels are: `multi` (lists), `regression` (numbers) or `single`."""
    kind = kind_of(values, names)
    if kind in ("labels", "tokens"):
        return "multi"
    if kind != "number":
        return "single"
    numbers = {number_value(value) for value in values if value is not None}
    whole = all(number is not None and number.is_integer() for number in numbers)
    return "single" if whole and len(numbers) <= MOST_NUMBERED else "regression"


def is_missing(label: Any) -> bool:
    """Whether a text is a word for a missing value."""
    return isinstance(label, str) and label.strip().lower() in MISSING
