"""Models side by side on the same rows."""

from __future__ import annotations

from typing import Any

from components.widgets.html import duration, escape, notice, percent, size, table
from components.widgets.rows import short

_SHOWN = 200


def compare_view(result: dict[str, Any], *, only_different: bool) -> str:
    """The result of `compare_models`: the models with their figures, how far they agree, and the rows.

    Args:
        result: As the service gives it.
        only_different: Leave out the rows on which all agree.
    """
    names = [one["model"] for one in result["models"]]
    if sum("error" not in one or not one["error"] for one in result["models"]) < 2:
        return _models(result["models"]) + notice(
            "Fewer than two models ran, so there is nothing to compare.", "warning"
        )
    return (
        _models(result["models"])
        + _agreement(names, result["agreement"], result["means"])
        + _rows(names, result, only_different=only_different)
    )


def _models(models: list[dict[str, Any]]) -> str:
    refused = "".join(notice(one["error"], "error", title=f"{one['model']}.") for one in models if one.get("error"))
    ran = [one for one in models if not one.get("error")]
    header = [
        "Model",
        "Median time of a row",
        "95th percentile",
        "Rows a second",
        "Weights",
        "Memory grew by",
        "Loading",
    ]
    rows = [
        (
            one["model"],
            duration(one["p50_seconds"]),
            duration(one["p95_seconds"]),
            f"{one['rows_per_second']:,.1f}" if one["rows_per_second"] else None,
            size(one["bytes"]),
            size(one["rss_bytes"]),
            duration(one["load_seconds"]),
        )
        for one in ran
    ]
    figures = table(header, rows, numeric=range(1, 7), label="Models with their figures") if ran else ""
    return refused + figures + _metrics(ran) + "".join(notice(note, "warning") for one in ran for note in one["notes"])


def _metrics(models: list[dict[str, Any]]) -> str:
    """The models' figures against the gold answers, side by side."""
    measured = [one for one in models if one.get("metrics")]
    names = list(dict.fromkeys(k for one in measured for k, v in one["metrics"].items() if isinstance(v, float)))
    if not names:
        return ""
    rows = [(one["model"], *(_figure(one["metrics"].get(name)) for name in names)) for one in measured]
    titles = [name.replace("_", " ").capitalize() for name in names]
    return table(["Model", *titles], rows, numeric=range(1, len(names) + 1), label="Against the gold answers")


def _figure(value: Any) -> str | None:
    return f"{value:.4f}" if isinstance(value, float) else None


def _agreement(names: list[str], matrix: list[list[float | None]], means: str) -> str:
    """How often each two models agree, as a table whose cells are as dark as they agree."""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = []
    for name, row in zip(names, matrix, strict=True):
        cells = "".join(
            "<td class='wb-num'>–</td>"
            if share is None
            else f'<td class="wb-num" style="background:color-mix(in srgb, var(--wb-heat) {60 * share:.0f}%, '
            f'transparent)">{escape(percent(share, 0))}</td>'
            for share in row
        )
        lines.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        f'<p class="wb-lead">How often two models agree. {escape(means)}</p>'
        '<div class="wb-table" role="region" aria-label="Agreement" tabindex="0"><table>'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _rows(names: list[str], result: dict[str, Any], *, only_different: bool) -> str:
    different = set(result["disagreements"])
    chosen = [(number, row) for number, row in enumerate(result["rows"]) if not only_different or number in different]
    if not chosen:
        return notice("The models agree on every row.", "success")
    gold = any("gold" in row for row in result["rows"])
    header = ["Row", "Input", *names, *(["Gold"] if gold else [])]
    cells = [
        (
            number + 1,
            short(row["input"]),
            *(short(error or said) for said, error in zip(row["answers"], row["errors"], strict=True)),
            *([short(row.get("gold"))] if gold else []),
        )
        for number, row in chosen[:_SHOWN]
    ]
    more = notice(f"The first {_SHOWN} of {len(chosen):,} rows are shown.") if len(chosen) > _SHOWN else ""
    lead = f"{len(different):,} of {len(result['rows']):,} rows on which not all agree."
    return f'<p class="wb-lead">{lead}</p>' + table(header, cells, numeric=(0,), label="Rows side by side") + more
