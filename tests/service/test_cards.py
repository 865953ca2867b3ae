"""Cards are checked without a network, and drafted from the record of a run."""

from __future__ import annotations

from typing import Any

import pytest
from huggingface_hub import ModelCard

from components.service.cards import REPO_PLACEHOLDER, body, metadata, with_repo
from components.service.cards.checks import ASK, check
from components.service.cards.draft import draft_model
from components.service.cards.draft import draft_run as drafted
from components.service.cards.template import TEMPLATE
from components.service.errors import WorkbenchError

COMMIT = "ab" * 20


def run_state(**changes: Any) -> dict[str, Any]:
    """What a finished run's state holds, with names that try to break out of the card."""
    figures = {"loss": 0.4, "accuracy": 0.9, "f1": 0.89, "accuracy_low": 0.8, "accuracy_high": 0.95, "seconds": 1.0}
    labels = ["bad | worse", "<img src=x onerror=alert(1)>"]
    state: dict[str, Any] = {
        "id": "r" + "x" * 20,
        "name": "[click](javascript:alert(1)) `{{ 7*7 }}`",
        "status": "finished",
        "model": "runs/r" + "x" * 20,
        "device": "cpu",
        "dtype": "fp32",
        "labels": labels,
        "spec": {
            "task": "text-classification",
            "model": "starter/encoder",
            "revision": COMMIT,
            "data": {"dataset": "starter/reviews", "revision": COMMIT, "config": None},
            "columns": {"text": "text", "label": "label"},
            "epochs": 2,
            "batch_size": 8,
            "learning_rate": 5e-5,
            "seed": 42,
            "validation": 0.2,
            "samples": ['He said "no"'],
        },
        "samples": {},
        "progress": {"steps": 12, "seconds": 3.0},
        "eval": [{"step": 0, "epoch": 0.0, **figures}, {"step": 12, "epoch": 2.0, **figures}],
        "facts": {
            "rows": {"train": 48, "validation": 12},
            "label_counts": {"train": dict.fromkeys(labels, 24), "validation": dict.fromkeys(labels, 6)},
            "columns": {"text": "te|xt", "label": "label"},
            "data_fingerprint": "0123456789abcdef",
            "validation_given": False,
            "max_length": 64,
            "at_limit": 0.1,
            "parameters": 21186,
            "architecture": "BertForSequenceClassification",
            "model_type": "bert",
            "hardware": {"processor": "EPYC", "cores": 2},
            "versions": {"python": "3.11", "torch": "2.13"},
            "precision": {"why": "Measured."},
        },
        "results": {
            "final": figures,
            "untrained": {**figures, "accuracy": 0.5},
            "majority": {"label": labels[0], **figures},
            "step": 12,
            "best_step": 6,
            "commit": COMMIT,
            "peak_memory_bytes": 10**9,
            "per_class": [
                {"label": label, "precision": 1.0, "recall": 0.5, "f1": 0.67, "support": 6} for label in labels
            ],
            "thresholds": [{"threshold": 0.5, "precision": 1.0, "recall": 0.5, "f1": 0.67, "accuracy": 0.8}],
        },
    }
    return {**state, **changes}


def draft_run(state: dict[str, Any], repo: str | None = None) -> str:
    return drafted(state, repo).text


def errors(text: str) -> list[dict[str, Any]]:
    return [problem for problem in check(text) if problem["level"] == "error"]


def test_the_draft_of_a_run_has_no_errors_and_the_hubs_client_reads_it() -> None:
    text = draft_run(run_state(), "me/films")
    assert errors(text) == []
    card = ModelCard(text)
    assert card.data.base_model == "starter/encoder"
    assert card.data.datasets == ["starter/reviews"]
    assert card.data.pipeline_tag == "text-classification"
    results = {result.metric_type: result for result in card.data.eval_results or []}
    assert results["accuracy"].metric_value == 0.9
    assert results["accuracy"].dataset_revision == COMMIT
    assert card.data.license is None


def test_the_test_figure_comes_before_the_validation_figure_that_chose_the_epoch() -> None:
    state = run_state()
    state["results"]["test"] = {**state["results"]["final"], "accuracy": 0.7, "accuracy_low": 0.6, "accuracy_high": 0.8}
    state["facts"]["rows"]["test"] = 50
    text = draft_run(state, "me/films")
    assert errors(text) == []
    first = body(text).split("\n\n")[1]
    assert "On 50 test rows its accuracy is 0.700 (95 % interval 0.600 to 0.800)" in first
    assert first.index("0.700") < first.index("12 validation rows, which also chose the weights")
    results = body(text).split("## Evaluation results")[1]
    assert "| Accuracy | 0.7000 (0.6000 to 0.8000) | 0.9000 (0.8000 to 0.9500) |" in results
    assert "These rows chose the weights that are kept" in body(text)
    splits = [entry["dataset"]["split"] for entry in metadata(text)["model-index"][0]["results"]]
    assert splits == ["test", "train"]


