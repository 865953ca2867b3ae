"""How the web process and its worker talk: JSON values, each behind its length in four bytes (big-endian)."""

from __future__ import annotations

import struct
from typing import IO, Any

import orjson

_LENGTH = struct.Struct(">I")
MOST_BYTES = 256 * 1024**2


def pack(value: Any) -> bytes:
    """One frame that holds `value`; `TypeError` where it is not a JSON value, `ValueError` where it is too long."""
    body = orjson.dumps(value)
    if len(body) > MOST_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes is over the limit of {MOST_BYTES}")
    return _LENGTH.pack(len(body)) + body


def read(stream: IO[bytes]) -> Any | None:
    """The next frame's value, or None where the stream has ended (also in the middle of a frame)."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return orjson.loads(body) if len(body) == length else None
