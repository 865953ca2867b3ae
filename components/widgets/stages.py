"""Preprocess, forward, postprocess: each step with its time and its tensors."""

from __future__ import annotations

from typing import Any

from components.widgets.html import bars, duration, escape, table

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
    parts = [_tensors(stage["tensors"])] if stage.get("tensors") else []
    if stage.get("tokens"):
        rows = [(row["position"], row["id"], row["token"], row["text"]) for row in stage["tokens"]]
        parts.append(table(["Position", "Id", "Token", "Text"], rows, numeric=(0, 1), label="Tokens of this step"))
    if stage.get("scores"):
        rows = [(row["label"], f"{row['logit']:.4f}", f"{row['score']:.4f}") for row in stage["scores"]]
        parts.append(table(["Label", "Logit", "Score"], rows, numeric=(1, 2), label="From logits to scores"))
    if stage.get("next_tokens"):
        likely = [(repr(row["text"]), row["probability"]) for row in stage["next_tokens"]]
        parts.append(f"<p>The likeliest first tokens</p>{bars(likely, label='The likeliest first tokens', unit='%')}")
    return (
        f'<section class="wb-stage"><h4>{escape(title)} <small>{escape(duration(stage["seconds"]))}</small></h4>'
        f"<p>{escape(stage['note'])}</p>{''.join(parts)}</section>"
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
