"""A line chart as SVG: curves over steps, with an optional band around one of them.

Own code because the chart components at hand draw no band, redraw with a jump at every update, and load a plotting
library into the page; this is plain markup that follows the theme, with the figures as a table for screen readers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from components.widgets.html import escape

WIDTH, HEIGHT = 400, 240
LEFT, RIGHT, TOP, BOTTOM = 60, 14, 12, 40
#: Curves of more points than this have no dots, which would run into each other.
DOTS = 30


@dataclass(frozen=True)
class Series:
    """One curve.

    Attributes:
        name: As the legend calls it.
        points: `(x, y)`, by rising x.
        band: `(x, low, high)`, drawn as an area behind the curve.
        dashed: For a constant to compare with, such as a baseline.
        marked: Draw each point, where there are no more than `DOTS`.
    """

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = field(default=())
    dashed: bool = False
    marked: bool = False


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    x_title: str,
    y_title: str,
    x_max: float | None = None,
    y_min: float | None = None,
) -> str:
    """The chart as HTML.

    Args:
        title: What the chart shows.
        series: Its curves; points that are not finite are left out, and one without a name is not in the legend.
        x_title, y_title: What the axes count, with the unit.
        x_max: Right end of the x axis, for a curve that is still growing.
        y_min: What the y axis begins at, or below.
    """
    drawn = [_finite(curve) for curve in series]
    values = [y for curve in drawn for _, y in curve.points] + [
        y for curve in drawn for _, low, high in curve.band for y in (low, high)
    ]
    xs = [x for curve in drawn for x, _ in curve.points]
    head = f"<figcaption>{escape(title)}{_legend(drawn)}</figcaption>"
    if not values or not xs:
        return f'<figure class="wb-chart">{head}<div class="wb-empty">No figures yet.</div></figure>'
    y_ticks = _ticks(min([*values, *([] if y_min is None else [y_min])]), max(values))
    frame = _Frame(min(0.0, *xs), max(x_max or 0.0, *xs) or 1.0, y_ticks[0], y_ticks[-1])
    body = _axes(frame, y_ticks, x_title, y_title) + "".join(_curve(frame, i, curve) for i, curve in enumerate(drawn))
    return (
        f'<figure class="wb-chart">{head}<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(_in_words(title, drawn))}">{body}</svg></figure>'
    )


@dataclass(frozen=True)
class _Frame:
    """From values to places on the drawing."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        share = (value - self.x_low) / ((self.x_high - self.x_low) or 1.0)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / ((self.y_high - self.y_low) or 1.0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _finite(curve: Series) -> Series:
    points = [(x, y) for x, y in curve.points if math.isfinite(y)]
    band = [(x, low, high) for x, low, high in curve.band if math.isfinite(low + high)]
    return Series(curve.name, points, band, curve.dashed, curve.marked)


def _ticks(low: float, high: float) -> list[float]:
    """Round figures, at most seven, from at or below `low` to at or above `high`."""
    span = (high - low) or abs(high) or 1.0
    size = 10 ** math.floor(math.log10(span / 5))
    step = next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= 5)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [round(number * step, 10) for number in range(first, last + 1)]


def _axes(frame: _Frame, y_ticks: list[float], x_title: str, y_title: str) -> str:
    parts = []
    for y in y_ticks:
        parts.append(f'<line class="wb-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{frame.y(y)}" y2="{frame.y(y)}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{frame.y(y) + 4}" text-anchor="end">{_tick(y)}</text>')
    for x in _ticks(frame.x_low, frame.x_high):
        if x <= frame.x_high:
            parts.append(f'<text x="{frame.x(x)}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{x:,g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="wb-title" x="{middle}" y="{HEIGHT - 4}" text-anchor="middle">{escape(x_title)}</text>')
    across = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text class="wb-title" transform="translate(12 {across}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_title)}</text>"
    )
    return "".join(parts)


def _tick(value: float) -> str:
    """A figure short enough to stand before its axis."""
    if value == 0 or abs(value) >= 0.001:
        return f"{value:,g}"
    digits, exponent = f"{value:e}".split("e")
    return f"{float(digits):g}e{int(exponent)}"


def _curve(frame: _Frame, number: int, curve: Series) -> str:
    style = f"wb-c{number % 4}"
    area = ""
    if curve.band:
        edge = [(x, high) for x, _, high in curve.band] + [(x, low) for x, low, _ in reversed(curve.band)]
        area = f'<polygon class="wb-band {style}" points="{_path(frame, edge)}"/>'
    dashes = ' stroke-dasharray="5 4"' if curve.dashed else ""
    line = f'<polyline class="wb-line {style}" points="{_path(frame, curve.points)}"{dashes}/>'
    marks = "".join(
        f'<circle class="wb-dot {style}" cx="{frame.x(x)}" cy="{frame.y(y)}" r="3.5">'
        f"<title>{escape(curve.name)} {y:.4g} at {x:,.6g}</title></circle>"
        for x, y in (curve.points if (curve.marked and len(curve.points) <= DOTS) or len(curve.points) == 1 else ())
    )
    return area + line + marks


def _path(frame: _Frame, points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{frame.x(x)},{frame.y(y)}" for x, y in points)


def _legend(series: Sequence[Series]) -> str:
    names = "".join(
        f'<span class="wb-key wb-c{i % 4}{" wb-dashed" if curve.dashed else ""}">{escape(curve.name)}</span>'
        for i, curve in enumerate(series)
        if curve.points and curve.name
    )
    return f'<span class="wb-legend">{names}</span>'


def _in_words(title: str, series: Sequence[Series]) -> str:
    said = [
        f"{curve.name} from {curve.points[0][1]:.4g} to {curve.points[-1][1]:.4g}" for curve in series if curve.points
    ]
    return f"{title}: {'; '.join(said)}"
