"""The tokenizer inspector: the tokenizer's own ids, honest stages, offsets that fit the text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tokens import Tokens
from components.service.visitor import Visitor


@pytest.fixture(scope="module")
def folder(models_folder: Path, tiny_classifier: Path, tiny_generator: Path) -> Path:
    """Tokenizers of every kind."""
    from tokenizer_models import save_all

    save_all(models_folder)
    return models_folder


@pytest.fixture(scope="module")
def tokens(settings: Settings, hub: Hub, engine: Engine, folder: Path) -> Tokens:
    return Tokens(settings, hub, engine)


@pytest.fixture(scope="module")
def tokenize(tokens: Tokens, visitor: Visitor) -> Callable[..., dict[str, Any]]:
    return lambda *args, **named: tokens.tokenize(*args, **named, visitor=visitor)


@pytest.fixture(scope="module")
def decode(tokens: Tokens, visitor: Visitor) -> Callable[..., dict[str, Any]]:
    return lambda *args, **named: tokens.decode(*args, **named, visitor=visitor)


@cache
def own_tokenizer(path: Path) -> Any:
    """What the library itself opens."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(path)


NAMES = ["classifier", "generator", "unigram", "fallback", "suffix", "words", "chat", "byte", "character"]
TEXTS = [
    "Using a Transformer network is simple",
    "  I LOVE   this é film!\n\tIt's ☃ 👩‍👩‍👧 wonderful.",
    "你好, naïve café: 1,234.5 ½",
    "[CLS] a[SEP]b <|endoftext|> c </s> d <s>e<unk> [UNK] <mask> the fox, foxes reading<think> it",
    "\u202eright to left\u0301",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_tokenizer_is_named_in_plain_words(tokenize: Callable[..., Any], name: str) -> None:
    from tokenizer_models import KINDS

    seen = tokenize(f"local/{name}", "a")
    assert seen["kind"] == KINDS[name]
    assert seen["meaning"].endswith(".")
    assert seen["why"].endswith(".")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_ids_are_the_tokenizers_own_and_the_stages_lead_to_them(
    tokenize: Callable[..., Any], folder: Path, name: str, text: str
) -> None:
    own = own_tokenizer(folder / name)
    seen = tokenize(f"local/{name}", text)
    assert [token["id"] for token in seen["tokens"]] == own(text)["input_ids"]
    assert seen["counts"]["tokens"] == len(seen["tokens"])
    names = ["added_tokens", "normalized", "pre_tokenized", "model", "post_processed", "ids"]
    assert [stage["name"] for stage in seen["stages"]] == (names if seen["fast"] else names[3:])
    plain = [item["id"] for item in seen["stages"][-3]["items"]]
    assert seen["matches_encode"] is (plain == own(text, add_special_tokens=False)["input_ids"])
    assert seen["matches_encode"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_offsets_cover_the_text_in_order(tokenize: Callable[..., Any], name: str, text: str) -> None:
    seen = tokenize(f"local/{name}", text)
    assert seen["offsets"] == ("computed" if name in {"byte", "character"} else "tokenizer")
    spans = [(token["start"], token["end"]) for token in seen["tokens"] if token["start"] is not None]
    assert spans == sorted(spans)
    for token in seen["tokens"]:
        if token["start"] is not None and token["start"] < token["end"]:
            assert token["text"] == text[token["start"] : token["end"]]
    if name in {"byte", "character"}:
        covered = {place for start, end in spans for place in range(start, end)}
        assert covered >= {place for place, character in enumerate(text) if not character.isspace()}


def test_several_tokens_of_one_character_all_get_that_character(tokenize: Callable[..., Any]) -> None:
    for name in ("generator", "byte"):
        seen = tokenize(f"local/{name}", "é☃")
        assert [token["text"] for token in seen["tokens"] if not token["special"]] == ["é", "é", "☃", "☃", "☃"]


def test_added_special_tokens_have_no_offsets_and_typed_ones_have(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/classifier", "a [SEP]")
    assert [(token["token"], token["start"], token["special"]) for token in seen["tokens"]] == [
        ("[CLS]", None, True),
        ("a", 0, False),
        ("[SEP]", 2, True),
        ("[SEP]", None, True),
    ]


def test_an_unknown_word_is_counted_and_is_no_special_token(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/classifier", "☃ [UNK]")
    assert seen["counts"]["unknown"] == 1
    assert [token["special"] for token in seen["tokens"]] == [True, False, True, True]
    assert [token["unknown"] for token in seen["tokens"]] == [False, True, False, False]


def test_the_last_stage_shows_each_token_with_its_id(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/classifier", "love")
    last = seen["stages"][-1]
    assert last["title"] == "Ids"
    assert [item["text"] for item in last["items"]] == [f"{t['token']} {t['id']}" for t in seen["tokens"]]
    assert [item["token"] for item in last["items"]] == ["[CLS]", "love", "[SEP]"]
    assert seen["stages"][-2]["note"].startswith("2 special tokens are added.")


@pytest.mark.parametrize("name", NAMES)
def test_each_token_of_a_pair_knows_its_text(tokenize: Callable[..., Any], name: str) -> None:
    first, second = "Once upon", "the fox"
    seen = tokenize(f"local/{name}", first, second)
    for token in seen["tokens"]:
        if token["start"] is not None and token["start"] < token["end"]:
            assert token["text"] == (first, second)[token["sequence"]][token["start"] : token["end"]]
    assert {0, 1} <= {token["sequence"] for token in seen["tokens"]}


def stage(seen: dict[str, Any], name: str) -> dict[str, Any]:
    return next(stage for stage in seen["stages"] if stage["name"] == name)


def test_added_tokens_are_cut_out_before_anything_else(tokenize: Callable[..., Any]) -> None:
    items = stage(tokenize("local/chat", "a<think>b <mask> c foxes fox"), "added_tokens")["items"]
    assert [item["text"] for item in items if item["special"]] == ["<think>", " <mask> "]
    later = stage(tokenize("local/chat", "foxes fox"), "normalized")["items"]
    assert [(item["text"], item["special"]) for item in later] == [("foxes ", False), ("fox", True)]


def test_the_normalizers_changes_are_told_by_character(tokenize: Callable[..., Any]) -> None:
    item = stage(tokenize("local/classifier", "a Café\u200d!"), "normalized")["items"][0]
    assert item["text"] == "a cafe!"
    assert [change for change in item["changes"] if change["before"] != change["after"]] == [
        {"start": 2, "before": "C", "after": "c"},
        {"start": 5, "before": "é\u200d", "after": "e"},
    ]


def test_merges_are_replayed_in_the_order_of_their_ranks(tokenize: Callable[..., Any], folder: Path) -> None:
    replay = stage(tokenize("local/generator", "Transformer"), "model")["replays"][0]
    merges = json.loads((folder / "generator" / "tokenizer.json").read_text())["model"]["merges"]
    symbols = list("Transformer")
    assert replay["symbols"] == symbols
    for step in replay["steps"]:
        assert merges[step["rank"]] == [step["left"], step["right"]]
        symbols[step["at"] : step["at"] + 2] = [step["left"] + step["right"]]
        assert step["symbols"] == symbols
    assert replay["tokens"] == symbols
    assert len(replay["steps"]) > 3


def test_longest_matches_are_shown_with_what_was_tried_before(tokenize: Callable[..., Any]) -> None:
    replay = stage(tokenize("local/classifier", "reading"), "model")["replays"][0]
    first = {"start": 0, "tried": ["reading", "readin", "readi"], "tried_total": 3, "matched": "read"}
    assert replay["attempts"] == [first, {"start": 4, "tried": [], "tried_total": 0, "matched": "##ing"}]
    unknown = stage(tokenize("local/classifier", "x☃"), "model")["replays"][0]
    assert unknown["attempts"][-1]["matched"] is None
    assert "unknown token" in unknown["note"]


def test_the_likeliest_path_is_shown_with_its_rivals(tokenize: Callable[..., Any], folder: Path) -> None:
    replay = stage(tokenize("local/unigram", "wonderful"), "model")["replays"][0]
    vocabulary = json.loads((folder / "unigram" / "tokenizer.json").read_text())["model"]["vocab"]
    scores = dict(vocabulary)
    assert [piece["token"] for piece in replay["paths"][0]["pieces"]] == replay["tokens"]
    assert len(replay["paths"]) > 1
    for path in replay["paths"]:
        assert path["score"] == pytest.approx(sum(scores[piece["token"]] for piece in path["pieces"]), abs=0.01)
        assert "".join(piece["token"] for piece in path["pieces"]) == "▁wonderful"
    assert [path["score"] for path in replay["paths"]] == sorted((p["score"] for p in replay["paths"]), reverse=True)


def test_what_marks_mean_is_told_where_they_occur(tokenize: Callable[..., Any]) -> None:
    def marks(name: str, text: str) -> set[str]:
        return {entry["mark"] for entry in tokenize(f"local/{name}", text)["legend"]}

    assert marks("generator", "a b") == {"Ġ"}
    assert marks("generator", "a\n你") == {"Ċ", "ä"}
    assert marks("classifier", "reading") == {"##"}
    assert marks("fallback", "love ☃") == {"▁", "<0x"}
    assert marks("suffix", "love") == {"</w>"}
    assert marks("byte", "love é") == set()


def test_tokens_that_make_one_character_are_a_group(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/generator", "a👩\u200d👧b")
    (group,) = seen["groups"]
    assert (group["text"], group["start"], group["end"]) == ("👩\u200d👧", 1, 4)
    assert [token["group"] for token in seen["tokens"]] == [None] + [0] * (len(seen["tokens"]) - 2) + [None]
    assert all(token["fit"] == "partial" for token in seen["tokens"][1:-1])


def test_offsets_that_mislead_are_flagged(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/fallback", "☃!")
    mark = next(token for token in seen["tokens"] if token["token"] == "▁")
    assert (mark["text"], mark["fit"], mark["flags"]) == ("☃", "mark", ["mismatch"])
    assert seen["offset_check"]["mismatch"] == 1
    upper = tokenize("local/classifier", "LOVE")["tokens"][1]
    assert (upper["text"], upper["reads"], upper["fit"], upper["flags"]) == ("LOVE", "love", "normalized", [])


def test_a_text_costs_what_its_tokens_cost(tokenize: Callable[..., Any]) -> None:
    counts = tokenize("local/byte", "love", options={"price_per_million": 4})["counts"]
    assert (counts["tokens"], counts["special"]) == (5, 1)
    assert counts["cost"] == pytest.approx(5 * 4 / 1e6)
    assert (counts["tokens_per_word"], counts["characters_per_token"]) == (4, 1)


def test_what_a_round_trip_loses_is_told(tokenize: Callable[..., Any]) -> None:
    back = tokenize("local/classifier", "I love ☃!")["round_trip"]
    assert not back["equal"]
    assert {"start": 0, "before": "I", "after": "i", "cause": "normalizer"} in back["changes"]
    assert "☃" in "".join(change["before"] for change in back["changes"])
    assert tokenize("local/generator", "I love ☃!")["round_trip"]["equal"]


@pytest.mark.parametrize(
    ("name", "text", "causes"),
    [
        ("classifier", "i love this", set()),
        ("classifier", "LOVE", {"normalizer"}),
        ("classifier", "i  love", {"spacing"}),
        ("classifier", "love ☃ love", {"unknown"}),
        ("classifier", "love [SEP] love", {"special"}),
        ("generator", "love <|endoftext|> love", {"special"}),
    ],
)
def test_why_a_text_does_not_come_back_is_told_for_each_place(
    tokenize: Callable[..., Any], name: str, text: str, causes: set[str]
) -> None:
    back = tokenize(f"local/{name}", text)["round_trip"]
    assert set(back["causes"]) == causes
    assert "".join(run["before"] for run in back["runs"]) == text
    assert "".join(run["after"] for run in back["runs"]) == back["text"]


def test_special_tokens_written_in_a_text_are_counted_and_warned_of(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/classifier", "i love [SEP] this [UNK] ☃")
    counts = seen["counts"]
    assert (counts["special"], counts["special_in_text"], counts["unknown"]) == (2, 2, 1)
    assert any("2 special tokens are written ([SEP], [UNK])" in note for note in seen["notes"])
    plain = tokenize("local/classifier", "i love this")
    assert (plain["counts"]["special_in_text"], plain["notes"]) == (0, [])


def test_what_no_token_stands_for_is_told_where_it_stood(tokenize: Callable[..., Any]) -> None:
    rows = tokenize("local/classifier", "love \u202e this\u200b\u200b")["tokens"]
    assert [(row["before"], row["after"]) for row in rows if row["sequence"] == 0] == [
        ("", ""),
        (" \u202e ", "\u200b\u200b"),
    ]
    assert all(row["before"] + row["after"] == "" for row in tokenize("local/generator", "a \u200b b")["tokens"])


def test_a_tokenizer_that_draws_by_chance_is_said_to(
    tokenize: Callable[..., Any], folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder / "generator", folder / "chance", dirs_exist_ok=True)
    file = folder / "chance" / "tokenizer.json"
    settings = json.loads(file.read_text())
    settings["model"]["dropout"] = 0.5
    file.write_text(json.dumps(settings))
    seen = tokenize("local/chance", "wonderful Transformer network " * 20)
    assert not seen["matches_encode"]
    assert seen["check"]["first_difference"] is not None
    assert "by chance" in seen["check"]["note"]


def test_an_answer_stays_small_where_the_text_is_one_word(tokenize: Callable[..., Any]) -> None:
    for name in ("fallback", "unigram", "byte"):
        assert len(json.dumps(tokenize(f"local/{name}", "love" * 5_000), ensure_ascii=False)) < 300_000


def test_special_tokens_can_be_left_out(tokenize: Callable[..., Any]) -> None:
    seen = tokenize("local/classifier", "love", options={"add_special_tokens": False})
    assert [token["token"] for token in seen["tokens"]] == ["love"]
    assert seen["counts"]["special"] == 0


def test_of_a_long_text_a_window_is_told_and_all_is_counted(tokenize: Callable[..., Any], settings: Settings) -> None:
    text = "Once upon a time. " * 5_000
    seen = tokenize("local/classifier", text)
    assert (len(seen["tokens"]), seen["truncated"]) == (500, True)
    assert seen["counts"]["tokens"] > 20_000
    assert seen["counts"]["words"] == 20_000
    later = tokenize("local/classifier", text, options={"start": 499, "count": 10**6})
    assert later["tokens"][0] == seen["tokens"][499]
    assert len(later["tokens"]) == settings.window_tokens


def test_counts_are_of_characters_and_bytes(tokenize: Callable[..., Any]) -> None:
    counts = tokenize("local/generator", "é ☃")["counts"]
    assert (counts["characters"], counts["bytes"], counts["words"]) == (3, 6, 2)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": "a\udfff"}, "text"),
        ({"text": "a", "text_pair": "\ud800"}, "text_pair"),
        ({"text": "a" * 4_000_001}, "text"),
        ({"text": "a", "options": {"padding": True}}, "options.padding"),
        ({"text": "a", "options": {"add_special_tokens": 1}}, "options.add_special_tokens"),
        ({"text": "a", "options": {"start": -1}}, "options.start"),
        ({"text": "a", "options": {"start": True}}, "options.start"),
        ({"text": "a", "options": []}, "options"),
        ({"text": "a", "options": {"price_per_million": -1}}, "options.price_per_million"),
        ({"text": "a", "options": {"price_per_million": 1e13}}, "options.price_per_million"),
        ({"text": "a", "options": {"count": "all"}}, "options.count"),
    ],
)
def test_what_cannot_be_tokenized_is_told(tokenize: Callable[..., Any], arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        tokenize("local/classifier", **arguments)
    assert caught.value.field == field


# The way back


@pytest.mark.parametrize("name", ["generator", "byte", "character"])
def test_what_was_tokenized_can_be_decoded(tokenize: Callable[..., Any], decode: Callable[..., Any], name: str) -> None:
    text = "Once upon é☃"
    ids = [token["id"] for token in tokenize(f"local/{name}", text)["tokens"]]
    assert decode(f"local/{name}", ids, {"skip_special_tokens": True})["text"] == text


def test_ids_may_be_written_as_a_text(tokenize: Callable[..., Any], decode: Callable[..., Any]) -> None:
    ids = [token["id"] for token in tokenize("local/classifier", "I love this")["tokens"]]
    seen = decode("local/classifier", str(ids))
    assert seen["text"] == "[CLS] i love this [SEP]"
    assert [token["special"] for token in seen["tokens"]] == [True, False, False, False, True]


def test_several_lists_of_ids_are_decoded_at_once(decode: Callable[..., Any]) -> None:
    seen = decode("local/generator", [[0, 66], [67]], {"skip_special_tokens": True})
    assert [(row["text"], row["plain"]) for row in seen["rows"]] == [("b", "<|endoftext|>b"), ("c", "c")]
    assert seen["text"] == "b"
    assert [row["again"]["equal"] for row in seen["rows"]] == [False, True]
    assert (seen["rows"][0]["again"]["ids"], seen["rows"][0]["again"]["left_out"]) == ([66], 1)


def test_the_verdict_on_ids_is_of_the_text_that_is_shown(
    tokenize: Callable[..., Any], decode: Callable[..., Any]
) -> None:
    ids = [token["id"] for token in tokenize("local/classifier", "I love this")["tokens"]]
    for skip in (True, False):
        assert decode("local/classifier", ids, {"skip_special_tokens": skip})["again"]["equal"]
    padded = [*ids, 0, 0]
    again = decode("local/classifier", padded, {"skip_special_tokens": True})["again"]
    assert not again["equal"]
    assert (again["ids"], again["first_difference"], again["left_out"]) == (ids, len(ids), 4)


def test_ids_that_no_text_has_are_told(decode: Callable[..., Any]) -> None:
    again = decode("local/generator", [76, 79])["again"]  # l and o, which are merged into lo
    assert not again["equal"]
    assert (again["tokens"], again["first_difference"], again["left_out"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("ids", "words"),
    [
        ([], "no ids yet"),
        ("", "no ids yet"),
        (None, "no ids yet"),
        ("1, two", "'two'"),
        ([1, -1], "number 2 of the list"),
        ([1.5], "whole number"),
        ([True], "whole number"),
        ([10**30], "whole number"),
        ([10**6], "not in the vocabulary"),
        ([1] * 100_001, "100,001 ids"),
    ],
)
def test_ids_that_are_none_are_told(decode: Callable[..., Any], ids: Any, words: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        decode("local/classifier", ids)
    assert caught.value.field == "ids"
    assert words in caught.value.message


def test_half_a_surrogate_pair_in_a_vocabulary_does_no_harm(decode: Callable[..., Any]) -> None:
    assert decode("local/character", [0xD800])["text"] == "?"
