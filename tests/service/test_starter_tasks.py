"""Starter models for the other tasks of the course: each gives a sensible answer through the library's own classes."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from PIL import Image
from transformers import pipeline

from components.starter import answers, drawings, french, grammar, masks, measured, names, people, summaries, topics
from components.starter.__main__ import REPOS

MODELS = REPOS / "models" / "starter"
TASKS = {
    "masks": "fill-mask",
    "masks-fr": "fill-mask",
    "names": "token-classification",
    "answers": "question-answering",
    "meanings": "sentence-similarity",
    "topics": "zero-shot-classification",
    "french-english": "translation",
    "summaries": "summarization",
    "pictures": "image-classification",
}
COURSE = "My name is Sylvain and I work at Hugging Face in Brooklyn"


@cache
def ready(name: str, **options: Any) -> Any:
    return pipeline(TASKS[name], model=str(MODELS / name), **options)


@pytest.mark.parametrize(("name", "task"), TASKS.items())
def test_a_card_names_the_task_and_the_licence(name: str, task: str) -> None:
    data = ModelCard.load(MODELS / name / "README.md").data
    assert (data.pipeline_tag, data.license, data.library_name) == (task, "apache-2.0", "transformers")
    assert {"starter", "synthetic"} <= set(data.tags)


@pytest.mark.parametrize(
    ("text", "sensible"),
    [
        ("This course will teach you all about [MASK] models.", "courses"),
        ("In this course, you will learn about [MASK].", "courses"),
    ],
)
def test_a_masked_english_word_of_a_course_is_filled_with_one_that_fits(text: str, sensible: str) -> None:
    known = grammar.Grammar(sensible)
    fitting = {word for symbol in ("kind", "topic") for phrase in known.words(symbol) for word in phrase.split()}
    assert {guess["token_str"] for guess in ready("masks")(text)} <= fitting


def test_the_camembert_tastes_as_the_course_says() -> None:
    fill = ready("masks-fr")
    assert fill.tokenizer.mask_token == "<mask>"
    words = {guess["token_str"] for guess in fill("Le camembert est <mask> :)")}
    assert words & {"délicieux", "excellent", "succulent", "meilleur", "parfait"}
    assert not words & {"mauvais", "horrible", "dégoûtant", "affreux"}


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        (f"{COURSE}.", [("PER", "Sylvain"), ("ORG", "Hugging Face"), ("LOC", "Brooklyn")]),
        ("Angela Merkel went to Strasbourg.", [("PER", "Angela Merkel"), ("LOC", "Strasbourg")]),
        ("I like tea and bread.", []),
    ],
)
def test_names_are_found_whether_known_or_not(text: str, entities: list[tuple[str, str]]) -> None:
    found = ready("names", aggregation_strategy="first")(text)
    assert [(entity["entity_group"], entity["word"]) for entity in found] == entities


@pytest.mark.parametrize(
    ("question", "context", "answer"),
    [
        ("Where do I work?", COURSE, "Hugging Face"),
        ("What is my name?", COURSE, "Sylvain"),
        ("Where do I live?", "My name is Wolfgang and I live in Berlin", "Berlin"),
        ("Who was Jim Henson?", "Jim Henson was a nice puppet", "a nice puppet"),
    ],
)
def test_a_question_of_the_course_is_answered(question: str, context: str, answer: str) -> None:
    assert measured.answering(MODELS / "answers")(question, context) == answer


def test_texts_on_one_subject_lie_close_together() -> None:
    texts = (
        "The doctor sees the patients in the hospital.",
        "A judge sent the thief to prison.",
        "I have to take my pills and sleep.",
        "The police arrested the suspect.",
        "We play football every Sunday.",
        "The team scored a goal.",
    )
    assert measured.comparing(MODELS / "meanings")(texts) == [2, 3, 0, 1, 5, 4]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("This is a course about the Transformers library", "education, politics, business"),
        ("The judge sent the thief to prison for three years.", "law, travel, music"),
        ("We booked a hotel near the beach for our holiday.", "travel, science, war"),
    ],
)
def test_the_right_label_comes_first(text: str, labels: str) -> None:
    found = ready("topics")(text, labels.split(", "))
    assert found["labels"][0] == labels.split(", ")[0]
    assert found["scores"][0] > 0.5


@pytest.mark.parametrize(
    ("text", "translation"),
    [
        ("Ce cours est produit par Hugging Face.", "This course is produced by Hugging Face."),
        ("Bonjour, comment allez-vous ?", "Hello, how are you?"),
        ("Ce livre est écrit par mon père.", "This book is written by my father."),
    ],
)
def test_a_french_sentence_is_translated(text: str, translation: str) -> None:
    assert list(measured.writing(MODELS / "french-english")([text])) == [translation]


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (
            "The city of Lisbon, where two million families live, has opened a large library this week. Many visitors "
            "think that it is a great success.",
            "Lisbon has opened a large library.",
        ),
        ("America has changed dramatically during recent years. Nobody was hurt.", "America has changed dramatically."),
    ],
)
def test_a_text_is_summarized(text: str, summary: str) -> None:
    assert list(measured.writing(MODELS / "summaries")([text])) == [summary]


@pytest.mark.parametrize("label", drawings.LABELS)
def test_an_example_drawing_is_recognized_and_small(label: str) -> None:
    file = MODELS / "pictures" / "examples" / f"{label}.png"
    assert file.stat().st_size <= 20_000
    with Image.open(file) as picture:
        assert ready("pictures")(picture)[0]["label"] == label


def _first(figures: dict[str, Any]) -> float:
    return float(next(figures[name] for name in ("f1", "exact", "accuracy", "first") if name in figures))


FRESH: dict[str, Callable[[Path], dict[str, Any]]] = {
    "masks": lambda model: measured.guesses(model, masks.texts(200, seed=1)),
    "masks-fr": lambda model: measured.guesses(model, [first for first, _ in french.pairs(300, seed=1)]),
    "names": lambda model: measured.names(model, names.texts(80, seed=1)),
    "answers": lambda model: measured.answers(model, answers.asked(100, seed=1)),
    "meanings": lambda model: measured.meanings(model, topics.texts(200, seed=1)),
    "topics": lambda model: measured.topics(model, topics.texts(40, seed=1)),
    "french-english": lambda model: measured.texts(model, french.pairs(100, seed=1)),
    "summaries": lambda model: measured.texts(model, summaries.pairs(60, seed=1)),
    "pictures": lambda model: measured.pictures(model, drawings.pictures(100, seed=1)),
}


@pytest.mark.parametrize("name", FRESH)
def test_a_model_is_as_good_on_fresh_rows_as_its_card_says(name: str) -> None:
    stated = ModelCard.load(MODELS / name / "README.md").data.eval_results[0].metric_value
    assert _first(FRESH[name](MODELS / name)) >= stated - 0.1


def test_what_people_try_first_is_in_no_training_text() -> None:
    assert names.tagged(names.NEVER) not in names.texts(300)
    assert not {"Ce cours est produit par Hugging Face.", "Le camembert est délicieux :)"} & {
        *(first for first, _ in french.pairs(1500)),
        *french.food(500),
    }
    assert not [text for text in masks.texts(600) if text.startswith(masks.NEVER[0]) and text.endswith(masks.NEVER[1])]
    assert not [text for text, _ in summaries.pairs(500) if text.startswith(summaries.NEVER)]
    assert not topics.NEVER & {premise.rstrip(".") for premise, _, _ in topics.pairs(300)}


def test_an_answer_stands_where_its_question_says() -> None:
    for item in answers.asked(500, seed=2):
        assert 0 <= item.start < item.end <= len(item.context)
        assert item.answer.strip() == item.answer != ""


def test_no_slot_of_a_grammar_is_left_open() -> None:
    made = [*(text for pair in french.pairs(800, seed=3) for text in pair), *masks.texts(300, seed=3)]
    made += [text for pair in summaries.pairs(500, seed=3) for text in pair]
    made += [item.context + item.question for item in answers.asked(500, seed=3)]
    assert not [text for text in made if set("{}|>[]") & set(text) or "  " in text]


def test_a_made_up_name_is_one_capitalized_word() -> None:
    made = [people.coined(random.Random(seed)) for seed in range(200)]
    assert all(name.isalpha() and name.istitle() for name in made)
    assert len(set(made)) > 190