def test_without_a_test_split_the_validation_figure_stands_alone() -> None:
    state = run_state()
    state["results"]["best_step"] = None
    first = body(draft_run(state)).split("\n\n")[1]
    assert "On 12 validation rows its accuracy is 0.900" in first
    assert "chose" not in body(draft_run(state))


def test_a_draft_has_every_section_of_a_card() -> None:
    told = check(draft_run(run_state(), "me/films"))
    assert not [problem for problem in told if "section" in problem["message"]]
    for section in TEMPLATE:
        assert (f"\n## {section.title}\n" in draft_run(run_state())) == section.drafted


def test_what_a_run_cannot_know_is_asked_and_counted_as_open() -> None:
    text = draft_run(run_state(), "me/films")
    asked = text.count(ASK)
    assert asked >= 4
    told = [problem for problem in check(text) if "filled in" in problem["message"]]
    assert len(told) == asked
    assert {problem["field"] for problem in check(text)} >= {"license", "language"}


def test_a_draft_leaves_open_only_what_its_author_must_say() -> None:
    told = check(draft_run(run_state(), "me/films"))
    assert {one["field"] for one in told if "filled in" not in one["message"]} == {"license", "language"}


def test_the_place_of_the_repository_is_held_until_it_is_known() -> None:
    text = draft_run(run_state())
    assert REPO_PLACEHOLDER in text
    assert any(REPO_PLACEHOLDER in problem["message"] for problem in check(text))
    assert REPO_PLACEHOLDER not in with_repo(text, "me/films")
    assert 'model="me/films"' in with_repo(text, "me/films")


def test_names_of_strangers_stay_text() -> None:
    text = body(draft_run(run_state()))
    assert "](javascript" not in text.replace("\\]", "")
    assert "<img" not in text.replace("`<img src=x onerror=alert(1)>`", "")
    assert "bad \\| worse" in text
    assert "{{ 7\\*7 }}" in text


def test_a_run_of_a_file_names_no_data_set_and_a_run_of_a_run_no_base_model() -> None:
    state = run_state()
    state["spec"] = {**state["spec"], "model": "runs/rabc", "data": {"file": "data/rows.csv", "name": "mine.csv"}}
    text = draft_run(state)
    assert errors(text) == []
    assert not {"datasets", "base_model", "base_model_relation"} & metadata(text).keys()
    assert metadata(text)["model-index"][0]["results"][0]["dataset"]["name"] == "mine.csv"


def test_splits_are_called_what_the_data_calls_them() -> None:
    state = run_state()
    state["facts"]["splits"] = {"train": "only"}
    assert metadata(draft_run(state))["model-index"][0]["results"][0]["dataset"]["split"] == "only"
    state["facts"] |= {"splits": {"train": "train", "validation": "validation_matched"}, "validation_given": True}
    text = draft_run(state)
    assert metadata(text)["model-index"][0]["results"][0]["dataset"]["split"] == "validation_matched"
    assert "the split `validation_matched` that came with the data" in text
    assert "| Rows for validation | 12, the data's split `validation_matched` |" in text


def test_a_stopped_run_says_so_and_one_without_a_model_has_no_card() -> None:
    assert "stopped at step 12" in draft_run(run_state(status="stopped"))
    for status, said in (("running", "no model yet"), ("stopped", "has left no model")):
        with pytest.raises(WorkbenchError, match=said):
            draft_run(run_state(status=status, model=None))


def test_a_model_without_a_card_gets_questions() -> None:
    facts = {"task": "text-classification", "architecture": "BertModel", "parameters": 5}
    text = draft_model({"facts": facts}, "me/films").text
    assert errors(text) == []
    assert text.count(ASK) >= 6


GOOD = """---
license: mit
language: en
pipeline_tag: text-classification
---
# Films
"""


@pytest.mark.parametrize(
    "text", ["", "# Only a title", "---\na: [\n---\n", "---\n- a\n---\n", "---\na: &a [*a]\n---\n"]
)
def test_what_has_no_metadata_that_can_be_read_has_none(text: str) -> None:
    assert metadata(text) == {}


def test_the_parts_of_a_card() -> None:
    assert metadata(GOOD) == {"license": "mit", "language": "en", "pipeline_tag": "text-classification"}
    assert body(GOOD) == "# Films\n"
    windows = GOOD.replace("\n", "\r\n")
    assert metadata(windows)["license"] == "mit"
    assert metadata("---\nday: 2026-01-01\nno: .nan\n---\n") == {"day": "2026-01-01", "no": None}
