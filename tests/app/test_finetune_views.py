"""What the fine-tune tab draws: every kind of answer and finding, hostile text as text, no figure made up."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from components.service.runs.spec import RunSpec
from components.service.runs.tasks import TRAIN_TASKS
from components.service.runs.titles import metric_name, metric_title
from components.service.tasks.media import sample
from components.tabs.finetune.examples import STARTS
from components.widgets.answers import before_after, input_html, samples_view
from components.widgets.doctor import doctor_view
from components.widgets.figures import metrics_of
from components.widgets.histogram import histogram
from components.widgets.jobs import job_view, preview_view
from components.widgets.rehearsal import rehearsal_view
from components.widgets.run_compare import run_compare_view
from components.widgets.run_results import results_view
from components.widgets.run_view import run_view

EVIL = "<script>alert(1)</script>\"'"
PIXEL = base64.b64encode(b"not really a picture").decode()
SPAN = {"entity_group": EVIL, "word": EVIL, "start": 0, "end": 7, "score": 0.5}
ANSWERS: list[tuple[Any, Any, str]] = [
    (EVIL, [{"label": EVIL, "score": 0.75}], "75.0 %"),
    ({"text": EVIL, "text_pair": EVIL}, [{"label": EVIL, "score": 0.75}], "75.0 %"),
    (EVIL, {"score": 3.25}, "3.25"),
    (EVIL, [SPAN, {**SPAN, "start": 3, "end": 9}], "wb-span"),
    (EVIL, [], "nothing"),
    ({"question": EVIL, "context": EVIL}, {"answer": EVIL, "score": 0.5, "start": 0, "end": 4}, "50.0 %"),
    ({"question": EVIL, "context": EVIL}, {"answer": "", "score": 0.5, "start": 0, "end": 0}, "no answer"),
    (EVIL, {"generated_text": EVIL + "and on"}, "<mark>and on</mark>"),
    (EVIL, [{"summary_text": "short"}], "<mark>short</mark>"),
    (EVIL, [{"translation_text": "traduit"}], "<mark>traduit</mark>"),
    (EVIL, [{"token": 3, "token_str": EVIL, "score": 0.25}], "25.0 %"),
    ({"image": PIXEL}, [{"label": EVIL, "score": 0.75}], "<img"),
    (EVIL, None, "–"),
]


def state(**changes: Any) -> dict[str, Any]:
    """A run's state as the service gives it, just begun."""
    progress = dict.fromkeys(("step", "steps", "epoch", "epochs", "seconds", "remaining_seconds")) | {"fraction": 0.0}
    spec = RunSpec(task="text-classification", model=EVIL, data={}).to_dict()
    empty = {"train": [], "eval": [], "results": {}, "labels": [], "facts": {}, "samples": {}, "pushes": []}
    said = {"id": "r1", "name": EVIL, "status": "queued", "message": "Waiting for its turn.", "created": 1.0}
    rest = dict.fromkeys(("ended", "model", "device", "dtype", "failure", "outcome", "on_disk", "place", "ahead"))
    return {**said, **empty, **rest, "spec": spec, "progress": progress, **changes}


def evaluated(step: int, f1: float) -> dict[str, Any]:
    return {"step": step, "epoch": 1.0, "loss": 0.5, "f1": f1, "f1_low": f1 - 0.1, "f1_high": f1 + 0.1}


TRAINED = state(
    status="running",
    train=[{"step": i, "loss": 1 / i, "learning_rate": 0.001, "grad_norm": 2.0, "memory_bytes": 5e8} for i in (1, 2)],
    eval=[evaluated(0, 0.3), evaluated(2, 0.8)],
    facts={
        "rows": {"train": 100, "validation": 20},
        "baselines": {"majority": {"label": EVIL, "f1": 0.33}},
        "untrained": {"f1": 0.3, "loss": 0.7},
    },
    progress={
        "step": 2,
        "steps": 4,
        "epoch": 1.0,
        "epochs": 2,
        "seconds": 4.0,
        "remaining_seconds": 4.0,
        "fraction": 0.5,
    },
)
RESULTS = {
    "final": evaluated(2, 0.8),
    "test": evaluated(2, 0.7),
    "untrained": {"f1": 0.3},
    "baselines": {"majority": {"label": EVIL, "f1": 0.33}},
    "best_step": 2,
    "step": 4,
    "kept": "The weights of step 2 are kept.",
    "per_class": [{"label": EVIL, "precision": 1.0, "recall": 0.5, "f1": 0.6, "support": 2}],
    "confusion": [[1, 1], [0, 2]],
    "thresholds": [
        {"threshold": t, "precision": t, "recall": 1 - t, "f1": 0.5 + t, "accuracy": 0.5} for t in (0.1, 0.4)
    ],
    "worst": [
        {"input": EVIL, "gold": EVIL, "answer": EVIL, "loss": 3.0},
        {"input": {"image": f"data:image/png;base64,{PIXEL}"}, "gold": [EVIL], "answer": [], "loss": 2.0},
    ],
}


NO_MEMORY = {"kind": "memory", "message": "It ran out of memory.", "next": "Halve the batch size."}


