"""Readers, writers and image classifiers: trained on rows with a plain rule, judged as their libraries judge."""

from __future__ import annotations

import base64
import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sacrebleu
import service_models
import torch
from family_parts import Trained, spec_of, trained
from generation_models import bart, m2m100, marian, mbart, nllb, t5
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rouge_score.rouge_scorer import RougeScorer
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForImageClassification,
    AutoModelForSeq2SeqLM,
    BertForQuestionAnswering,
    ByT5Tokenizer,
    T5Config,
    T5ForConditionalGeneration,
    TrainingArguments,
)
from vision_models import image_classifier

from components.service.errors import WorkbenchError
from components.service.runs import text_metrics
from components.service.runs.families import family
from components.service.runs.families.remembering import RememberingTrainer
from components.service.runs.rows import Row, Rows
from components.service.runs.spans import Window, best_answers, read_windows
from components.service.runs.tasks import LONGEST
from components.service.worker.revived.summarization import SummarizationPipeline
from components.service.worker.revived.translation import TranslationPipeline

FILLER = ("this", "film", "is", "a", "story", "to", "read")


def filler(draw: random.Random, most: int) -> str:
    """Words that say nothing, of many lengths."""
    return " ".join(draw.choices(FILLER, k=draw.randint(1, most)))


def answers(done: Trained, *samples: Any) -> list[Any]:
    found = done.family.predict(done.model, done.processor, samples)
    json.dumps(found)
    return found


# Questions


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


# Writing


def told(draw: random.Random) -> Row:
    word, target = draw.choice((("wonderful", "I love this film."), ("awful", "It is far too long.")))
    return {"text": f"{filler(draw, 9)}. {word}. {filler(draw, 9)}", "target": target}


@pytest.fixture(scope="module")
def summarized(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    path = t5(models_folder / "t5")
    sizes = {"d_model": 32, "d_ff": 64, "initializer_factor": 1.0, "dropout_rate": 0.0}
    T5ForConditionalGeneration(T5Config(**{**T5Config.from_pretrained(path).to_dict(), **sizes})).save_pretrained(path)
    draw = random.Random(1)
    train, held, test = ([told(draw) for _ in range(number)] for number in (120, 18, 3))
    held += [{"text": "wonderful. wonderful.", "target": "dull"}, {"text": "awful. awful", "target": "warm"}]
    rows = Rows(train, held, test, [], {})
    folder = tmp_path_factory.mktemp("summaries")
    return trained(path, "summarization", rows, folder, epochs=5, rate=1e-2, max_target_length=20)


def test_a_summarizer_is_judged_by_what_it_writes(summarized: Trained) -> None:
    assert summarized.final["rougeL"] == pytest.approx(0.9)
    assert summarized.final["rougeL_low"] < 0.9 < summarized.final["rougeL_high"]
    assert summarized.data.facts["prefix"] == "summarize: "
    baseline = summarized.family.baselines(summarized.rows)["lead"]
    assert baseline["rougeL"] < 0.5
    worst = summarized.details["worst"]
    json.dumps(worst)
    assert {entry["gold"] for entry in worst} == {"dull", "warm"}
    assert worst[0]["loss"] >= worst[1]["loss"] > summarized.final["loss"]


def test_what_a_summarizer_writes_is_what_its_saved_model_writes(summarized: Trained, tmp_path: Path) -> None:
    summarized.model.save_pretrained(tmp_path)
    summarized.processor.save_pretrained(tmp_path)
    again = summarized.family.load(tmp_path, [])
    pipe = SummarizationPipeline(model=type(again).from_pretrained(tmp_path), tokenizer=summarized.processor)
    text = summarized.rows.validation[0]["text"]
    assert answers(summarized, text) == pipe(text) == [{"summary_text": summarized.rows.validation[0]["target"]}]


def test_summaries_are_scored_as_rouge_score_does_and_in_other_scripts_too() -> None:
    made, gold = ["The cats sat on mats."], ["The cat is sitting on the mat."]
    kinds = ("rouge1", "rouge2", "rougeL")
    wanted = RougeScorer(kinds, use_stemmer=True).score(gold[0], made[0])
    assert text_metrics.summary_scores(made, gold) == {kind: [wanted[kind].fmeasure] for kind in kinds}
    assert text_metrics.summary_scores(["кот спит", "猫在睡觉"], ["кот ест", "猫在吃饭"])["rouge1"] == [0.5, 0.5]


TEXTS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "mats", "é", "!"]), min_size=1, max_size=9).map(" ".join)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_translations_are_scored_as_sacrebleu_does(pairs: list[tuple[str, str]]) -> None:
    made, gold = map(list, zip(*pairs, strict=True))
    found = text_metrics.translation_scores(made, gold)
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(made, [gold]).score, abs=1e-6)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(made, [gold]).score, abs=1e-6)
    assert all(0 <= found[f"{name}_low"] <= found[f"{name}_high"] <= 100 + 1e-9 for name in ("bleu", "chrf"))


