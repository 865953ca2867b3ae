"""Batches as the library makes them, its errors shown with their remedies, and nothing of one visitor left behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tokens import Tokens
from components.service.visitor import Visitor

TEXTS = ["Once upon a time", "I love this film, it is wonderful and warm", "I"]
PAIRS = [["Once upon a time", "there was a fox"], ["I love it", "so"]]
Collate = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def collate(
    settings: Settings,
    hub: Hub,
    engine: Engine,
    visitor: Visitor,
    models_folder: Path,
    tiny_classifier: Path,
    tiny_generator: Path,
) -> Collate:
    from tokenizer_models import save_all

    save_all(models_folder)
    tokens = Tokens(settings, hub, engine)
    return lambda name, texts, **options: tokens.collate(f"local/{name}", texts, options, visitor=visitor)


@pytest.mark.parametrize(
    ("name", "texts", "options"),
    [
        ("classifier", TEXTS, {}),
        ("classifier", TEXTS, {"padding_side": "left", "pad_to_multiple_of": 8}),
        ("classifier", TEXTS, {"padding": "max_length", "max_length": 20, "add_special_tokens": False}),
        ("classifier", TEXTS, {"truncation": "longest_first", "max_length": 6}),
        ("classifier", PAIRS, {"truncation": "only_second", "max_length": 9}),
        ("classifier", PAIRS, {"truncation": "only_first", "max_length": 9, "stride": 1,
                               "return_overflowing_tokens": True}),
        ("character", PAIRS, {"truncation": "longest_first", "max_length": 12}),
        ("byte", TEXTS, {"padding_side": "left"}),
    ],
)  # fmt: skip
def test_a_batch_is_the_librarys_own(
    collate: Collate, models_folder: Path, name: str, texts: list[Any], options: dict[str, Any]
) -> None:
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(models_folder / name)
    columns = [list(column) for column in zip(*texts, strict=True)] if isinstance(texts[0], list) else [texts]
    expected = own(*columns, **{"padding": "longest", **options}, return_special_tokens_mask=True, return_tensors="pt")
    seen = collate(name, texts, **options)
    for row_name, key in (("ids", "input_ids"), *((n, n) for n in ("attention_mask", "special_tokens_mask"))):
        assert [row[row_name] for row in seen["rows"]] == expected[key].tolist()
    types = expected["token_type_ids"].tolist() if "token_type_ids" in expected else [None] * len(seen["rows"])
    assert [row["token_type_ids"] for row in seen["rows"]] == types
    assert seen["shape"] == list(expected["input_ids"].shape)
    assert seen["tensors"][0]["dtype"] == "int64"
    samples = expected.get("overflow_to_sample_mapping")
    assert [row["sample"] for row in seen["rows"]] == (list(range(len(texts))) if samples is None else samples.tolist())
    assert seen["error"] is None


def test_unequal_lengths_show_the_librarys_own_error(collate: Collate) -> None:
    seen = collate("classifier", TEXTS, padding="do_not_pad")
    assert seen["error"]["type"] == "ValueError"
    assert "Unable to create tensor" in seen["error"]["message"]
    assert seen["error"]["remedy"] == {"padding": "longest"}
    assert (seen["shape"], seen["tensors"]) == (None, [])
    assert seen["lengths"] == [len(row["ids"]) for row in seen["rows"]]
    assert collate("classifier", TEXTS, **seen["error"]["remedy"])["error"] is None


def test_a_missing_padding_token_is_explained_and_another_can_stand_in(collate: Collate) -> None:
    seen = collate("generator", TEXTS)
    assert "does not have a padding token" in seen["error"]["message"]
    assert seen["pad"] is None
    mended = collate("generator", TEXTS, **seen["error"]["remedy"])
    assert mended["error"] is None
    assert (mended["pad"]["token"], mended["pad"]["borrowed"]) == ("<|endoftext|>", True)
    assert mended["rows"][2]["tokens"][-1] == "<|endoftext|>"
    assert mended["rows"][2]["attention_mask"][-1] == 0
    assert collate("generator", TEXTS)["error"] is not None, "the token was lent for one call only"


def test_padding_is_shown_where_the_model_is_given_no_attention_mask(collate: Collate, models_folder: Path) -> None:
    shutil.copytree(models_folder / "classifier", models_folder / "unmasked")
    file = models_folder / "unmasked" / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_input_names": ["input_ids"]}))
    seen = collate("unmasked", TEXTS)
    assert seen["rows"][2]["attention_mask"] == [1] * 3 + [0] * 9
    assert [one["name"] for one in seen["tensors"]] == ["input_ids"]
    assert any("no attention_mask" in note for note in seen["notes"])


def test_a_side_to_cut_at_is_for_one_call_only(collate: Collate) -> None:
    options = {"truncation": "longest_first", "max_length": 4}
    left = collate("classifier", TEXTS, truncation_side="left", **options)["rows"][0]["tokens"]
    right = collate("classifier", TEXTS, **options)["rows"][0]["tokens"]
    assert (left, right) == (["[CLS]", "a", "time", "[SEP]"], ["[CLS]", "once", "upon", "[SEP]"])


def test_what_padding_wastes_and_truncation_cuts_is_counted(collate: Collate) -> None:
    counts = collate("classifier", TEXTS, add_special_tokens=False)["counts"]
    assert (counts["texts"], counts["cells"], counts["padding"]) == (3, 30, 15)
    assert counts["padding_share"] == 0.5
    assert collate("classifier", TEXTS, add_special_tokens=False, truncation="longest_first", max_length=3)["counts"][
        "cut"
    ] == (4 - 3) + (10 - 3)


def test_windows_of_a_long_text_are_told_apart(collate: Collate) -> None:
    options = {"truncation": "longest_first", "max_length": 6, "stride": 2, "return_overflowing_tokens": True}
    rows = collate("classifier", TEXTS, **options)["rows"]
    assert [(row["sample"], row["window"]) for row in rows] == [(0, 0), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0)]
    assert rows[1]["tokens"][3:5] == rows[2]["tokens"][1:3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"truncation": "longest_first", "max_length": 1}, "cuts nothing at all. Give at least 3"),
        ({"max_length": 4}, "max_length of 4 cuts nothing"),
        ({"stride": 2}, "stride counts only"),
        ({"return_overflowing_tokens": True}, "nothing is cut off"),
        ({"padding": "do_not_pad", "pad_to_multiple_of": 8}, "no row is filled up"),
    ],
)
def test_options_that_do_nothing_are_told(collate: Collate, options: dict[str, Any], said: str) -> None:
    made = collate("classifier", ["I love this", "I love this"], **options)
    assert any(said in note for note in made["notes"]), made["notes"]
    assert len(made["rows"][0]["ids"]) == 5


def test_a_large_batch_is_told_in_part(collate: Collate, settings: Settings) -> None:
    seen = collate("byte", ["x" * 300] * 64)
    assert seen["truncated"]
    assert seen["shape"] == [64, 301]
    assert sum(len(row["ids"]) for row in seen["rows"]) <= settings.window_tokens + 301
    assert seen["rows"][0]["hidden"] == 301 - len(seen["rows"][0]["ids"])


@pytest.mark.parametrize(
    ("name", "texts", "options", "field"),
    [
        ("classifier", None, {}, "texts"),
        ("classifier", [], {}, "texts"),
        ("classifier", "one", {}, "texts"),
        ("classifier", [1], {}, "texts"),
        ("classifier", ["a", ["b", "c"]], {}, "texts"),
        ("classifier", [["a", "b", "c"]], {}, "texts"),
        ("classifier", ["\ud800"], {}, "texts"),
        ("classifier", ["a"] * 257, {}, "texts"),
        ("classifier", ["a" * 100_001], {}, "texts"),
        ("classifier", ["a"], {"padding": "wide"}, "options.padding"),
        ("classifier", ["a"], {"padding": True}, "options.padding"),
        ("classifier", ["a"], {"truncation": "only_second", "max_length": 4}, "options.truncation"),
        ("classifier", ["a"] * 100, {"padding": "max_length", "max_length": 20_000}, "options.max_length"),
        ("classifier", ["a"], {"pad_to_multiple_of": 10**6}, "options.pad_to_multiple_of"),
        ("classifier", ["a " * 9_000], {"truncation": "only_first", "max_length": 2_000, "stride": 1_999,
                                        "return_overflowing_tokens": True}, "options.stride"),
        ("classifier", ["a b c d e"], {"truncation": "only_first", "max_length": 4, "stride": 2}, "options.stride"),
        ("classifier", PAIRS, {"truncation": "only_second", "max_length": 4}, "options.max_length"),
        ("classifier", PAIRS, {"truncation": "only_first", "max_length": 8, "stride": 1,
                               "return_overflowing_tokens": True}, "options.max_length"),
        ("bare", ["a"], {"pad_with": "eos"}, "options.pad_with"),
    ],
)  # fmt: skip
def test_what_makes_no_batch_is_told(
    collate: Collate, models_folder: Path, name: str, texts: Any, options: dict[str, Any], field: str
) -> None:
    if name == "bare":
        from tokenizer_models import words
        from transformers import PreTrainedTokenizerFast

        PreTrainedTokenizerFast(tokenizer_object=words().backend_tokenizer).save_pretrained(models_folder / "bare")
    with pytest.raises(WorkbenchError) as caught:
        collate(name, texts, **options)
    assert caught.value.field == field
    assert caught.value.kind == "input"


def test_a_tokenizer_that_fails_where_nothing_is_cut_is_what_is_at_fault(collate: Collate, models_folder: Path) -> None:
    from tokenizer_models import HOSTILE

    HOSTILE["no unknown token"]().save_pretrained(models_folder / "unknowing")
    with pytest.raises(WorkbenchError, match="failed on this") as caught:
        collate("unknowing", ["b"], padding="do_not_pad")
    assert caught.value.field == "model"
