"""The starter repositories: small, made as their recipes say, and as good as their cards say."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from huggingface_hub import ModelCard
from PIL import Image
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from components.starter import cards, drawings, facts, reviews, stories
from components.starter.__main__ import REPOS

MODELS = REPOS / "models" / "starter"
REVIEWS = REPOS / "datasets" / "starter" / "reviews"
DRAWINGS = REPOS / "datasets" / "starter" / "drawings"
REPOSITORIES = sorted([*MODELS.iterdir(), REVIEWS, DRAWINGS])


def _rows(split: str) -> list[tuple[str, str]]:
    with (REVIEWS / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["label"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def classify():
    tokenizer = AutoTokenizer.from_pretrained(MODELS / "sentiment")
    model = AutoModelForSequenceClassification.from_pretrained(MODELS / "sentiment")

    def answer(texts: list[str]) -> list[tuple[str, float]]:
        with torch.no_grad():
            logits = model(**tokenizer(texts, padding=True, truncation=True, return_tensors="pt")).logits
        best = logits.softmax(-1).max(-1)
        return [
            (model.config.id2label[i], score)
            for i, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]

    return answer


@pytest.mark.parametrize("folder", REPOSITORIES, ids=lambda folder: folder.name)
def test_a_starter_repository_is_at_most_three_megabytes(folder: Path) -> None:
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 3_000_000


def test_the_splits_are_large_enough_and_share_no_sentence() -> None:
    plain = {split: [reviews.plain(text) for text, _ in _rows(split)] for split in reviews.SIZES}
    assert {split: len(texts) for split, texts in plain.items()} == reviews.SIZES
    together = [text for texts in plain.values() for text in texts]
    assert len(set(together)) == len(together)
    assert not reviews.NEVER & set(together)


def test_the_grammar_gives_the_committed_rows_again() -> None:
    for split, made in reviews.reviews().items():
        assert _rows(split) == [(row.text, row.label) for row in made]


def test_half_of_the_test_split_has_a_word_or_form_that_no_other_row_has() -> None:
    made = reviews.reviews()
    assert not any(row.held_out for split in ("train", "validation") for row in made[split])
    assert sum(row.held_out for row in made["test"]) == len(made["test"]) // 2


def test_the_data_set_card_is_what_its_grammar_fills_in() -> None:
    assert (REVIEWS / "README.md").read_text(encoding="utf-8") == cards.fill("reviews", facts.review_data())


@pytest.mark.parametrize("split", drawings.SPLITS)
def test_the_program_draws_the_committed_pictures_again(split: str) -> None:
    table = pq.read_table(DRAWINGS / f"{split}.parquet").to_pylist()
    rows, seed = drawings.SPLITS[split]
    assert len(table) == rows * len(drawings.KINDS)
    for row, (picture, kind) in zip(table, drawings.of_kinds(2, seed), strict=False):
        assert list(drawings.KINDS)[row["label"]] == kind
        with Image.open(io.BytesIO(row["image"]["bytes"])) as drawn:
            assert drawn.convert("RGB").tobytes() == picture.tobytes()


def test_the_card_of_the_drawings_says_how_many_there_are() -> None:
    assert (DRAWINGS / "README.md").read_text(encoding="utf-8") == cards.fill("drawings", facts.drawn_data())


def test_the_same_seed_tells_the_same_stories() -> None:
    assert stories.stories(50, seed=3) == stories.stories(50, seed=3)
    assert stories.stories(50, seed=3) != stories.stories(50, seed=4)


def test_no_slot_of_a_story_is_left_open() -> None:
    assert not [text for text in stories.stories(1000, seed=5) if "{" in text or "  " in text]


@pytest.mark.parametrize(("label", "text"), facts.EVERYDAY[:5])
def test_sentences_that_people_try_first_come_out_right_and_clear(classify, label: str, text: str) -> None:
    answer, score = classify([text])[0]
    assert (answer, score > 0.8) == (label, True)


def test_most_everyday_sentences_come_out_right(classify) -> None:
    answers = classify([text for _, text in facts.EVERYDAY])
    right = sum(label == answer for (label, _), (answer, _) in zip(facts.EVERYDAY, answers, strict=True))
    assert right >= 0.8 * len(facts.EVERYDAY)


def test_the_card_states_the_score_that_the_model_has(classify) -> None:
    rows = _rows("test")
    answers = [label for i in range(0, len(rows), 250) for label, _ in classify([t for t, _ in rows[i : i + 250]])]
    accuracy = sum(label == answer for (_, label), answer in zip(rows, answers, strict=True)) / len(rows)
    stated = ModelCard.load(MODELS / "sentiment" / "README.md").data.eval_results
    figures = {result.metric_type: result.metric_value for result in stated}
    assert figures["accuracy"] == pytest.approx(accuracy, abs=0.01)
    assert accuracy >= 0.8


@pytest.mark.parametrize("name", ["encoder", "sentiment", "stories"])
def test_a_model_card_has_what_the_hub_filters_by(name: str) -> None:
    data = ModelCard.load(MODELS / name / "README.md").data
    assert (data.license, data.language, data.library_name) == ("apache-2.0", ["en"], "transformers")
    assert data.pipeline_tag in {"fill-mask", "text-classification", "text-generation"}


def test_the_encoder_fills_a_mask_with_a_word_that_fits() -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / "encoder")
    model = AutoModelForMaskedLM.from_pretrained(MODELS / "encoder")
    inputs = tokenizer("I can't [MASK] for the next film!", return_tensors="pt")
    place = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)
    with torch.no_grad():
        best = model(**inputs).logits[0, place].topk(5).indices.tolist()
    assert "wait" in tokenizer.convert_ids_to_tokens(best)


@pytest.mark.parametrize(
    "prompt",
    ["Once upon a time", "AP News: The University of Washington recently announced", "In this course, we will"],
)
def test_a_story_goes_on_in_the_grammars_words_and_ends_by_itself(prompt: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(MODELS / "stories")
    model = AutoModelForCausalLM.from_pretrained(MODELS / "stories")
    config = model.generation_config
    assert (config.eos_token_id, config.pad_token_id) == (tokenizer.eos_token_id, tokenizer.pad_token_id)
    assert config.pad_token_id != config.eos_token_id
    inputs = tokenizer(prompt, return_tensors="pt")
    ids = model.generate(**inputs, max_new_tokens=200, do_sample=False)[0]
    text = tokenizer.decode(ids, skip_special_tokens=True)
    assert ids[-1] == tokenizer.eos_token_id
    assert text.startswith(prompt)
    assert text.rstrip().endswith((".", "!", '"', "?"))
    known = {word.strip('.,!?":;').lower() for told in stories.stories(3000, seed=1) for word in told.split()}
    new = [word.strip('.,!?":;').lower() for word in text[len(prompt) :].split()]
    assert len(new) > 15
    assert sum(word in known for word in new) >= 0.95 * len(new)


def test_the_recipes_leave_no_trace_of_the_machine_in_what_they_publish() -> None:
    home = os.path.expanduser("~")
    for folder in REPOSITORIES:
        for file in folder.glob("*.json"):
            text = file.read_text(encoding="utf-8")
            assert "local_files_only" not in text
            assert "/tmp" not in text
            assert home not in text or home == "/"
