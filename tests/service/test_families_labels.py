"""Classifiers, taggers and what judges them: trained on rows with a plain rule, figures held to the libraries'."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from family_parts import Trained, answers, spec_of, trained
from service_models import bert_config, byte_level, classifier, wordpiece
from tokenizer_models import fallback, unigram
from transformers import BertForTokenClassification, ByT5Tokenizer, PreTrainedTokenizerFast

from components.service.errors import WorkbenchError
from components.service.runs import metrics
from components.service.runs.families import family
from components.service.runs.rows import Row, Rows


@pytest.fixture(scope="module")
def base(models_folder: Path) -> Path:
    """A BERT that learns quickly."""
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return classifier(models_folder / "quick", initializer_range=0.1, **still)


def filler(draw: random.Random) -> str:
    """Words that say nothing, of many lengths."""
    return " ".join(draw.choices(("this", "film", "is", "a", "story"), k=draw.randint(1, 12)))


def make(
    number: int, row: Callable[[random.Random], Row], wrong: Callable[[Row], Row], labels: list[str], **more: Any
) -> Rows:
    """Rows for training, and validation rows whose last two contradict the rule."""
    draw = random.Random(1)
    train, held = [row(draw) for _ in range(number)], [row(draw) for _ in range(24)]
    held[-2:] = [wrong(one) for one in held[-2:]]
    return Rows(train, held, [], labels, {}, **more)


@pytest.fixture(scope="module")
def classified(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    def row(draw: random.Random) -> Row:
        label = draw.choice(("bad", "good"))
        word = "wonderful" if label == "good" else "awful"
        return {"text": filler(draw), "text_pair": f"{word} {filler(draw)}", "label": label}

    def wrong(one: Row) -> Row:
        return {**one, "label": "bad" if one["label"] == "good" else "good"}

    rows = make(60, row, wrong, ["bad", "good"], problem="single")
    return trained(base, "text-classification", rows, tmp_path_factory.mktemp("single"))


@pytest.fixture(scope="module")
def labelled(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    def row(draw: random.Random) -> Row:
        chosen = [word for word in ("warm", "dull", "long") if draw.random() < 0.4]
        return {"text": " ".join([filler(draw), *chosen]), "label": chosen}

    def wrong(one: Row) -> Row:
        return {**one, "label": [word for word in ("warm", "dull", "long") if word not in one["label"]]}

    rows = make(120, row, wrong, ["warm", "dull", "long"], problem="multi")
    return trained(base, "text-classification", rows, tmp_path_factory.mktemp("multi"), epochs=16)


@pytest.fixture(scope="module")
def measured(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    def row(draw: random.Random) -> Row:
        times = draw.randint(0, 1)
        return {"text": " ".join([filler(draw), *["wonderful"] * times]), "label": float(times)}

    rows = make(60, row, lambda one: {**one, "label": one["label"] + 5.0}, [], problem="regression")
    return trained(base, "text-classification", rows, tmp_path_factory.mktemp("regression"))


def test_a_pair_is_classified_by_its_second_text(classified: Trained) -> None:
    assert classified.model.config.problem_type == "single_label_classification"
    assert classified.final["accuracy"] == pytest.approx(22 / 24)
    assert classified.final["accuracy_low"] < classified.final["accuracy"] < classified.final["accuracy_high"]
    assert classified.data.facts["average"] == "macro"
    assert len(classified.details["thresholds"]) == len(metrics.THRESHOLDS)
    matrix = np.array(classified.details["confusion"])
    assert matrix.sum() == 24
    assert matrix.trace() == 22
    assert [entry["support"] for entry in classified.details["per_class"]] == matrix.sum(1).tolist()


def test_the_worst_errors_are_the_rows_that_contradict_the_rule(
    classified: Trained, labelled: Trained, measured: Trained
) -> None:
    for done in (classified, labelled, measured):
        worst = done.details["worst"]
        json.dumps(worst)
        # The evaluation goes by length, and each error still has its own text and label.
        told = [(entry["input"], entry["gold"]) for entry in worst[:2]]
        rows = done.rows.validation[-2:]
        wanted = [({role: row[role] for role in ("text", "text_pair") if role in row}, row["label"]) for row in rows]
        wanted = [(text if "text_pair" in text else text["text"], label) for text, label in wanted]
        assert told in (wanted, wanted[::-1])
        assert worst[0]["loss"] >= worst[1]["loss"] > 0
    assert [entry["answer"] for entry in classified.details["worst"]] == [
        {"good": "bad", "bad": "good"}[entry["gold"]] for entry in classified.details["worst"]
    ]


def test_several_labels_are_learned_each_by_itself(labelled: Trained) -> None:
    assert labelled.model.config.problem_type == "multi_label_classification"
    assert labelled.final["accuracy"] == pytest.approx(22 / 24)
    assert labelled.final["f1"] > 0.85
    assert [entry["label"] for entry in labelled.details["per_class"]] == ["warm", "dull", "long"]
    assert "confusion" not in labelled.details
    half = next(row for row in labelled.details["thresholds"] if row["threshold"] == 0.5)
    assert half["f1"] == pytest.approx(labelled.final["f1"])
    baseline = labelled.family.baselines(labelled.rows)["majority"]
    assert baseline["label"] == "no label"
    assert baseline["f1"] == 0.0


def test_a_number_is_learned_and_judged_by_its_error(measured: Trained) -> None:
    assert (measured.model.config.problem_type, measured.family.metric) == ("regression", "mse")
    assert {"mae", "pearson", "spearman", "mse_low", "mse_high"} <= set(measured.final)
    assert measured.final["mse"] == pytest.approx(measured.final["loss"], rel=1e-4)
    low, high = (answer["score"] for answer in answers(measured, "this film is", "this film is wonderful"))
    assert low < 0.35 < 0.65 < high
    baseline = measured.family.baselines(measured.rows)["mean"]
    mean = np.mean([row["label"] for row in measured.rows.train])
    gold = np.array([row["label"] for row in measured.rows.validation])
    assert baseline["value"] == pytest.approx(mean)
    assert baseline["mse"] == pytest.approx(np.mean((gold - mean) ** 2))
    assert "pearson" not in baseline


def test_answers_have_the_form_of_their_task(classified: Trained, labelled: Trained) -> None:
    good, alone = answers(classified, {"text": "a film", "text_pair": "wonderful story"}, "a story")
    assert (good[0]["label"], good[0]["score"] > 0.8) == ("good", True)
    assert sum(entry["score"] for entry in alone) == pytest.approx(1.0)
    (several,) = answers(labelled, "this film is warm long")
    assert {entry["label"] for entry in several if entry["score"] > 0.5} == {"warm", "long"}
    assert sum(entry["score"] for entry in several) > 1.5


@pytest.mark.parametrize("sample", [{"text_pair": "x"}, {"text": 1}, {"text": "x", "text_pair": 2}, 7])
def test_a_sample_of_another_form_is_refused(classified: Trained, sample: Any) -> None:
    with pytest.raises(WorkbenchError) as refused:
        classified.family.predict(classified.model, classified.processor, [sample])
    assert refused.value.field == "samples"


@pytest.mark.parametrize(
    ("problem", "changes", "field"),
    [
        ("single", {"metric": "pearson"}, "metric"),
        ("multi", {"metric": "matthews"}, "metric"),
        ("regression", {"metric": "f1"}, "metric"),
        ("single", {"max_length": 4}, "max_length"),
    ],
)
def test_settings_that_do_not_fit_the_labels_are_refused_before_training(
    tiny_classifier: Path, problem: str, changes: dict[str, Any], field: str
) -> None:
    label: Any = {"single": "a", "multi": ["a"], "regression": 1.0}[problem]
    row = {"text": "this film", "text_pair": "is warm", "label": label}
    rows = Rows([row], [row], [], [] if problem == "regression" else ["a", "b"], {}, problem=problem)
    kind = family(spec_of("text-classification", tiny_classifier, **changes))
    model = kind.load(tiny_classifier, rows.labels)
    with pytest.raises(WorkbenchError) as refused:
        kind.prepare(rows, kind.processor(tiny_classifier), model.config, 64)
    assert refused.value.field == field


def test_a_tokenizer_that_cannot_pad_takes_its_end_of_text_or_is_refused(
    tiny_classifier: Path, tiny_generator: Path
) -> None:
    kind = family(spec_of("text-classification", tiny_generator))
    row = {"text": "this film", "label": "a"}
    rows = Rows([row], [row], [], ["a", "b"], {}, problem="single")
    model, tokenizer = kind.load(tiny_generator, rows.labels), kind.processor(tiny_generator)
    kind.prepare(rows, tokenizer, model.config, 64)
    assert model.config.pad_token_id == tokenizer.eos_token_id == tokenizer.pad_token_id
    bare = kind.processor(tiny_classifier)
    bare.pad_token = None
    with pytest.raises(WorkbenchError, match="neither a padding nor an end-of-text token"):
        kind.prepare(rows, bare, model.config, 64)


# Token classification

TEXT = ["Unbelievable", "fox,", "I'm", "dull."]
WORDS = ["this", "film", "is", "a", "wonderful", ",", "."]


@pytest.fixture(scope="module")
def tagged(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Tags in BIOES, and a row that is longer than the model reads."""
    labels = ["O", "B-FOX", "E-FOX", "S-NET"]
    rule = {"small": "B-FOX", "fox": "E-FOX", "network": "S-NET"}

    def row(draw: random.Random, most: int = 8) -> Row:
        tokens: list[str] = []
        while len(tokens) < draw.randint(2, most):
            tokens += draw.choice((["small", "fox"], ["network"], [draw.choice(WORDS)], [draw.choice(WORDS)]))
        return {"tokens": tokens, "tags": [rule.get(token, "O") for token in tokens]}

    rows = make(90, row, lambda one: {**one, "tags": ["S-NET"] * len(one["tags"])}, labels)
    rows.train.append(row(random.Random(2), most=120))
    rows.train[-1] = {role: rows.train[-1][role] * 20 for role in ("tokens", "tags")}
    return trained(base, "token-classification", rows, tmp_path_factory.mktemp("tags"))


