"""Many rows that were run: how far they are, what came of each, and how well that fits the gold answers."""

from __future__ import annotations

from typing import Any

from components.service.tasks import TaskSpec
from components.service.tasks.answers import answer
from components.widgets.html import duration, escape, facts, notice, says, table

_SHOWN, _CHARS = 200, 160
_STOPPED = {
    "time": "The time for one batch was up: the rows that are missing were not run.",
    "size": "The results became too large for one batch: the rows that are missing were not run.",
}


def progress(done: int, total: int | None, remaining: float | None) -> str:
    """A bar of the rows that are done, with the time that is left."""
    share = 100 * done / total if total else 0
    said = f"{done:,} of {total:,} rows" if total else "Reading the rows …"
    left = f" · about {duration(remaining)} left" if remaining else ""
    line = f'<p class="wb-lead">{said}{left}</p>'
    return line + (
        f'<div class="wb-progress" role="progressbar" aria-valuenow="{share:.0f}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-label="Rows that are done"><i style="width:{share:.1f}%"></i></div>'
    )


def batch_view(spec: TaskSpec, result: dict[str, Any]) -> str:
    """The result of a batch as of `run_batch`."""
    through, told = result["throughput"], result["facts"]
    failed = sum("error" in row for row in result["rows"])
    stated = facts(
        [
            ("Model", told["model"]),
            ("Rows", f"{through['rows']:,}"),
            ("With an error", failed or None),
            ("Time", duration(through["seconds"])),
            ("Speed", f"{through['rows_per_second']:,.1f} rows/s" if through["rows_per_second"] else None),
            ("Device", told["device"]),
            ("Type", told["dtype"]),
            ("Commit", told["commit"][:7]),
        ]
    )
    notes = "".join(notice(note) for note in told["notes"])
    stopped = notice(_STOPPED.get(result.get("stopped") or "", ""), "warning")
    done = "1 row is done" if through["rows"] == 1 else f"{through['rows']:,} rows are done"
    said = says(done + (f", {failed:,} with an error" if failed else ""))
    return stated + said + notes + stopped + metrics_view(result.get("metrics")) + rows_view(spec, result["rows"])


def metrics_view(metrics: dict[str, Any] | None) -> str:
    """Figures against the gold answers, with a confusion matrix where there is one."""
    if not metrics:
        return ""
    low, high = metrics.get("accuracy_low"), metrics.get("accuracy_high")
    named = [
        (name.replace("_", " ").capitalize(), f"{value:.4f}")
        for name, value in metrics.items()
        if isinstance(value, float) and name not in ("accuracy_low", "accuracy_high")
    ]
    band = [("95 % of such samples lie in", f"{low:.3f} to {high:.3f}")] if low is not None and high is not None else []
    stated = facts([("Rows with gold", metrics["rows"]), *named, *band])
    return stated + notice(metrics.get("note", "")) + confusion(metrics.get("labels") or [], metrics.get("confusion"))


def confusion(labels: list[str], matrix: list[list[int]] | None) -> str:
    """A confusion matrix as a table whose cells are as dark as their share of their row."""
    if not matrix:
        return ""
    head = "".join(f"<th>{escape(label)}</th>" for label in labels)
    lines = []
    for label, row in zip(labels, matrix, strict=True):
        total = sum(row) or 1
        cells = "".join(
            f'<td class="wb-num" style="background:color-mix(in srgb, var(--wb-accent) {45 * number / total:.0f}%, '
            f'transparent)">{number:,}</td>'
            for number in row
        )
        lines.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    return (
        '<p class="wb-lead">Confusion matrix: gold in rows, the model\'s answer in columns</p>'
        '<div class="wb-table wb-confusion" role="region" aria-label="Confusion matrix" tabindex="0"><table>'
        f"<thead><tr><th>Gold</th>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def rows_view(spec: TaskSpec, rows: list[dict[str, Any]]) -> str:
    """Rows with their answers, the first of them."""
    gold = any("gold" in row for row in rows)
    header = ["Row", "Input", "Answer", "Score", *(["Gold"] if gold else []), "Time"]
    cells = [_cells(spec, number, row, gold=gold) for number, row in enumerate(rows[:_SHOWN], 1)]
    more = notice(f"The first {_SHOWN} of {len(rows):,} rows are shown; the download has all.")
    shown = table(header, cells, numeric=(0, 3, len(header) - 1), label="Rows with their answers")
    return shown + (more if len(rows) > _SHOWN else "")


def _cells(spec: TaskSpec, number: int, row: dict[str, Any], *, gold: bool) -> tuple[Any, ...]:
    output = row.get("output")
    best = output[0] if isinstance(output, list) and output else output
    score = best.get("score") if isinstance(best, dict) else None
    said = row["error"] if "error" in row else answer(spec.output, output)
    return (
        number,
        short(row["input"]),
        short(said),
        f"{score:.4f}" if isinstance(score, float) else None,
        *([short(row.get("gold"))] if gold else []),
        duration(row["seconds"]),
    )


def short(value: Any) -> str:
    """A value in a cell's few characters."""
    if isinstance(value, dict):
        value = " · ".join(str(part) for part in value.values())
    text = "–" if value is None else str(value)
    return text if len(text) <= _CHARS else f"{text[: _CHARS - 1]}…"
