"""The first rows of a table as JSON values, to be shown."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from components.service.runs.values import Picture
from components.service.worker.columns import label_name, shorten
from components.service.worker.tables import Table

FIRST_ROWS = 20
#: Rows that are shown as the model reads them.
SHOWN_ROWS = 5
#: Most characters of a cell, and pixels of the longer side of an image.
CHARS = 500
_SIDE = 96


def first_rows(table: Table) -> list[dict[str, Any]]:
    """The first rows by column, as JSON values of bounded length; an image as a small one in a data URL, a class by its
    name."""
    return [
        {column: _shown(_named(values[i], table.names.get(column, []))) for column, values in table.columns.items()}
        for i in range(min(FIRST_ROWS, len(table)))
    ]


def _named(value: Any, names: Sequence[str]) -> Any:
    if not names:
        return value
    return [label_name(one, names) for one in value] if isinstance(value, list) else label_name(value, names)


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Picture):
        return thumbnail(value)
    return shorten(str(value), CHARS)


def thumbnail(image: Picture) -> str:
    """A small JPEG of an image (which has been opened before, under limits) as a data URL."""
    from PIL import Image

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's file may have odd parts
        with Image.open(io.BytesIO(image.data)) as opened:
            opened.draft("RGB", (_SIDE, _SIDE))
            opened.thumbnail((_SIDE, _SIDE))
            opened.convert("RGB").save(file, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def picture_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The first rows of images, each a small one with its label."""
    return [
        {"raw": {**row, "image": thumbnail(Picture(row["image"]))}, "tokens": [], "labels": None, "target": None}
        for row in rows[:SHOWN_ROWS]
    ]
