"""The table of speed says what was measured: its ratios, its verdicts, and which benchmarks are in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import table as table_module
from tests.bench.__main__ import BENCHMARKS
from tests.bench.report import page
from tests.bench.table import HEADERS, Curve, Goal, Row, figure, in_turns

FOLDER = Path(table_module.__file__).parent
VERDICTS = [
    ("at most, well under it", Goal(most=1.5), [1.0, 1.1], [1.0, 1.0], "holds"),
    ("at most, on it", Goal(most=1.5), [1.5], [1.0], "holds"),
    ("at most, over it", Goal(most=1.5), [1.6, 1.8], [1.0, 1.0], "misses"),
    ("at most, over it in one round", Goal(most=1.5), [1.0, 1.1, 1.9], [1.0, 1.0, 1.0], "holds, within the noise"),
    ("at most, under it in one round", Goal(most=1.5), [1.0, 1.8, 1.9], [1.0, 1.0, 1.0], "misses, within the noise"),
    ("at least, over it", Goal(least=3), [300.0], [90.0], "holds"),
    ("at least, under it", Goal(least=3), [200.0], [90.0], "misses"),
    ("a limit that does not change", Goal(most=1), [200.0, 310.0, 250.0], [300.0], "holds, within the noise"),
]


@pytest.mark.parametrize("case", VERDICTS, ids=lambda case: case[0])
def test_a_row_says_whether_its_goal_holds_and_whether_a_round_says_otherwise(case: tuple[str, ...]) -> None:
    _, goal, ours, stock, verdict = case
    assert Row("a", "b", goal, "s", ours, stock).verdict == verdict


def test_the_ratio_is_taken_round_by_round() -> None:
    row = Row("a", "b", Goal(most=2), "s", ours=[2.0, 40.0, 6.0], stock=[1.0, 10.0, 2.0])
    assert row.ratios == [2.0, 4.0, 3.0]
    assert row.ratio == 3.0
    assert row.cells()[HEADERS.index("noise")] == "2.00 to 4.00"


def test_a_goal_is_of_one_kind() -> None:
    for kinds in ({}, {"most": 1.0, "least": 1.0}):
        with pytest.raises(ValueError, match="either"):
            Goal(**kinds)


@pytest.mark.parametrize(
    ("power", "line"), [(1.0, [1.0, 10.0, 100.0]), (2.0, [1.0, 100.0, 10_000.0]), (0.0, [1, 5, 5])]
)
def test_a_curve_tells_how_its_upper_end_grows(power: float, line: list[float]) -> None:
    assert Curve("a", "rows", [10, 100, 1000], {"s": line}).growth("s") == pytest.approx(power)


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.0, "0.0"), (0.001234, "0.00123"), (1.0, "1.00"), (99.96, "100.0"), (1234.5, "1,234"), (123456.0, "123,456")],
)
def test_a_figure_has_three_digits_and_no_exponent(value: float, told: str) -> None:
    assert figure(value) == told


def test_the_ways_take_turns_and_the_order_changes() -> None:
    order: list[str] = []
    seconds = in_turns(2, stock=lambda: order.append("stock"), ours=lambda: order.append("ours"))
    assert order == ["stock", "ours", "ours", "stock"]
    assert {name: len(times) for name, times in seconds.items()} == {"stock": 2, "ours": 2}


def test_every_benchmark_is_part_of_the_table() -> None:
    found = set()
    for file in FOLDER.rglob("*.py"):
        if file.parent.name != "finetune" or file.name == "__init__.py":
            text = file.read_text()
            if "\ndef measure(" in text or "\ndef curves(" in text:
                found.add(file.stem if file.name != "__init__.py" else file.parent.name)
    assert found == set(BENCHMARKS)


def test_the_page_tells_how_it_was_made_and_what_is_missing_in_it() -> None:
    row = Row("a", "b", Goal(most=2), "s", [1.0], [1.0], note="the floor")
    curve = Curve("c", "rows", [10, 100], {"seconds": [1.0, 9.0]})
    text = page([row], [curve], {"commit": "c0ffee"}, left=["batch"])
    for told in ("| a | b | at most 2 |", "* **a**: the floor", "come to an end: batch.", "### c", "| 100 | 9.00 |"):
        assert told in text
    assert "| commit | c0ffee |" in text
