"""Vocabularies searched and compared, tokenizers side by side; no pattern of a visitor can hold the worker up."""

from __future__ import annotations

import json
import time
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

Call = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def tokens(
    settings: Settings, hub: Hub, engine: Engine, models_folder: Path, tiny_classifier: Path, tiny_generator: Path
) -> Tokens:
    from tokenizer_models import byte_level_with_leftovers, save_all

    save_all(models_folder)
    byte_level_with_leftovers().save_pretrained(models_folder / "leftovers")
    return Tokens(settings, hub, engine)


@pytest.fixture(scope="module")
def search(tokens: Tokens, visitor: Visitor) -> Call:
    return lambda name, query="", **options: tokens.search_vocabulary(f"local/{name}", query, options, visitor=visitor)


def found(seen: dict[str, Any]) -> list[str]:
    return [entry["token"] for entry in seen["entries"]]


def test_all_entries_are_told_in_windows(search: Call, models_folder: Path) -> None:
    vocabulary = json.loads((models_folder / "generator" / "tokenizer.json").read_text())["model"]["vocab"]
    seen = search("generator", start=10, count=20)
    assert seen["total"] == seen["facts"]["entries"] == len(vocabulary)
    assert found(seen) == sorted(vocabulary, key=vocabulary.__getitem__)[10:30]


@pytest.mark.parametrize(
    ("name", "query", "options", "some", "none"),
    [
        ("generator", "love", {}, "Ġlove", "Ġlo"),
        ("generator", "lo", {"mode": "prefix"}, "Ġlo", "Ġall"),
        ("generator", " lo", {"mode": "prefix"}, "Ġlo", "lo"),
        ("generator", "Ġlo", {"mode": "prefix"}, "Ġlo", "lo"),
        ("classifier", "ing", {"mode": "suffix"}, "##ing", "i"),
        ("unigram", "▁I", {"mode": "exact"}, "▁I", "I"),
        ("classifier", "LOVE", {"ignore_case": True}, "love", "lo"),
        ("classifier", "^(l|w)o", {"mode": "regex"}, "love", "##lo" * 9),
        ("generator", "^Ġl", {"mode": "regex"}, "Ġlo", "lo"),
        ("generator", "^ l", {"mode": "regex"}, "Ġlo", "lo"),
        ("classifier", "^L.VE$", {"mode": "regex", "ignore_case": True}, "love", "lo"),
        ("fallback", "", {"only": "bytes", "count": 300}, "<0xFF>", "<0x41>"),
        ("generator", "", {"only": "special"}, "<|endoftext|>", "a"),
        ("chat", "", {"only": "added"}, "<think>", "a"),
        ("chat", "", {"script": "han"}, "ä½ł", "a"),
        ("generator", "", {"script": "Digits"}, "0", "a"),
        ("generator", "", {"min_length": 8, "max_length": 8}, "Ġnetwork", "Ġlove"),
    ],
)
def test_entries_are_found_by_what_they_are(
    search: Call, name: str, query: str, options: dict[str, Any], some: str, none: str
) -> None:
    seen = search(name, query, **{"count": 500, **options})
    assert some in found(seen)
    assert none not in found(seen)


def test_a_letter_that_is_only_a_byte_in_raw_tokens_is_said_to_be_no_entry(search: Call) -> None:
    seen = search("generator", "é")
    assert found(seen) == ["é"]
    assert seen["entries"][0]["bytes"] == "e9"
    assert len(seen["notes"]) == 1
    assert "No entry is “é”" in seen["notes"][0]
    assert "Ã ©" in seen["notes"][0]
    assert "c3 a9" in seen["notes"][0]
    assert search("generator", "e")["notes"] == []
    assert search("classifier", "é")["notes"] == []


def test_an_id_finds_its_entry(search: Call) -> None:
    entry = search("generator", "300", mode="id")["entries"][0]
    assert entry["id"] == 300
    assert bytes.fromhex(entry["bytes"]).decode() == entry["reads"]
    assert search("generator", "99999", mode="id")["total"] == 0


def test_how_an_entry_came_to_be_is_told_by_its_merges(search: Call, models_folder: Path) -> None:
    merges = json.loads((models_folder / "generator" / "tokenizer.json").read_text())["model"]["merges"]
    detail = search("generator", "ĠTransformer", mode="exact")["detail"]
    assert detail["origin"] == "merge"
    known = set()
    for merge in detail["merges"]:
        assert merges[merge["rank"]] == [merge["left"], merge["right"]]
        assert merge["made"] == merge["left"] + merge["right"]
        assert all(len(part) == 1 or part in known for part in (merge["left"], merge["right"]))
        known.add(merge["made"])
    assert detail["merges"][-1]["made"] == "ĠTransformer"
    parent = search("generator", detail["merges"][-1]["left"], mode="exact")["detail"]
    assert "ĠTransformer" in [entry["token"] for entry in parent["descendants"]]


