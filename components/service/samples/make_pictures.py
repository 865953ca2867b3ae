"""Draws the pictures of this folder: `python -m components.service.samples.make_pictures`.

The same version of Pillow draws the same bytes again.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parent
#: Everything is drawn this much larger and made smaller at the end, so that edges are smooth.
_FINE = 3
_COLOURS = 64

Point = tuple[float, float]


class Canvas:
    """Draws in the pixels of the finished picture."""

    def __init__(self, width: int, height: int, colour: str) -> None:
        self.size = (width, height)
        self._image = Image.new("RGB", (width * _FINE, height * _FINE), colour)
        self._draw = ImageDraw.Draw(self._image)

    def oval(self, left: float, top: float, right: float, bottom: float, colour: str) -> None:
        """An ellipse in the box."""
        self._draw.ellipse([one * _FINE for one in (left, top, right, bottom)], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: str, radius: float = 0) -> None:
        """A rectangle, with round corners where there is a radius."""
        self._draw.rounded_rectangle([one * _FINE for one in (left, top, right, bottom)], radius * _FINE, fill=colour)

    def shape(self, points: list[Point], colour: str) -> None:
        """A polygon."""
        self._draw.polygon([(x * _FINE, y * _FINE) for x, y in points], fill=colour)

    def line(self, points: list[Point], colour: str, width: float) -> None:
        """Lines from point to point, with round joints."""
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        self._draw.line(fine, fill=colour, width=round(width * _FINE), joint="curve")

    def text(self, x: float, y: float, words: str, size: float, colour: str = "#202124") -> None:
        """Words in Pillow's own font."""
        self._draw.text((x * _FINE, y * _FINE), words, colour, ImageFont.load_default(size * _FINE))

    def finish(self, colours: int = _COLOURS) -> Image.Image:
        """The picture in its own size, with few colours, so that its file is small."""
        small = self._image.resize(self.size, Image.Resampling.LANCZOS)
        return small.quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def cat() -> Image.Image:
    """A grey tabby that sits on a rug and looks at you."""
    canvas = Canvas(240, 240, "#cfe3ef")
    fur, dark, light = "#9a9186", "#6b6259", "#efe7dc"
    canvas.box(0, 178, 240, 240, "#b97a56")
    canvas.oval(14, 184, 226, 232, "#8f3f3f")
    canvas.oval(24, 188, 216, 226, "#a85050")
    tail = [(168 + 34 * math.sin(t / 9), 206 - 3.1 * t) for t in range(28)]
    canvas.line(tail, dark, 17)
    canvas.line(tail, fur, 14)
    canvas.oval(70, 104, 170, 220, fur)
    canvas.oval(96, 122, 144, 210, light)
    for left in (58, 138):
        canvas.oval(left, 160, left + 44, 220, fur)
    for height in (132, 148, 164):
        canvas.line([(73, height), (92, height + 5)], dark, 5)
        canvas.line([(167, height), (148, height + 5)], dark, 5)
    for left in (88, 124):
        canvas.box(left, 150, left + 28, 216, fur, 13)
        canvas.oval(left - 3, 203, left + 31, 223, light)
        for toe in (6, 14, 22):
            canvas.line([(left + toe, 212), (left + toe, 220)], dark, 1.5)
    _cat_head(canvas, fur, dark, light)
    return canvas.finish()


def _cat_head(canvas: Canvas, fur: str, dark: str, light: str) -> None:
    for side in (-1, 1):
        middle = 120 + side * 36
        canvas.shape([(middle - 20, 52), (middle + side * 10, 8), (middle + 20, 58)], fur)
        canvas.shape([(middle - 11, 48), (middle + side * 7, 20), (middle + 12, 52)], "#e3a6a0")
    canvas.oval(64, 30, 176, 128, fur)
    for shift in (-16, 0, 16):
        canvas.line([(120 + shift, 33 + abs(shift) / 4), (120 + shift * 0.7, 56)], dark, 5)
    for side in (-1, 1):
        canvas.line([(120 + side * 54, 76), (120 + side * 38, 80)], dark, 4)
        canvas.line([(120 + side * 53, 90), (120 + side * 39, 91)], dark, 4)
        middle = 120 + side * 24
        canvas.oval(middle - 14, 62, middle + 14, 88, "#33302c")
        canvas.oval(middle - 12, 64, middle + 12, 87, "#b9cf4b")
        canvas.oval(middle - 4, 64, middle + 4, 87, "#151412")
        canvas.oval(middle - 1, 67, middle + 4, 72, "#ffffff")
        canvas.oval(120 + side * 12 - 17, 90, 120 + side * 12 + 17, 116, light)
    canvas.shape([(112, 90), (128, 90), (120, 99)], "#cc7a78")
    canvas.line([(120, 98), (120, 105), (111, 110)], dark, 2)
    canvas.line([(120, 105), (129, 110)], dark, 2)
    for side in (-1, 1):
        for rise in (-6, 1, 8):
            canvas.line([(120 + side * 20, 103 + rise / 3), (120 + side * 68, 99 + rise * 1.6)], "#ffffff", 1.3)


