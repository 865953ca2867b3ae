"""Readers: trained on questions with a plain rule, and judged as SQuAD judges."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import service_models
import torch
from family_parts import Trained, answers, filler, spec_of, trained
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertForQuestionAnswering, ByT5Tokenizer

from components.service.errors import WorkbenchError
from components.service.runs import text_metrics
from components.service.runs.families import family
from components.service.runs.rows import Row, Rows
from components.service.runs.spans import Window, best_answers, read_windows
from components.service.runs.tasks import LONGEST


@pytest.fixture(scope="module")
def reader(models_folder: Path) -> Path:
    """A BERT that learns quickly, and reads 64 tokens at once."""
    path = models_folder / "reader"
    tokenizer = service_models.wordpiece()
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": 0.1}
    torch.manual_seed(0)
    BertForQuestionAnswering(service_models.bert_config(tokenizer, **still)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def asked(draw: random.Random) -> Row:
    """The answer is the one word in the context that says something; one context in four has none."""
    before, after = filler(draw, 90), filler(draw, 9)
    if draw.random() < 0.25:
        return question(f"{before}, {after}")
    word = draw.choice(("wonderful", "awful", "dull"))
    return question(f"{before}, {word}! {after}", word, len(before) + 2)


def question(context: str, *answer: Any) -> Row:
    texts, places = ([answer[0]], [answer[1]]) if answer else ([], [])
    return {"question": "how is it?", "context": context, "answers": {"text": texts, "answer_start": places}}


@pytest.fixture(scope="module")
def answered(reader: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    draw = random.Random(1)
    train, held, test = ([asked(draw) for _ in range(number)] for number in (120, 28, 4))
    held += [question("awful this film is awful", "film", 11), question("this film is", "is", 10)]
    rows = Rows(train, held, test, [], {})
    return trained(reader, "question-answering", rows, tmp_path_factory.mktemp("answers"), epochs=4, rate=5e-3)


def test_answers_are_found_in_long_contexts_and_missed_where_there_are_none(answered: Trained) -> None:
    facts = answered.data.facts
    assert "at_limit" not in facts
    assert facts["windows"]["train"] == len(answered.data.train) > len(answered.rows.train)
    assert facts["unanswered"]["train"] == sum(not row["answers"]["text"] for row in answered.rows.train)
    assert answered.final["exact_match"] == pytest.approx(28 / 30)
    assert 28 / 30 <= answered.final["f1"] < 29 / 30  # a wrong answer may share a word with the right one
    assert answered.final["f1_low"] < answered.final["f1"] < answered.final["f1_high"] <= 1.0
    baseline = answered.family.baselines(answered.rows)["majority"]
    none = sum(not row["answers"]["text"] for row in answered.rows.validation)
    assert (baseline["label"], baseline["exact_match"]) == ("no answer", pytest.approx(none / 30))


def test_the_worst_answers_are_those_that_contradict_the_rule(answered: Trained) -> None:
    worst = answered.details["worst"]
    json.dumps(worst)
    assert {(entry["input"]["context"], entry["gold"]) for entry in worst} == {
        ("awful this film is awful", "film"),
        ("this film is", "is"),
    }
    assert worst[0]["loss"] >= worst[1]["loss"] > 1.0
    assert all(entry["answer"] == "" or entry["answer"].startswith("awful") for entry in worst)


def test_an_answer_is_told_with_its_place_and_none_as_the_empty_one(answered: Trained) -> None:
    long = " ".join(["film"] * 100)
    answered.processor.model_max_length = 10**30  # as tokenizers have it that say nothing
    one, none, _ = answers(
        answered,
        {"question": "how is it?", "context": f"{long}, dull! a story"},
        {"question": "how is it?", "context": "this film is a story"},
        {"question": "how is it? " * 90, "context": "this film is a story"},
    )
    assert (one["answer"], one["start"], one["end"]) == ("dull", len(long) + 2, len(long) + 6)
    assert one["score"] > 0.5
    assert none["answer"] == ""


@pytest.mark.parametrize("sample", ["a question", {"question": "who?"}, {"question": "who?", "context": " "}, 7])
def test_a_question_without_a_text_is_refused(answered: Trained, sample: Any) -> None:
    with pytest.raises(WorkbenchError) as refused:
        answered.family.predict(answered.model, answered.processor, [sample])
    assert refused.value.field == "samples"


def test_windows_that_are_too_short_and_tokenizers_without_places_are_refused(reader: Path) -> None:
    rows = Rows([question("this film", "film", 5)], [question("this film", "film", 5)], [], [], {})
    kind = family(spec_of("question-answering", reader, max_length=12))
    model = kind.load(reader, [])
    with pytest.raises(WorkbenchError) as short:
        kind.prepare(rows, kind.processor(reader), model.config, 64)
    assert short.value.field == "max_length"
    with pytest.raises(WorkbenchError, match=r"tokenizer\.json"):
        kind.prepare(rows, ByT5Tokenizer(), model.config, 64)


@given(
    st.lists(st.sampled_from(["film", "wonderful!", "the", "ünïcode", "𝛼𝛽", "  "]), min_size=1, max_size=120),
    st.integers(0, 119),
    st.integers(1, 4),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_window_that_holds_the_answer_marks_just_its_tokens(
    words: list[str], first: int, length: int, left: bool
) -> None:
    tokenizer = service_models.byte_level()
    tokenizer.padding_side = "left" if left else "right"
    context = " ".join(words)
    first %= len(words)
    start = len(" ".join([*words[:first], ""]))
    text = " ".join(words[first : first + length])
    if not text.strip():
        return
    start, text = start + len(text) - len(text.lstrip()), text.strip()
    marked = 0
    for inputs, window in read_windows([question(context, text, start)], tokenizer, 48):
        assert len(inputs["input_ids"]) == len(window.offsets) <= 48
        begin, end = window.place()
        if (begin, end) == (window.null, window.null):
            continue
        marked += 1
        told = context[window.offsets[begin, 0] : window.offsets[end, 1]]
        assert told.strip() == text
        shared = [i for i, (b, e) in enumerate(window.offsets) if start < e and b < min(e, start + len(text))]
        assert (begin, end) == (shared[0], shared[-1])
    assert marked or len(tokenizer(text)["input_ids"]) > 8


SCORES = st.lists(st.floats(-9, 9, width=16), min_size=6, max_size=6)


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_best_span_of_all_windows_is_the_answer(logits: list[tuple[list[float], list[float]]], none: bool) -> None:
    row = question("abcdef")
    # Token 0 stands for no answer, token 1 is the question, tokens 2 to 5 are letters of the context.
    windows = []
    for i in range(len(logits)):
        offsets = np.full((6, 2), -1)
        offsets[2:] = [(place, place + 1) for place in range(i, i + 4)]
        windows.append(Window(row, offsets, 0))
    starts, ends = (np.array([one[side] for one in logits]) for side in (0, 1))
    spans = {
        float(starts[w, b] + ends[w, e]): "abcdef"[w + b - 2 : w + e - 1]
        for w in range(len(windows))
        for b in range(2, 6)
        for e in range(b, 6)
    }
    null = min(float(start[0] + end[0]) for start, end in zip(starts, ends, strict=True))
    (found,) = best_answers(windows, starts, ends, none=none)
    if none and null > max(spans):
        assert found == ""
    else:
        ties = {text for score, text in spans.items() if score == max(spans)}
        assert found in ties or len({*starts.ravel(), *ends.ravel()}) < starts.size + ends.size


def test_an_answer_is_never_longer_than_the_longest() -> None:
    size = LONGEST + 20
    row = question("x" * size)
    window = Window(row, np.array([(i, i + 1) for i in range(size)]), 0)
    start, end = np.zeros(size), np.zeros(size)
    start[5] = end[size - 1] = 9.0
    (found,) = best_answers([window], start[None], end[None], none=False)
    assert 0 < len(found) <= LONGEST


@pytest.mark.parametrize(
    ("said", "accepted", "exact", "f1"),
    [
        ("The cat!", ["cat"], 1.0, 1.0),
        ("a big cat", ["cat", "big dog"], 0.0, 2 / 3),
        ("", [], 1.0, 1.0),
        ("cat", [], 0.0, 0.0),
        ("", ["cat"], 0.0, 0.0),
        ("the", ["a"], 1.0, 1.0),
        ("10,000", ["10000"], 1.0, 1.0),
        ("cat cat", ["cat"], 0.0, 2 / 3),
    ],
)
def test_answers_are_compared_as_squad_does(said: str, accepted: list[str], exact: float, f1: float) -> None:
    found = text_metrics.answer_scores([said], [accepted])
    assert found == {"exact_match": [exact], "f1": [pytest.approx(f1)]}
