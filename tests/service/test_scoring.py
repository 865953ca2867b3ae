"""Texts held against gold texts, by the measures that their task is known by."""

from __future__ import annotations

from typing import Any

import pytest

from components.service.tasks import TASKS
from components.service.worker.scoring import score


@pytest.mark.parametrize(
    ("task", "output", "gold", "figures"),
    [
        (
            "summarization",
            [{"summary_text": "the cat sat"}],
            "the cat sat down",
            {"exact_match": 0.0, "rouge1": 6 / 7, "rouge2": 0.8, "rougeL": 6 / 7},
        ),
        ("translation", [{"translation_text": "a b c d e"}], "a b c d e", {"exact_match": 1.0, "bleu": 100.0}),
        ("translation", [{"translation_text": "x y"}], "a b c d e", {"exact_match": 0.0, "chrf": 0.0}),
        (
            "automatic-speech-recognition",
            {"text": "THE CAT SAT"},
            "the cat sat down",
            {"word_error_rate": 0.25, "character_error_rate": 5 / 16},
        ),
        ("text-generation", [{"generated_text": "once"}], "once ", {"exact_match": 1.0}),
    ],
)
def test_a_text_is_scored_by_the_measures_of_its_task(
    task: str, output: Any, gold: str, figures: dict[str, float]
) -> None:
    found = score(TASKS[task], [], [(output, gold)])
    assert {name: found[name] for name in figures} == pytest.approx(figures)
    assert found["rows"] == 1