def test_a_tagger_learns_entities_and_is_judged_by_them(tagged: Trained) -> None:
    assert tagged.final["f1"] > 0.7
    assert tagged.final["accuracy_low"] < tagged.final["accuracy"] < tagged.final["accuracy_high"]
    assert tagged.data.facts["average"] == "micro"
    assert [entry["label"] for entry in tagged.details["per_class"]] == ["FOX", "NET"]
    assert len(tagged.details["confusion"]) == 4
    baseline = tagged.family.baselines(tagged.rows)["majority"]
    assert (baseline["label"], baseline["f1"]) == ("O", 0.0)
    assert 0.2 < baseline["accuracy"] < 0.9


def test_a_taggers_worst_errors_show_both_taggings_in_place(tagged: Trained) -> None:
    worst = tagged.details["worst"]
    json.dumps(worst)
    assert {entry["input"] for entry in worst[:2]} == {" ".join(row["tokens"]) for row in tagged.rows.validation[-2:]}
    for entry in worst:
        for entity in (*entry["gold"], *entry["answer"]):
            assert entry["input"][entity["start"] : entity["end"]] == entity["word"]
    assert {entity["entity_group"] for entity in worst[0]["gold"]} == {"NET"}


def test_entities_in_a_text_are_found_whole_with_their_places(tagged: Trained) -> None:
    text = "This film is a small fox, a network."
    (found,) = answers(tagged, text)
    assert [(entity["entity_group"], entity["word"]) for entity in found] == [("FOX", "small fox"), ("NET", "network")]
    assert all(text[entity["start"] : entity["end"]] == entity["word"] and 0 < entity["score"] <= 1 for entity in found)
    assert answers(tagged, "") == [[]]
    with pytest.raises(WorkbenchError) as refused:
        answers(tagged, {"text": "x"})
    assert refused.value.field == "samples"


