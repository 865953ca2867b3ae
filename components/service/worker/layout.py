"""How the files of a data-set repository are laid out: its configurations, and the splits of each with their files.

From the front matter of its card (`configs`, as `datasets` reads it) and from its file names alone: no file is opened
here but the card, and no script is ever run. Worker and training process only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from components.service.errors import WorkbenchError
from components.service.policy import DATA_CARD_BYTES, SIDECARS, data_files, is_image

#: What a file or folder name says about its split; the first that is found in the name counts.
SPLIT_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
#: How `datasets` names the parts of a split that is written as several files.
_PART = re.compile(r"(?P<split>\w+(\.\w+)*)-\d{5}-of-\d{1,5}\b.*")
#: The formats of tables by the endings of their names, as `datasets` calls them.
FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "json", ".json": "json", ".parquet": "parquet"}
#: Configurations that are listed.
MOST_CONFIGS = 300
Splits = dict[str, list[str]]
Value = TypeVar("Value")


@dataclass(frozen=True)
class Layout:
    """The data files of a repository, and what its card says of them.

    Attributes:
        card: The front matter of its card.
        files: Its tables, or else its images and their metadata, by their paths.
    """

    card: Mapping[str, Any]
    files: list[str]

    @cached_property
    def declared(self) -> dict[str, dict[str, Any]]:
        """The configurations that the card declares, by name."""
        entries = [one for one in dicts(self.card.get("configs")) if one.get("data_files") or one.get("data_dir")]
        return {str(one.get("config_name", "default")): one for one in entries}

    @cached_property
    def folders(self) -> Splits:
        """The tables by the folder that they lie in; empty for images, of which folders tell the labels."""
        found: Splits = {}
        for name in [] if any(map(is_image, self.files)) else self.files:
            found.setdefault(_folder_of(name), []).append(name)
        return found

    @cached_property
    def configs(self) -> list[str]:
        """The names of the configurations: those declared, or else the folders that tables lie in, if several."""
        if self.declared:
            return list(self.declared)
        return sorted(name for name in self.folders if name) if len(self.folders) > 1 else []

    @property
    def default(self) -> str:
        """The configuration that is read where none is chosen; empty where that is all files together."""
        declared = self.declared
        return next((name for name, one in declared.items() if one.get("default")), next(iter(declared), ""))

    def splits(self, config: str | None = None) -> Splits:
        """The files of each split of a configuration, `train` first if there is one.

        Raises:
            WorkbenchError: There is no such configuration.
        """
        known = self.configs
        if not config or (config == "default" and config not in known):
            config = self.default
        if config and config not in known:
            has = f"It has: {', '.join(known[:20])}." if known else "It has one only: leave the configuration empty."
            raise WorkbenchError(f"This data set has no configuration {config[:100]}. {has}", field="data")
        if config in self.declared:
            found = _declared(self.declared[config], self.files)
        elif config in known:
            found = _by_name(self.folders[config])
        else:
            found = _by_name(self.files)
        return dict(sorted(found.items(), key=lambda item: (item[0] != "train", item[0])))


def layout_of(folder: Path, names: Iterable[str]) -> Layout:
    """The layout of a repository whose card, if it has one, lies in a folder, and whose files have these names."""
    files = data_files(dict.fromkeys(names))
    if not any(map(is_image, files)):
        files = [name for name in files if name.rsplit("/", 1)[-1] not in SIDECARS and not name.startswith(".")]
        # JSON beside real tables is nearly always a description of them.
        files = [name for name in files if not name.lower().endswith(".json")] or files
    return Layout(read_card(folder), files)


def list_configs(_call: Any, folder: str, files: Mapping[str, int | None]) -> dict[str, Any]:
    """What `Data.list_configs` returns, but for the id and the commit.

    Args:
        folder: Where the repository's card lies, if it has one.
        files: The data files of the repository, with their sizes in bytes.
    """
    layout = layout_of(Path(folder), files)
    # Files in several folders may be read together, too.
    names = [*(() if layout.declared else ("",)), *layout.configs]
    listed = []
    for name in names[:MOST_CONFIGS]:
        splits = layout.splits(name)
        size = sum(files[file] or 0 for paths in splits.values() for file in paths)
        train = next((split for split in splits if split_of(split) == "train"), next(iter(splits), None))
        own = {"name": name, "default": name == layout.default}
        listed.append({**own, "splits": list(splits), "train": train, "bytes": size})
    return {"configs": listed, "left_out": max(0, len(names) - MOST_CONFIGS)}


def choose_files(
    _call: Any, folder: str, files: list[str], config: str | None = None, split: str | None = None
) -> Splits:
    """The files that a run reads, by split.

    Args:
        folder, files: As of `list_configs`.
        config: The configuration; the default one if not given.
        split: The split to train on, if it is not to be the one whose name says so.

    Raises:
        WorkbenchError: There is no such configuration or split, or no table in it.
    """
    found = layout_of(Path(folder), files).splits(config)
    if not found:
        raise WorkbenchError(
            "This data set has no CSV, TSV, JSONL, JSON or Parquet file that can be read here. Choose another one.",
            field="data",
        )
    return trained_on(found, split)


def splits_of(names: list[str], given: list[str] | None = None) -> Splits:
    """The names of uploaded tables by split, `train` first: as given, one for each, else as the names themselves say.

    Raises:
        WorkbenchError: None of them is to train on.
    """
    found: Splits = {}
    for name, split in zip(names, given, strict=True) if given else ():
        found.setdefault(split, []).append(name)
    found = found or Layout({}, names).splits()
    if "train" not in found:
        raise WorkbenchError(
            "None of these files is to train on: their names speak of other splits. Say which is, with splits.",
            field="data",
        )
    return {split: sorted(found[split]) for split in sorted(found, key=lambda split: split != "train")}


def table_format(name: str) -> str | None:
    """The format of a table by its name's ending: `csv`, `json` or `parquet`; `None` for any other."""
    return FORMATS.get(Path(name).suffix.lower())


