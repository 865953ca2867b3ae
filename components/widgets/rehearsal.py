"""A rehearsal: what a run will take, measured, and whether it fits."""

from __future__ import annotations

from typing import Any

from components.widgets.html import duration, escape, facts, notice


def rehearsal_view(made: dict[str, Any]) -> str:
    """The answer of `/rehearse_run`."""
    return notice(made["message"], "success" if made["fits"] else "warning") + _figures(made) + _checks(made)


def _figures(made: dict[str, Any]) -> str:
    precision = made.get("precision") or {}
    rows = made.get("rows") or {}
    stated = facts(
        [
            ("A step, on average", duration(made.get("seconds_per_step"))),
            ("Steps", f"{made['steps']:,}" if made.get("steps") else None),
            ("An evaluation", duration(made.get("evaluation_seconds"))),
            ("Saving", duration(made.get("save_seconds"))),
            ("Longest batch", f"{made['longest']:,} tokens" if made.get("longest") else None),
            ("Rows", " + ".join(f"{number:,} {name}" for name, number in rows.items()) or None),
        ]
    )
    why = f"Precision: {precision.get('dtype')}. {precision.get('why') or ''}".strip() if precision else ""
    return stated + (f'<p class="wb-lead">{escape(why)}</p>' if why else "")


def _checks(made: dict[str, Any]) -> str:
    items = "".join(
        f'<li class="{"wb-ok" if one["ok"] else "wb-not-ok"}"><b>{escape(one["name"])}</b> '
        f"<span>{escape(one['message'])}</span></li>"
        for one in made.get("checks") or []
        if one["message"] not in made["message"]  # said above
    )
    return f'<ul class="wb-checks">{items}</ul>' if items else ""


def changes(instead: dict[str, Any]) -> str:
    """Settings in a few words, for a button: `batch size 8, accumulation 2`."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in instead.items())