@pytest.mark.parametrize(
    ("name", "token", "origin"),
    [
        ("generator", "a", "base"),
        ("generator", "<|endoftext|>", "added"),
        ("chat", "<think>", "added"),
        ("classifier", "##ing", "listed"),
        ("unigram", "▁the", "unigram"),
        ("character", "☃", "listed"),
    ],
)
def test_where_an_entry_is_from_is_told_for_every_kind(search: Call, name: str, token: str, origin: str) -> None:
    detail = search(name, token, mode="exact")["detail"]
    assert (detail["origin"], detail["token"]) == (origin, token)
    assert detail["id"] in [entry["id"] for entry in detail["neighbours"]]
    if origin == "unigram":
        assert detail["otherwise"]["score"] < detail["score"] < 0


def test_entries_kept_free_and_entries_out_of_reach_are_told(search: Call) -> None:
    seen = search("leftovers", only="unused")
    assert found(seen) == ["[unused0]", "<|reserved_special_token_3|>"]
    assert seen["facts"]["unused"] == 2
    assert search("leftovers", "zzzz", mode="exact")["entries"][0]["reachable"] is False
    assert search("leftovers", "Ġlove", mode="exact")["entries"][0]["reachable"] is True


def test_what_is_a_part_of_a_word_or_of_a_character_is_not_called_out_of_reach(search: Call) -> None:
    def reachable(name: str, token: str) -> bool | None:
        return search(name, token, mode="exact")["entries"][0]["reachable"]

    assert [reachable("suffix", token) for token in ("love</w>", "l")] == [True, None]
    # "a" has an entry of its own, "~" has none, and E2 is only the beginning of a character.
    assert [reachable("fallback", token) for token in ("<0x61>", "<0x7E>", "<0xE2>")] == [False, True, None]


def test_half_a_surrogate_pair_reads_as_nothing(search: Call) -> None:
    (question,) = search("character", "?", mode="exact")["entries"]
    half = search("character", str(0xD800), mode="id")["entries"][0]
    assert (question["id"], half["reads"], half["bytes"]) == (ord("?"), None, "ed a0 80")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a?){64}a{64}$"])
