"""Drawings of ten things and animals, made of circles, boxes and lines: each one differs in place, size and colours."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw

SEED = 20260
#: Pixels of a side; drawn four times as large, so that its edges are smooth.
SIDE, FINE = 64, 256
Point = tuple[float, float]
Colour = tuple[int, int, int]


class Sheet:
    """A sheet of paper that is drawn on in units of its middle part: x and y from -1 (left, top) to 1."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.paper = self.colour(light=source.random() < 0.75)
        self.image = Image.new("RGB", (FINE, FINE), self.paper)
        self.pen = ImageDraw.Draw(self.image)
        self.scale = FINE / 2 * source.uniform(0.55, 0.85)
        room = FINE / 2 - self.scale
        self.middle = (FINE / 2 + room * source.uniform(-0.7, 0.7), FINE / 2 + room * source.uniform(-0.7, 0.7))
        self.turn = math.radians(source.uniform(-10, 10))
        self.mirror = source.choice((1, -1))
        self.line = source.choice(((0, 0, 0), (40, 40, 60), (70, 40, 20)))
        self.width = source.randint(3, 7)

    def colour(self, *, light: bool = False) -> Colour:
        """Any colour, or a pale one."""
        low = 190 if light else 20
        red, green, blue = (self.source.randint(low, 255) for _ in range(3))
        return red, green, blue

    def near(self, colour: Colour, spread: int = 25) -> Colour:
        """A colour like another, and not like the paper's."""
        while True:
            red, green, blue = (max(0, min(255, part + self.source.randint(-spread, spread))) for part in colour)
            if sum(abs(a - b) for a, b in zip((red, green, blue), self.paper, strict=True)) > 90:
                return red, green, blue
            spread += 20

    def at(self, x: float, y: float) -> Point:
        """Where a point of the drawing lies on the paper, in pixels."""
        x *= self.mirror
        turned = x * math.cos(self.turn) - y * math.sin(self.turn), x * math.sin(self.turn) + y * math.cos(self.turn)
        return self.middle[0] + self.scale * turned[0], self.middle[1] + self.scale * turned[1]

    def shape(self, points: list[Point], fill: Colour) -> None:
        """A filled outline."""
        places = [self.at(*point) for point in points]
        self.pen.polygon(places, fill=fill)
        self.pen.line([*places, places[0]], fill=self.line, width=self.width, joint="curve")

    def oval(self, x: float, y: float, wide: float, high: float, fill: Colour) -> None:
        """An ellipse around a point, by its half axes."""
        steps = [2 * math.pi * step / 40 for step in range(40)]
        self.shape([(x + wide * math.cos(angle), y + high * math.sin(angle)) for angle in steps], fill)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        """A rectangle."""
        self.shape([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def stroke(self, points: list[Point], fill: Colour | None = None, width: int | None = None) -> None:
        """A line through points."""
        colour = self.line if fill is None else fill
        self.pen.line([self.at(*point) for point in points], fill=colour, width=width or self.width, joint="curve")

    def dot(self, x: float, y: float, size: float = 0.06) -> None:
        """A dark dot, as an eye."""
        self.oval(x, y, size, size, (0, 0, 0))


def cat(sheet: Sheet) -> None:
    """A face with pointed ears and whiskers, sometimes with a body and a tail."""
    fur = sheet.near(sheet.source.choice([(120, 120, 120), (230, 150, 60), (60, 60, 60), (220, 210, 200)]))
    whole = sheet.source.random() < 0.5
    x, y, size = (-0.3, -0.3, 0.45) if whole else (0.0, 0.0, 0.75)
    if whole:
        sheet.stroke([(0.6, 0.6), (0.95, 0.3), (0.85, -0.2)], fur, sheet.width * 3)
        sheet.oval(0.15, 0.45, 0.6, 0.42, fur)
    for side in (-1, 1):
        ear = [(0.9, -0.25), (0.95, -1.25), (0.2, -0.8)]
        sheet.shape([(x + side * size * a, y + size * b) for a, b in ear], fur)
    sheet.oval(x, y, size, size * 0.85, fur)
    for side in (-1, 1):
        sheet.oval(x + side * size * 0.4, y - size * 0.15, size * 0.17, size * 0.2, (120, 220, 90))
        sheet.dot(x + side * size * 0.4, y - size * 0.15, size * 0.09)
        for drop in (0.1, 0.28, 0.46):
            ends = [(x + side * size * 0.3, y + size * 0.28), (x + side * size * 1.3, y + size * drop)]
            sheet.stroke(ends, width=max(2, sheet.width // 2))
    nose = [(-0.12, 0.18), (0.12, 0.18), (0, 0.32)]
    sheet.shape([(x + size * a, y + size * b) for a, b in nose], (240, 140, 150))


def dog(sheet: Sheet) -> None:
    """A face with hanging ears and a long snout, sometimes with a body on four legs."""
    fur = sheet.near(sheet.source.choice([(160, 110, 60), (210, 170, 110), (90, 60, 40), (235, 225, 210)]))
    ear = sheet.near((90, 55, 30))
    whole = sheet.source.random() < 0.5
    x, y, size = (-0.45, -0.35, 0.4) if whole else (0.0, 0.0, 0.75)
    if whole:
        sheet.stroke([(0.75, 0.1), (0.98, -0.35)], fur, sheet.width * 3)
        for leg in (-0.25, -0.02, 0.45, 0.68):
            sheet.box(leg, 0.3, leg + 0.14, 0.95, fur)
        sheet.oval(0.25, 0.2, 0.6, 0.3, fur)
    sheet.oval(x, y, size * 0.8, size * 0.85, fur)
    for side in (-1, 1):
        sheet.oval(x + side * size * 0.85, y + size * 0.1, size * 0.24, size * 0.65, ear)
        sheet.dot(x + side * size * 0.32, y - size * 0.25, size * 0.11)
    sheet.oval(x, y + size * 0.4, size * 0.42, size * 0.36, sheet.near((240, 225, 200)))
    sheet.oval(x, y + size * 0.22, size * 0.17, size * 0.12, (0, 0, 0))
    if sheet.source.random() < 0.6:
        sheet.oval(x, y + size * 0.78, size * 0.13, size * 0.22, (235, 90, 110))


def fish(sheet: Sheet) -> None:
    """A body with a tail fin, in water."""
    skin = sheet.near(sheet.colour())
    high = sheet.source.uniform(0.35, 0.55)
    sheet.shape([(0.45, 0), (0.98, -0.45), (0.98, 0.45)], skin)
    sheet.shape([(-0.15, -high * 0.8), (0.25, -high - 0.3), (0.3, -high * 0.6)], skin)
    sheet.oval(-0.15, 0, 0.75, high, skin)
    sheet.dot(-0.6, -0.1, 0.08)
    sheet.stroke([(-0.35, -high * 0.75), (-0.25, 0), (-0.35, high * 0.75)])
    for bubble in range(sheet.source.randint(0, 3)):
        sheet.oval(-0.95, -0.4 - 0.2 * bubble, 0.06, 0.06, (220, 240, 255))


def bird(sheet: Sheet) -> None:
    """A body with a wing, a beak and thin legs."""
    feathers = sheet.near(sheet.colour())
    sheet.shape([(0.5, 0.0), (1.0, -0.2), (0.95, 0.2)], feathers)
    for leg in (-0.05, 0.2):
        sheet.stroke([(leg, 0.4), (leg, 0.85), (leg - 0.15, 0.9)])
    sheet.oval(0.1, 0.1, 0.6, 0.4, feathers)
    sheet.shape([(-0.75, -0.45), (-1.05, -0.3), (-0.72, -0.25)], (250, 180, 40))
    sheet.oval(-0.5, -0.35, 0.3, 0.28, feathers)
    sheet.dot(-0.58, -0.42, 0.06)
    tip = sheet.source.uniform(-0.6, 0.3)
    sheet.shape([(-0.15, 0.05), (0.45, 0.05), (0.6, tip)], sheet.near(feathers, 60))


def house(sheet: Sheet) -> None:
    """Walls with a roof, a door and windows."""
    wall = sheet.near(sheet.colour())
    wide = sheet.source.uniform(0.55, 0.85)
    if sheet.source.random() < 0.5:
        sheet.box(wide * 0.4, -0.85, wide * 0.4 + 0.2, -0.3, sheet.near((150, 80, 60)))
    sheet.box(-wide, -0.1, wide, 0.9, wall)
    sheet.shape(
        [(-wide - 0.12, -0.1), (0, sheet.source.uniform(-1, -0.6)), (wide + 0.12, -0.1)], sheet.near((170, 60, 40))
    )
    sheet.box(-0.15, 0.35, 0.15, 0.9, sheet.near((110, 70, 40)))
    for side in (-1, 1):
        sheet.box(side * wide * 0.6 - 0.13, 0.1, side * wide * 0.6 + 0.13, 0.38, (190, 225, 250))


def tree(sheet: Sheet) -> None:
    """A trunk with a round crown, or a fir tree."""
    green = sheet.near(sheet.source.choice([(50, 140, 50), (90, 170, 60), (30, 100, 60), (200, 130, 40)]))
    sheet.box(-0.13, 0.2, 0.13, 0.95, sheet.near((110, 70, 40)))
    if sheet.source.random() < 0.5:
        for top, wide in ((-0.25, 0.7), (-0.6, 0.55), (-0.95, 0.4)):
            sheet.shape([(-wide, top + 0.75), (0, top), (wide, top + 0.75)], green)
        return
    for x, y in ((-0.35, -0.05), (0.35, -0.05), (0, -0.4), (0, -0.1)):
        sheet.oval(x, y, 0.42, 0.42, green)


def car(sheet: Sheet) -> None:
    """A body with a cabin on two wheels."""
    paint = sheet.near(sheet.colour())
    roof = sheet.source.uniform(-0.5, -0.35)
    sheet.shape([(-0.55, 0), (-0.35, roof), (0.35, roof), (0.6, 0)], paint)
    sheet.shape([(-0.42, -0.04), (-0.28, roof + 0.08), (0.0, roof + 0.08), (0.0, -0.04)], (190, 225, 250))
    sheet.box(-0.95, 0, 0.95, 0.38, paint)
    for x in (-0.52, 0.52):
        sheet.oval(x, 0.4, 0.22, 0.22, (40, 40, 40))
        sheet.oval(x, 0.4, 0.09, 0.09, (200, 200, 200))


def boat(sheet: Sheet) -> None:
    """A hull with a mast and a sail, on waves."""
    sheet.stroke([(0, 0.4), (0, -0.95)], width=sheet.width * 2)
    sail = sheet.near(sheet.colour())
    sheet.shape([(0.06, -0.9), (0.06, 0.2), (0.7, 0.2)], sail)
    if sheet.source.random() < 0.6:
        sheet.shape([(-0.06, -0.7), (-0.06, 0.2), (-0.5, 0.2)], sail)
    sheet.shape([(-0.9, 0.35), (0.9, 0.35), (0.6, 0.8), (-0.6, 0.8)], sheet.near(sheet.colour()))
    waves = [(-1.1 + 0.1 * step, 0.86 + 0.05 * (-1) ** step) for step in range(23)]
    sheet.stroke(waves, (40, 90, 200), sheet.width * 2)


def flower(sheet: Sheet) -> None:
    """Petals around a middle, on a stem with a leaf."""
    green = sheet.near((60, 150, 60))
    sheet.stroke([(0, -0.2), (0, 0.95)], green, sheet.width * 2)
    sheet.shape([(0, 0.6), (0.25, 0.3), (0.55, 0.3), (0.3, 0.55)], green)
    petals, colour = sheet.source.randint(5, 8), sheet.near(sheet.colour())
    for petal in range(petals):
        angle = 2 * math.pi * petal / petals
        sheet.oval(0.38 * math.cos(angle), -0.35 + 0.38 * math.sin(angle), 0.22, 0.22, colour)
    sheet.oval(0, -0.35, 0.22, 0.22, sheet.near((250, 210, 60)))


def sun(sheet: Sheet) -> None:
    """A disc with rays."""
    yellow = sheet.near(sheet.source.choice([(255, 210, 40), (255, 170, 30), (250, 230, 90)]))
    rays, length = sheet.source.randint(8, 14), sheet.source.uniform(0.8, 1.0)
    for ray in range(rays):
        angle = 2 * math.pi * ray / rays
        start, end = ((size * math.cos(angle), size * math.sin(angle)) for size in (0.4, length))
        sheet.stroke([start, end], yellow, sheet.width * 2)
    sheet.oval(0, 0, 0.45, 0.45, yellow)
    if sheet.source.random() < 0.4:
        sheet.dot(-0.15, -0.1)
        sheet.dot(0.15, -0.1)


MOTIFS: tuple[Callable[[Sheet], None], ...] = (cat, dog, fish, bird, house, tree, car, boat, flower, sun)
LABELS = tuple(motif.__name__ for motif in MOTIFS)


def draw(label: str, source: random.Random) -> Image.Image:
    """A drawing of `label`, 64 by 64 pixels in RGB."""
    sheet = Sheet(source)
    if source.random() < 0.4:
        ground = FINE * source.uniform(0.6, 0.85)
        sheet.pen.rectangle((0, ground, FINE, FINE), fill=sheet.near(sheet.paper, 80))
    for _ in range(source.choice((0, 0, 4, 12))):
        x, y, size = source.uniform(0, FINE), source.uniform(0, FINE), source.uniform(3, 12)
        sheet.pen.ellipse((x, y, x + size, y + size), fill=sheet.colour())
    MOTIFS[LABELS.index(label)](sheet)
    return sheet.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


#: What `starter/drawings` calls its drawings: another question than which of the ten they show.
KINDS = {
    "animal": ("cat", "dog", "fish", "bird"),
    "plant": ("tree", "flower"),
    "thing": ("house", "car", "boat"),
}
#: Its splits, rows of each kind in each, and the seeds that they are drawn with.
SPLITS = {"train": (120, SEED + 3), "validation": (40, SEED + 4)}


def write(folder: Path) -> None:
    """Write `starter/drawings`: a Parquet file for each split, images as PNG and labels as classes."""
    from datasets import ClassLabel, Dataset, Features, Image

    folder.mkdir(parents=True, exist_ok=True)
    features = Features({"image": Image(), "label": ClassLabel(names=list(KINDS))})
    for split, (rows, seed) in SPLITS.items():
        drawn = [
            {"image": {"bytes": _png(picture), "path": None}, "label": kind} for picture, kind in of_kinds(rows, seed)
        ]
        Dataset.from_list(drawn, features=features).to_parquet(folder / f"{split}.parquet")


def of_kinds(rows: int, seed: int) -> list[tuple[Image.Image, str]]:
    """Drawings with their kinds, so many of each, in turn."""
    source = random.Random(seed)
    return [(draw(source.choice(KINDS[kind]), source), kind) for _ in range(rows) for kind in KINDS]


def _png(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def pictures(rows: int, seed: int = SEED) -> list[tuple[Image.Image, int]]:
    """Drawings with the ids of their labels, as many of each."""
    source = random.Random(seed)
    return [(draw(LABELS[row % len(LABELS)], source), row % len(LABELS)) for row in range(rows)]
