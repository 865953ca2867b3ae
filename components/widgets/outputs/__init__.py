"""A task's result as HTML: one function for each kind of output that a `TaskSpec` may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from components.service.tasks import TaskSpec
from components.widgets.html import empty, escape, percent
from components.widgets.outputs import pictures, sounds, texts

#: Longest result that is shown as JSON, in characters.
RAW_CHARS = 20_000

#: What draws each kind of output, from the task's input, its output, and the whole answer of the service.
Draw = Callable[[Any, Any, dict[str, Any]], str]
_DRAW: dict[str, Draw] = {
    "labels": texts.labels,
    "text": texts.written,
    "spans": texts.spans,
    "answers": texts.answers,
    "fills": texts.fills,
    "vectors": texts.vectors,
    "scores": texts.similarities,
    "cells": texts.cells,
    "decisions": texts.decisions,
    "boxes": pictures.boxes,
    "masks": pictures.masks,
    "image": pictures.image,
    "depth": pictures.depth,
    "matches": pictures.matches,
    "audio": sounds.audio,
    "speech": sounds.speech,
}


def shown(spec: TaskSpec, inputs: Any, answer: dict[str, Any]) -> str:
    """The result of one input, drawn, with its JSON folded under it.

    Args:
        spec: The task.
        inputs: The input, as the service takes it.
        answer: What `run_task` or the last item of `stream_task` gave.
    """
    output = answer.get("output", answer.get("text"))
    if output in ([], {}):
        return empty("The model found nothing here that reaches the threshold.")
    drawn = _DRAW[spec.output](inputs, output, answer)
    return drawn + (raw(answer["output"]) if "output" in answer else "")


def in_words(output: Any) -> str:
    """A result in a few words, for those who hear that it is there."""
    best = output[0] if isinstance(output, list) and output else None
    if isinstance(best, dict) and isinstance(best.get("score"), float) and isinstance(best.get("label"), str):
        return f"The result is there: {best['label']}, {percent(best['score'])}"
    return "The result is there"


def raw(value: Any) -> str:
    """A JSON value, folded; a long one is cut, and says so."""
    text = orjson.dumps(_short(value), option=orjson.OPT_INDENT_2).decode()
    cut = f"\n… {len(text) - RAW_CHARS:,} more characters" if len(text) > RAW_CHARS else ""
    return (
        '<details class="wb-fold"><summary>As JSON</summary>'
        f'<pre class="wb-json" tabindex="0">{escape(text[:RAW_CHARS] + cut)}</pre></details>'
    )


def _short(value: Any) -> Any:
    """The value with files in base64 and long lists of numbers cut: nobody reads them."""
    if isinstance(value, str) and len(value) > 2000:
        return f"{value[:60]}… ({len(value):,} characters)"
    if isinstance(value, list):
        return [_short(one) for one in value[:200]] + ([f"… {len(value) - 200:,} more"] if len(value) > 200 else [])
    return {name: _short(one) for name, one in value.items()} if isinstance(value, dict) else value
