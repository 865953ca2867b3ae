"""The picker of models: what its search finds, how a row reads, and what is said of a choice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.service.tasks import TASKS
from components.service.workbench import Workbench, open_workbench
from components.widgets import model_picker
from components.widgets.html import percent

ROOT = Path(__file__).parents[2]
CARD = "---\nlicense: mit\nlanguage: fr\nlibrary_name: transformers\n---\n"
DEFAULTS = ("", "", "", "", "downloads", False)


@pytest.fixture(scope="module")
def bench(live_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workbench]:
    bench = open_workbench(replace(live_hub.settings, home=tmp_path_factory.mktemp("home")))
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def repo(bench: Workbench, live_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A French fill-mask model without weights, with a branch and a tag."""
    folder: Path = tmp_path_factory.mktemp("repo")
    (folder / "README.md").write_text(CARD)
    (folder / "config.json").write_text(json.dumps({"architectures": ["BertForMaskedLM"], "model_type": "bert"}))
    name = str(bench.manager.create_repo("picked", False, visitor=live_hub.ada)["repo"])
    files = [{"file": str(file), "path": file.name} for file in folder.iterdir()]
    bench.contents.upload_files(name, files, visitor=live_hub.ada)
    bench.manager.create_branch(name, "draft", visitor=live_hub.ada)
    bench.manager.create_tag(name, "v1", visitor=live_hub.ada)
    return name


@pytest.mark.parametrize(
    ("task", "filters", "found"),
    [
        ("", DEFAULTS, True),
        ("fill-mask", DEFAULTS, True),
        ("text-classification", DEFAULTS, False),
        ("text-classification", ("any", "", "", "", "downloads", False), True),
        ("text-classification", ("fill-mask", "fr", "transformers", "mit", "created_at", False), True),
        ("", ("", "de", "", "", "downloads", False), False),
        ("", ("", "", "timm", "", "downloads", False), False),
        ("", ("", "", "", "gpl-3.0", "downloads", False), False),
        ("", ("", "", "", "", "downloads", True), False),
        ("", ("", None, None, None, "likes", None), True),
    ],
)
def test_a_search_takes_the_filters_of_the_picker(
    bench: Workbench, repo: str, live_hub: Any, task: str, filters: tuple[Any, ...], found: bool
) -> None:
    rows = model_picker.search(bench, live_hub.nobody, "picked", task, *filters)
    assert [row["id"] for row in rows] == ([repo] if found else [])
    assert model_picker.found(rows)["visible"] is found


def test_the_filters_stand_in_the_order_that_a_search_takes() -> None:
    # In a process of its own: a page that is built leaves an event loop behind.
    code = """
import json
import gradio as gr
from components.widgets.model_picker import ModelPicker
with gr.Blocks():
    full, plain = ModelPicker.build("Model", "a/b", filters=True), ModelPicker.build("Model", "a/b")
fields = [(field.label, field.value) for field in full.filters]
print(json.dumps([fields, full.found.parent.visible, plain.found.parent.visible]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    fields, full, plain = json.loads(done.stdout.splitlines()[-1])
    assert [label for label, _ in fields] == ["Task", "Language", "Library", "Licence", "Order", "Fits this machine"]
    assert tuple(value for _, value in fields) == DEFAULTS
    assert (full, plain) == (True, False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "a/b\nfill-mask · 1.5 M parameters · mit · fits"),
        ({"fits": False}, "too large for this machine"),
        ({"fits": None, "parameters": None}, "a/b\nfill-mask · mit"),
        ({"cached": True}, "on this machine · fill-mask"),
        ({"cached": True, "starter": True}, "starter model · fill-mask"),
        ({"gated": "manual", "downloads": 1200}, "gated · 1.2 k downloads"),
        ({"downloads": 1, "parameters": 1}, "1 parameter · mit · fits · 1 download"),
    ],
)
def test_a_row_says_what_speaks_for_it(more: dict[str, Any], said: str) -> None:
    row = {"id": "a/b", "task": "fill-mask", "parameters": 1_500_000, "license": "mit", "fits": True, "cached": False}
    assert said in model_picker.row_label({**row, "starter": False, "gated": False, "downloads": 0, **more})


def test_revisions_are_branches_and_tags_with_main_first(bench: Workbench, repo: str, live_hub: Any) -> None:
    assert model_picker.revisions(bench, live_hub.nobody, repo) == ["main", "draft", "v1"]
    assert model_picker.revisions(bench, live_hub.nobody, "") == []


def test_what_is_chosen_is_described_with_what_speaks_against_it(bench: Workbench, repo: str, live_hub: Any) -> None:
    describe = model_picker.describe(bench)
    plain = describe(live_hub.nobody, repo)
    assert "BertForMaskedLM" in plain
    assert "no model.safetensors" in plain
    assert "classification head" not in plain
    unfit = describe(live_hub.nobody, repo, "text-classification", "v1")
    assert "it has no classification head, so text-classification would give chance. Choose one of these:" in unfit


def test_an_empty_field_says_what_counts_in_its_place(bench: Workbench, live_hub: Any) -> None:
    describe = model_picker.describe(bench)
    default = TASKS["fill-mask"].default_model(bench.settings)
    assert f"No model is chosen: {default} counts" in describe(live_hub.nobody, " ", "fill-mask")
    assert describe(live_hub.nobody, "") == ""


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [
        (1.0, 2, "100.00 %"),
        (0.99999, 2, "> 99.99 %"),
        (0.9999, 2, "99.99 %"),
        (0.00001, 2, "< 0.01 %"),
        (0.0, 2, "0.00 %"),
        (0.996, 0, "> 99 %"),
        (0.004, 0, "< 1 %"),
        (0.5, 0, "50 %"),
    ],
)
def test_a_share_reads_as_whole_or_nothing_only_where_it_is(share: float, digits: int, shown: str) -> None:
    assert percent(share, digits) == shown