def test_no_pattern_takes_long(search: Call, pattern: str) -> None:
    """On an entry of 64 letters a, each of these takes an engine that backtracks longer than anybody waits."""
    assert search("leftovers", "a" * 64, mode="prefix")["total"] == 1
    began = time.monotonic()
    search("leftovers", pattern, mode="regex")
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("query", "options", "field"),
    [
        ("[", {"mode": "regex"}, "query"),
        ("(?=a)", {"mode": "regex"}, "query"),
        (r"(a)\1", {"mode": "regex"}, "query"),
        ("(((a{100}){100}){100})", {"mode": "regex"}, "query"),
        ("x" * 201, {}, "query"),
        ("\ud800", {}, "query"),
        (["a"], {}, "query"),
        ("one", {"mode": "id"}, "query"),
        (" ", {"mode": "id"}, "query"),
        ("a", {"mode": "fuzzy"}, "options.mode"),
        ("a", {"only": "rare"}, "options.only"),
        ("a", {"start": -1}, "options.start"),
    ],
)
def test_what_cannot_be_searched_is_told(search: Call, query: Any, options: dict[str, Any], field: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        search("generator", query, **options)
    assert caught.value.field == field


# Two vocabularies


def test_two_vocabularies_share_what_both_have(tokens: Tokens, visitor: Visitor, models_folder: Path) -> None:
    sets = []
    for name in ("chat", "generator"):
        settings = json.loads((models_folder / name / "tokenizer.json").read_text())
        sets.append({*settings["model"]["vocab"], *(token["content"] for token in settings["added_tokens"])})
    seen = tokens.compare_vocabularies(["local/chat", "local/generator"], "", {"count": 500}, visitor=visitor)
    assert seen["matched_by"] == "token"
    assert {entry["token"] for entry in seen["only_first"]["entries"]} == sets[0] - sets[1]
    assert {entry["token"] for entry in seen["only_second"]["entries"]} == sets[1] - sets[0]
    assert seen["shared"]["total"] == len(sets[0] & sets[1])
    assert seen["shared"]["share_of_second"] == round(len(sets[0] & sets[1]) / len(sets[1]), 4)


def test_vocabularies_that_write_words_in_other_ways_are_matched_by_text(tokens: Tokens, visitor: Visitor) -> None:
    models = ["local/classifier", "local/generator"]
    seen = tokens.compare_vocabularies(models, "love", visitor=visitor)
    assert seen["matched_by"] == "text"
    assert "love" in [entry["token"] for entry in seen["shared"]["entries"]]
    assert [vocabulary["model"] for vocabulary in seen["vocabularies"]] == models


# Tokenizers side by side

TEXT = "I love 你好 it, naïve мир 12"


def test_tokenizers_are_compared_by_counts_borders_and_losses(tokens: Tokens, visitor: Visitor) -> None:
    models = ["local/generator", "local/classifier", "local/byte", "local/character"]
    seen = tokens.compare_tokenizers(models, TEXT, {"prices": [1, 2, 3, 4]}, visitor=visitor)
    for model, price, told in zip(models, (1, 2, 3, 4), seen["tokenizers"], strict=True):
        own = tokens.tokenize(
            model, TEXT, None, {"add_special_tokens": False, "price_per_million": price}, visitor=visitor
        )
        assert told["model"] == model
        assert told["counts"] == own["counts"]
        assert told["round_trip"] == own["round_trip"]
        assert told["tokens"] == own["tokens"]
        assert sum(part["words"] for part in told["languages"]) == own["counts"]["words"]
    assert [told["round_trip"]["equal"] for told in seen["tokenizers"]] == [True, False, True, True]
    assert "".join(segment["text"] for segment in seen["segments"]) == TEXT
    begins = {segment["start"]: segment["begins"] for segment in seen["segments"]}
    assert begins[2] == [0, 1, 2, 3], "a space before a word makes no other border"
    assert begins[3] == [2, 3]
    agreed = [start for start, numbers in begins.items() if start and len(numbers) == 4]
    assert seen["borders"]["agreed"] == len(agreed)
    assert set(seen["borders"]["differing"]) == begins.keys() - {0, *agreed}


def test_tokens_a_word_are_told_by_writing_and_by_label(tokens: Tokens, visitor: Visitor) -> None:
    (told,) = tokens.compare_tokenizers(["local/byte"], TEXT, visitor=visitor)["tokenizers"]
    rows = {row["label"]: row for row in told["languages"]}
    assert {label: row["words"] for label, row in rows.items()} == {"Latin": 4, "Han": 1, "Cyrillic": 1, "Digits": 1}
    assert rows["Cyrillic"]["tokens"] == len(" мир".encode())
    seen = tokens.compare_tokenizers(["local/classifier"], "love ☃ ☃\nlove 猫猫 é", visitor=visitor)
    rows = {row["label"]: row for row in seen["tokenizers"][0]["languages"]}
    assert (rows["Symbols"]["tokens"], rows["Symbols"]["unknown"]) == (2, 2)
    assert (rows["Latin"]["words"], rows["Latin"]["unknown"]) == (3, 0)
    lines = "en: I love it\nfr: j'aime ça\nen: so much\nnothing"
    (told,) = tokens.compare_tokenizers(["local/byte"], lines, {"labelled": True}, visitor=visitor)["tokenizers"]
    assert [(row["label"], row["words"], row["tokens"]) for row in told["languages"]] == [
        ("en", 5, len("I love itso much")),
        ("fr", 2, len("j'aime ça".encode())),
        ("", 1, len("nothing")),
    ]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda t, v: t.compare_tokenizers([], "a", visitor=v), "models"),
        (lambda t, v: t.compare_tokenizers("local/byte", "a", visitor=v), "models"),
        (lambda t, v: t.compare_tokenizers(["local/byte"] * 5, "a", visitor=v), "models"),
        (lambda t, v: t.compare_tokenizers([5], "a", visitor=v), "model"),
        (lambda t, v: t.compare_tokenizers(["local/byte"], "", visitor=v), "text"),
        (lambda t, v: t.compare_tokenizers(["local/byte"], "a", {"prices": [1, 2]}, visitor=v), "options.prices"),
        (lambda t, v: t.compare_tokenizers(["local/byte"], "a", {"prices": ["x"]}, visitor=v), "options.prices"),
        (lambda t, v: t.compare_tokenizers(["local/byte"], "a\n" * 2000, {"labelled": True}, visitor=v), "text"),
        (lambda t, v: t.compare_vocabularies(["local/byte"], visitor=v), "models"),
    ],
)
def test_what_cannot_be_compared_is_told(tokens: Tokens, visitor: Visitor, call: Any, field: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        call(tokens, visitor)
    assert caught.value.field == field


# Strangers' tokenizers


@pytest.mark.parametrize(("way", "text"), [("regex", "a" * 40 + "!"), ("no unknown token", "b")])
def test_a_hostile_tokenizer_ends_in_a_sentence(
    tokens: Tokens, visitor: Visitor, models_folder: Path, way: str, text: str
) -> None:
    from tokenizer_models import HOSTILE

    HOSTILE[way]().save_pretrained(models_folder / "hostile")
    with pytest.raises(WorkbenchError) as caught:
        tokens.tokenize("local/hostile", text, visitor=visitor)
    assert (caught.value.kind, caught.value.field) == ("input", "model")
    assert caught.value.message.endswith(".")
    assert tokens.tokenize("local/byte", "a", visitor=visitor)["matches_encode"]


def test_a_tokenizer_that_asks_for_more_than_a_text_is_told(
    tokens: Tokens, visitor: Visitor, models_folder: Path
) -> None:
    from transformers import LayoutLMv2Tokenizer

    LayoutLMv2Tokenizer().save_pretrained(models_folder / "pages")
    with pytest.raises(WorkbenchError, match="LayoutLMv2Tokenizer, which asks for more than a text") as caught:
        tokens.tokenize("local/pages", "a", visitor=visitor)
    assert (caught.value.kind, caught.value.field) == ("input", "model")
