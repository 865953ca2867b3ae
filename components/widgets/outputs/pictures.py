"""Results that are drawn on a picture, or are one. The browser reads the visitor's own file from the server's cache."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from components.service.tasks.media import sample
from components.widgets.html import empty, escape, percent, table

_MOST = 60


def boxes(inputs: Any, output: Any, answer: dict[str, Any]) -> str:
    """`[{label, score, box}]` drawn on the picture, and as a table."""
    width, height = _size(answer, output)
    names = sorted({row["label"] for row in output})
    marks = []
    for row in output[:_MOST]:
        box, kind = row["box"], names.index(row["label"]) % 4
        x, y = 100 * box["xmin"] / width, 100 * box["ymin"] / height
        wide, high = 100 * (box["xmax"] - box["xmin"]) / width, 100 * (box["ymax"] - box["ymin"]) / height
        marks.append(
            f'<span class="wb-box wb-b{kind}" style="left:{x:.2f}%;top:{y:.2f}%;width:{wide:.2f}%;height:{high:.2f}%">'
            f"<small>{escape(row['label'])} {escape(percent(row['score'], 0))}</small></span>"
        )
    rows = [
        (row["label"], f"{row['score']:.4f}", *(row["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax")))
        for row in output[:_MOST]
    ]
    header = ["Label", "Score", "Left", "Top", "Right", "Bottom"]
    return _on_picture(inputs, "".join(marks)) + table(
        header, rows, numeric=range(1, 6), label="Objects found, in pixels"
    )


def masks(inputs: Any, output: Any, answer: dict[str, Any]) -> str:  # noqa: ARG001 - what draws has one shape
    """`[{label, score, mask}]` laid over the picture in colours, with a legend."""
    layers = "".join(
        f'<i class="wb-mask wb-m{number % 6}" style="--wb-shape:url(data:image/png;base64,{escape(row["mask"])})"></i>'
        for number, row in enumerate(output[:_MOST])
        if row.get("mask")
    )
    legend = "".join(
        f'<li><i class="wb-m{number % 6}"></i>{escape(row.get("label") or "mask")} <b>{_score(row)}</b></li>'
        for number, row in enumerate(output[:_MOST])
    )
    return _on_picture(inputs, layers) + f'<ul class="wb-key-list" aria-label="Masks">{legend}</ul>'


def _score(row: dict[str, Any]) -> str:
    return "" if row.get("score") is None else escape(percent(row["score"], 0))


def image(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """A picture in base64."""
    return (
        f'<img class="wb-picture" alt="The picture that the model made" src="data:image/png;base64,{escape(output)}">'
    )


def depth(inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`{predicted_depth, depth}`: the depth as a picture, beside the one it was made from."""
    source = f"data:image/png;base64,{escape(output['depth'])}"
    made = f'<img class="wb-picture" alt="The depth that the model sees" src="{source}">'
    return f'<div class="wb-beside">{_on_picture(inputs, "")}{made}</div>'


def matches(inputs: Any, output: Any, answer: dict[str, Any]) -> str:
    """Pairs of points in two pictures, as a table, the best first."""
    best = sorted(output, key=lambda row: -row["score"])[:_MOST]
    both = inputs if isinstance(inputs, list) else []
    pictures = "".join(
        _on_picture(one, _points(best, f"keypoint_image_{number}", answer, number))
        for number, one in enumerate(both[:2])
    )
    rows = [
        (number, *(f"{row[key][axis]:.0f}" for key in _POINTS for axis in "xy"), f"{row['score']:.4f}")
        for number, row in enumerate(best, 1)
    ]
    header = ["Match", "x in the first", "y", "x in the second", "y", "Score"]
    return f'<div class="wb-beside">{pictures}</div>' + table(
        header, rows, numeric=range(6), label="Matches, in pixels"
    )


_POINTS = ("keypoint_image_0", "keypoint_image_1")


def _points(rows: list[dict[str, Any]], key: str, answer: dict[str, Any], number: int) -> str:
    sizes = answer.get("image_sizes") or []
    if number >= len(sizes):
        return ""
    width, height = sizes[number]
    marks = []
    for place, row in enumerate(rows, 1):
        left, top = 100 * row[key]["x"] / width, 100 * row[key]["y"] / height
        marks.append(f'<span class="wb-point" style="left:{left:.2f}%;top:{top:.2f}%">{place}</span>')
    return "".join(marks)


def _size(answer: dict[str, Any], output: Any) -> tuple[float, float]:
    """Width and height of the picture in pixels; without it, the boxes' own extent."""
    if sizes := answer.get("image_sizes"):
        return sizes[0][0], sizes[0][1]
    return max(row["box"]["xmax"] for row in output) or 1, max(row["box"]["ymax"] for row in output) or 1


def _on_picture(value: Any, marks: str) -> str:
    address = picture_address(value)
    if not address:
        return empty("The picture itself is not at hand here.")
    return f'<div class="wb-on-picture"><img alt="The picture that was given" src="{escape(address)}">{marks}</div>'


def picture_address(value: Any) -> str:
    """Where the browser finds a picture that was given; empty for one that is in no file."""
    if isinstance(value, dict) and "image" in value:
        value = value["image"]
    if isinstance(value, dict) and isinstance(value.get("file"), str):
        return f"gradio_api/file={quote(value['file'])}"
    if isinstance(value, dict) and isinstance(value.get("sample"), str):
        return f"gradio_api/file={quote(str(sample(value['sample'])))}"
    return f"data:image/png;base64,{value}" if isinstance(value, str) and not value.startswith("data:") else str(value)
