"""From a data source on this machine (folder, files, pasted text) to its splits. Worker and training process only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from components.service.errors import WorkbenchError
from components.service.policy import SIDECARS, image_files
from components.service.worker.findings import finding
from components.service.worker.pictures import check_pictures, labels_of, picture_table
from components.service.worker.tables import SUFFIXES, Caps, Table, check, join, read_csv, read_table

#: What a file or folder name says about its split; the first that is found in the name counts.
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
README_BYTES = 1024**2
MOST_FILES = 200


def load(source: Mapping[str, Any], caps: Caps) -> dict[str, Table]:
    """The splits of a source.

    Args:
        source: `{"folder": path, "config": name or None}`, `{"file": path, "name": original name}`,
            `{"files": paths of images, "names": original names}` or `{"text": pasted rows}`.
        caps: Limits for each file and split.

    Returns:
        Tables by split name, `train` first if there is one. A cell with an image is a `Picture`.

    Raises:
        WorkbenchError: There is no table, or one cannot be read.
    """
    return {split: check_pictures(table, caps) for split, table in _load(source, caps).items()}


def _load(source: Mapping[str, Any], caps: Caps) -> dict[str, Table]:
    if "folder" in source:
        return _folder(Path(source["folder"]), source.get("config"), caps)
    if "file" in source:
        path = Path(source["file"])
        return {"train": read_table(path, str(source.get("name") or path.name), caps)}
    if "files" in source:
        given = zip(source["names"], source["files"], strict=True)
        return _pictures({str(name): Path(path) for name, path in given}, {}, caps)
    text = str(source.get("text") or "")
    if not text.strip():
        raise WorkbenchError("There is no data yet. Paste rows, upload a file or name a data set.", field="data")
    if len(text) > caps.bytes:
        raise WorkbenchError("The pasted text is too long. Upload it as a file.", field="data")
    name = "The pasted text"
    return {"train": check(read_csv(text.removeprefix("\ufeff"), name, caps), name, caps)}


def _folder(folder: Path, config: str | None, caps: Caps) -> dict[str, Table]:
    card = read_card(folder)
    images = image_files(p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")))
    if images:
        return _pictures({name: folder / name for name in images}, _declared(card, config), caps)
    files = _tables_in(folder)
    declared = _declared(card, config)
    chosen = _matching(files, declared) if declared else _by_name(files)
    if not chosen:
        raise WorkbenchError(
            "This data set has no CSV, TSV, JSONL, JSON or Parquet file that can be read here. Choose another one.",
            field="data",
        )
    names = _class_names(card, config)
    splits = {}
    for split, paths in sorted(chosen.items(), key=lambda item: (item[0] != "train", item[0])):
        # Files are known by their names inside the data set: no message shows a path of this machine.
        table = join(read_table(folder / path, path, caps) for path in paths)
        table.names = {**{c: v for c, v in names.items() if c in table.columns}, **table.names}
        splits[split] = table
    if not declared and _configs(files):
        message = "Its files lie in several folders, which may be several data sets; all were read together."
        first = next(iter(splits.values()))
        first.findings.append(finding("info", message, "Check the columns and the number of rows."))
    return splits


def _pictures(files: Mapping[str, Path], declared: Mapping[str, list[str]], caps: Caps) -> dict[str, Table]:
    """Image files by split: as the card declares them, else by the name of a folder that they lie in."""
    chosen = _matching(list(files), declared) if declared else _by_folder(list(files))
    splits = {}
    labels = labels_of(list(files), {name for names in SPLIT_NAMES.values() for name in names})
    for split, names in sorted(chosen.items(), key=lambda item: (item[0] != "train", item[0])):
        table = picture_table({name: files[name] for name in names}, labels, caps)
        splits[split] = check(table, f"The split {split}" if len(chosen) > 1 else "The upload", caps)
    return splits


def _by_folder(files: list[str]) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for name in files:
        folders = name.lower().split("/")[:-1]
        split = next((split for split, known in SPLIT_NAMES.items() if set(folders) & set(known)), "train")
        chosen.setdefault(split, []).append(name)
    return chosen


def _tables_in(folder: Path) -> list[str]:
    found = [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.suffix.lower() in SUFFIXES]
    found = [name for name in found if name.rsplit("/", 1)[-1] not in SIDECARS and not name.startswith(".")]
    if len(found) > MOST_FILES:
        raise WorkbenchError(f"This data set has {len(found)} files; the limit is {MOST_FILES}.", field="data")
    # JSON beside real tables is nearly always a description of them.
    real = [name for name in found if not name.lower().endswith(".json")]
    return real or found


def _configs(files: list[str]) -> bool:
    return len({name.rsplit("/", 1)[0] if "/" in name else "" for name in files} - {"data", ""}) > 1


def _by_name(files: list[str]) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    for name in files:
        chosen.setdefault(split_of(name) or "train", []).append(name)
    return chosen


def split_of(name: str) -> str | None:
    """The split that a file's path speaks of: `data/sst2-dev.csv` is `validation`; `None` if it says nothing."""
    for part in reversed(name.lower().split("/")):
        words = re.split(r"[^a-z]+", part)
        for split, synonyms in SPLIT_NAMES.items():
            if any(word in synonyms for word in words):
                return split
    return None


