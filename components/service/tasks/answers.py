"""The gist of an output: what is compared between models, scored against a gold answer, and put into a table's cell."""

from __future__ import annotations

from typing import Any

from components.service.tasks.spec import Output

#: How two outputs are held against each other; a kind of output that is not here has no gist.
MEANS: dict[Output, str] = {
    "labels": "Two models agree on a row where their best label is the same, upper and lower case aside.",
    "text": "Two models agree on a row where they write the same text to the letter.",
    "speech": "Two models agree on a row where they hear the same text to the letter.",
    "spans": "Two models agree on a row where they mark the same spans with the same labels.",
    "answers": "Two models agree on a row where their best answer is the same text, upper and lower case aside.",
    "cells": "Two models agree on a row where their answer is the same text, upper and lower case aside.",
    "fills": "Two models agree on a row where they put the same token first at every mask.",
}
_TEXTS = ("generated_text", "summary_text", "translation_text", "text")


def answer(kind: Output, output: Any) -> str | None:
    """The gist of `output` as text; None where there is none.

    Args:
        kind: `TaskSpec.output`.
        output: A task's output for one input.
    """
    if kind == "spans" and output is not None:
        return "; ".join(f"{one['start']}-{one['end']} {span_label(one)}" for one in output)
    if kind not in MEANS or not output:
        return None
    first = output[0] if isinstance(output, list) else output
    if kind == "fills":
        masks = output if isinstance(first, list) else [output]
        return " … ".join(str(mask[0]["token_str"]) for mask in masks)
    if kind == "labels":
        return str(first["label"])
    if kind in ("answers", "cells"):
        return str(first["answer"])
    text = next((first[name] for name in _TEXTS if name in first), "")
    return str(text[-1].get("content", "")) if isinstance(text, list) and text else str(text)


def span_label(span: dict[str, Any]) -> str:
    """The label of one span, grouped or not."""
    return str(span.get("entity_group") or span.get("entity") or span.get("label") or "")


def same(kind: Output, one: str | None, two: str | None) -> bool:
    """Whether two gists are the same, as `MEANS` has it."""
    if one is None or two is None:
        return False
    return one.strip().casefold() == two.strip().casefold() if kind in ("labels", "answers", "cells") else one == two
