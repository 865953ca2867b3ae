"""How a script reads images that were uploaded: from a folder, by their names, which tell their labels and splits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from components.service.policy import is_image
from components.service.snippets.code import Name, call, literal
from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.recipe import Plan
from components.service.snippets.finetune.tables import csv_options, has_images, names_of, tables
from components.service.worker.layout import Layout


def in_splits(data: Mapping[str, Any]) -> bool:
    """Whether some of the files that were uploaded are of another split than train."""
    if has_images(data):
        return len(Layout({}, names_of(data)).splits()) > 1
    return "files" in data and len(tables(data)) > 1


def uploaded(plan: Plan) -> tuple[str, list[str]]:
    """Defines `FOLDER`, `labels` by name, and `data`: names by split; and what must be imported for it.

    Raises:
        WorkbenchError: There are none.
    """
    data = plan.spec["data"]
    names = names_of(data)
    images = sorted(name for name in names if is_image(name))
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
    described = [name for name in names if not is_image(name)]
    if described:
        told, more = _described(plan, described)
        return "\n".join([*parts, told]), [*imports, *more]
    function, more = inlined("components.service.worker.pictures", "labels_of")
    return "\n".join([*parts, f"\n{function}\n\nlabels = labels_of(names, {known})"]), [*imports, *more]


def _described(plan: Plan, described: list[str]) -> tuple[str, list[str]]:
    """Defines `labels` by what the tables beside the images say, and what must be imported for it."""
    function, imports = inlined("components.service.worker.columns", "label_name")
    read = {name: _rows(name, (plan.facts.get("reading") or {}).get(name, {})) for name in described}
    told = ["labels = {}", *(f"labels |= {call('told', name, Name(rows))}" for name, (rows, _) in read.items())]
    label = literal(plan.spec["columns"].get("label", "label"))
    whole = "\n".join([f"\n{function}\n\n{_TOLD.format(label=label)}", *told])
    return whole, [*imports, *(line for _, line in read.values())]


def _rows(name: str, form: Mapping[str, Any]) -> tuple[str, str]:
    """The rows of a table beside the images, an expression, and the import that it needs."""
    place = f"FOLDER / {literal(name)}"
    match PurePosixPath(name).suffix.lower():
        case ".csv":
            options: dict[str, Any] = {"dtype": Name("str"), "keep_default_na": False, **csv_options(name, form)}
            named = ", ".join(f"{key}={one if isinstance(one, Name) else literal(one)}" for key, one in options.items())
            return f'pd.read_csv({place}, {named}).to_dict("records")', "import pandas as pd"
        case ".jsonl":
            lines = f'({place}).read_text("utf-8-sig").splitlines()'
            return f"[json.loads(line) for line in {lines} if line.strip()]", "import json"
        case _:
            return f"pq.read_table({place}).to_pylist()", "import pyarrow.parquet as pq"


_FOUND = """# Put the {number} images into this folder, under the names by which they were uploaded: {first} ... {last}.
FOLDER = Path("images")
files = [path for path in FOLDER.rglob("*") if path.suffix.lower() in {suffixes}]
names = sorted(path.relative_to(FOLDER).as_posix() for path in files)"""

_SPLITS = """data = {}
for name in names:
    data.setdefault(_folder_split(name) or "train", []).append(name)"""

_TOLD = '''
def told(table, rows):
    """The label of each image that the rows of a table name, from where the table lies."""
    place = Path(table).parent
    return {{(place / str(row["file_name"])).as_posix(): label_name(row.get({label})) for row in rows}}


# The tables among the files say the labels.'''