def trained_on(splits: Mapping[str, Value], split: str | None) -> dict[str, Value]:
    """The splits with the one that is trained on first; then no other is one to train on.

    Raises:
        WorkbenchError: There is no such split.
    """
    if not split:
        return dict(splits)
    if split not in splits:
        raise WorkbenchError(f"This data has no split {split[:100]}. It has: {', '.join(splits)}.", field="data")
    others = {name: one for name, one in splits.items() if name != split and split_of(name) in ("validation", "test")}
    return {split: splits[split], **others}


def split_of(name: str) -> str | None:
    """The split that a file's path speaks of: `data/sst2-dev.csv` is `validation`; `None` if it says nothing."""
    for part in reversed(name.lower().split("/")):
        words = re.split(r"[^a-z]+", part)
        for split, synonyms in SPLIT_NAMES.items():
            if any(word in synonyms for word in words):
                return split
    return None


def lies_apart(files: Iterable[str]) -> bool:
    """Whether files lie in several folders, not counting those that splits are called by."""
    return len({_folder_of(name) for name in files}) > 1


def _folder_of(name: str) -> str:
    """The folder of a file, without those that only say `data` or which split it is."""
    return "/".join(part for part in name.split("/")[:-1] if part != "data" and not split_of(part))


def read_card(folder: Path) -> dict[str, Any]:
    """The front matter of the data set's README; empty if there is none that can be read."""
    readme = folder / "README.md"
    if not readme.is_file() or readme.stat().st_size > DATA_CARD_BYTES:
        return {}
    match = re.match(r"\ufeff?---\s*\n(.*?)\n---\s*(\n|$)", readme.read_text("utf-8", "replace"), re.DOTALL)
    if not match:
        return {}
    try:
        card = yaml.safe_load(match[1])
    except yaml.YAMLError:
        return {}
    return card if isinstance(card, dict) else {}


def _declared(entry: Mapping[str, Any], files: list[str]) -> Splits:
    """The files of a configuration that the card declares, by its patterns or its folder.

    A pattern is held against the repository's own files, so that it never reaches outside.
    """
    base = str(entry.get("data_dir") or "").strip("/")
    inside = {name.removeprefix(f"{base}/"): name for name in files if not base or name.startswith(f"{base}/")}
    patterns = entry.get("data_files")
    if not patterns:
        return _by_name(list(inside.values()))
    if isinstance(patterns, str) or (isinstance(patterns, list) and all(isinstance(one, str) for one in patterns)):
        wanted = {"train": _strings(patterns)}
    elif isinstance(patterns, dict):
        wanted = {str(split): _strings(paths) for split, paths in patterns.items()}
    else:
        wanted = {str(one.get("split", "train")): _strings(one.get("path")) for one in dicts(patterns)}
    found = {
        split: [name for short, name in inside.items() if any(fnmatch(short, one) for one in paths)]
        for split, paths in wanted.items()
    }
    return {split: paths for split, paths in found.items() if paths}


def _by_name(files: list[str]) -> Splits:
    """Files by what their names say of their split; of images the folder speaks, not the picture's own name."""
    found: Splits = {}
    pictured = any(map(is_image, files))
    for name in files:
        spoken = _folder_split(name) if pictured else split_of(name) or _part_of(name)
        found.setdefault(spoken or "train", []).append(name)
    return found


def _folder_split(name: str) -> str | None:
    folders = name.lower().split("/")[:-1]
    return next((split for split, known in SPLIT_NAMES.items() if set(folders) & set(known)), None)


def _part_of(name: str) -> str | None:
    """The split that a file is one part of: `unsupervised` for `data/unsupervised-00000-of-00002.parquet`."""
    part = _PART.fullmatch(name.rsplit("/", 1)[-1])
    return part["split"] if part else None


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list from a card; empty where it is none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [str(item) for item in (value if isinstance(value, list) else [value])]
