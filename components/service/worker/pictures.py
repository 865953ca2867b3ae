"""Images as rows: a picture's label from where it lies or what it is called, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from components.service.errors import WorkbenchError
from components.service.policy import METADATA, is_image
from components.service.runs.values import Picture, picture
from components.service.sizes import in_units
from components.service.worker.findings import count, finding
from components.service.worker.media import image_problem
from components.service.worker.tables import Caps, Table, read_table

FILE_NAME = "file_name"
_NUMBERED = re.compile(r"[\W_]*\d+[\W_]*$")


def picture_table(files: Mapping[str, Path], labels: Mapping[str, str | None], caps: Caps) -> Table:
    """A table of image files: `image`, and either the columns of `metadata.csv` beside them, or `label`.

    Args:
        files: The images, and the table of metadata where there is one, by the names that people know them by.
        labels: The label that each name tells.
        caps: What is refused or cut.
    """
    names = [name for name in files if is_image(name)]
    described = [name for name in files if PurePosixPath(name).name.lower() in METADATA]
    size = sum(files[name].stat().st_size for name in names)
    if size > caps.bytes:
        raise WorkbenchError(
            f"The images have {in_units(size)}; the limit is {in_units(caps.bytes)}. Use fewer or smaller ones.",
            field="data",
        )
    images = [Picture(files[name].read_bytes(), name.rpartition("/")[2]) for name in names]
    table = Table({"image": list(images)})
    if described:
        return _described(table, names, {name: read_table(files[name], name, caps) for name in described})
    table.columns["label"] = [labels[name] for name in names]
    return table


def labels_of(names: Sequence[str], splits: Container[str]) -> dict[str, str | None]:
    """The label that each file's name tells; `None` where it tells none.

    It is the folder that a file lies in where the files lie in several, else what its name begins with before its
    number: `cat` for `cat_001.jpg`.

    Args:
        splits: Names of folders, in small letters, that are no labels.
    """
    folders = {}
    for name in names:
        parts = [part for part in PurePosixPath(name).parts[:-1] if part.lower() not in splits]
        folders[name] = parts[-1] if parts else None
    if len({*folders.values()}) > 1:
        return folders
    return {name: _NUMBERED.sub("", PurePosixPath(name).stem).strip() or None for name in names}


def _described(table: Table, names: Sequence[str], described: Mapping[str, Table]) -> Table:
    """The rows of the tables of metadata, each with the image that its `file_name` names from where the table lies."""
    rows: dict[str, dict[str, Any]] = {}
    for name, one in described.items():
        if FILE_NAME not in one.columns:
            raise WorkbenchError(
                f"{name} has no column {FILE_NAME}, which says what image each row is about. Add it.", field="data"
            )
        place = PurePosixPath(name).parent
        for cells in zip(*one.columns.values(), strict=True):
            row = dict(zip(one.columns, cells, strict=True))
            rows[str(place / str(row.pop(FILE_NAME) or ""))] = row
    columns = dict.fromkeys(key for row in rows.values() for key in row)
    for column in columns:
        values = [rows.get(name, {}).get(column) for name in names]
        table.columns["image 2" if column == "image" else column] = values
    table.findings += [found for one in described.values() for found in one.findings]
    table.forms = {name: form for one in described.values() for name, form in one.forms.items()}
    table.findings += _apart(set(names), set(rows))
    return table


def _apart(names: set[str], rows: set[str]) -> list[dict[str, Any]]:
    found = []
    for lacking, what in ((rows - names, "of the metadata name no image"), (names - rows, "")):
        if lacking:
            told = count(len(lacking), "row", "rows") if what else count(len(lacking), "image", "images")
            message = f"{told} {what or 'have no row in the metadata'}: {_listed(sorted(lacking))}."
            found.append(finding("warning", message, "Check the names in the column file_name."))
    return found


def check_pictures(table: Table, caps: Caps) -> Table:
    """Turn every column of images into `Picture`s; one that cannot be opened is missing, and is told by its row."""
    for column, values in table.columns.items():
        first = next((value for value in values if value is not None), None)
        if picture(first) is None:
            continue
        broken: dict[str, list[str]] = {}
        checked: list[Picture | None] = []
        for row, value in enumerate(values, 1):
            one = picture(value)
            problem = image_problem(one.data, caps.pixels) if one else None
            if problem and one:
                broken.setdefault(problem, []).append(f"row {row}" + (f" ({one.name})" if one.name else ""))
            checked.append(None if problem else one)
        table.columns[column] = checked
        table.broken[column] = sum(map(len, broken.values()))
        for problem, rows in broken.items():
            told = count(len(rows), "image is", "images are")
            message = f"{told} left out: {_listed(rows)}. {problem}"
            table.findings.append(finding("warning", message, "Replace or remove them.", "columns.image"))
    return table


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
