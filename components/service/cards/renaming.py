"""Two small changes of a card: another name for a key, and another text for one line."""

from __future__ import annotations

import re
from typing import Any

from components.service.cards.document import Unreadable, front_span
from components.service.cards.paths import Keys, read_path
from components.service.cards.tree import Node, find, read_tree, shape
from components.service.cards.writing import Style, inline
from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


def with_key(text: str, path: Any, key: Any) -> str:
    """The card with one key of its metadata under another name; value, place and comments stay.

    Args:
        text: The card.
        path: The field, as changes name it.
        key: The new name of its last part.

    Raises:
        WorkbenchError: There is no such key, it comes twice, or the new name is taken.
    """
    keys = read_path(path)
    if not isinstance(key, str) or not 0 < len(key) <= 200:
        raise WorkbenchError("The new name of a key is a text of at most 200 characters.", field="changes")
    check_characters(key, "changes")
    span = front_span(text)
    source = text[slice(*span)] if span else ""
    try:
        root = read_tree(source)
        name = _name(root, keys, key)
        made = source[: name.start] + inline(key, Style(quote=name.style)) + source[name.end :]
        after = read_tree(made)
    except Unreadable as error:
        raise WorkbenchError(f"{error.message} Mend that first.", field="text") from None
    renamed = (*keys[:-1], key)
    same = shape(find(root, keys)) == shape(find(after, renamed)) and shape(root, keys) == shape(after, renamed)
    if span is None or not same:
        raise WorkbenchError(
            f"{str(path)[:100]} cannot be renamed alone. Edit it in the source.", field=str(path)[:200]
        )
    return text[: span[0]] + made + text[span[1] :]


def _name(root: Node | None, keys: Keys, key: str) -> Node:
    parent, old = find(root, keys[:-1]), keys[-1]
    names = parent.keys if parent is not None and isinstance(old, str) else []
    found = [name for name in names if name.text == old]
    if len(found) != 1:
        said = "is given twice" if found else "is no key of the card"
        raise WorkbenchError(f"{str(old)[:100]} {said}, so it cannot be renamed.", field="changes")
    if any(name.text == key for name in names):
        raise WorkbenchError(f"{key[:100]} is given already. Delete one of the two.", kind="conflict", field=key)
    return found[0]


def with_line(text: str, number: Any, new: Any) -> str:
    """The card with another text in the place of one line, its line break kept; `None` takes it away with its break.

    Raises:
        WorkbenchError: The card has no such line, or the text is none.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not (new is None or isinstance(new, str)):
        raise WorkbenchError('A change of a line is {"line": number from 1, "text": text or null}.', field="changes")
    check_characters(new or "", "changes")
    for at, match in enumerate(_LINE.finditer(text), 1):
        if at == number:
            begin, end = match.span()
            made = "" if new is None else re.sub(r"\r\n|\r|\n", match[2] or _break(text), new) + match[2]
            return text[:begin] + made + text[end:]
    raise WorkbenchError(f"The card has no line {number}.", field="changes")


def _break(text: str) -> str:
    """The line break that a card uses."""
    match = re.search(r"\r\n|\r|\n", text)
    return match[0] if match else "\n"
