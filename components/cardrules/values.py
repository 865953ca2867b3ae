"""Values that strangers wrote (YAML, JSON), cut down to what a JSON answer can carry."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

NODES = 20_000
DEPTH = 40
INTEGER_BITS = 63


def plain(value: Any) -> Any:
    """A copy of `value` made of JSON's own types, without shared or endless parts and lone surrogates.

    A number that is none (NaN) or endless is null, as browsers write it; dates and bytes are texts.

    Raises:
        ValueError: It has more than `NODES` parts or is nested more than `DEPTH` deep once unfolded.
    """
    left = NODES

    def copy(part: Any, depth: int) -> Any:
        nonlocal left
        left -= 1
        if left < 0 or depth > DEPTH:
            raise ValueError("it is too large or nested too deeply")
        if isinstance(part, dict):
            return {text(str(key)): copy(item, depth + 1) for key, item in part.items()}
        if isinstance(part, list | tuple | set):
            return [copy(item, depth + 1) for item in part]
        return _scalar(part)

    return copy(value, 0)


def text(value: str) -> str:
    """`value` with lone surrogates, which UTF-8 cannot carry, replaced."""
    return value.encode("utf-8", "replace").decode("utf-8")


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and value.bit_length() > INTEGER_BITS:
        raise ValueError("a number in it is too large")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, date) else value