def read_card(folder: Path) -> dict[str, Any]:
    """The front matter of the data set's README; empty if there is none that can be read."""
    readme = folder / "README.md"
    if not readme.is_file() or readme.stat().st_size > README_BYTES:
        return {}
    match = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*(\n|$)", readme.read_text("utf-8", "replace"), re.DOTALL)
    if not match:
        return {}
    try:
        card = yaml.safe_load(match[1])
    except yaml.YAMLError:
        return {}
    return card if isinstance(card, dict) else {}


def _declared(card: Mapping[str, Any], config: str | None) -> dict[str, list[str]]:
    """The split patterns of the chosen (or default, or first) configuration in the README."""
    configs = [c for c in _dicts(card.get("configs")) if c.get("data_files")]
    if not configs:
        return {}
    names = [str(c.get("config_name", "default")) for c in configs]
    if config and config not in names:
        raise WorkbenchError(f"This data set has no configuration {config}. It has: {', '.join(names)}.", field="data")
    chosen = configs[names.index(config)] if config else next((c for c in configs if c.get("default")), configs[0])
    files = chosen["data_files"]
    if isinstance(files, str) or (isinstance(files, list) and all(isinstance(f, str) for f in files)):
        return {"train": _strings(files)}
    if isinstance(files, dict):
        return {str(split): _strings(paths) for split, paths in files.items()}
    return {str(entry.get("split", "train")): _strings(entry.get("path")) for entry in _dicts(files)}


def _matching(files: list[str], declared: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The listed files that the patterns name: a pattern never reaches outside the data set's own files."""
    chosen = {s: [f for f in files if any(fnmatch(f, p) for p in patterns)] for s, patterns in declared.items()}
    return {split: paths for split, paths in chosen.items() if paths}


def _class_names(card: Mapping[str, Any], config: str | None) -> dict[str, list[str]]:
    infos = card.get("dataset_info")
    infos = _dicts(infos if isinstance(infos, list) else [infos])
    if config:
        infos = [info for info in infos if info.get("config_name", config) == config]
    names: dict[str, list[str]] = {}
    for feature in _dicts(infos[0].get("features")) if infos else []:
        # A list of classes (the tags of tokens, several labels) is declared as a sequence or a list of them.
        dtype = next((feature[key] for key in ("dtype", "sequence", "list") if key in feature), None)
        classes = dtype.get("class_label", {}).get("names") if isinstance(dtype, dict) else None
        if isinstance(classes, dict):
            classes = [classes[key] for key in sorted(classes, key=lambda k: int(k) if str(k).isdigit() else 0)]
        if isinstance(classes, list):
            names[str(feature.get("name"))] = [str(name) for name in classes]
    return names


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]
