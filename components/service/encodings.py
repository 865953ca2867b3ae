"""Which encoding bytes are probably in, where nothing says so."""

from __future__ import annotations

#: How many bytes at the beginning are looked at.
_SAMPLE = 4096


def unmarked_utf_16(content: bytes) -> str:
    """The codec of a text in UTF-16 without the mark at its beginning that says so; empty where it seems to be none.

    One of the two bytes of most languages' letters is zero there, and always on the same side.
    """
    sample = content[:_SAMPLE]
    first, second = sample[::2].count(0), sample[1::2].count(0)
    fewer, more = sorted((first, second))
    if 4 * more <= len(sample) or 10 * fewer >= more:
        return ""
    return "utf-16-be" if first > second else "utf-16-le"
