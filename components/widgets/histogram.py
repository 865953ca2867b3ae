"""How often values fall into bins, as bars over an axis: lengths of texts, with the length at which they are cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.widgets.html import escape

WIDTH, HEIGHT = 400, 170
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 8, 36


def histogram(title: str, bins: Sequence[dict[str, Any]], *, unit: str, limit: float | None = None) -> str:
    """The bars as HTML.

    Args:
        title: What is counted.
        bins: `{"from", "to", "count"}`, by rising value.
        unit: What the axis counts.
        limit: Where longer ones are cut; drawn as a line where it lies among the bins.
    """
    most = max((one["count"] for one in bins), default=0)
    if not most:
        return ""
    end = max(bins[-1]["to"], 1)
    bars = "".join(_bar(one, most, end, unit) for one in bins)
    words = f"{title}: {sum(one['count'] for one in bins):,} rows, up to {end:,.0f} {unit}"
    return (
        f'<figure class="wb-chart wb-histogram"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(words)}">'
        f"{_axes(most, end, unit)}{bars}{_limit(limit, end)}</svg></figure>"
    )


def _x(value: float, end: float) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * value / end, 1)


def _bar(one: dict[str, Any], most: int, end: float, unit: str) -> str:
    left, right = _x(one["from"], end), _x(one["to"], end)
    tall = round((HEIGHT - TOP - BOTTOM) * one["count"] / most, 1)
    tip = f"{one['from']:,g} to {one['to']:,g} {unit}: {one['count']:,} rows"
    wide = max(1.0, right - left - 1)
    return (
        f'<rect x="{left + 0.5}" y="{HEIGHT - BOTTOM - tall}" width="{wide:.1f}" height="{tall}" rx="1.5">'
        f"<title>{escape(tip)}</title></rect>"
    )


def _axes(most: int, end: float, unit: str) -> str:
    base = HEIGHT - BOTTOM
    ticks = "".join(
        f'<text x="{_x(share * end, end)}" y="{base + 15}" text-anchor="{side}">{share * end:,.0f}</text>'
        for share, side in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )
    return (
        f'<line class="wb-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{base}" y2="{base}"/>'
        f'<text x="{LEFT - 6}" y="{TOP + 9}" text-anchor="end">{most:,}</text>'
        f'<text x="{LEFT - 6}" y="{TOP + 25}" text-anchor="end">rows</text>'
        f'<text x="{LEFT - 6}" y="{base}" text-anchor="end">0</text>{ticks}'
        f'<text class="wb-title" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">'
        f"{escape(unit)}</text>"
    )


def _limit(limit: float | None, end: float) -> str:
    if limit is None or not 0 < limit <= end:
        return ""
    x = _x(limit, end)
    side, shift = ("end", -5) if limit > end / 2 else ("start", 5)
    return (
        f'<line class="wb-limit" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text x="{x + shift}" y="{TOP + 9}" text-anchor="{side}">cut at {limit:,g}</text>'
    )
