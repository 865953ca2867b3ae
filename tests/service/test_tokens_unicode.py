"""Any Unicode text: stages that lead to the tokenizer's ids, offsets that fit, and losses that are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from components.service.engine import Engine
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tokens import Tokens
from components.service.visitor import Visitor

Tokenize = Callable[[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def tokenize(
    settings: Settings,
    hub: Hub,
    engine: Engine,
    visitor: Visitor,
    models_folder: Path,
    tiny_classifier: Path,
    tiny_generator: Path,
) -> Tokenize:
    from odd_tokenizers import save_odd
    from tokenizer_models import save_all

    save_all(models_folder)
    save_odd(models_folder)
    tokens = Tokens(settings, hub, engine)
    return lambda name, text: tokens.tokenize(f"local/{name}", text, visitor=visitor)


ODD = ["llama-3", "gemma", "marked", "contiguous", "shrinking", "growing", "saved", "hashes", "joined", "speech"]
NAMES = ["classifier", "generator", "unigram", "fallback", "suffix", "words", "chat", "byte", "character"]
LOSSLESS = ["generator", "byte"]

_PICTURES = ["👩\u200d👩\u200d👧", "🏳\ufe0f\u200d🌈", "👍🏽"]
_WRITINGS = ["e\u0301\u0323", "é", "שלום", "مرحبا", "\u202e", "\u200f", "你好", "かな", "한국어", "ﬁ", "½", "İ", "ß"]
_SPACES = [" ", "  ", "\n", "\r\n", "\t", "\0", "\x1b", "\u00a0", "\u3000", "\ufeff", "\u2028"]
_ODD = ["\ufffd", "<mask>x", "<L>", " small ", "read", "bb", "@@", "|"]
_MARKS = ["▁", "Ġ", "##", "<0x41>", "</w>", "<s>", "<unk>", "[SEP]", "<|begin|>", "<mask>", "<think>"]
_WORDS = ["the", "small", "FOX", "fox", "reading", "simple,", "12.5"]
CHUNKS = strategies.sampled_from([*_PICTURES, *_WRITINGS, *_SPACES, *_MARKS, *_ODD, *_WORDS])
CHARACTERS = strategies.characters(exclude_categories=["Cs"])
UNICODE = strategies.lists(CHUNKS | CHARACTERS, min_size=1, max_size=12).map("".join)


def over_unicode(examples: int) -> Callable[[Any], Any]:
    """Run the test on that many texts, the same ones each time."""

    def decorate(test: Any) -> Any:
        quick = settings(
            max_examples=examples, deadline=None, derandomize=True, database=None,
            suppress_health_check=[HealthCheck.function_scoped_fixture],
        )  # fmt: skip
        return quick(given(text=UNICODE)(test))

    return decorate


@pytest.mark.parametrize("name", NAMES)
@over_unicode(40)
def test_stages_offsets_and_round_trips_hold_for_any_text(tokenize: Tokenize, name: str, text: str) -> None:
    seen = tokenize(name, text)
    assert seen["matches_encode"], seen["check"]
    assert all(replay["agrees"] in (True, None) for stage in seen["stages"] for replay in stage.get("replays", []))
    check_stages(seen, text)
    check_offsets(seen, text)
    check_round_trip(seen, text, lossless=name in LOSSLESS)


@pytest.mark.parametrize("name", ODD)
@over_unicode(25)
def test_stages_and_offsets_hold_for_tokenizers_of_odd_parts(tokenize: Tokenize, name: str, text: str) -> None:
    seen = tokenize(name, text)
    assert seen["matches_encode"], seen["check"]
    assert all(replay["agrees"] in (True, None) for stage in seen["stages"] for replay in stage.get("replays", []))
    check_stages(seen, text)
    check_offsets(seen, text)
    check_round_trip(seen, text, lossless=False)


@pytest.mark.parametrize(
    ("name", "slices"),
    [
        ("hashes", ["f", "o", "x", "e", "s", "", "a", "b"]),
        ("joined", ["f", "o", "x", "e", "s", "", "a", "b"]),
        ("speech", ["f", "o", "x", "e", "s", " ", "", "", "a", "b"]),
    ],
)
def test_pieces_with_marks_of_a_tokenizer_without_offsets_have_their_places(
    tokenize: Tokenize, name: str, slices: list[str]
) -> None:
    text = "foxes ☃ ab"
    rows = [row for row in tokenize(name, text)["tokens"] if row["sequence"] is not None]
    placed = ["" if row["start"] is None else text[row["start"] : row["end"]] for row in rows]
    assert placed == slices


def test_a_text_that_ends_in_the_token_that_ends_texts_is_taken_apart(tokenize: Tokenize) -> None:
    seen = tokenize("byte", "a</s>")
    assert [(row["token"], row["start"]) for row in seen["tokens"]] == [("a", 0), ("</s>", 1)]
    assert seen["matches_encode"]


def check_stages(seen: dict[str, Any], text: str) -> None:
    stages = {stage["name"]: stage for stage in seen["stages"]}
    if not seen["fast"]:
        return
    assert "".join(item["text"] for item in stages["added_tokens"]["items"]) == text
    for item in stages["normalized"]["items"]:
        if item["changes"]:
            assert "".join(change["after"] for change in item["changes"]) == item["text"]
            assert "".join(change["before"] for change in item["changes"]) == item["before"]
        else:
            assert item["before"] == item["text"]
    assert sum(word["tokens"] for word in stages["pre_tokenized"]["items"]) == stages["model"]["total"]


def check_offsets(seen: dict[str, Any], text: str) -> None:
    octets = text.encode()
    cursor = 0
    for token in seen["tokens"]:
        if token["start"] is None:
            continue
        start, end = token["start"], token["end"]
        assert text[:start].endswith(token["before"])
        assert text.endswith(token["after"])
        assert 0 <= start <= end <= len(text)
        assert octets[token["byte_start"] : token["byte_end"]].decode() == text[start:end]
        assert ("zero_width" in token["flags"]) == (start == end)
        assert ("mismatch" in token["flags"]) == (token["fit"] in ("mismatch", "mark"))
        assert ("overlap" in token["flags"]) == (start < min(end, cursor))
        assert (token["fit"] == "exact") == (bytes.fromhex(token["bytes"]) == text[start:end].encode())
        cursor = max(cursor, end)
    for group in seen["groups"]:
        assert group["text"] == text[group["start"] : group["end"]]


def check_round_trip(seen: dict[str, Any], text: str, *, lossless: bool) -> None:
    back = seen["round_trip"]
    assert back["equal"] == (back["text"] == text) == (not back["changes"])
    rebuilt, cursor = "", 0
    for change in back["changes"]:
        rebuilt += text[cursor : change["start"]] + change["after"]
        cursor = change["start"] + len(change["before"])
    assert rebuilt + text[cursor:] == back["text"]
    if lossless and not any(token["special"] and token["sequence"] is not None for token in seen["tokens"]):
        assert back["equal"]


@over_unicode(60)
def test_the_bytes_of_a_byte_level_tokenizers_tokens_are_the_text(tokenize: Tokenize, text: str) -> None:
    tokens = tokenize("generator", text)["tokens"]
    assert b"".join(bytes.fromhex(token["bytes"]) for token in tokens) == text.encode()
