"""How a script reads images that were uploaded: from a folder, by their names, which tell their labels and splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from components.service.errors import WorkbenchError
from components.service.policy import is_image
from components.service.snippets.code import literal
from components.service.snippets.finetune.inlined import inlined
from components.service.worker.layout import Layout


def in_splits(data: Mapping[str, Any]) -> bool:
    """Whether some images lie in folders of another split than train."""
    return "files" in data and len(Layout({}, _names(data)).splits()) > 1


def uploaded(data: Mapping[str, Any], label: str) -> tuple[str, list[str]]:
    """Defines `FOLDER`, `labels` by name, and `data`: names by split; and what must be imported for it.

    Args:
        label: The column with the labels, where a table says them.

    Raises:
        WorkbenchError: There are none, or their labels stand in a table that no script reads.
    """
    names = _names(data)
    tables = [name for name in names if not is_image(name)]
    if len(tables) > 1 or any(not name.lower().endswith(".csv") for name in tables):
        raise WorkbenchError(
            "A script takes the labels of uploaded images from their names or from one metadata.csv. Upload them so, "
            "or train on a data set of the Hub that holds them.",
            field="data",
        )
    images = sorted(name for name in names if is_image(name))
    if not images:
        raise WorkbenchError("There is no image among the files. Upload some, or name a data set.", field="data")
    suffixes = {PurePosixPath(name).suffix.lower() for name in images}
    listed = f"{{{', '.join(map(literal, sorted(suffixes)))}}}"
    first, last = literal(images[0]), literal(images[-1])
    parts = [_FOUND.format(number=len(images), first=first, last=last, suffixes=listed)]
    imports = ["from pathlib import Path"]
    known = "()"
    if in_splits(data):
        function, more = inlined("components.service.worker.layout", "_folder_split")
        parts.append(f"\n{function}\n\n{_SPLITS}")
        imports += more
        known = "{name for known in SPLIT_NAMES.values() for name in known}"
    else:
        parts.append('data = {"train": names}')
    if tables:
        place = tables[0].rpartition("/")[0]
        told = f'{literal(f"{place}/")} + table["file_name"]' if place else 'table["file_name"]'
        parts.append(_TABLE.format(table=literal(tables[0]), names=told, label=literal(label)))
        return "\n".join(parts), [*imports, "import pandas as pd"]
    function, more = inlined("components.service.worker.pictures", "labels_of")
    return "\n".join([*parts, f"\n{function}\n\nlabels = labels_of(names, {known})"]), [*imports, *more]


def _names(data: Mapping[str, Any]) -> list[str]:
    """The files by the names that people know them by."""
    return [str(name) for name in data.get("names") or (PurePosixPath(file).name for file in data["files"])]


_FOUND = """# Put the {number} images into this folder, under the names by which they were uploaded: {first} ... {last}.
FOLDER = Path("images")
files = [path for path in FOLDER.rglob("*") if path.suffix.lower() in {suffixes}]
names = sorted(path.relative_to(FOLDER).as_posix() for path in files)"""

_SPLITS = """data = {}
for name in names:
    data.setdefault(_folder_split(name) or "train", []).append(name)"""

_TABLE = """
# The table among them says their labels.
table = pd.read_csv(FOLDER / {table}, dtype=str, keep_default_na=False)
labels = dict(zip({names}, table[{label}].str.strip()))"""