def test_languages_without_spaces_are_cut_into_what_they_are_written_in() -> None:
    cuts = {code: text_metrics.cut_of(code) for code in ("zh", "zho_Hans", "ja_XX", "kor_Hang", "en", "fr_XX", None)}
    assert list(cuts.values()) == ["zh", "zh", "char", "char", "13a", "13a", "13a"]
    assert text_metrics.translation_scores(["猫在睡觉。"], ["猫在睡觉。"], "zh")["bleu"] == pytest.approx(100)


TRANSLATORS = {
    "t5": (t5, {"source_language": "en", "target_language": "de"}, "translate English to German: ", None),
    "t5, by columns": (t5, {"columns": {"text": "t.en", "target": "t.fr"}}, "translate English to French: ", None),
    "t5, a new pair": (t5, {"source_language": "en", "target_language": "eo"}, "translate English to eo: ", None),
    "bart": (bart, {}, "", None),
    "marian": (marian, {}, "", None),
    "marian of several": (
        lambda path: marian(path, ("fra", "deu")),
        {"target_language": "deu"},
        ">>deu<< ",
        None,
    ),
    "m2m100": (m2m100, {"source_language": "en", "target_language": "fr"}, "", "__fr__"),
    "nllb": (nllb, {"source_language": "eng", "target_language": "fra_Latn"}, "", "fra_Latn"),
    "mbart": (mbart, {"source_language": "en", "target_language": "ro"}, "", "ro_RO"),
}


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
@pytest.mark.parametrize("kind", TRANSLATORS)
def test_a_translator_is_told_its_languages_and_its_saved_model_knows_them(kind: str, tmp_path: Path) -> None:
    make, changes, prefix, begin = TRANSLATORS[kind]
    path = make(tmp_path / "base")
    rows = Rows(*([{"text": "I love this film", "target": "awful, dull"}] for _ in range(3)), [], {})
    rows.columns = changes.get("columns", {})
    done = trained(path, "translation", rows, tmp_path / "run", 1, 1e-3, max_target_length=8, **changes)
    assert done.data.facts["prefix"] == prefix
    assert {"bleu", "chrf", "bleu_low", "chrf_high", "loss"} <= set(done.final)
    assert set(done.family.baselines(rows)["copy"]) >= {"label", "bleu", "chrf"}
    (label,) = done.data.collator(done.data.train)["labels"].tolist()
    given = done.data.train[0]["input_ids"]
    if begin:
        writing = done.model.generation_config
        # The first mBART ends texts with their language, and its decoder starts from it; the others begin with it.
        place, start = (-1, writing.decoder_start_token_id) if kind == "mbart" else (0, writing.forced_bos_token_id)
        assert done.processor.convert_tokens_to_ids(begin) == label[place] == start
        assert kind != "mbart" or writing.forced_bos_token_id is None
        source = {"m2m100": "__en__", "nllb": "eng_Latn", "mbart": "en_XX"}[kind]
        assert given[place] == done.processor.convert_tokens_to_ids(source)
    done.model.save_pretrained(tmp_path / "saved")
    loaded = type(done.model).from_pretrained(tmp_path / "saved")
    pipe = TranslationPipeline(model=loaded, tokenizer=done.processor)
    told = {"prefix": prefix} if prefix.startswith(">>") else {}
    assert answers(done, "I love this film") == pipe("I love this film", **told)


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
@pytest.mark.parametrize(
    ("make", "changes", "field", "listed"),
    [
        (m2m100, {"target_language": "fr"}, "source_language", "en, es"),
        (nllb, {"source_language": "eng_Latn", "target_language": "xx"}, "target_language", "ace_Arab"),
        (lambda path: marian(path, ("fra", "deu")), {}, "target_language", "deu, fra"),
        (t5, {}, "source_language", "de, en, fr"),
    ],
    ids=["m2m100", "nllb", "marian", "t5"],
)
def test_a_translator_that_is_not_told_its_languages_is_refused(
    tmp_path: Path, make: Any, changes: dict[str, Any], field: str, listed: str
) -> None:
    path = make(tmp_path)
    kind = family(spec_of("translation", path, **changes))
    row = {"text": "I love this film", "target": "awful"}
    with pytest.raises(WorkbenchError) as refused:
        kind.prepare(Rows([row], [row], [], [], {}), kind.processor(path), kind.load(path, []).config, 64)
    assert refused.value.field == field
    assert listed in refused.value.message