def test_a_row_longer_than_the_model_reads_is_learned_to_its_last_word(tagged: Trained) -> None:
    facts = tagged.data.facts
    assert facts["examples"] > len(tagged.rows.train)
    assert facts["tokens"]["longest"] <= facts["max_length"] == 64
    assert facts["words"] == sum(len(row["tokens"]) for row in tagged.rows.train)
    learned = sum(label >= 0 for example in tagged.data.train for label in example["labels"])
    assert learned == facts["words"]


WORDS_OF = {
    wordpiece: ["Unbelievable", "fox", ",", "I", "'", "m", "dull", "."],
    byte_level: ["Unbelievable", "fox", ",", "I", "'m", "dull", "."],
    unigram: ["Unbelievable", "fox,", "I'm", "dull."],
    fallback: ["Unbelievable", "fox,", "I'm", "dull."],
}


@pytest.mark.parametrize(("build", "words"), WORDS_OF.items(), ids=lambda part: getattr(part, "__name__", ""))
def test_a_text_is_tagged_word_by_word_however_many_tokens_a_word_has(
    build: Callable[[], PreTrainedTokenizerFast], words: list[str]
) -> None:
    tokenizer = build()
    model = BertForTokenClassification(bert_config(tokenizer, id2label={0: "NOUN", 1: "VERB"})).eval()
    (found,) = family(spec_of("token-classification", Path("none"))).predict(model, tokenizer, [" ".join(TEXT)])
    assert [entity["word"] for entity in found] == words
    assert all(" ".join(TEXT)[entity["start"] : entity["end"]] == entity["word"] for entity in found)


