"""A model's answers before and after a run, side by side: each kind of answer in a cell's few lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from components.widgets.html import escape, percent
from components.widgets.rows import short

NO_SAMPLES = "When the run has a model, its answers to your own inputs stand here beside those from before."
_LEAD = "Before is the model that the run started from; a head that is new answers at random."
#: The only form in which a picture is shown: a stranger's text can be no address.
_PICTURE = re.compile(r"(?:data:image/(png|jpeg|webp|gif);base64,)?([A-Za-z0-9+/]{16,}={0,2})")
_MOST = 3
_WRITTEN = ("generated_text", "summary_text", "translation_text")


def before_after(rows: list[dict[str, Any]]) -> str:
    """The answers of `/try_run`: for each input what the model said before the run and says after it."""
    cells = [[input_html(row["text"]), *(answer_html(row["text"], row[when]) for when in ("before", "after"))]
             for row in rows]  # fmt: skip
    shown = rich_table(["Input", "Before", "After"], cells, label="Answers before and after the run")
    return f'<p class="wb-lead">{_LEAD}</p>{shown}'


def rich_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, label: str, numeric: Iterable[int] = ()) -> str:
    """A table whose cells are HTML already; see `html.table` for plain values and for the arguments."""
    right = set(numeric)

    def cells(row: Iterable[str], tag: str) -> str:
        return "".join(f"<{tag}{' class=wb-num' if i in right else ''}>{cell}</{tag}>" for i, cell in enumerate(row))

    head = cells(map(escape, header), "th")
    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return (
        f'<div class="wb-table wb-answers" role="region" aria-label="{escape(label)}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def samples_view(state: dict[str, Any]) -> str:
    """The run's own samples before and after, as they were recorded; empty while there are none."""
    recorded = state["samples"]
    if not recorded.get("after"):
        return ""
    before = recorded.get("before") or [{"output": None}] * len(recorded["after"])
    return before_after(
        [
            {"text": new["text"], "before": old["output"], "after": new["output"]}
            for old, new in zip(before, recorded["after"], strict=True)
        ]
    )


def input_html(given: Any) -> str:
    """An input: a text, two of them, a question with its context, or a picture."""
    if isinstance(given, dict) and "image" in given:
        return _picture(given["image"])
    if isinstance(given, dict):
        first, *rest = [str(value) for value in given.values() if value]
        return escape(short(first)) + "".join(f'<p class="wb-lead">{escape(short(one))}</p>' for one in rest)
    if isinstance(given, str) and given.startswith("data:image/"):
        return _picture(given)
    return escape(short(given))


def _picture(value: Any) -> str:
    found = _PICTURE.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return escape(short(value))
    kind = found[1] or "png"
    return f'<img class="wb-thumb" alt="The picture that was given" src="data:image/{kind};base64,{found[2]}">'


def answer_html(given: Any, answer: Any) -> str:
    """An answer in the form of its task."""
    if answer is None:
        return "–"
    rows = answer if isinstance(answer, list) else [answer]
    if not rows:
        return "nothing"
    first = rows[0]
    if not isinstance(first, dict):
        return escape(short(", ".join(map(str, rows))))
    if "entity_group" in first or "entity" in first:
        return _spans(given, rows)
    for name in _WRITTEN:
        if name in first:
            return _written(given, first[name])
    if "answer" in first:
        return _scored([(one["answer"] or "no answer", one.get("score")) for one in rows[:1]])
    if "token_str" in first:
        return _scored([(one["token_str"], one.get("score")) for one in rows[:_MOST]])
    if "label" in first:
        return _scored([(one["label"], one.get("score")) for one in rows[:_MOST]])
    if "score" in first:
        return escape(f"{first['score']:.4g}")
    return escape(short(first))


def _scored(rows: list[tuple[Any, float | None]]) -> str:
    return "".join(
        f'<div class="{"wb-most" if number == 0 else "wb-less"}">{escape(name)}'
        f"{f' <span>{escape(percent(score, 1))}</span>' if isinstance(score, int | float) else ''}</div>"
        for number, (name, score) in enumerate(rows)
    )


def _written(given: Any, text: Any) -> str:
    """What was written; a text that was only gone on with is set apart."""
    before = given if isinstance(given, str) and isinstance(text, str) and text.startswith(given) else ""
    return f"{escape(before)}<mark>{escape(short(str(text).removeprefix(before)))}</mark>"


def _spans(given: Any, rows: list[dict[str, Any]]) -> str:
    text = given if isinstance(given, str) else ""
    kinds = sorted({_kind(row) for row in rows})
    parts, end = [], 0
    for row in sorted(rows, key=lambda row: row.get("start") or 0):
        start, stop = row.get("start"), row.get("end")
        if not isinstance(start, int) or not isinstance(stop, int) or start < end:
            continue
        colour = kinds.index(_kind(row)) % 5
        parts.append(
            f'{escape(text[end:start])}<span class="wb-span wb-t{colour}">{escape(text[start:stop])}'
            f"<small>{escape(_kind(row))}</small></span>"
        )
        end = stop
    return f"{''.join(parts)}{escape(text[end:])}"


def _kind(row: dict[str, Any]) -> str:
    return str(row.get("entity_group") or row.get("entity") or "")
