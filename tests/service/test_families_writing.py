"""Writers: summaries and translations, trained on a plain rule and scored as rouge-score and sacreBLEU do."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import sacrebleu
from family_parts import Trained, answers, filler, spec_of, trained
from generation_models import bart, m2m100, marian, mbart, nllb, t5
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from transformers import T5Config, T5ForConditionalGeneration

from components.service.errors import WorkbenchError
from components.service.runs import text_metrics
from components.service.runs.families import family
from components.service.runs.rows import Row, Rows
from components.service.worker.revived.summarization import SummarizationPipeline
from components.service.worker.revived.translation import TranslationPipeline


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