@pytest.mark.parametrize(
    ("changes", "fraction", "heard"),
    [
        ({}, 0.0, "Waiting for its turn"),
        ({"status": "running"}, 0.09, "Training, 0 %"),
        ({"status": "running"}, 0.57, "Training, 50 %"),
        ({"status": "running"}, 1.0, "Training, 100 %"),
        ({"status": "finished", "message": "Finished."}, 1.0, "Finished"),
        ({"status": "stopped", "message": "The model stays.", "outcome": {"title": "Stop"}}, 0.5,
         "Stopped. Stop. The model stays"),
        ({"status": "failed", "failure": NO_MEMORY}, 0.5, "Failed. Memory. It ran out of memory. Halve the batch size"),
    ],
)  # fmt: skip
def test_how_a_run_goes_is_told_at_each_tenth_and_its_end_once(
    changes: dict[str, Any], fraction: float, heard: str
) -> None:
    shown = run_view(state(**changes, progress={**state()["progress"], "fraction": fraction}))
    assert f'data-says="{heard}"' in shown
    assert not re.search('role="(alert|status)"', shown)  # which would be read out at every look


@pytest.mark.parametrize(("given", "answer", "shown"), ANSWERS)
def test_every_kind_of_answer_stands_beside_the_one_from_before(given: Any, answer: Any, shown: str) -> None:
    drawn = before_after([{"text": given, "before": None, "after": answer}])
    assert shown in drawn
    assert "<script" not in drawn


@pytest.mark.parametrize("picture", [f"data:image/svg+xml;base64,{PIXEL}", "https://there.example/a.png", EVIL, 7])
def test_only_pictures_in_base64_are_drawn(picture: Any) -> None:
    assert "<img" not in input_html({"image": picture})


def test_a_run_that_waits_says_its_place_and_draws_no_figures() -> None:
    drawn = run_view(state(place=3, ahead=3))
    assert "Place 3 in line. 2 runs wait before it; 1 trains now." in drawn
    assert "Place 1 in line. It is the next to start; 1 trains now." in run_view(state(place=1, ahead=1))
    assert "The curves grow here" in drawn
    assert "<svg" not in drawn + run_view(state(status="stopped"))
    assert "<script" not in drawn


def test_a_run_that_trains_shows_speed_memory_bands_and_what_there_is_to_beat() -> None:
    drawn = run_view(TRAINED)
    for text in ("0.5 steps/s, 25 rows/s", "500 MB", "with its 95 % band", "untrained", "Learning rate", "wb-band"):
        assert text in drawn
    assert "<script" not in drawn


def test_a_failure_names_its_kind_and_what_is_left_on_disk() -> None:
    failure = {"kind": "memory", "message": EVIL, "next": "Use a smaller batch."}
    left = {"model": False, "checkpoints": [4, 8], "bytes": 2_000_000}
    drawn = run_view(state(status="failed", failure=failure, on_disk=left))
    for text in ("Memory.", "Use a smaller batch.", "step 4 and 8", "2 MB"):
        assert text in drawn
    assert "<script" not in drawn


def test_results_stand_beside_those_of_the_untrained_model_and_of_the_largest_class() -> None:
    drawn = results_view({**TRAINED, "results": RESULTS, "labels": [EVIL, "b"]})
    for text in ("0.8000", "0.7000", "0.3000", "0.3300", "0.700 to 0.900", "from a probability of 0.4", "Confusion"):
        assert text in drawn
    assert RESULTS["kept"] in drawn
    assert "<script" not in drawn


def test_a_model_that_what_was_not_trained_beats_is_called_no_better() -> None:
    assert "no better than" not in results_view({**TRAINED, "results": RESULTS, "labels": ["a", "b"]})
    worse = {**RESULTS, "final": {**RESULTS["final"], "f1": 0.2}}
    drawn = results_view({**TRAINED, "results": worse, "labels": ["a", "b"]})
    assert "F1 (macro) is 0.2000, no better than 0.3300 (" in drawn


def test_samples_are_shown_once_there_are_answers_from_after() -> None:
    assert samples_view(state()) == ""
    after = [{"text": "a", "output": [{"label": "good", "score": 0.9}]}]
    assert "good" in samples_view(state(samples={"after": after}))


SEEN: dict[str, Any] = {
    "columns": [{"name": EVIL}, {"name": "label"}],
    "suggested": {},
    "splits": {"train": 12},
    "rows": [{EVIL: EVIL, "label": None}],
    "labels": [{"label": EVIL, "count": 7}],
    "problems": [
        {"level": "warning", "field": "data", "message": EVIL, "fix": EVIL,
         "remedy": {"name": "drop_rare", "label": EVIL, "effect": EVIL, "changes": {}}},
        {"level": "info", "field": "data", "message": "m", "fix": "f", "remedy": None},
    ],
    "tokens": {"unit": "tokens", "median": 5, "p95": 9, "longest": 12, "limit": 8, "cut": 0.25,
               "histogram": [{"from": 0, "to": 6, "count": 8}, {"from": 6, "to": 12, "count": 4}]},
    "preview": [{"raw": {}, "tokens": [EVIL, "b"], "labels": [None, EVIL]}],
    "split": {"train": 10, "validation": 2, "how": EVIL},
}  # fmt: skip


