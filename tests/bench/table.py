"""What a benchmark tells: rows that compare, each against the stock way in the same run, and curves that show growth.

A benchmark is a module of this folder with a function `measure(rounds: int) -> list[Row]`; one that shows how work
grows has `curves(rounds: int) -> list[Curve]` beside it or instead. `python -m tests.bench` runs them, each in a
process of its own.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """How ours has to stand to stock: the ratio of both is `most` or less, or `least` or more."""

    most: float | None = None
    least: float | None = None

    def __post_init__(self) -> None:
        if (self.most is None) == (self.least is None):
            raise ValueError("a goal is either at most or at least something")

    def __str__(self) -> str:
        return f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"

    def met(self, ratio: float) -> bool:
        return ratio <= self.most if self.most is not None else ratio >= (self.least or 0.0)


@dataclass(frozen=True)
class Row:
    """One comparison. The ratio is always ours by stock: give seconds where the goal is "at most", rates (rows or
    tokens a second) where it is "at least".

    Attributes:
        what: What was done.
        against: What it is held against.
        goal: What the ratio has to be.
        unit: What the figures are in: s, MB, rows/s ...
        ours: One figure a round.
        stock: The same, of the round's other turn; a single one is a limit that does not change.
        note: What a reader has to know: the floor under it, what was counted, what differs.
    """

    what: str
    against: str
    goal: Goal
    unit: str
    ours: Sequence[float]
    stock: Sequence[float]
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Ours by stock, round by round."""
        stock = self.stock if len(self.stock) > 1 else list(self.stock) * len(self.ours)
        return [ours / other for ours, other in zip(self.ours, stock, strict=True)]

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        """Whether the goal holds, and whether another round could have said otherwise."""
        held = {self.goal.met(ratio) for ratio in self.ratios}
        return ("holds" if self.goal.met(self.ratio) else "misses") + (", within the noise" if len(held) > 1 else "")

    def cells(self) -> list[str]:
        """The row as text, in the order of `HEADERS`."""
        low, high = min(self.ratios), max(self.ratios)
        return [
            self.what,
            self.against,
            str(self.goal),
            f"{figure(statistics.median(self.ours))} {self.unit}",
            f"{figure(statistics.median(self.stock))} {self.unit}",
            f"{self.ratio:.2f}",
            self.verdict,
            f"{low:.2f} to {high:.2f}" if len(self.ratios) > 1 else "one round",
        ]


HEADERS = ["what", "against", "goal", "ours", "stock", "ratio", "goal holds", "noise"]


@dataclass(frozen=True)
class Curve:
    """How something grows with its size.

    Attributes:
        what: What grows.
        size: What the sizes count: visitors, rows, bytes of text ...
        sizes: In rising order.
        lines: By a name with its unit (`"ours, s"`), one figure for each size.
        note: What a reader has to know.
    """

    what: str
    size: str
    sizes: Sequence[int]
    lines: Mapping[str, Sequence[float]]
    note: str = ""

    def growth(self, name: str) -> float:
        """The power of the size that a line grows with at its upper end: 1 is as the size, 2 as its square, 0 not; no
        number where a figure is 0."""
        (small, large), (low, high) = self.sizes[-2:], self.lines[name][-2:]
        if low <= 0 or high <= 0:
            return math.nan
        return math.log(high / low) / math.log(large / small)

    def table(self) -> list[list[str]]:
        """Headers, one row a size, and the growth of each line."""
        rows = [[f"{self.size}", *self.lines]]
        for place, size in enumerate(self.sizes):
            rows.append([f"{size:,}", *(figure(line[place]) for line in self.lines.values())])
        return [*rows, ["grows with the power", *(f"{self.growth(name):.2f}" for name in self.lines)]]


def figure(value: float) -> str:
    """Three digits that count, and no exponent."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{round(value, digits):,.{digits}f}" if digits else f"{value:,.0f}"


def in_turns(rounds: int, **ways: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds of each way, round by round, in turns, so that what else the machine does falls on all of them.

    The order turns from round to round, so that none always comes after the same other one. Warm up before.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways) if number % 2 == 0 else reversed(ways):
            began = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - began)
    return seconds


def as_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first of them headers, in columns for a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """The same as a table in Markdown."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
