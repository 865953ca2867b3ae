"""Reading the path of a value of the metadata, as `components.cardrules.paths` writes it."""

from __future__ import annotations

import json
import re
from typing import Any

from components.cardrules.paths import Keys, write_path
from components.service.errors import WorkbenchError

__all__ = ["CHARS", "PARTS", "Keys", "read_path", "write_path"]

#: Most parts that a path has, and most of its characters.
PARTS, CHARS = 40, 2000
_PART = re.compile(r'(?P<dot>\.?)(?P<name>[^.\[\]"]+)|\[(?P<index>[0-9]{1,6})\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def read_path(path: Any) -> Keys:
    """The keys and numbers of a path.

    Raises:
        WorkbenchError: It is no path.
    """
    if not isinstance(path, str) or not path or len(path) > CHARS:
        raise WorkbenchError("Name a field of the metadata, such as license or widget[0].text.", field="changes")
    keys: list[str | int] = []
    place = 0
    while place < len(path):
        match = _PART.match(path, place)
        if match is None or len(keys) == PARTS or (match["name"] and bool(match["dot"]) != bool(keys)):
            raise _no_path(path)
        keys.append(_key(match, path))
        place = match.end()
    return tuple(keys)


def _key(match: re.Match[str], path: str) -> str | int:
    if match["index"] is not None:
        return int(match["index"])
    if match["name"] is not None:
        return match["name"]
    try:
        return str(json.loads(match["quoted"], strict=False))
    except ValueError:
        raise _no_path(path) from None


def _no_path(path: str) -> WorkbenchError:
    return WorkbenchError(
        f"{path[:100]} names no field. Write keys with dots and numbers in brackets, such as widget[0].text, and a key "
        'with a dot or a bracket as ["key"].',
        field="changes",
    )
