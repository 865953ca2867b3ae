"""Models side by side on the same rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.service.batch import Batch
from components.service.compare import Compare
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tasks.answers import answer, same
from components.service.visitor import Visitor

CLASSIFY, GENERATE = "text-classification", "text-generation"
ROWS = ["I love this film", "I hate this so much!", "warm and wonderful", "", "said the fox", "simple"]


@pytest.fixture(scope="module")
def compare(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, models_folder: Path, tiny_classifier: Path,
    tiny_generator: Path,
) -> Callable[..., dict[str, Any]]:  # fmt: skip
    from service_models import classifier

    classifier(models_folder / "other", id2label={0: "Negative", 1: "Neutral", 2: "Positive"}, initializer_range=0.4)
    made = Compare(settings, Batch(settings, hub, engine, Data(settings, hub, engine)))
    return lambda *args, **named: made.compare_models(*args, **named, visitor=visitor)


def test_models_are_held_against_each_other_row_by_row(compare: Callable[..., Any]) -> None:
    gold = ["positive", "negative", "positive", "neutral", "neutral", "neutral"]
    found = compare(CLASSIFY, ["local/classifier", "local/other"], ROWS, {}, gold)
    rows = found["rows"]
    assert [row["input"] for row in rows] == ROWS
    answers = [[one.lower() for one in row["answers"]] for row in rows if row["answers"][0] is not None]
    agreed = [one == two for one, two in answers]
    assert found["agreement"] == [[1.0, sum(agreed) / 5], [sum(agreed) / 5, 1.0]]
    assert [rows[number]["agree"] for number in found["disagreements"]] == [False] * (5 - sum(agreed))
    assert rows[3]["agree"] is None
    assert "no text yet" in rows[3]["errors"][1]
    one = found["models"][0]
    assert (one["model"], one["sample"], one["metrics"]["rows"]) == ("local/classifier", 5, 5)
    assert 0 < one["p50_seconds"] <= one["p95_seconds"]
    assert one["load_seconds"] > 0
    assert one["bytes"] > 10_000


def test_texts_are_compared_to_the_letter(compare: Callable[..., Any], models_folder: Path) -> None:
    import shutil

    shutil.copytree(models_folder / "generator", models_folder / "same-generator")
    models = ["local/generator", "local/same-generator"]
    found = compare(GENERATE, models, ["Once upon", "I love"], {"max_new_tokens": 3})
    assert found["agreement"] == [[1.0, 1.0], [1.0, 1.0]]
    assert found["disagreements"] == []
    assert "to the letter" in found["means"]


def test_a_model_that_cannot_run_is_told_in_its_place(compare: Callable[..., Any]) -> None:
    found = compare(CLASSIFY, ["local/generator", "local/classifier"], ROWS[:2])
    assert "text-generation model" in found["models"][0]["error"]
    assert found["agreement"][0] == [None, None]
    assert [row["answers"][0] for row in found["rows"]] == [None, None]
    with pytest.raises(WorkbenchError, match="text-generation model"):
        compare(CLASSIFY, ["local/generator", "local/same-generator"], ROWS[:2])


@pytest.mark.long
def test_of_four_models_one_that_takes_the_worker_down_leaves_the_others(
    compare: Callable[..., Any], settings: Settings, hub: Hub, visitor: Visitor, models_folder: Path
) -> None:
    import shutil

    for name in ("deadly", "third"):
        shutil.copytree(models_folder / "other", models_folder / name)
    engine = Engine(settings, calls={"run_batch": "worker_calls:mortal_batch"}, search=(Path(__file__).parent,))
    mortal = Compare(settings, Batch(settings, hub, engine, Data(settings, hub, engine)))
    names = ["local/classifier", "local/deadly", "local/other", "local/third"]
    found = mortal.compare_models(CLASSIFY, names, ROWS[:2], visitor=visitor)
    engine.close()
    whole = compare(CLASSIFY, ["local/classifier", "local/other"], ROWS[:2])
    assert ["error" in one for one in found["models"]] == [False, True, False, False]
    assert [[row["answers"][place] for place in (0, 2)] for row in found["rows"]] == [
        row["answers"] for row in whole["rows"]
    ]
    assert found["agreement"][2][3] == 1.0


@pytest.mark.parametrize(
    ("models", "rows", "field"),
    [
        (None, ["a"], "models"),
        ("local/classifier", ["a"], "models"),
        (["local/classifier"], ["a"], "models"),
        (["local/classifier", " local/classifier "], ["a"], "models"),
        (["a/b", "a/c", "a/d", "a/e", "a/f"], ["a"], "models"),
        (["local/classifier", 5], ["a"], "models"),
        (["local/classifier", "local/other"], [], "rows"),
        (["local/classifier", "local/other"], None, "rows"),
    ],
)
def test_what_cannot_be_compared_is_told(compare: Callable[..., Any], models: Any, rows: Any, field: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        compare(CLASSIFY, models, rows)
    assert caught.value.field == field


GISTS: list[tuple[str, Any, str | None]] = [
    ("labels", [{"label": "A", "score": 0.9}, {"label": "B", "score": 0.1}], "A"),
    ("labels", [], None),
    ("text", [{"generated_text": "one"}], "one"),
    ("text", [{"generated_text": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}], "b"),
    ("text", {"translation_text": "deux"}, "deux"),
    ("speech", {"text": "heard", "chunks": []}, "heard"),
    ("spans", [{"entity_group": "PER", "start": 1, "end": 4}, {"entity": "B-LOC", "start": 6, "end": 8}],
     "1-4 PER; 6-8 B-LOC"),
    ("spans", [], ""),
    ("spans", None, None),
    ("answers", {"answer": "Brooklyn", "score": 1.0}, "Brooklyn"),
    ("fills", [{"token_str": "a"}, {"token_str": "b"}], "a"),
    ("fills", [[{"token_str": "a"}], [{"token_str": "b"}]], "a … b"),
    ("vectors", [[0.1]], None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "output", "gist"), GISTS)
def test_each_kind_of_output_has_its_gist(kind: Any, output: Any, gist: str | None) -> None:
    assert answer(kind, output) == gist


def test_labels_are_the_same_but_for_case_and_texts_are_not() -> None:
    assert same("labels", "POSITIVE", "positive")
    assert not same("text", "Once", "once")
    assert not same("labels", None, None)
