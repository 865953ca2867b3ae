"""Where each value that was filled in comes from, and whether it still holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.widgets.card.findings import shortly
from components.widgets.html import escape, notice

#: What each state is called, and its colour.
_STATES = {"same": ("from the facts", "ok"), "edited": ("yours", "own"), "stale": ("out of date", "old")}
_NONE = "Nothing in this card was filled in from a run's record or a model's files."


def sources_view(sources: Sequence[Mapping[str, Any]]) -> str:
    """The answer of `/card_sources`; a button picks the number of its source in `sources`."""
    if not sources:
        return notice(_NONE)
    stale = sum(one["state"] == "stale" for one in sources)
    own = sum(one["state"] == "edited" for one in sources)
    said = "Every fact is as it was filled in."
    if stale or own:
        said = f"Of {len(sources)} values {stale} are out of date, and {own} are yours."
    origins = {one["from"].partition(": ")[0] for one in sources}
    if len(origins) == 1:
        said += f" All come from {origins.pop()}."
        sources = [{**one, "from": one["from"].partition(": ")[2] or one["from"]} for one in sources]
    # Those that ask for something come first.
    order = {"stale": 0, "edited": 1, "same": 2}
    numbered = sorted(enumerate(sources), key=lambda one: order[one[1]["state"]])
    rows = "".join(_row(number, one) for number, one in numbered)
    head = "<thead><tr><th>Where</th><th>Value and source</th><th>State</th></tr></thead>"
    return (
        f"{notice(said, 'warning' if stale else 'success')}"
        '<div class="wb-table" role="region" aria-label="Values that were filled in" tabindex="0">'
        f"<table>{head}<tbody>{rows}</tbody></table></div>"
    )


def _row(number: int, one: Mapping[str, Any]) -> str:
    words, kind = _STATES[one["state"]]
    now = f"<br><small>now {escape(shortly(one['now']))}</small>" if one["state"] == "stale" else ""
    button = ""
    if one["state"] != "same" and one.get("remedy"):
        button = f' <button type="button" class="wb-link" data-pick="{number}">Write the fact</button>'
    where = one.get("field") or one.get("section")
    value = f"{escape(shortly(one['value']))}{now}<br><small>{escape(one['from'])}</small>"
    state = f'<span class="wb-state wb-state-{kind}">{words}</span>{button}'
    return f"<tr><td>{escape(where)}</td><td>{value}</td><td>{state}</td></tr>"