def street() -> Image.Image:
    """A street with a house, trees, a car, a bus, a dog and a person."""
    canvas = Canvas(480, 320, "#bfe0f2")
    canvas.oval(396, 22, 440, 66, "#f7d154")
    for x, y in ((70, 46), (250, 34)):
        for shift, size in ((0, 26), (22, 34), (48, 24)):
            canvas.oval(x + shift, y - size / 2, x + shift + size * 1.3, y + size / 2, "#ffffff")
    canvas.box(0, 200, 480, 236, "#c9c4ba")
    canvas.box(0, 232, 480, 320, "#5b5f66")
    for x in range(-10, 480, 70):
        canvas.box(x, 272, x + 38, 278, "#f3efe2")
    _house(canvas, 24, 90, "#e0b07c", "#a3473d")
    _house(canvas, 300, 104, "#cfd7c2", "#4f5d75")
    _tree(canvas, 190, 210)
    _tree(canvas, 268, 214)
    _car(canvas, 60, 226)
    _bus(canvas, 270, 196)
    _person(canvas, 214, 176)
    _dog(canvas, 232, 214)
    return canvas.finish()


def _house(canvas: Canvas, x: float, y: float, wall: str, roof: str) -> None:
    canvas.box(x, y + 38, x + 128, y + 120, wall)
    canvas.shape([(x - 12, y + 40), (x + 64, y - 16), (x + 140, y + 40)], roof)
    canvas.box(x + 92, y - 12, x + 108, y + 22, roof)
    for window in (14, 88):
        canvas.box(x + window, y + 54, x + window + 28, y + 82, "#ffffff")
        canvas.box(x + window + 3, y + 57, x + window + 25, y + 79, "#7fb3cf")
        canvas.line([(x + window + 14, y + 55), (x + window + 14, y + 81)], "#ffffff", 2)
    canvas.box(x + 52, y + 66, x + 78, y + 120, "#7a4b2c")
    canvas.oval(x + 70, y + 92, x + 75, y + 97, "#f7d154")


def _tree(canvas: Canvas, x: float, y: float) -> None:
    canvas.box(x - 6, y - 56, x + 6, y, "#7a5230")
    for shift, rise, size in ((-22, 76, 42), (20, 76, 42), (0, 98, 52), (0, 66, 46)):
        canvas.oval(x + shift - size / 2, y - rise - size / 2, x + shift + size / 2, y - rise + size / 2, "#4c8c4a")


def _car(canvas: Canvas, x: float, y: float) -> None:
    canvas.shape([(x + 26, y + 26), (x + 44, y), (x + 98, y), (x + 120, y + 26)], "#c8362f")
    canvas.shape([(x + 35, y + 25), (x + 48, y + 5), (x + 68, y + 5), (x + 68, y + 25)], "#cfe6f2")
    canvas.shape([(x + 74, y + 25), (x + 74, y + 5), (x + 95, y + 5), (x + 110, y + 25)], "#cfe6f2")
    canvas.box(x, y + 24, x + 146, y + 52, "#c8362f", 10)
    canvas.box(x + 136, y + 30, x + 146, y + 38, "#f7e7a1", 3)
    _wheels(canvas, x, y + 40, (18, 102), 26)


def _bus(canvas: Canvas, x: float, y: float) -> None:
    canvas.box(x, y, x + 190, y + 72, "#f0b429", 8)
    for window in range(5):
        canvas.box(x + 10 + window * 30, y + 10, x + 35 + window * 30, y + 34, "#cfe6f2", 2)
    canvas.box(x + 162, y + 10, x + 184, y + 60, "#cfe6f2", 2)
    canvas.line([(x + 4, y + 46), (x + 156, y + 46)], "#c8362f", 5)
    _wheels(canvas, x, y + 56, (24, 128), 30)


def _wheels(canvas: Canvas, x: float, y: float, places: tuple[int, int], size: int) -> None:
    for place in places:
        canvas.oval(x + place, y, x + place + size, y + size, "#26282b")
        canvas.oval(x + place + size / 3, y + size / 3, x + place + size / 1.5, y + size / 1.5, "#c9ccd1")


def _person(canvas: Canvas, x: float, y: float) -> None:
    canvas.oval(x - 8, y - 8, x + 8, y + 8, "#e3b48f")
    canvas.box(x - 8, y - 10, x + 8, y - 3, "#3b2a20", 4)
    canvas.box(x - 10, y + 8, x + 10, y + 36, "#2f6f9f", 5)
    canvas.line([(x + 8, y + 13), (x + 18, y + 32)], "#2f6f9f", 6)
    for leg in (-5, 5):
        canvas.line([(x + leg, y + 34), (x + leg, y + 58)], "#2d3142", 7)
    canvas.line([(x + 18, y + 32), (x + 34, y + 44)], "#26282b", 1.5)