# Images


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


def painted(draw: np.random.Generator, colour: str, size: tuple[int, int] = (40, 50)) -> bytes:
    values = draw.integers(0, 60, (*size, 3))
    values[..., ("red", "green", "blue").index(colour)] += 150
    file = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def seen(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    draw = np.random.default_rng(0)
    colours = ["blue", "green", "red"]
    train, held, test = (
        [{"image": painted(draw, c, (20 + i, 60)), "label": c} for i in range(number) for c in colours]
        for number in (20, 6, 1)
    )
    held.append({"image": painted(draw, "red"), "label": "blue"})
    path = image_classifier(models_folder / "images")
    rows = Rows(train, held, test, colours, {})
    return trained(path, "image-classification", rows, tmp_path_factory.mktemp("images"), epochs=3, rate=3e-3)


def test_images_of_any_size_are_classified(seen: Trained) -> None:
    assert seen.final["accuracy"] == pytest.approx(18 / 19)
    assert seen.final["f1_low"] < seen.final["f1"] < seen.final["f1_high"]
    assert seen.data.facts == {
        "image_size": {"height": 32, "width": 32},
        "most_pixels": 50_000_000,
        "augmentation": "none",
        "average": "macro",
    }
    assert np.array(seen.details["confusion"]).sum() == 19
    assert seen.family.baselines(seen.rows)["majority"]["accuracy"] == pytest.approx(7 / 19)


def test_the_worst_error_is_shown_as_a_small_picture(seen: Trained) -> None:
    (worst,) = seen.details["worst"]
    assert (worst["gold"], worst["answer"]) == ("blue", "red")
    head, _, data = worst["input"]["image"].partition(",")
    assert head == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    assert shown.size == (50, 40)
    assert np.asarray(shown).mean((0, 1)).argmax() == 0


def test_a_picture_is_named_whether_in_base64_or_as_a_data_url(seen: Trained) -> None:
    plain = base64.b64encode(painted(np.random.default_rng(9), "green")).decode()
    one, two = answers(seen, {"image": plain}, {"image": f"data:image/png;base64,{plain}"})
    assert one == two
    assert (one[0]["label"], one[0]["score"] > 0.5) == ("green", True)
    assert sum(entry["score"] for entry in one) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"picture": "x"}, "A sample is"),
        ("x", "A sample is"),
        ({"image": 7}, "A sample is"),
        ({"image": "http://127.0.0.1/x.png"}, "no file in base64"),
        ({"image": base64.b64encode(png(20_000, 20_000)).decode()}, "far too large"),
        ({"image": base64.b64encode(png(9_000, 9_000)).decode()}, "9000 × 9000 pixels"),
    ],
    ids=["object", "text", "number", "address", "bomb", "large"],
)
def test_a_sample_that_is_no_picture_or_an_address_is_refused(seen: Trained, sample: Any, message: str) -> None:
    with pytest.raises(WorkbenchError, match=message):
        seen.family.predict(seen.model, seen.processor, [sample])


# Checkpoints


@pytest.mark.parametrize(
    ("make", "auto"),
    [(image_classifier, AutoModelForImageClassification), (t5, AutoModelForSeq2SeqLM), (marian, AutoModelForSeq2SeqLM)],
    ids=["named otherwise in files", "tied", "with fixed positions"],
)
def test_a_checkpoint_gives_back_all_of_its_weights_and_is_refused_where_some_lack(
    make: Any, auto: Any, tmp_path: Path
) -> None:
    model, checkpoint = auto.from_pretrained(make(tmp_path / "base")), tmp_path / "checkpoint"
    trainer = RememberingTrainer(model=model, args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none"))
    trainer.save_model(str(checkpoint))
    trainer.state.best_model_checkpoint = str(checkpoint)
    kept = {name: weights.clone() for name, weights in model.state_dict().items()}
    for restore in (trainer._load_best_model, lambda: trainer._load_from_checkpoint(str(checkpoint))):
        for weights in model.parameters():
            weights.data += 1
        before = torch.get_rng_state()
        restore()
        assert torch.equal(torch.get_rng_state(), before)
        assert all(torch.equal(weights, kept[name]) for name, weights in model.state_dict().items())
    weights = load_file(checkpoint / "model.safetensors")
    weights.pop(max(weights))
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WorkbenchError, match="lacks weights"):
        trainer._load_best_model()
