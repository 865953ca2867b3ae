"""Preprocess, forward, postprocess: each step with its time and its tensors."""

from __future__ import annotations

from typing import Any

from .html import duration, escape, table

_TITLES = {
    "preprocess": "Preprocess: the tokenizer turns text into ids",
    "forward": "Forward: the model turns ids into a prediction",
    "postprocess": "Postprocess: the prediction becomes an answer",
}


def stages_view(result: dict[str, Any]) -> str:
    """The result of `run_stages` as HTML."""
    return "".join(_stage(number, stage) for number, stage in enumerate(result["stages"], 1))


def _stage(number: int, stage: dict[str, Any]) -> str:
    title = f"{number}. {_TITLES.get(stage['name'], stage['name'])}"
    note = f"<p>{escape(stage['note'])}</p>" if stage.get("note") else ""
    parts = [_tensors(stage["tensors"])] if stage.get("tensors") else []
    parts += [_table(entry) for entry in stage.get("tables", [])]
    return (
        f'<section class="wb-stage"><h4>{escape(title)} <small>{escape(duration(stage["seconds"]))}</small></h4>'
        f"{note}{''.join(parts)}</section>"
    )


def _tensors(tensors: list[dict[str, Any]]) -> str:
    rows = [
        (
            tensor["name"],
            " × ".join(map(str, tensor["shape"])),
            tensor["dtype"],
            tensor.get("device", ""),
            _values(tensor),
        )
        for tensor in tensors
    ]
    return table(["Tensor", "Shape", "Type", "Device", "First values"], rows, label="Tensors of this step")


def _values(tensor: dict[str, Any]) -> str:
    sample = tensor["sample"]
    flat = sample if isinstance(sample, list) else [sample]
    while flat and isinstance(flat[0], list):
        flat = [value for row in flat for value in row]
    shown = ", ".join(f"{value:.4g}" if isinstance(value, float) else str(value) for value in flat[:12])
    return shown + (" …" if len(flat) > 12 else "")


def _table(entry: dict[str, Any]) -> str:
    return f"<p>{escape(entry['title'])}</p>" + table(entry["header"], entry["rows"], label=entry["title"])
