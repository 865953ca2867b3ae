"""Runs that wait, are stopped, repeated, compared and read about."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_parts import ME, OTHER, close_runs, ended, open_runs, spec

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.runs import Runs, line
from components.service.runs.groundwork import encoded_folder
from components.service.runs.store import RunFolder, read_json
from components.service.runs.supervisor import Supervisor
from components.service.settings import PUBLIC_LIMITS, Settings, read_settings
from components.service.visitor import Visitor


@pytest.fixture(scope="module")
def still(
    tmp_path_factory: pytest.TempPathFactory, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> Iterator[Callable[..., Runs]]:
    """`still(**limits)`: runs of which none ever begins to train."""
    opened = []

    def open_still(**limits: Any) -> Runs:
        home = tmp_path_factory.mktemp("still")
        settings = Settings(home=home, cache=home, free_disk_bytes=0, running_runs=0)
        opened.append(open_runs(replace(settings, **limits), models_folder, engine))
        return opened[-1]

    yield open_still
    for runs in opened:
        close_runs(runs)


def queue(runs: Runs, *owners: Any) -> list[str]:
    return [runs.start(spec(), visitor=owner)["id"] for owner in owners]


def places(runs: Runs, ids: list[str]) -> list[int | None]:
    found = {state["id"]: state["place"] for owner in (ME, OTHER) for state in runs.list(visitor=owner)}
    return [found[run] for run in ids]


def test_a_run_that_waits_knows_its_place_and_may_change_it_without_overtaking_others(
    still: Callable[..., Runs],
) -> None:
    runs = still()
    ids = queue(runs, ME, OTHER, ME, ME)
    assert places(runs, ids) == [1, 2, 3, 4]
    assert runs.state(ids[3], visitor=ME)["ahead"] == 3
    assert runs.move(ids[3], 1, visitor=ME)["place"] == 1
    assert places(runs, ids) == [3, 2, 4, 1]
    # The second place is another visitor's: the next one of one's own it is.
    assert runs.move(ids[3], 2, visitor=ME)["place"] == 3
    assert places(runs, ids) == [1, 2, 4, 3]
    assert runs.move(ids[0], 99, visitor=ME)["place"] == 4
    # Who sits alone keeps their place, whatever they ask for.
    assert runs.move(ids[1], 1, visitor=OTHER)["place"] == 2
    # A new server reads the same line.
    again = Supervisor(runs.settings)
    assert [folder.id for folder in again.line()[0]] == [folder.id for folder in runs.supervisor.line()[0]]


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_moving_changes_nobody_else_s_place(
    tmp_path_factory: pytest.TempPathFactory, mine: list[bool], data: Any
) -> None:
    root = tmp_path_factory.mktemp("line")
    folders = [RunFolder(root / f"run{i}") for i in range(len(mine))]
    for number, folder in enumerate(folders):
        folder.path.mkdir()
        folder.place.write_text(str(number * 10))
    own = [folder for folder, is_mine in zip(folders, mine, strict=True) if is_mine]
    if not own:
        return
    chosen = data.draw(st.sampled_from(own))
    place = data.draw(st.integers(1, 12))
    line.move(folders, own, chosen, place)
    after = line.in_order(folders)
    assert [one.id for one in after if one not in own] == [one.id for one in folders if one not in own]
    assert [one in own for one in after] == mine
    slots = [number for number, is_mine in enumerate(mine, 1) if is_mine]
    reached = after.index(chosen) + 1
    assert reached == next((slot for slot in slots if slot >= place), slots[-1])


@pytest.mark.parametrize("place", [0, -1, 1.5, True, None, "1", [], float("nan")])
def test_a_place_in_line_is_a_whole_number(still: Callable[..., Runs], place: Any) -> None:
    runs = still()
    (run,) = queue(runs, ME)
    with pytest.raises(WorkbenchError) as told:
        runs.move(run, place, visitor=ME)
    assert told.value.field == "place"


def test_a_run_taken_out_of_the_line_leaves_its_place_to_the_next(still: Callable[..., Runs]) -> None:
    runs = still()
    first, second = queue(runs, ME, ME)
    runs.stop(first, "discard", visitor=ME)
    state = ended(runs, first, "stopped")
    assert (state["place"], state["resumable"], state["outcome"]["how"]) == (None, False, "discard")
    assert runs.state(second, visitor=ME)["place"] == 1
    with pytest.raises(WorkbenchError, match="does not wait"):
        runs.move(first, 1, visitor=ME)
    with pytest.raises(WorkbenchError, match="cannot be resumed"):
        runs.resume(first, visitor=ME)
    for run, told in ((first, "has left no model"), (second, "has no model yet")):
        with pytest.raises(WorkbenchError, match=told):
            runs.try_run(run, ["a warm film"], visitor=ME)


def test_a_visitor_s_runs_are_capped_and_so_are_all_together(still: Callable[..., Runs]) -> None:
    runs = still(queued_runs=1, waiting_runs=2)
    queue(runs, ME, OTHER)
    for visitor, said in ((ME, "You have 1 run waiting"), (replace(OTHER, owner="guest:third"), "Too many runs wait")):
        with pytest.raises(WorkbenchError, match=said) as told:
            runs.start(spec(), visitor=visitor)
        assert told.value.kind == "busy"


def test_runs_that_are_started_at_once_are_capped_too(still: Callable[..., Runs]) -> None:
    runs = still(queued_runs=2)

    def start(_number: int) -> str:
        try:
            return str(runs.start(spec(), visitor=ME)["status"])
        except WorkbenchError as error:
            return error.kind

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(start, range(8)))
    assert sorted(found) == ["busy"] * 6 + ["queued"] * 2
    assert len(runs.list(visitor=ME)) == 2


def test_who_is_another_visitor_each_time_has_no_more_runs_than_their_address(still: Callable[..., Runs]) -> None:
    runs = still(address_queued_runs=2)
    made_up = [Visitor(f"guest:{number}", address="8.8.4.4") for number in range(3)]
    first, _ = queue(runs, *made_up[:2])
    with pytest.raises(WorkbenchError, match="from your address have 2 runs waiting") as told:
        runs.start(spec(), visitor=made_up[2])
    assert told.value.kind == "busy"
    queue(runs, Visitor("guest:else", address="9.9.9.9"), ME, OTHER)
    runs.stop(first, "discard", visitor=made_up[0])
    queue(runs, made_up[2])


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_was_set_changes_no_place_in_line(
    still: Callable[..., Runs], monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    runs, now = still(), time.time_ns
    ids = queue(runs, OTHER)
    monkeypatch.setattr(time, "time_ns", lambda: now() + hours * 3600 * 10**9)
    ids += queue(runs, ME)
    monkeypatch.setattr(time, "time_ns", now)
    ids += queue(runs, ME)
    assert places(runs, ids) == [1, 2, 3]


def test_runs_that_fill_their_owner_s_share_of_the_disk_must_go_first(still: Callable[..., Runs]) -> None:
    runs = still(runs_bytes=50_000)
    (run,) = queue(runs, ME)
    (runs.root / run / "checkpoints").mkdir()
    (runs.root / run / "checkpoints" / "large").write_bytes(b"0" * 60_000)
    for ask in (lambda: runs.start(spec(), visitor=ME), lambda: runs.rerun(run, visitor=ME)):
        with pytest.raises(WorkbenchError, match="Delete runs") as told:
            ask()
        assert told.value.kind == "disk"
    assert queue(runs, OTHER)
    runs.delete(run, visitor=ME)
    assert queue(runs, ME)


def test_a_deleted_run_takes_what_was_tokenized_of_its_owner_along(still: Callable[..., Runs]) -> None:
    runs = still()
    mine, theirs = (encoded_folder(runs.settings, visitor) for visitor in (ME, OTHER))
    for folder in (mine, theirs):
        folder.mkdir(parents=True)
    (run,) = queue(runs, ME)
    assert read_json(runs.root / run / "inputs.json")["encoded"]["folder"] == str(mine)
    runs.delete(run, visitor=ME)
    assert [folder.exists() for folder in (mine, theirs)] == [False, True]


def test_on_zero_gpu_nothing_trains_and_jobs_are_named(still: Callable[..., Runs]) -> None:
    settings = read_settings({"SPACE_ID": "a/b", "SPACES_ZERO_GPU": "true"}, {})
    assert settings.zero_gpu
    runs = still(zero_gpu=True)
    for ask in (runs.start, runs.rehearse):
        with pytest.raises(WorkbenchError, match=r"ZeroGPU.*Hugging Face Jobs"):
            ask(spec(), visitor=ME)


def test_a_visitor_in_public_trains_one_run_at_a_time(tmp_path: Path) -> None:
    assert PUBLIC_LIMITS["visitor_runs"] == 1
    assert PUBLIC_LIMITS["runs_bytes"] < Settings(home=tmp_path, cache=tmp_path).runs_bytes


def test_nothing_of_a_state_is_lost_as_json(still: Callable[..., Runs]) -> None:
    runs = still()
    (run,) = queue(runs, ME)
    state = runs.state(run, visitor=ME)
    assert json.loads(json.dumps(state)) == state
