"""Configurations and splits of a data set: found without opening its files, chosen, and only then fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.service.contents import Contents
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.manage import Manager
from components.service.runs.rows import split_names
from components.service.worker.layout import MOST_CONFIGS, choose_files, list_configs, trained_on
from components.service.worker.sources import load
from components.service.worker.tables import Caps

CARD = """---
configs:
- config_name: films
  data_files:
  - {split: train, path: films/train-*}
  - {split: small, path: films/small.csv}
  - {split: test, path: films/test.csv}
- config_name: plays
  default: true
  data_files: {train: plays/a.csv, dev: [plays/b.csv]}
- config_name: songs
  data_dir: songs
dataset_info:
- config_name: films
  features: [{name: label, dtype: {class_label: {names: {'0': bad, '1': good}}}}]
- config_name: plays
  features: [{name: label, dtype: {class_label: {names: {'0': dull, '1': fine}}}}]
---
"""
DECLARED = ["films/train-0.csv", "films/train-1.csv", "films/small.csv", "films/test.csv", "plays/a.csv", "plays/b.csv",
            "songs/test/x.csv", "songs/x.csv"]  # fmt: skip
FILMS = {"train": DECLARED[:2], "small": DECLARED[2:3], "test": DECLARED[3:4]}
FOLDERS = ["de/train/0000.parquet", "de/test/0000.parquet", "data/fr/x.parquet"]
PARTS = ["data/train-00000-of-00001.parquet", "data/extra-00000-of-00002.parquet", "data/extra-00001-of-00002.parquet"]
CHOICES: list[tuple[str, list[str], str, str | None, str | None, dict[str, list[str]]]] = [
    ("the one that is the default", DECLARED, CARD, None, None, {"dev": ["plays/b.csv"], "train": ["plays/a.csv"]}),
    ("the default by that word", DECLARED, CARD, "default", "dev", {"dev": ["plays/b.csv"]}),
    ("another", DECLARED, CARD, "films", None, FILMS),
    ("one that is a folder", DECLARED, CARD, "songs", None, {"train": ["songs/x.csv"], "test": ["songs/test/x.csv"]}),
    ("a split to train on", DECLARED, CARD, "films", "small", {"small": FILMS["small"], "test": FILMS["test"]}),
    ("a test split to train on", DECLARED, CARD, "films", "test", {"test": FILMS["test"]}),
    ("all folders", FOLDERS, "", None, None, {"train": [FOLDERS[0], FOLDERS[2]], "test": [FOLDERS[1]]}),
    ("a folder", FOLDERS, "", "de", None, {"train": [FOLDERS[0]], "test": [FOLDERS[1]]}),
    ("what has no name of its own", PARTS, "", "default", None, {"train": PARTS[:1], "extra": PARTS[1:]}),
    ("a split in parts", PARTS, "", None, "extra", {"extra": PARTS[1:]}),
    ("pictures by folder", ["cats/1.png", "dogs/1.png"], "", None, None, {"train": ["cats/1.png", "dogs/1.png"]}),
]


def card(folder: Path, text: str) -> str:
    if text:
        (folder / "README.md").write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("files", "text", "config", "split", "chosen"), [c[1:] for c in CHOICES], ids=[c[0] for c in CHOICES]
)
def test_the_files_of_a_configuration_are_chosen_by_split(
    tmp_path: Path, files: list[str], text: str, config: str | None, split: str | None, chosen: dict[str, list[str]]
) -> None:
    found = choose_files(None, card(tmp_path, text), [*files, "README.md", "script.py"], config, split)
    assert found == chosen
    if split:
        assert split_names(found)["train"] == split


@pytest.mark.parametrize(
    ("files", "text", "config", "split", "said"),
    [
        (DECLARED, CARD, "operas", None, "no configuration operas. It has: films, plays, songs"),
        (DECLARED, CARD, "plays", "test", "no split test. It has: train, dev"),
        (FOLDERS, "", "es", None, "no configuration es. It has: de, fr"),
        (PARTS, "", "es", None, "It has one only"),
        (["cats/1.png", "dogs/1.png"], "", "cats", None, "It has one only"),
        (["../../etc/passwd"], "", None, None, "no CSV"),
        (["x.csv"], "---\nconfigs: [{config_name: a, data_files: '../*.csv'}]\n---\n", "a", None, "no CSV"),
    ],
)
def test_what_a_data_set_does_not_have_is_refused_with_what_it_has(
    tmp_path: Path, files: list[str], text: str, config: str | None, split: str | None, said: str
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        choose_files(None, card(tmp_path, text), files, config, split)
    assert said in refused.value.message
    assert refused.value.field == "data"


def test_configurations_are_listed_with_their_splits_and_sizes(tmp_path: Path) -> None:
    sizes = dict.fromkeys(DECLARED, 10)
    listed = list_configs(None, card(tmp_path, CARD), sizes)
    assert listed["left_out"] == 0
    assert listed["configs"] == [
        {"name": "films", "default": False, "splits": ["train", "small", "test"], "train": "train", "bytes": 40},
        {"name": "plays", "default": True, "splits": ["train", "dev"], "train": "train", "bytes": 20},
        {"name": "songs", "default": False, "splits": ["train", "test"], "train": "train", "bytes": 20},
    ]
    (tmp_path / "README.md").unlink()
    several = list_configs(None, str(tmp_path), dict.fromkeys(FOLDERS))
    assert [(one["name"], one["default"]) for one in several["configs"]] == [("", True), ("de", False), ("fr", False)]
    (alone,) = list_configs(None, str(tmp_path), dict.fromkeys(PARTS))["configs"]
    assert alone == {"name": "", "default": True, "splits": ["train", "extra"], "train": "train", "bytes": 0}
    many = list_configs(None, str(tmp_path), {f"{i}/x.csv": 1 for i in range(MOST_CONFIGS + 9)})
    assert (len(many["configs"]), many["left_out"]) == (MOST_CONFIGS, 10)


def test_a_split_that_is_trained_on_leaves_no_other_to_train_on() -> None:
    splits = dict.fromkeys(("train", "train_more", "validation", "test", "unlabelled"), 0)
    assert list(trained_on(splits, "validation")) == ["validation", "test"]
    assert list(trained_on(splits, "unlabelled")) == ["unlabelled", "validation", "test"]
    assert trained_on(splits, None) == splits
    with pytest.raises(WorkbenchError, match="no split dev"):
        load({"text": "a\n1\n", "split": "dev"}, Caps())


@pytest.fixture(scope="module")
def published(live_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A data set of two configurations on the embedded Hub, the second of which takes much more room."""
    hub, folder = Hub(live_hub.settings), tmp_path_factory.mktemp("published")
    repo = str(Manager(hub).create_repo("two", False, "dataset", visitor=live_hub.ada)["repo"])
    rows = "text,label\n" + "".join(f"the {{}} {i} was there,{i % 2}\n" for i in range(60))
    texts = {name: rows.replace("{}", name) for name in (*DECLARED[:4], *DECLARED[4:6])}
    texts["films/train-1.csv"] *= 20
    uploads = []
    for number, (path, text) in enumerate({"README.md": CARD, **texts}.items()):
        (folder / str(number)).write_text(text)
        uploads.append({"file": str(folder / str(number)), "path": path})
    Contents(hub).upload_files(repo, uploads, repo_type="dataset", visitor=live_hub.ada)
    return repo


def test_configurations_of_the_hub_are_offered_and_only_the_chosen_one_is_fetched(
    live_hub: Any, engine: Engine, published: str
) -> None:
    settings = replace(live_hub.settings, upload_bytes=10_000)
    data = Data(settings, Hub(settings), engine)
    listed = data.list_configs(published, visitor=live_hub.nobody)
    assert [(one["name"], one["splits"]) for one in listed["configs"]] == [
        ("films", ["train", "small", "test"]),
        ("plays", ["train", "dev"]),
        ("songs", []),
    ]
    seen = data.inspect({"dataset": published}, visitor=live_hub.nobody)
    assert (seen["splits"], [one["label"] for one in seen["labels"]]) == ({"train": 60, "dev": 60}, ["dull", "fine"])
    with pytest.raises(WorkbenchError, match="or a configuration of it"):
        data.inspect({"dataset": published, "config": "films"}, visitor=live_hub.nobody)
    small = {"dataset": published, "config": "films", "split": "small"}
    seen = data.inspect(small, visitor=live_hub.nobody)
    assert seen["splits"] == {"small": 60, "test": 60}
    assert [one["label"] for one in seen["labels"]] == ["bad", "good"]
    assert seen["source"] == {**small, "revision": listed["revision"]}
