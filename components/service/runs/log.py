"""A run's log as its owner may read it: no token in it, and no path of this machine."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

#: Tokens of the Hub and whatever follows `Bearer`.
_SECRET = re.compile(r"\bhf_[A-Za-z0-9_]{4,}|(?<=Bearer )\S+")
#: An absolute path, of which only the last part is kept; an address of the web is none.
_PATH = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+){1,60}[/\\](?=[\w.@+~-])")


def read_log(path: Path, tail: int) -> dict[str, Any]:
    """`{"text", "bytes"}`: the last whole lines within `tail` bytes, and how many bytes the log has in all."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - tail))
            data = file.read()
    except FileNotFoundError:
        return {"text": "", "bytes": 0}
    if size > tail:
        data = data.partition(b"\n")[2] or data
    return {"text": clean(data.decode("utf-8", "replace")), "bytes": size}


def clean(text: str) -> str:
    """The text without tokens and without the folders of paths."""
    return _PATH.sub("", _SECRET.sub("[token]", text).replace("file://", ""))
