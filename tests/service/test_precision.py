"""The choice between fp32 and bf16: what a measurement says under load, and when it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.service.runs.precision import ROUNDS, SMALL, WORTH, Measured, choose_precision, compared, keep, kept
from components.service.runs.store import read_json, write_json

QUIET = [(0.020, 0.010)] * 10
CASES = [
    ("a quiet machine", QUIET, 2.0, True),
    (
        "some steps of each disturbed",
        [(0.020, 0.030), (0.070, 0.010), *QUIET[:3], (0.050, 0.045), *QUIET[:4]],
        2.0,
        True,
    ),
    ("load on all steps alike", [(3 * plain, 3 * short) for plain, short in QUIET], 2.0, True),
    ("bf16 disturbed throughout one half", [*QUIET[:5], *[(0.020, 0.019)] * 5], 2.0, False),
    ("fp32 disturbed throughout one half", [*QUIET[:5], *[(0.030, 0.010)] * 5], 2.0, False),
    ("halves on either side of what is worth it", [*[(0.0112, 0.010)] * 5, *[(0.0119, 0.010)] * 5], 1.12, False),
    ("bf16 slower, and steadily so", [(0.010, 0.020)] * 10, 0.5, True),
]


@pytest.mark.parametrize(("rounds", "speedup", "steady"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_quickest_steps_count_and_the_halves_must_agree(
    rounds: list[tuple[float, float]], speedup: float, steady: bool
) -> None:
    found = compared(rounds)
    assert found.speedup == pytest.approx(speedup)
    assert found.steady is steady


def test_only_a_steady_measurement_is_kept_and_those_of_other_machines_stay(tmp_path: Path) -> None:
    cache = tmp_path / "precision.json"
    keep(cache, "this", Measured(1.9, steady=False))
    assert not cache.exists()
    keep(cache, "that", Measured(1.5, steady=True))
    keep(cache, "this", Measured(2.0, steady=True))
    assert (kept(cache, "this"), kept(cache, "that")) == (Measured(2.0, True), Measured(1.5, True))
    assert kept(cache, "another") is None
    assert kept(None, "this") is None


@pytest.mark.parametrize("found", [1.7, {"this": 1.7}, {"this": {"speedup": "2"}}, ["this"], None])
def test_what_was_kept_in_another_form_is_measured_again(tmp_path: Path, found: object) -> None:
    cache = tmp_path / "precision.json"
    write_json(cache, found)
    assert kept(cache, "this") is None
    keep(cache, "this", Measured(2.0, steady=True))
    assert kept(cache, "this") == Measured(2.0, steady=True)


def test_a_measurement_decides_by_its_own_figure(tmp_path: Path) -> None:
    cache = tmp_path / "precision.json"
    told = choose_precision("auto", cache)
    assert told["dtype"] == ("bf16" if told["speedup"] >= WORTH else "fp32")
    assert ("measures again" in told["why"]) is (read_json(cache) is None)
    assert choose_precision("bf16", cache)["why"] == "bf16 was asked for."
    for one in (read_json(cache) or {}).values():
        assert one == {"speedup": told["speedup"], "rounds": ROUNDS}


def test_a_disk_that_takes_no_more_is_no_reason_to_fail(tmp_path: Path) -> None:
    folder = tmp_path / "a file"
    folder.write_text("")
    cache = folder / "precision.json"
    keep(cache, "this", Measured(1.9, steady=True))
    assert kept(cache, "this") is None


def test_a_small_model_is_trained_in_float32_whatever_the_processor_is_quick_at(tmp_path: Path) -> None:
    cache = tmp_path / "precision.json"
    told = choose_precision("auto", cache, SMALL - 1)
    assert (told["dtype"], told["speedup"]) == ("fp32", None)
    assert "of this size" in told["why"]
    assert not cache.exists()
    assert choose_precision("bf16", cache, SMALL - 1)["dtype"] == "bf16"
