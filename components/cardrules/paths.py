"""How a value of the metadata is named: `license`, `widget[0].text`, `model-index[0].results[0].dataset.config`.

A key stands as it is, after a dot unless it is the first; an entry of a list is its number from 0 in brackets. A key
that holds a dot, a bracket or a double quote, or is empty, stands in brackets as a JSON text:
`extra_gated_fields["a.b"]`.
"""

from __future__ import annotations

import json
import re

Keys = tuple[str | int, ...]
_PLAIN = re.compile(r'[^.\[\]"]+')


def write_path(keys: Keys) -> str:
    """The path of keys and numbers."""
    path = ""
    for key in keys:
        path = below(path, key)
    return path


def below(path: str, key: str | int) -> str:
    """The path of a key, or of an entry by its number, under another path."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if not _PLAIN.fullmatch(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key
