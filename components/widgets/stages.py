"""Preprocess, forward, postprocess: each step with its time and its tensors."""

from __future__ import annotations

from typing import Any

from components.widgets.html import bars, duration, escape, table

_TITLES = {
    "preprocess": "Preprocess: the input becomes numbers",
    "forward": "Forward: the model turns them into a prediction",
    "postprocess": "Postprocess: the prediction becomes an answer",
}
#: Most rows of a list of tokens, and most numbers of a tensor, that are shown.
_ROWS, _NUMBERS = 500, 256


def stages_view(result: dict[str, Any]) -> str:
    """The result of `run_stages` as HTML."""
    return "".join(_stage(number, stage) for number, stage in enumerate(result["stages"], 1))


def _stage(number: int, stage: dict[str, Any]) -> str:
    title = f"{number}. {_TITLES.get(stage['name'], stage['name'])}"
    parts = [tensors_view(stage["tensors"], title)] if stage.get("tensors") else []
    if stage.get("picture"):
        parts.append(f'<img class="wb-seen" alt="What the model sees" src="data:image/png;base64,{stage["picture"]}">')
    if stage.get("tokens"):
        parts.append(_tokens(stage["tokens"], title))
    if stage.get("scores"):
        rows = [(row["label"], f"{row['logit']:.4f}", f"{row['score']:.4f}") for row in stage["scores"]]
        parts.append(table(["Label", "Logit", "Score"], rows, numeric=(1, 2), label="From logits to scores"))
    if stage.get("next_tokens"):
        likely = [(repr(row["text"]), row["probability"]) for row in stage["next_tokens"]]
        parts.append(f"<p>The likeliest first tokens</p>{bars(likely, label='The likeliest first tokens', unit='%')}")
    if stage.get("table"):
        given = stage["table"]
        rows = [[f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in given["rows"][:_ROWS]]
        parts.append(table(given["header"], rows, label=given.get("label", "What this step gave")))
    return (
        f'<section class="wb-stage"><h2>{escape(title)} <small>{escape(_time(stage))}</small></h2>'
        f"<p>{escape(stage['note'])}</p>{''.join(parts)}</section>"
    )


def _time(stage: dict[str, Any]) -> str:
    first, warm = duration(stage["seconds"]), duration(stage.get("warm_seconds"))
    return f"{first} the first time, {warm} warm" if warm else str(first)


def _tokens(tokens: list[dict[str, Any]], title: str) -> str:
    """Tokens beside their ids, and the attention mask where there is one."""
    masked = "attention" in tokens[0]
    header = ["Position", "Id", "Token", "Text", *(["Attention mask"] if masked else [])]
    rows = [
        (row["position"], row["id"], row["token"], row["text"], *([row.get("attention")] if masked else []))
        for row in tokens[:_ROWS]
    ]
    more = f"<p>{len(tokens) - _ROWS:,} more tokens follow.</p>" if len(tokens) > _ROWS else ""
    return table(header, rows, numeric=(0, 1, 4), label=f"Tokens: {title}") + more


def tensors_view(tensors: list[dict[str, Any]], title: str) -> str:
    """Tensors of the part under `title`, with name, shape, type, device and range; their first values fold out."""
    header = "".join(f"<th>{name}</th>" for name in ("Tensor", "Shape", "Type", "Device", "From … to, mean", "Values"))
    rows = "".join(_tensor(tensor) for tensor in tensors[:60])
    more = f"<p>{len(tensors) - 60} more tensors follow.</p>" if len(tensors) > 60 else ""
    return (
        f'<div class="wb-table" role="region" aria-label="Tensors: {escape(title)}" tabindex="0"><table>'
        f"<thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>{more}"
    )


def _tensor(tensor: dict[str, Any]) -> str:
    shape = " × ".join(map(str, tensor["shape"])) or "one number"
    span = tensor.get("range")
    stated = f"{_number(span['min'])} … {_number(span['max'])}, {_number(span['mean'])}" if span else "–"
    cells = (tensor["name"], shape, tensor["dtype"], tensor.get("device", ""), stated)
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{_values(tensor)}</td></tr>"


def _values(tensor: dict[str, Any]) -> str:
    """The first few numbers; more of them, one line for each row of the tensor, fold out."""
    flat = _flat(tensor["sample"])
    short = ", ".join(map(_number, flat[:4])) + (" …" if len(flat) > 4 else "")
    if len(flat) <= 4:
        return escape(short)
    lines = "\n".join(_lines(tensor["sample"])[:24])
    return (
        f'<details><summary>{escape(short)}</summary><pre class="wb-json" tabindex="0">{escape(lines)}</pre></details>'
    )


def _lines(sample: Any, where: str = "") -> list[str]:
    if sample and isinstance(sample[0], list):
        return [line for place, part in enumerate(sample) for line in _lines(part, f"{where}{place}, ")]
    return [f"[{where}:] {', '.join(map(_number, sample[:_NUMBERS]))}"]


def _flat(sample: Any) -> list[Any]:
    flat = sample if isinstance(sample, list) else [sample]
    while flat and isinstance(flat[0], list):
        flat = [value for row in flat for value in row]
    return flat


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
