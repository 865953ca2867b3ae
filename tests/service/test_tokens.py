"""The tokenizer inspector: the tokenizer's own ids, honest stages, offsets that fit the text."""

from __future__ import annotations

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
    from transformers import AutoTokenizer

    own = AutoTokenizer.from_pretrained(folder / name)
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
        ({"text": "a" * 2_000_001}, "text"),
        ({"text": "a", "options": {"padding": True}}, "options.padding"),
        ({"text": "a", "options": {"add_special_tokens": 1}}, "options.add_special_tokens"),
        ({"text": "a", "options": {"start": -1}}, "options.start"),
        ({"text": "a", "options": {"start": True}}, "options.start"),
        ({"text": "a", "options": []}, "options"),
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
