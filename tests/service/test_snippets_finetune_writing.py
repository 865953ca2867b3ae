"""The scripts of runs that write texts: summaries, and translations by each way of telling a model its languages."""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from generation_models import bart, m2m100, marian, mbart, nllb, t5
from test_snippets_finetune import HUB, Program, check, spec
from transformers import AutoConfig, AutoModelForSeq2SeqLM, GenerationConfig

from components.service.errors import WorkbenchError
from components.service.runs.families.writing import _IDS
from components.service.snippets import snippet

Make = Callable[[Path], Path]
#: What makes the tiny models learn in a few steps; those of the BART kind keep their dropout.
SIZES = {"d_model": 32, "initializer_factor": 1.0, "dropout_rate": 0.0, "init_std": 0.1}
QUICK = {"epochs": 8, "batch_size": 4, "learning_rate": 1e-2, "evaluate": "steps", "every": 1000}
ENGLISH, RUSSIAN = ("I love this film", "awful, dull"), ("хороший фильм", "скучно, долго")


def pairs(targets: tuple[str, str] = ENGLISH) -> list[tuple[str, str]]:
    """Texts with a word that decides what is to be written; each third target is longer than the others."""
    draw = random.Random(1)
    found = []
    for i in range(40):
        kind = draw.randrange(2)
        text = f"{('wonderful', 'awful')[kind]} " * 2 + "long " * draw.randrange(4) + str(i)
        found.append((text, targets[kind] + (" said the small fox" if i % 3 == 0 else "")))
    return found


def learner(make: Make, path: Path) -> Path:
    """A model with the tokenizer and the settings of another, whose weights are such that it learns."""
    config = AutoConfig.from_pretrained(make(path))
    torch.manual_seed(0)
    for name in SIZES.keys() & config.to_dict().keys():
        setattr(config, name, SIZES[name])
    AutoModelForSeq2SeqLM.from_config(config).save_pretrained(path)
    return path


def some_long(kinds: Iterable[str], *long: str) -> list[Any]:
    """The kinds, of which some run only where they are asked for."""
    return [pytest.param(kind, marks=pytest.mark.long if kind in long else ()) for kind in kinds]


#: Of each model, what it learns to write, and more of the spec; some targets are longer than what is learned of them.
SUMMARIES: dict[str, tuple[Make, tuple[str, str], dict[str, Any]]] = {
    "t5, the best of passes": (
        t5, ENGLISH, {"accumulation": 2, "evaluate": "epoch", "keep": "best", "max_target_length": 12},
    ),
    "bart, in another script": (bart, RUSSIAN, {"max_target_length": 32}),
}  # fmt: skip


@pytest.mark.parametrize("kind", some_long(SUMMARIES, "bart, in another script"))
@pytest.mark.long
def test_summaries_are_written(run_snippet: Program, tmp_path: Path, kind: str) -> None:
    make, targets, changes = SUMMARIES[kind]
    lines = [f'{text},"{target}"' for text, target in [*pairs(targets), ("trÃ¨s long", targets[0]), pairs(targets)[0]]]
    (tmp_path / "rows.csv").write_text("\n".join(["text,summary", *lines, "no summary,"]))
    given = spec("summarization", learner(make, tmp_path / "model"), **{**QUICK, **changes})
    given["remedies"] = ["mend_encoding", "drop_duplicates"]
    figures = check(run_snippet, given, tmp_path / "rows.csv", ("loss", "rouge1", "rouge2", "rougeL"), writes=True)
    assert figures["rouge1"] > 0.3


#: For each way of telling a model its languages, the languages, and more of the spec.
TRANSLATORS: dict[str, tuple[Make, tuple[str, str], dict[str, Any]]] = {
    "by words, t5": (t5, ("en", "eo"), {"method": "lora", "lora_rank": 16}),
    "by a mark, marian": (lambda path: marian(path, ("fra", "deu")), ("en", "deu"), {"target_language": "deu"}),
    "by tokens, m2m100": (m2m100, ("en", "fr"), {}),
    "by where the decoder starts, mbart": (mbart, ("en", "ro"), {}),
    "by tokens, nllb": (nllb, ("eng_Latn", "zho_Hans"), {"max_target_length": 24}),
}


@pytest.mark.parametrize("kind", some_long(TRANSLATORS, "by tokens, m2m100"))
@pytest.mark.long
def test_translations_are_written(run_snippet: Program, tmp_path: Path, kind: str) -> None:
    make, (source, target), changes = TRANSLATORS[kind]
    told = [*pairs(), ("trÃ¨s long", ENGLISH[0]), pairs()[0]]
    rows = [{"id": i, "translation": {source: text, target: made}} for i, (text, made) in enumerate(told)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    columns = {"text": f"translation.{source}", "target": f"translation.{target}"}
    given = spec("translation", learner(make, tmp_path / "model"), columns=columns, max_target_length=12)
    given = {**given, **QUICK, **changes, "remedies": ["mend_encoding", "drop_duplicates"]}
    figures = check(run_snippet, given, tmp_path / "rows.jsonl", ("loss", "bleu", "chrf"), writes=True)
    assert figures["chrf"] > 30


@pytest.mark.long
def test_a_script_that_is_asked_for_before_the_run_finds_out_what_stands_before_a_text(
    run_snippet: Program, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("\n".join(["text,summary", *(f'{text},"{made}"' for text, made in pairs())]))
    given = spec("summarization", t5(tmp_path / "model"), data={"file": "rows.csv"}, epochs=1, max_target_length=4)
    code = snippet("finetune_loop", {"spec": given, "dtype": "fp32"}, HUB)
    told = "\nresult = [PREFIX, tokenizer(PREFIX + validation[0]['text'])['input_ids'] == held[0]['input_ids']]"
    assert run_snippet(code + told, file=tmp_path / "rows.csv") == ["summarize: ", True]


def test_a_script_keeps_the_settings_of_a_vocabulary_that_a_run_keeps() -> None:
    code = snippet("finetune", {"spec": {"task": "summarization", "model": "a/b", "data": {"file": "a.csv"}}}, HUB)
    (endings,) = re.findall(r"^kept = (.+)$", code, re.MULTILINE)
    assert {name for name in vars(GenerationConfig()) if name.endswith(ast.literal_eval(endings))} == set(_IDS)


#: Facts of a translator that a script was asked for with: none yet, or not what a run records.
UNKNOWN: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no first token": {"prefix": "", "languages": ["en", "fr"], "bleu_tokenizer": "13a"},
    "one language": {"prefix": "", "languages": ["en"], "first_token": None, "bleu_tokenizer": "13a"},
    "null": dict.fromkeys(("prefix", "languages", "first_token", "bleu_tokenizer")),
}


@pytest.mark.parametrize("facts", UNKNOWN.values(), ids=UNKNOWN)
def test_a_translators_script_waits_until_its_languages_are_known(facts: dict[str, Any]) -> None:
    with pytest.raises(WorkbenchError, match="ask again"):
        snippet("finetune", {"spec": {"task": "translation", "model": "a/b", "data": {"file": "a.csv"}}, **facts}, HUB)


def test_what_a_stranger_calls_a_language_stays_a_text() -> None:
    evil = '"); import os; ("'
    facts = {"prefix": evil, "languages": [evil, evil], "first_token": evil, "bleu_tokenizer": evil}
    given = {"task": "translation", "model": "a/b", "data": {"file": "a.csv"}}
    for view in ("finetune", "finetune_loop"):
        tree = ast.parse(snippet(view, {"spec": given, **facts}, HUB))
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import) and node.names[0].name == "os"]
