"""What the data doctor found: findings with their remedies, labels and lengths, rows raw and as the model gets them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from components.widgets.answers import input_html, rich_table
from components.widgets.histogram import histogram
from components.widgets.html import bars, counted_findings, escape, facts, notice, percent, says

#: A click on a remedy, or on its undoing, is told to the page.
PICKING = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-remedy], button[data-undo]");
  if (!button) return;
  const { remedy, undo } = button.dataset;
  trigger("select", undo === undefined ? { remedy: Number(remedy) } : { undo });
});"""
_LABELS, _ROWS, _TOKENS = 20, 6, 160
Applied = Mapping[str, Mapping[str, Any]]


def doctor_view(seen: dict[str, Any], applied: Applied) -> str:
    """The answer of `/inspect_data`.

    Args:
        seen: As the service gives it.
        applied: The remedies that are in use, by name: `{"label", "effect"}`.
    """
    return (
        _split(seen)
        + _applied(applied)
        + _findings(seen["problems"], applied)
        + '<div class="wb-charts">'
        + _labels(seen)
        + _lengths(seen)
        + "</div>"
        + _raw(seen)
        + _tokenized(seen.get("preview") or [])
    )


def _split(seen: dict[str, Any]) -> str:
    split = seen.get("split") or {}
    sizes = {name: split[name] for name in ("train", "validation", "test") if split.get(name)} or seen["splits"]
    said = f'<p class="wb-lead">{escape(split["how"])}</p>' if split.get("how") else ""
    stated = ((name.capitalize(), f"{rows:,} {'row' if rows == 1 else 'rows'}") for name, rows in sizes.items())
    return facts(stated) + said


def _applied(applied: Applied) -> str:
    items = "".join(
        f'<li><span>{escape(one["effect"])}</span><button type="button" data-undo="{escape(name)}">Undo</button></li>'
        for name, one in applied.items()
    )
    return f'<p class="wb-lead">Done before training</p><ul class="wb-remedies">{items}</ul>' if items else ""


def _findings(problems: Sequence[dict[str, Any]], applied: Applied) -> str:
    if not problems:
        fine = "Nothing in the data speaks against training on it."
        return says(fine) + notice(fine, "success", spoken=False)
    return says(counted_findings(problems)) + "".join(
        _finding(number, one, applied) for number, one in enumerate(problems)
    )


def _finding(number: int, problem: dict[str, Any], applied: Applied) -> str:
    remedy = problem.get("remedy")
    said = f"{escape(problem['message'])} {escape(problem.get('fix') or '')}".strip()
    button = ""
    if remedy and remedy["name"] not in applied:
        button = (
            f'<div class="wb-remedy"><button type="button" data-remedy="{number}">{escape(remedy["label"])}</button>'
            f"<small>{escape(remedy['effect'])}</small></div>"
        )
    return f'<div class="wb-notice wb-{escape(problem["level"])}">{said}{button}</div>'


def _labels(seen: dict[str, Any]) -> str:
    rows = seen["labels"]
    if not rows:
        return ""
    tagged = bool(seen["suggested"].get("tags"))
    shown = bars(
        [(str(row["label"]), row["count"]) for row in rows[:_LABELS]],
        label=f"{'Words' if tagged else 'Rows'} of each label",
        unit="word" if tagged else "row",
        most=None,
    )
    more = f"The first {_LABELS} of {len(rows):,} labels." if len(rows) > _LABELS else ""
    return (
        f'<figure class="wb-chart"><figcaption>Labels</figcaption>{shown}<p class="wb-lead">{more}</p></figure>'
        if more
        else f'<figure class="wb-chart"><figcaption>Labels</figcaption>{shown}</figure>'
    )


def _lengths(seen: dict[str, Any]) -> str:
    """Tokens of a text where a model is known, else words."""
    lengths = seen.get("tokens") or seen.get("lengths") or {}
    if not lengths.get("histogram"):
        return ""
    unit, cut = lengths["unit"], lengths.get("cut")
    drawn = histogram(f"Length in {unit}", lengths["histogram"], unit=unit, limit=lengths.get("limit"))
    stated = facts(
        [
            ("Median", f"{lengths['median']:,}"),
            ("95 % have at most", f"{lengths['p95']:,}"),
            ("Longest", f"{lengths['longest']:,}"),
            ("Cut", percent(cut, 1) if cut else None),
        ]
    )
    return f"<div>{drawn}{stated}</div>"


def _raw(seen: dict[str, Any]) -> str:
    names = [column["name"] for column in seen["columns"]]
    rows = [[input_html(row.get(name)) for name in names] for row in seen["rows"][:_ROWS]]
    return '<p class="wb-lead">First rows</p>' + rich_table(names, rows, label="First rows of the data")


def _tokenized(preview: Sequence[dict[str, Any]]) -> str:
    """Each previewed row as the model gets it: its tokens, under each what is learned there."""
    strips = "".join(_strip(one) for one in preview[:_ROWS] if one.get("tokens"))
    lead = '<p class="wb-lead">The beginning of train as the model gets it, token by token</p>'
    return lead + strips if strips else ""


def _strip(one: dict[str, Any]) -> str:
    tokens = one["tokens"]
    labels = one.get("labels") or [None] * len(tokens)
    parts = "".join(
        f'<span class="wb-token wb-t{place % 5}{" wb-learned" if label is not None else ""}">{escape(token)}'
        f"{f'<small>{escape(label)}</small>' if label is not None else ''}</span>"
        for place, (token, label) in enumerate(zip(tokens[:_TOKENS], labels, strict=False))
    )
    more = f'<span class="wb-lead"> … {len(tokens) - _TOKENS:,} more</span>' if len(tokens) > _TOKENS else ""
    return (
        f'<div class="wb-tokens wb-strip" tabindex="0" role="region" aria-label="Tokens of a row">{parts}{more}</div>'
    )
