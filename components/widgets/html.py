"""Small pieces of HTML that every view is made of. All text from outside goes through `escape`, here and only here."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from html import escape as _escape
from typing import Any

from components.service.sizes import in_units


def escape(value: Any) -> str:
    """Text as HTML that shows it as it is, safe between tags and inside quoted attributes."""
    return _escape(str(value), quote=True)


def facts(pairs: Iterable[tuple[str, Any]]) -> str:
    """A line of small facts, `name value`; those without a value are left out."""
    items = "".join(
        f"<li><span>{escape(name)}</span> <b>{escape(value)}</b></li>"
        for name, value in pairs
        if value not in (None, "")
    )
    return f'<ul class="wb-facts">{items}</ul>' if items else ""


def notice(text: str, level: str = "info", *, title: str = "", spoken: bool = True) -> str:
    """A sentence set apart; an empty text shows nothing.

    Args:
        text: The sentence.
        level: `info`, `success`, `warning` or `error`.
        title: What it begins with.
        spoken: Whether it is read out as it appears: not in a view that is drawn anew and anew, which `says` its news.
    """
    if not text:
        return ""
    role = f' role="{"alert" if level == "error" else "status"}"' if spoken else ""
    head = f"<b>{escape(title)}</b> " if title else ""
    return f'<div class="wb-notice wb-{level}"{role}>{head}{escape(text)}</div>'


def says(text: str) -> str:
    """A sentence that is read out once the view that it stands in is shown anew; it is not seen."""
    return f'<i hidden data-says="{escape(text)}"></i>'


def counted_findings(problems: Collection[Mapping[str, Any]]) -> str:
    """How many findings there are, and how many of them are errors, to be read out."""
    errors = sum(problem["level"] == "error" for problem in problems)
    found = f"{len(problems):,} {'finding' if len(problems) == 1 else 'findings'}"
    return f"{found}, {errors:,} of them {'an error' if errors == 1 else 'errors'}" if errors else found


def empty(text: str) -> str:
    """What an empty view says: what will be here, and what to do for it."""
    return f'<div class="wb-empty">{escape(text)}</div>'


def table(header: list[str], rows: Iterable[Iterable[Any]], *, numeric: Iterable[int] = (), label: str = "") -> str:
    """A table that scrolls inside itself.

    Args:
        header: One title a column.
        rows: Cells as plain values; None shows as a dash.
        numeric: Columns, counted from 0, that are set flush right in even-width digits.
        label: What the table holds, for those who cannot see it.
    """
    right = set(numeric)

    def cells(row: Iterable[Any], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=wb-num' if i in right else ''}>{escape('–' if value is None else value)}</{tag}>"
            for i, value in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    named = f' role="region" aria-label="{escape(label)}" tabindex="0"' if label else ""
    head = f"<thead><tr>{cells(header, 'th')}</tr></thead>"
    return f'<div class="wb-table"{named}><table>{head}<tbody>{body}</tbody></table></div>'


def bars(rows: Iterable[tuple[str, float]], *, label: str, unit: str = "", most: float | None = 1.0) -> str:
    """Named bars with their figures.

    Args:
        rows: Name and value, in the order in which they are shown.
        label: What is shown, for those who cannot see it.
        unit: `"%"` shows fractions of 1 in per cent; anything else is what is counted, in the singular.
        most: The value of a full bar; the largest one where it is None.
    """
    values = list(rows)
    full = most or max((value for _, value in values), default=1.0) or 1.0
    lines = []
    for i, (name, value) in enumerate(values):
        width = max(0.0, min(100.0, 100.0 * value / full))
        after = unit if value == 1 or not unit else f"{unit}s"
        figure = percent(value) if unit == "%" else f"{value:,.6g} {after}".strip()
        lines.append(
            f'<li class="wb-bar{" wb-first" if i == 0 else ""}"><span class="wb-name">{escape(name)}</span>'
            f'<span class="wb-figure">{escape(figure)}</span>'
            f'<span class="wb-track" aria-hidden="true"><i style="width:{width:.2f}%"></i></span></li>'
        )
    return f'<ul class="wb-bars" aria-label="{escape(label)}">{"".join(lines)}</ul>'


def count(number: float | None) -> str | None:
    """A count in few digits: 1234567 is `1.2 M`."""
    if number is None:
        return None
    for size, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.1f} {sign}"
    return f"{number:g}"


def counted(number: float | None, noun: str) -> str | None:
    """A count of things: `1 download`, `1.2 k downloads`; None where there are none, or nobody knows."""
    return f"{count(number)} {noun if number == 1 else f'{noun}s'}" if number else None


def percent(share: float, digits: int = 2) -> str:
    """A share of 1 in per cent; what is only nearly all, or nearly nothing, does not read as if it were."""
    least = 10.0**-digits
    shown = f"{100 * share:.{digits}f}"
    if share < 1 and float(shown) == 100:
        return f"> {100 - least:.{digits}f} %"
    return f"< {least:.{digits}f} %" if share > 0 and float(shown) == 0 else f"{shown} %"


def size(number: float | None) -> str | None:
    """A size in bytes as people read it: 2500000 is `2.5 MB`."""
    return None if number is None else in_units(number)


def duration(seconds: float | None) -> str | None:
    """A time as people read it: `0.4 ms`, `8.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None:
        return None
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
