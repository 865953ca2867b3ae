"""A run's log as its owner may read it: no token in it, no path of this machine, and nothing meant for a terminal."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

#: What tells a terminal of colours, titles and places (ECMA-48): control sequences, strings, single letters.
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])?")
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
    """The text without tokens, without the folders of paths and without what is for terminals."""
    # That goes first: a colour inside a token would hide it.
    plain = _TERMINAL.sub("", text)
    return _PATH.sub("", _SECRET.sub("[token]", plain).replace("file://", ""))
