"""Writes where the words of `invoice.png` stand: `python -m components.service.samples.make_words`.

Models that answer questions about a document are handed its words with their boxes; reading them from the picture
takes a program for character recognition, which is not part of the app.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from PIL import ImageFont

from components.service.samples import make_pictures

FILE = Path(__file__).parents[1] / "tasks" / "invoice.json"

Word = tuple[str, list[int]]


class Reader(make_pictures.Canvas):
    """Draws, and notes each word with its box, in thousandths of the picture: left, top, right, bottom."""

    words: ClassVar[list[tuple[float, float, Word]]] = []

    def text(self, x: float, y: float, words: str, size: float, colour: str = "#202124") -> None:
        super().text(x, y, words, size, colour)
        font = ImageFont.load_default(size)
        parts = words.split(" ")
        for place, word in enumerate(parts):
            start = x + font.getlength(" ".join([*parts[:place], ""]))
            left, top, right, bottom = font.getbbox(word, anchor="la")
            box = (start + left, y + top, start + right, y + bottom)
            sides = (*self.size, *self.size)
            shares = [round(1000 * one / side) for one, side in zip(box, sides, strict=True)]
            self.words.append((y, start, (word, shares)))


def words() -> list[Word]:
    """The words of the invoice, line by line from the left."""
    Reader.words.clear()
    make_pictures.Canvas = Reader  # type: ignore[misc]  # what draws is told to note what it draws
    make_pictures.invoice()
    return [word for _, _, word in sorted(Reader.words)]


if __name__ == "__main__":
    FILE.write_text("[\n" + ",\n".join(json.dumps(word) for word in words()) + "\n]\n", encoding="utf-8")