@pytest.mark.parametrize("build", WORDS_OF, ids=lambda build: build.__name__)
def test_each_word_is_tagged_at_its_first_token_of_the_text(
    build: Callable[[], PreTrainedTokenizerFast], tmp_path: Path, tiny_classifier: Path
) -> None:
    tokenizer = build()
    tokenizer.save_pretrained(tmp_path)
    kind = family(spec_of("token-classification", tmp_path))
    processor = kind.processor(tmp_path)
    processor.pad_token = processor.pad_token or "[PAD]"
    tokens = ["Wonderful", "I'm", "\u200b", "unbelievable", "fox", "", "dull."]
    rows = Rows(
        [{"tokens": tokens, "tags": list("abcdefg")}], [{"tokens": ["fox"], "tags": ["a"]}], [], list("abcdefg"), {}
    )
    config = kind.load(tiny_classifier, rows.labels).config
    prepared = kind.prepare(rows, processor, config, 64)
    (example,) = prepared.train
    text = " ".join(tokens)
    plain = processor(text, return_offsets_mapping=True)
    assert example["input_ids"] == plain["input_ids"]
    found = {}
    for label, (start, end) in zip(example["labels"], plain["offset_mapping"], strict=True):
        if label >= 0:
            found["abcdefg"[label]] = text[start:end].strip()
    assert {"a", "b", "d", "e", "g"} <= set(found) <= {"a", "b", "c", "d", "e", "g"}
    assert all(tokens["abcdefg".index(tag)].startswith(piece) for tag, piece in found.items())


def test_a_tokenizer_that_cannot_place_its_tokens_is_refused_in_a_sentence(tmp_path: Path) -> None:
    ByT5Tokenizer().save_pretrained(tmp_path)
    with pytest.raises(WorkbenchError, match="cannot tell which word") as refused:
        family(spec_of("token-classification", tmp_path)).processor(tmp_path)
    assert refused.value.field == "model"


def test_rows_without_a_word_that_the_tokenizer_knows_are_refused(tiny_classifier: Path) -> None:
    row = {"tokens": ["\u200b", "\u200d"], "tags": ["a", "b"]}
    rows = Rows([row], [row], [], ["a", "b"], {})
    kind = family(spec_of("token-classification", tiny_classifier))
    config = kind.load(tiny_classifier, rows.labels).config
    with pytest.raises(WorkbenchError) as refused:
        kind.prepare(rows, kind.processor(tiny_classifier), config, 64)
    assert refused.value.field == "columns.tokens"
