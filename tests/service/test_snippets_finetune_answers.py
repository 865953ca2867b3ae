"""The scripts of runs that find answers in texts, from every form of data, give the figures of the run itself."""

from __future__ import annotations

import ast
import json
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_snippets_finetune import Program, check, spec

from components.service.runs.values import answers_value, parsed
from components.service.snippets.finetune.question_answering import _PARSED, _ROWS

FIGURES = ("loss", "f1", "exact_match")
FILLER = ("this", "film", "is", "a", "story", "to", "read")


@pytest.fixture(scope="module")
def tiny_reader(models_folder: Path) -> Path:
    """A BERT that learns quickly, and reads 64 tokens at once."""
    import torch
    from service_models import bert_config, wordpiece
    from transformers import BertForQuestionAnswering

    torch.manual_seed(0)
    tokenizer = wordpiece()
    config = bert_config(tokenizer, initializer_range=0.1, hidden_dropout_prob=0.02)
    BertForQuestionAnswering(config).save_pretrained(models_folder / "quick_reader")
    tokenizer.save_pretrained(models_folder / "quick_reader")
    return models_folder / "quick_reader"


def questions() -> list[dict[str, Any]]:
    """Three questions about each of 20 contexts, which are up to four windows of 32 tokens long.

    The answer is two words, the first of which says which; one question has none. Some places are wrong, some letters
    are of a wrong encoding, a row repeats another, and one is of no use.
    """
    draw = random.Random(0)
    rows = []
    for i in range(20):
        before, after = (" ".join(draw.choices(FILLER, k=draw.randint(1, 40))) for _ in range(2))
        word = draw.choice(("wonderful", "awful", "dull"))
        context = f"{before} {'trÃ¨s ' if i == 5 else ''}{word} film, {after}"
        for asked in ("how is it?", "what is it?", "how is this film " * 9):
            texts = [] if asked == "what is it?" else [f"{word} film", word]
            places = [context.index(word) + (draw.random() < 0.2)] * len(texts)
            answers = {"text": texts, "answer_start": places}
            rows.append({"question": asked, "context": context, "answers": answers})
    return [*rows, rows[0], {**rows[0], "answers": {"text": ["elsewhere"], "answer_start": [0]}}]


def article(row: dict[str, Any]) -> dict[str, Any]:
    """The row as an article of SQuAD's own."""
    parts = zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True)
    answers = [{"text": text, "answer_start": start} for text, start in parts]
    asked = {"question": row["question"], "answers": answers}
    return {"title": "", "paragraphs": [{"context": row["context"], "qas": [asked]}]}


def arrays(answers: dict[str, list[Any]]) -> str:
    """The answers as pandas writes those of a data set."""
    return str({name: np.array(values) for name, values in answers.items()})


def bare(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that have an answer, with its text alone."""
    return [{**row, "answers": row["answers"]["text"][0]} for row in rows if row["answers"]["text"]]


def file_of(folder: Path, form: str) -> Path:
    """The rows as a file of this form."""
    rows = questions()
    if form == "objects":
        (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        return folder / "rows.jsonl"
    if form == "articles":
        (folder / "rows.json").write_text(json.dumps({"version": "v2.0", "data": list(map(article, rows))}))
        return folder / "rows.json"
    rows = bare(rows) if form == "bare" else [{**row, "answers": arrays(row["answers"])} for row in rows]
    pd.DataFrame(rows).to_csv(folder / "rows.csv", index=False)
    return folder / "rows.csv"


#: Settings that a script has to heed, with the form of the data.
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "the last epoch": ("objects", {}),
    "the best of some passes": (
        "arrays", {"accumulation": 3, "keep": "best", "metric": "exact_match", "evaluate": "steps", "every": 4},
    ),
    "lora": ("articles", {"method": "lora", "learning_rate": 1e-2}),
    "short windows, bf16": (
        "bare", {"max_length": 20, "validation": 11, "remedies": ["mend_encoding"], "precision": "bf16"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "settings", [pytest.param(name, marks=pytest.mark.long) if name == "lora" else name for name in SETTINGS]
)
@pytest.mark.long
def test_answers_are_found(run_snippet: Program, tiny_reader: Path, tmp_path: Path, settings: str) -> None:
    form, changes = SETTINGS[settings]
    short = {"max_length": 32, "epochs": 3, "learning_rate": 5e-3, **changes}
    check(run_snippet, spec("question-answering", tiny_reader, **short), file_of(tmp_path, form), FIGURES)


CONTEXT = "The cat sat. The cat slept."
CELLS: list[Any] = [
    {"text": ["cat"], "answer_start": [17]},
    {"text": ["cat", "slept"], "answer_start": [18, -1]},
    {"text": "cat", "answer_start": 17},
    {"text": ["dog", "cat"], "answer_start": [0, 4]},
    {"text": ["cat"]},
    {"text": [], "answer_start": []},
    [{"text": "cat", "answer_start": 9}, {"text": "sat"}],
    {"text": ["dog"], "answer_start": [4]},
    {"text": [" "], "answer_start": [3]},
    {"text": None, "answer_start": None},
    ["slept", "cat"],
    [],
    "slept",
    " ",
    "dog",
    None,
]


@pytest.mark.parametrize("cell", CELLS)
def test_a_script_reads_answers_as_a_run_does(cell: Any) -> None:
    script: dict[str, Any] = {"ast": ast, "json": json, "re": re}
    exec(_PARSED + _ROWS, script)
    assert script["answers_of"](cell, CONTEXT) == answers_value(cell, CONTEXT)
    if isinstance(cell, dict | list):
        for written in (json.dumps(cell), str(cell)):
            assert script["answers_of"](script["parsed"](written), CONTEXT) == answers_value(cell, CONTEXT)


@pytest.mark.parametrize("text", ["cat", "", "[sic] cat", "{cat", "[1, 2", "{'text': array(['cat'], dtype=object)}"])
def test_a_script_knows_what_is_written_out_as_a_run_does(text: str) -> None:
    script: dict[str, Any] = {"ast": ast, "json": json}
    exec(_PARSED, script)
    assert script["parsed"](text) == parsed(text)
