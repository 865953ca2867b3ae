"""Texts tokenized once: as the tokenizer gives them, found again by what they were made of, and never too many."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from components.service.runs.encoded import FEWEST, Encoded, key_of
from components.service.runs.families.examples import BATCH, Examples, Ragged, encode

CUT: dict[str, Any] = {"truncation": True, "max_length": 6}


@pytest.fixture(scope="module")
def tokenizer(tiny_classifier: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_classifier)


@pytest.mark.parametrize("paired", [False, True])
def test_texts_get_the_ids_that_the_tokenizer_gives_each_alone(tokenizer: Any, paired: bool) -> None:
    texts = [["good film", "", "a bad one of very many words", "?"][i % 4] for i in range(2 * BATCH + 3)]
    pairs = [f"{text} bad" for text in texts] if paired else None
    made = Examples({**encode(tokenizer, texts, pairs, **CUT)}, len(texts))
    for place in (0, 1, 2, BATCH - 1, BATCH, 2 * BATCH + 2):
        alone = tokenizer(texts[place], pairs[place] if pairs else None, **CUT)
        assert made[place] == dict(alone)
    assert made[-1] == made[len(made) - 1]
    assert made[1:3] == [made[1], made[2]]
    assert made.lengths().tolist() == [len(one["input_ids"]) for one in made]
    with pytest.raises(IndexError):
        made[len(made)]


class Backwards(PreTrainedTokenizerFast):
    """Does more in Python than the Rust tokenizer in it knows of."""

    def __call__(self, text: Any, *args: Any, **options: Any) -> Any:
        return super().__call__([one[::-1] for one in text], *args, **options)


def test_a_tokenizer_with_ways_of_its_own_keeps_them(tiny_classifier: Path) -> None:
    own, texts = Backwards.from_pretrained(tiny_classifier), ["doog mlif", "mraw"] * BATCH
    made = Examples({**encode(own, texts, **CUT)}, len(texts))
    assert made[-1]["input_ids"] == made[1]["input_ids"] == own(["mraw"], **CUT)["input_ids"][0]
    assert own.convert_ids_to_tokens(made[-2]["input_ids"])[1:-1] != own.tokenize("doog mlif")


def test_numbers_that_are_alike_take_no_memory() -> None:
    mask, ids = Ragged.of([[1, 1], [], [1]]), Ragged.of([[1, 2], [], [3]])
    assert [mask[i] for i in range(3)] == [[1, 1], [], [1]]
    assert [ids[i] for i in range(3)] == [[1, 2], [], [3]]
    assert (len(mask.compact()), len(ids.compact())) == (1, 3)


@pytest.fixture
def kept(tmp_path: Path) -> Encoded:
    return Encoded(tmp_path / "encoded" / "one", 10**6)


TEXTS = ["good", "bad film", ""] * (FEWEST // 3 + 1)


def _files(kept: Encoded) -> list[Path]:
    return sorted(kept.folder.glob("*"))


def test_many_texts_are_read_from_the_disk_the_second_time(tokenizer: Any, kept: Encoded) -> None:
    first = encode(tokenizer, TEXTS, kept=kept, **CUT)
    (file,) = _files(kept)
    again = encode(tokenizer, TEXTS, kept=kept, **CUT)
    assert again.keys() == first.keys()
    for name, lists in first.items():
        assert [again[name][i] for i in range(len(TEXTS))] == [lists[i] for i in range(len(TEXTS))]
    # What lies there is what is given: other numbers come back as they are.
    with np.load(file) as arrays:
        changed = {**arrays, "input_ids": np.zeros(1, dtype=np.int32)}
    np.savez(file, **changed)
    assert encode(tokenizer, TEXTS, kept=kept, **CUT)["input_ids"][1] == [0] * len(first["input_ids"][1])


def test_few_texts_are_not_kept(tokenizer: Any, kept: Encoded) -> None:
    encode(tokenizer, TEXTS[: FEWEST - 1], kept=kept, **CUT)
    assert not _files(kept)


def _half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _zeros(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _pickle(file: Path) -> None:
    with file.open("wb") as opened:
        np.savez(opened, starts=np.array([{"a": 1}], dtype=object))


@pytest.mark.parametrize("harm", [_half, _empty, _zeros, _pickle, Path.unlink])
def test_a_file_that_is_not_whole_is_made_again(harm: Callable[[Path], object], tokenizer: Any, kept: Encoded) -> None:
    first = encode(tokenizer, TEXTS, kept=kept, **CUT)
    (file,) = _files(kept)
    harm(file)
    again = encode(tokenizer, TEXTS, kept=kept, **CUT)
    assert [again["input_ids"][i] for i in range(9)] == [first["input_ids"][i] for i in range(9)]
    assert kept.get(file.stem) is not None


def test_a_key_changes_with_all_that_decides_the_ids(tokenizer: Any, tiny_generator: Path) -> None:
    other = AutoTokenizer.from_pretrained(tiny_generator)
    asked: list[tuple[Any, dict[str, Any], list[str], list[str] | None]] = [
        (tokenizer, CUT, ["ab", "c"], None),
        (tokenizer, CUT, ["a", "bc"], None),
        (tokenizer, CUT, ["c", "ab"], None),
        (tokenizer, CUT, ["ab"], ["c"]),
        (tokenizer, CUT, ["ab", "c"], []),
        (tokenizer, {**CUT, "max_length": 7}, ["ab", "c"], None),
        (other, CUT, ["ab", "c"], None),
    ]
    keys = [key_of(one, options, texts, pairs) for one, options, texts, pairs in asked]
    assert len(set(keys)) == len(keys)
    tokenizer("x" * 50, truncation=True, max_length=3)
    assert key_of(tokenizer, CUT, ["ab", "c"], None) == keys[0]


def test_what_was_not_used_for_longest_goes_first_whoever_it_belongs_to(tmp_path: Path) -> None:
    one, two = (Encoded(tmp_path / "encoded" / name, 10_000) for name in ("one", "two"))
    array = {"starts": np.arange(500)}
    for number, (whose, key) in enumerate([(one, "a"), (two, "b"), (one, "c")]):
        whose.put(key, array)
        if key != "c":
            os.utime(whose.folder / f"{key}.npz", (number, number))
        if key == "b":
            assert one.get("a") is not None
    assert [two.get("b"), one.get("a") is None, one.get("c") is None] == [None, False, False]
    assert two.get("a") is None


def test_what_is_too_large_or_finds_no_room_is_not_kept(tmp_path: Path) -> None:
    small = Encoded(tmp_path / "encoded" / "one", 1000)
    small.put("a", {"starts": np.arange(500)})
    assert small.get("a") is None
    (tmp_path / "file").write_text("no folder")
    blocked = Encoded(tmp_path / "file" / "one", 10**6)
    blocked.put("a", {"starts": np.arange(5)})
    assert blocked.get("a") is None