def test_a_finding_offers_its_remedy_until_that_is_in_use() -> None:
    drawn = doctor_view(SEEN, {})
    assert drawn.count("data-remedy=") == 1
    assert "data-undo" not in drawn
    used = doctor_view(SEEN, {"drop_rare": {"label": EVIL, "effect": EVIL}})
    assert "data-remedy=" not in used
    assert 'data-undo="drop_rare"' in used
    assert "<script" not in drawn + used


def test_lengths_show_where_and_how_many_texts_are_cut() -> None:
    drawn = doctor_view(SEEN, {})
    assert "7 rows" in drawn
    assert "1 row<" in doctor_view({**SEEN, "labels": [{"label": "lonely", "count": 1}]}, {})
    assert "7 words" in doctor_view({**SEEN, "suggested": {"tokens": "tokens", "tags": "tags"}}, {})
    assert "cut at 8" in drawn
    assert "25.0 %" in drawn
    assert histogram("none", [], unit="tokens") == ""


def test_a_comparison_says_its_verdict_and_only_what_differs() -> None:
    runs = [
        {
            "id": str(i),
            "name": f"{EVIL}{i}",
            "status": "finished",
            "metric": "f1",
            "value": 0.8,
            "low": None,
            "high": None,
        }
        for i in range(5)
    ]
    curves = [{"id": run["id"], "name": run["name"], "train": [[1, 0.5]], "eval": [[1, 0.8]]} for run in runs]
    hub = {"dataset": "me/rows", "revision": "8e75aca7eaa80970d1bfca71410e2e723dd9334b", "config": None}
    parts = {"files": ["data/00000.csv"] * 2, "names": ["a.csv", "b.csv"], "splits": ["train", "test"]}
    differs = [
        {"setting": "batch_size", "values": [8, 16, 8, 8, None]},
        {"setting": "data", "values": [hub, {"file": "data/rows.csv", "name": "mine.csv"}, parts, hub, hub]},
        {"setting": "remedies", "values": [[], ["drop_missing", "drop_rare"], [], [], []]},
    ]
    made = {"task": "", "runs": runs, "curves": curves, "differs": differs, "verdict": EVIL, "within_noise": True}
    drawn = run_compare_view(made)
    assert "batch size" in drawn
    for text in (
        "<td>me/rows · 8e75aca</td>",
        "<td>mine.csv</td>",
        "<td>a.csv, b.csv · train, test</td>",
        "<td>none</td>",
        "<td>drop missing, drop rare</td>",
    ):
        assert text in drawn
    assert "<script" not in drawn
    assert "All settings of these runs are the same" in run_compare_view({**made, "differs": []})


def test_a_rehearsal_shows_what_was_measured_and_leaves_out_what_was_not() -> None:
    made = {"fits": False, "message": EVIL, "checks": [{"name": EVIL, "ok": False, "message": EVIL}], "seconds": 90.0}
    drawn = rehearsal_view({**made, "evaluation_seconds": 90.0})
    assert "1 min 30 s" in drawn
    assert "A step" not in drawn
    assert "<script" not in drawn
    assert drawn.count("alert(1)") == 1, "a check that the message tells stands there again"


def test_a_job_links_to_web_addresses_alone() -> None:
    job = {"job": EVIL, "status": EVIL, "flavor": EVIL, "seconds": 3.0, "model": None, "message": EVIL, "address": EVIL}
    assert "<a " not in job_view(job, [EVIL])
    assert "<script" not in job_view({**job, "address": "https://there.example/1"}, [EVIL])
    sent = {"flavor": EVIL, "timeout_seconds": 60, "most_usd": 0.5, "repo": EVIL, "image": EVIL, "secrets": [EVIL]}
    assert "0.50 $" in preview_view({**sent, "command": [EVIL]})
    assert "<script" not in preview_view({**sent, "command": [EVIL]})


def test_metrics_are_named_with_their_average_and_the_chosen_one_comes_first() -> None:
    assert metric_title("f1", "token-classification") == "F1 (entities)"
    assert metric_title("f1", "text-classification") == "F1 (macro)"
    figures = {"loss": 1.0, "f1": 0.5, "accuracy": 0.4}
    assert metrics_of("text-classification", figures, "accuracy") == ["accuracy", "f1", "loss"]
    inside = [metric_name(name) for name in ("accuracy", "exact_match", "bleu", "rougeL", "matthews")]
    assert inside == ["accuracy", "exact match", "BLEU", "ROUGE-L", "Matthews correlation"]


def test_every_task_starts_with_a_model_and_something_to_train_on_or_to_try() -> None:
    assert set(STARTS) == set(TRAIN_TASKS)
    for name, start in STARTS.items():
        assert start.starter
        assert start.hub
        assert start.dataset
        assert start.samples or start.pictures
        assert all(sample(picture).is_file() for picture in start.pictures)
        assert start.starter_dataset or start.pasted, f"{name} has nothing to train on without a network"
        assert bool(start.context) == (TRAIN_TASKS[name].sample == "question")
