"""What a card lacks, by who reads it; each item leads to the field or section that it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.widgets.html import escape


def lacking_view(seen: Mapping[str, Any]) -> str:
    """The answer of `/card_completeness`; a button picks `field PATH` or `section TITLE`."""
    return "".join(_view(view) for view in seen["views"])


def _view(view: Mapping[str, Any]) -> str:
    items = view["items"]
    done = sum(bool(item["done"]) for item in items)
    following = view["next"]
    lead = f"Next: {following['title']}. {following['why']}" if following else "It has all that it needs here."
    rows = "".join(_item(item) for item in items)
    return (
        f'<details class="wb-lacking"{" open" if following else ""}><summary>{escape(view["name"])} '
        f"<span>{done} of {len(items)}</span></summary>"
        f'<p class="wb-lead">{escape(lead)}</p><ul class="wb-checks">{rows}</ul></details>'
    )


def _item(item: Mapping[str, Any]) -> str:
    kind = "section" if "section" in item else "field"
    title = escape(item["title"])
    if item["done"]:
        return f'<li class="wb-ok"><b>{title}</b> {escape(item["why"])}</li>'
    pick = escape(f"{kind} {item[kind]}")
    button = f'<button type="button" class="wb-link" data-pick="{pick}">{title}</button>'
    return f'<li class="wb-not-ok">{button} {escape(item["why"])}</li>'
