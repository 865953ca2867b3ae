"""From a data source on this machine (folder, files, pasted text) to its splits. Worker and training process only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.service.errors import WorkbenchError
from components.service.policy import is_image
from components.service.worker.findings import finding
from components.service.worker.layout import (
    SPLIT_NAMES,
    Layout,
    choose_files,
    dicts,
    lies_apart,
    read_card,
    splits_of,
    trained_on,
)
from components.service.worker.layout import split_of as split_of
from components.service.worker.pictures import check_pictures, labels_of, picture_table
from components.service.worker.tables import PASTED, Caps, Table, check, join, read_csv, read_table

MOST_FILES = 200


def load(source: Mapping[str, Any], caps: Caps) -> dict[str, Table]:
    """The splits of a source.

    Args:
        source: `{"folder": path, "config": name or None, "splits": files by split, as `choose_files` gives them}`
            (chosen here from what lies in the folder if not given), `{"file": path, "name": original name}`,
            `{"files": paths, "names": original names, "splits": the split of each}` (tables, whose names say their
            splits where those are not given, or images) or `{"text": pasted rows}`. Each may have a `split`, the one
            to train on.
        caps: Limits for each file and split.

    Returns:
        Tables by split name, `train` first if there is one. A cell with an image is a `Picture`.

    Raises:
        WorkbenchError: There is no table, or one cannot be read.
    """
    splits = trained_on(_load(source, caps), source.get("split"))
    return {split: check_pictures(table, caps) for split, table in splits.items()}


def _load(source: Mapping[str, Any], caps: Caps) -> dict[str, Table]:
    if "folder" in source:
        return _folder(Path(source["folder"]), source, caps)
    if "file" in source:
        path = Path(source["file"])
        return {"train": read_table(path, str(source.get("name") or path.name), caps)}
    if "files" in source:
        # By name, not as they came: the same images are the same data.
        given = sorted(zip(source["names"], source["files"], strict=True))
        files = {str(name): Path(path) for name, path in given}
        if any(map(is_image, files)):
            return _pictures(files, Layout({}, list(files)).splits(), caps)
        return _tables(files, splits_of(source["names"], source.get("splits")), caps)
    text = str(source.get("text") or "")
    if not text.strip():
        raise WorkbenchError("There is no data yet. Paste rows, upload a file or name a data set.", field="data")
    if len(text) > caps.bytes:
        raise WorkbenchError(f"{PASTED} is too long. Upload it as a file.", field="data")
    return {"train": check(read_csv(text.removeprefix("\ufeff"), PASTED, caps), PASTED, caps)}


def _folder(folder: Path, source: Mapping[str, Any], caps: Caps) -> dict[str, Table]:
    config = source.get("config")
    chosen = source.get("splits")
    if chosen is None:
        names = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file())
        chosen = choose_files(None, str(folder), list(names), config, source.get("split"))
    files = [name for paths in chosen.values() for name in paths]
    if any(map(is_image, files)):
        return _pictures({name: folder / name for name in files}, chosen, caps)
    layout = Layout(read_card(folder), files)
    names_of = _class_names(layout.card, config or layout.default)
    splits = _tables({name: folder / name for name in files}, chosen, caps)
    for table in splits.values():
        table.names = {**{c: v for c, v in names_of.items() if c in table.columns}, **table.names}
        table.loose = bool(config) and config not in {*layout.declared, "default"}
    if not config and not layout.declared and lies_apart(files):
        message = "Its files lie in several folders, which may be several data sets; all were read together."
        first = next(iter(splits.values()))
        first.findings.append(finding("info", message, "Choose a folder as the configuration to read one alone."))
    return splits


def _tables(files: Mapping[str, Path], chosen: Mapping[str, list[str]], caps: Caps) -> dict[str, Table]:
    """The tables of files by split. They are known by their names: no message shows a path of this machine."""
    if len(files) > MOST_FILES:
        raise WorkbenchError(f"This data has {len(files)} files; the limit is {MOST_FILES}.", field="data")
    return {split: join(read_table(files[name], name, caps) for name in names) for split, names in chosen.items()}


def _pictures(files: Mapping[str, Path], chosen: Mapping[str, list[str]], caps: Caps) -> dict[str, Table]:
    """The tables of image files by split."""
    splits = {}
    labels = labels_of(list(files), {name for names in SPLIT_NAMES.values() for name in names})
    for split, names in chosen.items():
        table = picture_table({name: files[name] for name in names}, labels, caps)
        splits[split] = check(table, f"The split {split}" if len(chosen) > 1 else "The upload", caps)
    return splits


def _class_names(card: Mapping[str, Any], config: str) -> dict[str, list[str]]:
    infos = card.get("dataset_info")
    infos = dicts(infos if isinstance(infos, list) else [infos])
    if len(infos) > 1 and config:
        infos = [info for info in infos if info.get("config_name", config) == config]
    names: dict[str, list[str]] = {}
    for feature in dicts(infos[0].get("features")) if infos else []:
        # A list of classes (the tags of tokens, several labels) is declared as a sequence or a list of them.
        dtype = next((feature[key] for key in ("dtype", "sequence", "list") if key in feature), None)
        classes = dtype.get("class_label", {}).get("names") if isinstance(dtype, dict) else None
        if isinstance(classes, dict):
            classes = [classes[key] for key in sorted(classes, key=lambda k: int(k) if str(k).isdigit() else 0)]
        if isinstance(classes, list):
            names[str(feature.get("name"))] = [str(name) for name in classes]
    return names
