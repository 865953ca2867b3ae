"""Which rows are held out: a share of each label, a number, whole groups; and what the names of splits say."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from components.service.runs.rows import split_names
from components.service.runs.splits import split_groups, split_rows, strata


def test_the_names_of_splits_speak() -> None:
    assert split_names({"train": 1, "validation_matched": 1, "validation_mismatched": 1, "test": 1}) == {
        "train": "train", "validation": "validation_matched", "test": "test",
    }  # fmt: skip
    assert split_names({"dev": 1, "validation": 1, "training": 1}) == {"train": "training", "validation": "validation"}
    assert split_names({"test": 1}) == {"train": "test"}


CLASSES = st.lists(st.sampled_from("aabbbcd"), min_size=4, max_size=60)


@given(CLASSES, st.floats(0.01, 0.9), st.integers(0, 9))
def test_a_share_is_held_out_of_each_label_and_one_row_stays(labels: list[str], share: float, seed: int) -> None:
    kept, held = split_rows(labels, share, seed)
    assert sorted(kept + held) == list(range(len(labels)))
    assert {labels[i] for i in kept} == set(labels)
    for label, rows in Counter(labels).items():
        assert sum(labels[i] == label for i in held) == min(max(1, round(share * rows)), rows - 1)


@given(CLASSES, st.integers(2, 30), st.integers(0, 9))
def test_as_many_rows_are_held_out_as_asked_for_and_spread(labels: list[str], wanted: int, seed: int) -> None:
    counts = Counter(labels)
    kept, held = split_rows(labels, wanted, seed)
    assert len(held) == min(wanted, len(labels) - len(counts))
    assert {labels[i] for i in kept} == set(labels)
    for label, rows in counts.items():
        if all(n > 3 for n in counts.values()) and wanted * 2 < len(labels):
            assert abs(sum(labels[i] == label for i in held) - wanted * rows / len(labels)) <= 1


def test_rare_labels_of_several_and_both_ends_of_numbers_are_held_out() -> None:
    several = [["common"] + (["rare"] if i < 5 else []) for i in range(50)]
    kept, held = split_rows(strata(several), 0.2, 1)
    assert sum("rare" in several[i] for i in held) == 1
    assert (len(kept), len(held)) == (40, 10)
    numbers = [float(i) for i in range(100)]
    held_numbers = sorted(numbers[i] for i in split_rows(strata(numbers), 0.2, 1)[1])
    assert [int(number // 10) for number in held_numbers] == [i // 2 for i in range(20)]


@given(st.lists(st.integers(1, 9), min_size=2, max_size=40), st.floats(0.01, 0.9), st.integers(0, 9))
def test_whole_groups_are_held_out_about_as_many_rows_as_asked_for(sizes: list[int], share: float, seed: int) -> None:
    groups = [name for name, size in enumerate(sizes) for _ in range(size)]
    kept, held = split_groups(groups, share, seed)
    assert (kept, held) == split_groups(groups, share, seed)
    assert sorted(kept + held) == list(range(len(groups)))
    assert kept
    assert held
    wanted = max(1, min(round(share * len(groups)), len(groups) - 1))
    if {groups[i] for i in kept} & {groups[i] for i in held}:
        assert min(sizes) >= 2 * wanted or len(groups) - min(sizes) < wanted
        assert len(held) == wanted
    elif sum(sizes) - max(sizes) >= wanted:
        assert abs(len(held) - wanted) <= max(size for size in sizes if size < 2 * wanted) / 2


def test_each_label_gives_its_share_and_keeps_a_row_to_train_on() -> None:
    labels = ["a"] * 50 + ["b"] * 5 + ["c"]
    train, held = split_rows(labels, 0.2, 7)
    assert sorted(train + held) == list(range(56))
    assert [sum(labels[i] == label for i in held) for label in "abc"] == [10, 1, 0]
    assert (train, held) == split_rows(labels, 0.2, 7) != split_rows(labels, 0.2, 8)
