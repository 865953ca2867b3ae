"""A rehearsal measures the real training process, says what fits, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from run_parts import ME, close_runs, ended, open_runs, rows, spec

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.runs import Runs
from components.service.runs.groundwork import Groundwork
from components.service.runs.rehearsal import Rehearsals, duration
from components.service.runs.spec import RunSpec
from components.service.settings import Settings
from components.service.sizes import GB, MB, in_units
from components.service.visitor import Visitor


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> Iterator[Runs]:
    home = tmp_path_factory.mktemp("rehearsed")
    opened = open_runs(Settings(home=home, cache=home, free_disk_bytes=0), models_folder, engine)
    yield opened
    close_runs(opened)


def nothing_left(runs: Runs) -> bool:
    """Neither files nor a process of a rehearsal, and no run."""
    named = [process for process in psutil.process_iter(["cmdline"]) if "--rehearse" in (process.info["cmdline"] or [])]
    here = [process for process in named if str(runs.rehearsals.root) in " ".join(process.info["cmdline"])]
    return not here and list(runs.rehearsals.root.glob("*")) == []


@pytest.mark.long
def test_a_rehearsal_tells_what_the_run_then_does(runs: Runs) -> None:
    asked = spec(samples=["this film is warm"], data={"text": rows(90)}, accumulation=2)
    told = runs.rehearse(asked, visitor=ME)
    assert told["fits"], told["message"]
    assert told["instead"] is None
    assert told["message"].startswith("It fits: about ")
    assert [check["name"] for check in told["checks"]] == [
        "data", "memory", "step", "evaluation", "save", "disk", "time",
    ]  # fmt: skip
    assert all(check["ok"] and check["message"].endswith(".") for check in told["checks"])
    assert 100 * MB < told["peak_memory_bytes"] < told["memory_bytes"]
    assert 0 < told["disk_bytes"] < told["disk_free_bytes"]
    assert told["rows"] == {"train": 72, "validation": 18}
    assert told["seconds"] > told["steps"] * told["seconds_per_step"] > 0
    assert told["evaluation_seconds"] > 0
    assert told["save_seconds"] > 0
    assert told["precision"] == {"dtype": "fp32", "why": "fp32 was asked for.", "speedup": None}
    assert nothing_left(runs)
    assert runs.list(visitor=ME) == []

    state = ended(runs, runs.start(asked, visitor=ME)["id"])
    assert state["progress"]["steps"] == told["steps"]
    assert state["facts"]["tokens"]["longest"] == told["longest"]
    assert state["facts"]["rows"] == told["rows"]
    # What it takes on disk while it trains is what was said, not half and not twice of it.
    kept = state["on_disk"]["bytes"]
    assert 0.5 * kept < told["disk_bytes"] < 2 * kept


@pytest.fixture(scope="module")
def wordy(models_folder: Path, tiny_generator: Path) -> str:
    """A generator with a vocabulary so large that its logits alone decide how many rows fit into the memory."""
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    path = models_folder / "wordy"
    small = {"n_positions": 128, "n_embd": 8, "n_layer": 1, "n_head": 1, "bos_token_id": 0, "eos_token_id": 0}
    config = GPT2Config(vocab_size=75_000, **small)
    GPT2LMHeadModel(config).save_pretrained(path)
    AutoTokenizer.from_pretrained(tiny_generator).save_pretrained(path)
    return "local/wordy"


@pytest.mark.long
def test_what_does_not_fit_is_told_with_what_was_measured_to(
    tmp_path: Path, models_folder: Path, engine: Engine, wordy: str
) -> None:
    limited = Settings(home=tmp_path, cache=tmp_path, free_disk_bytes=0, trainer_bytes=2500 * MB)
    runs = open_runs(limited, models_folder, engine)
    try:
        asked = spec(task="text-generation", model=wordy, data={"text": rows(300)}, max_length=32, batch_size=64)
        told = runs.rehearse(asked, visitor=ME)
        assert not told["fits"]
        assert told["message"].startswith(
            "It will not fit: a batch of 64 needs more than the 2.5 GB of memory at hand."
        )
        instead = told["instead"]
        assert instead["batch_size"] * instead["accumulation"] == 64
        assert instead["batch_size"] < 64
        assert f"batch size {instead['batch_size']}" in told["message"]
        assert told["peak_memory_bytes"] < told["memory_bytes"]
        assert nothing_left(runs)
    finally:
        close_runs(runs)


def test_what_the_training_process_refuses_names_the_setting(runs: Runs, tiny_generator: Path) -> None:
    with pytest.raises(WorkbenchError, match="Choose another") as told:
        runs.rehearse(spec(task="fill-mask", model="local/generator"), visitor=ME)
    assert told.value.field == "model"
    assert nothing_left(runs)


def test_a_rehearsal_ends_at_its_deadline_and_says_so(
    tmp_path: Path, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> None:
    runs = open_runs(
        Settings(home=tmp_path, cache=tmp_path, free_disk_bytes=0, rehearsal_seconds=1.0), models_folder, engine
    )
    try:
        told = runs.rehearse(spec(), visitor=ME)
        assert not told["fits"]
        assert "could not be measured in time" in told["message"]
        assert told["seconds"] is None
        assert told["peak_memory_bytes"] is None
        assert nothing_left(runs)
    finally:
        close_runs(runs)


def test_a_server_that_closes_takes_its_rehearsal_along_and_the_next_one_sweeps(
    tmp_path: Path, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> None:
    runs = open_runs(Settings(home=tmp_path, cache=tmp_path, free_disk_bytes=0), models_folder, engine)
    failed: list[WorkbenchError] = []

    def rehearse() -> None:
        try:
            runs.rehearse(spec(), visitor=ME)
        except WorkbenchError as error:
            failed.append(error)

    thread = threading.Thread(target=rehearse)
    thread.start()
    deadline = time.monotonic() + 60
    while not list(runs.rehearsals.root.glob("*/log.txt")) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    close_runs(runs)
    thread.join(30)
    assert [error.kind for error in failed] == ["busy"]
    assert nothing_left(runs)

    left = runs.rehearsals.root / "r-of-a-dead-server"
    left.mkdir()
    long_ago = time.time() - 3 * runs.settings.rehearsal_seconds

    os.utime(left, (long_ago, long_ago))
    other = open_runs(replace(runs.settings, rehearsal_seconds=0.5), models_folder, engine)
    try:
        other.rehearse(spec(), visitor=ME)
        assert not left.exists()
    finally:
        close_runs(other)


def test_without_room_on_the_disk_nothing_is_rehearsed(runs: Runs) -> None:
    free = shutil.disk_usage(runs.settings.home).free
    settings = replace(runs.settings, free_disk_bytes=free + GB)
    full = Rehearsals(settings, runs.hub, Groundwork(settings, runs.hub, runs.engine, runs.data))
    with pytest.raises(WorkbenchError, match="Delete runs") as told:
        full.rehearse(spec(), "", GB, visitor=ME)
    assert told.value.kind == "disk"


@pytest.mark.parametrize(
    "asked", [{"epochs": 0}, {"model": 3}, {"data": {"text": ""}}, {"columns": {"text": "nowhere"}}]
)
def test_a_spec_that_cannot_be_started_cannot_be_rehearsed(runs: Runs, asked: dict[str, Any]) -> None:
    with pytest.raises(WorkbenchError) as told:
        runs.rehearse(spec(**asked), visitor=ME)
    assert str(told.value.field).partition(".")[0] == next(iter(asked))


def test_a_rehearsal_needs_an_owner(runs: Runs) -> None:
    with pytest.raises(WorkbenchError, match="needs an owner"):
        runs.rehearse(spec(), visitor=Visitor(""))


# What is made of the figures

FIGURES: dict[str, Any] = {
    "changes": {}, "failure": None, "code": 0, "seconds_per_step": 2.0, "longest_seconds": 4.0, "steps": 300,
    "evaluations": 3, "evaluation_seconds": 10.0, "test_share": 1.0, "save_seconds": 5.0, "begin_seconds": 8.0,
    "end_seconds": 7.0, "peak_memory_bytes": GB, "checkpoint_bytes": GB, "model_bytes": GB // 2, "checkpoints": 3,
    "precision": {"dtype": "bf16"}, "longest": 99, "rows": {"train": 1600, "validation": 400},
}  # fmt: skip


def verdict(runs: Runs, noted: dict[str, Any], seconds: float = 1e6, quota: int = 100 * GB) -> dict[str, Any]:
    settings = replace(runs.settings, run_seconds=seconds)
    made = Rehearsals(settings, runs.hub, runs.groundwork)
    made.root.mkdir(exist_ok=True)
    asked = RunSpec.from_dict(spec(epochs=3), settings)
    return made.told(asked, {**FIGURES, **noted}, 4 * GB, quota, [])


def test_the_time_of_a_run_counts_everything(runs: Runs) -> None:
    told = verdict(runs, {})
    # Start and end, evaluations of the untrained model and of the test split, 300 steps, three evaluations and saves.
    assert told["seconds"] == pytest.approx(8 + 7 + 2 * 10 + 300 * 2 + 3 * (10 + 5))
    assert told["disk_bytes"] == 3 * GB + GB // 2
    assert told["message"] == "It fits: about 11 min for 3 epochs (300 steps), 1 GB of memory, 3.5 GB of disk."


@pytest.mark.parametrize(
    ("noted", "limits", "instead", "said"),
    [
        ({}, {"seconds": 400.0}, {"epochs": 1}, "will not be done in time"),
        ({}, {"seconds": 500.0}, {"epochs": 2}, "With epochs 2 it does"),
        ({}, {"seconds": 60.0}, None, "fewer rows"),
        ({}, {"quota": GB}, None, "will not fit on the disk"),
        ({}, {"quota": -GB}, None, "0 bytes may be used"),
        ({"changes": {"batch_size": 2}}, {}, {"batch_size": 2}, "With batch size 2 it does"),
        ({"changes": {"batch_size": 2}}, {"seconds": 500.0}, {"batch_size": 2, "epochs": 2}, "epochs 2"),
        ({"changes": None, "code": 1}, {}, None, "Choose a smaller model"),
        ({"changes": None, "code": -9}, {}, None, "more than the 4 GB of memory"),
        ({"changes": None, "code": None}, {}, None, "in time"),
    ],
)
def test_what_will_not_fit_is_told_with_what_would(
    runs: Runs, noted: dict[str, Any], limits: dict[str, Any], instead: dict[str, Any] | None, said: str
) -> None:
    told = verdict(runs, noted, **limits)
    assert not told["fits"]
    assert told["instead"] == instead
    assert said in told["message"], told["message"]
    assert any(not check["ok"] for check in told["checks"])


@pytest.mark.parametrize(
    ("who", "repo", "ok", "said"),
    [
        ("ada", "new-model", True, "ada/new-model will be created."),
        ("ada", "lab/new-model", True, "will be created"),
        ("ada", "bob/new-model", False, "You may not write to bob"),
        ("ada", "club/new-model", False, "You may not write to club"),
        ("reader", "new-model", False, "may only read"),
        ("nobody", "new-model", False, "Sign in first"),
        ("ada", "a b c", False, "cannot be the name"),
    ],
)
def test_the_right_to_push_is_checked_before_the_start(
    live_hub: Any, runs: Runs, who: str, repo: str, ok: bool, said: str
) -> None:
    made = Rehearsals(live_hub.settings, Hub(live_hub.settings), runs.groundwork)
    check = made.check_push(repo, getattr(live_hub, who))
    assert (check["name"], check["ok"]) == ("push", ok)
    assert said in check["message"]


def test_a_repository_that_holds_something_is_no_place_to_push_to(live_hub: Any, runs: Runs) -> None:
    hub = Hub(live_hub.settings)
    hub.api.create_repo("ada/full", token="hf_ada")
    made = Rehearsals(live_hub.settings, hub, runs.groundwork)
    assert made.check_push("full", live_hub.ada)["ok"]
    hub.api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="ada/full", token="hf_ada")
    hub.forget()
    check = made.check_push("full", live_hub.ada)
    assert not check["ok"]
    assert "Choose another name" in check["message"]


@pytest.mark.parametrize(
    ("given", "made", "said"),
    [
        (0.0123, duration, "0.012 s"), (59.6, duration, "60 s"), (600, duration, "10 min"), (7200, duration, "2.0 h"),
        (4 * 86400, duration, "4.0 days"), (5 * MB, in_units, "5 MB"), (1.5 * GB, in_units, "1.5 GB"),
        (2500, in_units, "2.5 kB"), (999, in_units, "999 bytes"),
    ],
)  # fmt: skip
def test_figures_are_written_for_people(given: float, made: Callable[[float], str], said: str) -> None:
    assert made(given) == said
