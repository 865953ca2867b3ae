"""Opening a card's file that is not text in UTF-8: every byte becomes a letter, and which ones is told."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from components.service.encodings import unmarked_utf_16

#: Most different bytes that are named.
_NAMED = 5
#: Bytes that are no UTF-8, as Python's `surrogateescape` reads them.
_ODD = re.compile("[\udc80-\udcff]")
#: Their letters in Windows-1252; those of the five bytes that it has not are Latin-1's.
_LETTERS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(0x80, 0x100)}
_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class CardFile:
    """A card as it was opened.

    Attributes:
        text: The card, with its own line breaks.
        remark: What is not as in the file, and what publishing the card changes; empty for a file in UTF-8.
        line: The card's line, counted from 1, that the remark is about.
    """

    text: str
    remark: str = ""
    line: int = 1


def read_card(path: Path) -> CardFile:
    """The card that a file holds."""
    return opened(path.read_bytes())


def opened(content: bytes) -> CardFile:
    """The card that is the content of a file: UTF-8, UTF-16, or UTF-8 with bytes of Windows-1252."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if codec := "utf-16" if marked else unmarked_utf_16(content):
        try:
            text = content.decode(codec)
        except UnicodeDecodeError:
            pass
        else:
            seems = "is" if marked else "has no mark that says so, but seems to be"
            said = f"The file {seems} in UTF-16, as which the Hub reads no card. Publishing writes all of it in UTF-8."
            return CardFile(text, said)
    text = content.decode("utf-8", "surrogateescape")
    odd = _ODD.findall(text)
    if not odd:
        return CardFile(text)
    line = len(_BREAK.findall(text[: text.index(odd[0])])) + 1
    return CardFile(text.translate(_LETTERS), _remark(odd, line), line)


def _remark(odd: list[str], line: int) -> str:
    kinds = list(dict.fromkeys(odd))
    named = ", ".join(f"0x{ord(byte) - 0xDC00:02X} as {_LETTERS[ord(byte)]!r}" for byte in kinds[:_NAMED])
    more = ", …" if len(kinds) > _NAMED else ""
    count = "one byte that is" if len(odd) == 1 else f"{len(odd):,} bytes that are"
    return (
        f"The file has {count} not UTF-8, first in line {line}: opened as Windows-1252 ({named}{more}). Publishing "
        "writes these letters in UTF-8, and the Hub then reads them as they stand here."
    )
