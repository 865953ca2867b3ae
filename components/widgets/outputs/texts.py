"""Results that are labels, texts, spans of a text, answers or vectors."""

from __future__ import annotations

import math
from typing import Any

from components.widgets.html import bars, escape, facts, table

_MOST_ROWS = 50
#: Of a list of vectors, as many are drawn, and as many of the numbers of each.
_VECTORS, _NUMBERS = 24, 96


def labels(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`[{label, score}]` as bars."""
    rows = output if isinstance(output, list) else [output]
    unit = "%" if all(0 <= row["score"] <= 1 for row in rows) else ""
    most = 1.0 if unit else None
    named = [(row["label"], row["score"]) for row in rows[:_MOST_ROWS]]
    return bars(named, label="Labels with their scores", unit=unit, most=most)


def written(inputs: Any, output: Any, answer: dict[str, Any]) -> str:
    """What a model wrote; what was there before is set apart from it."""
    if isinstance(output, str) and isinstance(inputs, list):  # a chat's answer, still being written
        return _chat([*inputs, {"role": "assistant", "content": output}])
    if isinstance(output, str):  # still being written
        return _text(inputs, output)
    rows = output if isinstance(output, list) else [output]
    several = [_one_text(inputs, row, answer) for row in rows]
    return "".join(several)


def _one_text(inputs: Any, row: Any, answer: dict[str, Any]) -> str:
    found = next((row[key] for key in ("generated_text", "summary_text", "translation_text", "text") if key in row), "")
    if isinstance(found, list):  # a chat: its last message is the answer
        return _chat(found)
    return _text(inputs if answer.get("task") == "text-generation" else None, str(found))


def _chat(messages: list[dict[str, Any]]) -> str:
    return "".join(_message(message, last=message is messages[-1]) for message in messages)


def _text(prompt: Any, text: str) -> str:
    before = prompt if isinstance(prompt, str) and text.startswith(prompt) else ""
    new = text.removeprefix(before)
    return f'<div class="wb-text" aria-live="polite">{escape(before)}<mark>{escape(new)}</mark></div>'


def _message(message: dict[str, Any], *, last: bool) -> str:
    content = message.get("content")
    if isinstance(content, list):
        content = " ".join(str(part.get("text", f"[{part.get('type')}]")) for part in content if isinstance(part, dict))
    role = escape(message.get("role", ""))
    shown = f"<mark>{escape(content)}</mark>" if last else escape(content)
    return f'<div class="wb-text wb-message wb-role-{role}"><b>{role}</b> {shown}</div>'


def spans(inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`[{entity_group or entity, word, start, end, score}]` marked in the text, and as a table."""
    text = inputs if isinstance(inputs, str) else ""
    kinds = sorted({_kind(row) for row in output})
    rows = [(row["word"], _kind(row), f"{row['score']:.4f}", row.get("start"), row.get("end")) for row in output]
    whole = all(isinstance(row.get("start"), int) and isinstance(row.get("end"), int) for row in output)
    marked = _marked(text, output, kinds) if whole else ""
    return marked + table(
        ["Words", "Entity", "Score", "From", "To"], rows[:500], numeric=(2, 3, 4), label="Entities found"
    )


def _kind(row: dict[str, Any]) -> str:
    return str(row.get("entity_group") or row.get("entity") or "")


def _marked(text: str, rows: list[dict[str, Any]], kinds: list[str]) -> str:
    parts, end = [], 0
    for row in sorted(rows, key=lambda row: row["start"]):
        if row["start"] < end:
            continue  # it lies inside the one before
        kind = _kind(row)
        parts.append(escape(text[end : row["start"]]))
        parts.append(
            f'<span class="wb-span wb-t{kinds.index(kind) % 5}">{escape(text[row["start"] : row["end"]])}'
            f"<small>{escape(kind)}</small></span>"
        )
        end = row["end"]
    return f'<div class="wb-text">{"".join(parts)}{escape(text[end:])}</div>'


def answers(inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`[{answer, score, start, end}]`: the best one marked where it was read, and all as bars."""
    rows = output if isinstance(output, list) else [output]
    context = inputs.get("context") if isinstance(inputs, dict) else None
    best = rows[0]
    shown = ""
    if isinstance(context, str) and isinstance(best.get("start"), int):
        start, end = best["start"], best["end"]
        shown = (
            f'<div class="wb-text">{escape(context[:start])}<mark>{escape(context[start:end])}</mark>'
            f"{escape(context[end:])}</div>"
        )
    named = [(row.get("answer") or "no answer", row.get("score") or 0.0) for row in rows[:_MOST_ROWS]]
    if all(row.get("score") is None for row in rows):
        return shown + f'<div class="wb-text"><mark>{escape(named[0][0])}</mark></div>'
    return shown + bars(named, label="Answers with their scores", unit="%")


def fills(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`[{sequence, score, token, token_str}]` as bars and a table; a list of such lists for several masks."""
    groups = output if output and isinstance(output[0], list) else [output]
    parts = []
    for number, group in enumerate(groups, 1):
        title = f'<p class="wb-lead">Mask {number}</p>' if len(groups) > 1 else ""
        named = [(row["token_str"].strip() or repr(row["token_str"]), row["score"]) for row in group]
        cells = [(row["sequence"], f"{row['score']:.4f}", row["token"], row["token_str"]) for row in group]
        parts += [title, bars(named, label="What may stand at the mask", unit="%")]
        parts.append(
            table(["Sequence", "Score", "Token", "Token as text"], cells, numeric=(1, 2), label="The sequences, filled")
        )
    return "".join(parts)


def vectors(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """Nested lists of numbers, as stripes of colour: each line a vector, each cell a number."""
    shape: list[int] = []
    level = output
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    rows = output
    while isinstance(rows, list) and rows and isinstance(rows[0], list) and isinstance(rows[0][0], list):
        rows = rows[0]
    rows = [rows] if rows and not isinstance(rows[0], list) else rows
    largest = max((abs(number) for row in rows[:_VECTORS] for number in row[:_NUMBERS]), default=1.0) or 1.0
    lines = "".join(
        '<div class="wb-vector">' + "".join(_cell(number / largest) for number in row[:_NUMBERS]) + "</div>"
        for row in rows[:_VECTORS]
    )
    first = rows[0] if rows else []
    stated = facts(
        [
            ("Shape", " × ".join(map(str, shape))),
            ("Length of the first vector", f"{math.sqrt(sum(n * n for n in first)):.4g}"),
            ("Begins with", ", ".join(f"{number:.4f}" for number in first[:6])),
            ("Drawn", f"{min(len(rows), _VECTORS)} of {len(rows):,} vectors, from {-largest:.3g} to {largest:.3g}"),
        ]
    )
    return f'{stated}<div class="wb-vectors" role="img" aria-label="Vectors as colours">{lines}</div>'


def _cell(share: float) -> str:
    colour = "var(--wb-c0)" if share >= 0 else "var(--wb-c1)"
    return f'<i style="background:{colour};opacity:{abs(share):.2f}"></i>'


def similarities(inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """One number for each sentence that was compared, as bars."""
    sentences = inputs.get("sentences", []) if isinstance(inputs, dict) else []
    named = sorted(zip(sentences, output, strict=False), key=lambda pair: -pair[1])
    return bars(named, label="Sentences by how near their meaning is")


def cells(inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`{answer, cells, coordinates, aggregator}`: the answer, and the cells it was read from marked in the table."""
    given = inputs.get("table", {}) if isinstance(inputs, dict) else {}
    chosen = {tuple(pair) for pair in output.get("coordinates") or []}
    names = list(given)
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    lines = []
    for number, row in enumerate(zip(*given.values(), strict=False)):
        cells = "".join(
            f"<td>{'<mark>' if (number, place) in chosen else ''}{escape(cell)}"
            f"{'</mark>' if (number, place) in chosen else ''}</td>"
            for place, cell in enumerate(row)
        )
        lines.append(f"<tr>{cells}</tr>")
    stated = facts([("Answer", output.get("answer")), ("Put together by", output.get("aggregator"))])
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'{stated}<div class="wb-table" role="region" aria-label="The table" tabindex="0">{body}</div>'


def decisions(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`{question: {type, noul or choice or score, confidence, probabilities, legend}}`: bars for each question."""
    return "".join(f'<p class="wb-lead"><b>{escape(name)}</b></p>{_decision(one)}' for name, one in output.items())


def _decision(one: dict[str, Any]) -> str:
    """One question: what was decided, and how likely each option is, under its description."""
    if "noul" in one:
        return bars([("true", one["noul"]), ("false", 1 - one["noul"])], label="Is it so?", unit="%")
    legend = one.get("legend") or {}
    rows = [
        (f"{option}: {legend[option]}" if legend.get(option) else str(option), float(share))
        for option, share in (one.get("probabilities") or {}).items()
    ]
    figures = {"Decided": one.get("choice", one.get("score")), "Confidence": one.get("confidence")}
    said = facts([(name, f"{one:.4f}" if isinstance(one, float) else one) for name, one in figures.items()])
    return said + bars(rows, label="Options with their probabilities", unit="%")