def _dog(canvas: Canvas, x: float, y: float) -> None:
    canvas.oval(x, y, x + 32, y + 16, "#8a5a33")
    canvas.oval(x + 24, y - 9, x + 42, y + 7, "#8a5a33")
    canvas.oval(x + 36, y - 3, x + 48, y + 5, "#8a5a33")
    canvas.shape([(x + 25, y - 7), (x + 31, y - 8), (x + 25, y + 5)], "#5d3a1e")
    canvas.oval(x + 35, y - 5, x + 38, y - 2, "#151412")
    canvas.line([(x + 2, y + 5), (x - 8, y - 6)], "#8a5a33", 4)
    for leg in (4, 10, 22, 28):
        canvas.line([(x + leg, y + 12), (x + leg, y + 24)], "#8a5a33", 4)


def invoice() -> Image.Image:
    """A bill with sender, number, dates, three items and a total."""
    canvas = Canvas(480, 620, "#ffffff")
    canvas.box(0, 0, 480, 10, "#2f6f9f")
    canvas.text(36, 34, "Fox & Sons Books", 24, "#2f6f9f")
    canvas.text(36, 68, "12 Mill Lane, Cambridge", 12)
    canvas.text(330, 34, "INVOICE", 24)
    head = (("Invoice number", "2031-074"), ("Date", "4 March 2031"), ("Due date", "3 April 2031"))
    for row, (name, value) in enumerate(head):
        canvas.text(36, 116 + 22 * row, name, 13, "#5f6368")
        canvas.text(170, 116 + 22 * row, value, 13)
    canvas.text(36, 204, "Bill to", 13, "#5f6368")
    canvas.text(170, 204, "Ada Green, 7 Hill Road, Oxford", 13)
    canvas.box(36, 246, 444, 272, "#e8f0f6")
    items = (
        ("Item", "Quantity", "Price"),
        ("Learning to read", "2", "24.00"),
        ("A field guide to trees", "1", "18.50"),
        ("Maps of the north", "3", "45.00"),
    )
    for row, cells in enumerate(items):
        for place, cell in zip((46, 270, 380), cells, strict=True):
            canvas.text(place, 251 + 32 * row, cell, 13)
    canvas.line([(36, 384), (444, 384)], "#202124", 1)
    for row, (name, value) in enumerate((("Subtotal", "87.50"), ("Tax (8 %)", "7.00"), ("Total", "94.50"))):
        canvas.text(270, 398 + 26 * row, name, 14 if row < 2 else 16)
        canvas.text(380, 398 + 26 * row, value, 14 if row < 2 else 16)
    canvas.text(36, 520, "Please pay within 30 days to account 4471 0098 2215.", 12, "#5f6368")
    canvas.text(36, 540, "Thank you for reading.", 12, "#5f6368")
    return canvas.finish(16)


def view(step: float) -> Image.Image:
    """A yard full of corners, from a place `step` to the right: what is near moves more than what is far."""
    canvas = Canvas(320, 240, "#bcd9ea")
    places = random.Random(7)
    for x in range(0, 420, 60):
        far = x - 8 * step
        canvas.shape([(far - 40, 120), (far, 64 + places.randint(0, 30)), (far + 44, 120)], "#8aa58f")
    canvas.box(0, 116, 320, 240, "#b7a889")
    _wall(canvas, 60 - 22 * step, places)
    for number in range(7):
        left, y = 20 + 46 * number - 44 * step, 186 + places.randint(-6, 18)
        size = places.randint(13, 24)
        canvas.box(left, y, left + size, y + size, places.choice(("#74492a", "#3f5a73", "#a3473d")))
        canvas.box(left + size / 4, y + size / 4, left + size / 2, y + size / 2, "#f0e2c0")
    return canvas.finish(32)


def _wall(canvas: Canvas, x: float, places: random.Random) -> None:
    canvas.box(x, 50, x + 210, 170, "#d6c7ae")
    for row in range(3):
        for column in range(5):
            left, top = x + 12 + 40 * column, 60 + 36 * row
            canvas.box(left, top, left + 26, top + 24, places.choice(("#3e5c76", "#28384a", "#6d8296")))
            canvas.box(left + 3, top + 3, left + places.randint(8, 22), top + places.randint(8, 20), "#e9eef2")
    canvas.shape([(x - 8, 52), (x + 218, 52), (x + 190, 30), (x + 24, 30)], "#7b3b31")


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "cat.png": cat,
    "street.png": street,
    "invoice.png": invoice,
    "view-left.png": lambda: view(0),
    "view-right.png": lambda: view(1),
}


def make(folder: Path = FOLDER) -> None:
    """Write every picture into `folder`."""
    for name, draw in PICTURES.items():
        draw().save(folder / name, optimize=True)


if __name__ == "__main__":
    make()
