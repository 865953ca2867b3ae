"""A card as the Hub shows it: what stands over its text, and beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.widgets.card.findings import shortly
from components.widgets.html import escape, table

#: Keys that the Hub shows over a card, with what it calls them.
_TAGS = {
    "pipeline_tag": "Task",
    "library_name": "Library",
    "datasets": "Data set",
    "language": "Language",
    "license": "Licence",
    "base_model": "Base model",
    "metrics": "Metric",
    "tags": "",
}
#: Most tags of one key, results and examples.
_MOST = 40


def header_view(values: Mapping[str, Any], name: str) -> str:
    """Name and tags; `values` is the metadata."""
    tags = "".join(_tags(values.get(key), title) for key, title in _TAGS.items())
    gated = '<span class="wb-badge">Gated</span>' if values.get("extra_gated_fields") else ""
    return f'<div class="wb-run"><h2>{escape(name)}</h2>{gated}</div><div class="wb-tags">{tags}</div>'


def _tags(value: Any, title: str) -> str:
    given = value if isinstance(value, list) else [] if value in (None, "") else [value]
    before = f"{escape(title)} " if title else ""
    return "".join(f"<span>{before}<b>{escape(shortly(one))}</b></span>" for one in given[:_MOST])


def results_view(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table that the Hub draws of the evaluation results; nothing without any."""
    if not rows:
        return ""
    cells = [
        (row["dataset_name"] or row["dataset"], row["split"], row["name"] or row["metric"], _short(row["value"]))
        for row in rows[:_MOST]
    ]
    drawn = table(["Data set", "Split", "Metric", "Value"], cells, numeric=(3,), label="Evaluation results")
    return f'<p class="wb-lead">Evaluation results</p>{drawn}'


def _short(value: Any) -> Any:
    """A figure in four digits, as a reader takes it in; the card's text has all of them."""
    return f"{value:.4g}" if isinstance(value, float) else value


def examples_view(values: Mapping[str, Any]) -> str:
    """The examples that the Hub offers beside the card; nothing without any."""
    given = values.get("widget")
    examples = [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []
    items = "".join(f"<li>{_example(one)}</li>" for one in examples[:_MOST])
    return f'<p class="wb-lead">Examples to try</p><ul class="wb-examples">{items}</ul>' if items else ""


def _example(one: Mapping[str, Any]) -> str:
    title = f"<b>{escape(shortly(one['example_title']))}</b> " if one.get("example_title") else ""
    asked = " · ".join(
        shortly(value, 160)
        for key, value in one.items()
        if key not in ("example_title", "output", "group", "parameters")
    )
    answer = one.get("output")
    shown = f"<br><small>{escape(_answer(answer))}</small>" if answer else ""
    return f"{title}{escape(asked)}{shown}"


def _answer(answer: Any) -> str:
    rows = answer if isinstance(answer, list) else [answer]
    return "; ".join(
        " ".join(str(part) for part in row.values()) if isinstance(row, Mapping) else str(row) for row in rows[:5]
    )[:300]
