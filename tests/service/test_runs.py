"""Runs are trained for real, by processes of their own, on rows with a plain rule."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from run_parts import LONG, ME, OTHER, close_runs, ended, is_as_absent, open_runs, rows, spec, wait
from safetensors.torch import load_file, save_file

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.runs import Runs
from components.service.runs.pace import Pace
from components.service.runs.store import RunFolder
from components.service.settings import Settings
from components.service.snippets import snippet

ROOT = Path(__file__).parents[2]


@pytest.fixture
def settings_of(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", cache=tmp_path / "cache", running_runs=2, free_disk_bytes=0)


@pytest.fixture
def runs(settings_of: Settings, models_folder: Path, engine: Engine, tiny_classifier: Path) -> Iterator[Runs]:
    opened = open_runs(settings_of, models_folder, engine)
    yield opened
    close_runs(opened)


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> Iterator[tuple[Runs, dict[str, Any]]]:
    """A finished run, for the tests that only look at it."""
    home = tmp_path_factory.mktemp("finished")
    runs = open_runs(Settings(home=home, cache=home, free_disk_bytes=0), models_folder, engine)
    started = runs.start(spec(samples=["this film is awful"], name="Films"), visitor=ME)
    yield runs, ended(runs, started["id"])
    runs.close()


def test_the_remaining_time_is_told_only_once_there_is_evidence_and_counts_every_pause() -> None:
    pace, now = Pace(), 100.0
    pace.evaluation = 2.0
    pace.begin(now)
    pace.go_on(now)
    told = []
    for step in range(1, 101):
        now += 3.0 if step == 1 else 0.25
        pace.step(now)
        told.append(pace.remaining(now, 400 - step, 4))
    assert told[:6] == [None] * 6
    assert told[6] == pytest.approx(393 * 0.25 + 5 * 2.0)
    now += 4.0
    pace.go_on(now)
    assert pace.remaining(now, 300, 3) == pytest.approx(300 * 0.25 + 4 * 4.0)


def test_quick_steps_alone_are_no_evidence() -> None:
    pace = Pace()
    pace.begin(0.0)
    for step in range(1, 51):
        pace.step(0.05 * step)
    assert pace.remaining(2.5, 10, 1) is None
    assert pace.remaining(3.0, 10, 1) == pytest.approx(0.5)


def test_a_finished_run_has_curves_results_and_a_model(finished: tuple[Runs, dict[str, Any]]) -> None:
    runs, state = finished
    assert state["name"] == "Films"
    assert state["labels"] == ["negative", "positive"]
    assert [entry["step"] for entry in state["train"]] == list(range(1, 13))
    assert all(entry.keys() >= {"loss", "learning_rate", "grad_norm", "epoch"} for entry in state["train"])
    assert [entry["step"] for entry in state["eval"]] == [0, 6, 12]
    assert state["progress"]["fraction"] == 1.0
    final = state["results"]["final"]
    assert 0 <= final["accuracy_low"] <= final["accuracy"] <= final["accuracy_high"] <= 1
    assert state["results"]["majority"]["accuracy"] == pytest.approx(0.5)
    assert state["results"]["untrained"]["accuracy"] == state["eval"][0]["accuracy"]
    assert sum(map(sum, state["results"]["confusion"])) == state["facts"]["rows"]["validation"] == 12
    assert state["samples"].keys() == {"before", "after"}
    assert state["failure"] is None
    assert not state["resumable"]
    names = {path.name for path in (runs.root / state["id"] / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= names
    assert not any(name.endswith((".bin", ".pt", ".pth")) for name in names)


def test_a_finished_run_is_a_model_of_the_hub(finished: tuple[Runs, dict[str, Any]]) -> None:
    runs, state = finished
    snapshot = runs.hub.model(state["model"], visitor=ME)
    assert snapshot.commit == state["results"]["commit"]
    assert len(snapshot.commit) == 40
    config = json.loads((snapshot.path / "config.json").read_text())
    assert config["id2label"] == {"0": "negative", "1": "positive"}


def test_nothing_that_a_run_publishes_names_a_path_of_this_machine(finished: tuple[Runs, dict[str, Any]]) -> None:
    runs, state = finished
    for file in (runs.root / state["id"] / "model").iterdir():
        assert str(runs.root.parent).encode() not in file.read_bytes(), file.name
    assert str(runs.root.parent) not in json.dumps(state)


def test_before_and_after_answer_the_same_sentences(finished: tuple[Runs, dict[str, Any]]) -> None:
    runs, state = finished
    tried = runs.try_run(state["id"], ["this film is awful", "this film is warm"], visitor=ME)["rows"]
    assert [row["text"] for row in tried] == ["this film is awful", "this film is warm"]
    for row in tried:
        for answers in (row["before"], row["after"]):
            assert {answer["label"] for answer in answers} == {"negative", "positive"}
            assert sum(answer["score"] for answer in answers) == pytest.approx(1)
    # What is shown as before is what training started from, and as after what the run recorded.
    for when in ("before", "after"):
        recorded = state["samples"][when][0]["output"]
        assert [a["score"] for a in tried[0][when]] == pytest.approx([a["score"] for a in recorded], abs=1e-4)


@pytest.mark.parametrize("texts", [[], [" "], "one text", [1], ["x"] * 33, ["x" * 100_001]])
def test_texts_to_try_are_checked(finished: tuple[Runs, dict[str, Any]], texts: Any) -> None:
    runs, state = finished
    with pytest.raises(WorkbenchError) as told:
        runs.try_run(state["id"], texts, visitor=ME)
    assert told.value.field == "texts"


def test_a_stranger_sees_no_difference_between_anothers_run_and_none(
    finished: tuple[Runs, dict[str, Any]],
) -> None:
    runs, state = finished
    asks: list[Callable[[str], Any]] = [
        lambda run: runs.state(run, visitor=OTHER),
        lambda run: runs.stop(run, visitor=OTHER),
        lambda run: runs.resume(run, visitor=OTHER),
        lambda run: runs.delete(run, visitor=OTHER),
        lambda run: runs.try_run(run, ["a"], visitor=OTHER),
        lambda run: runs.hub.model(f"runs/{run}", visitor=OTHER),
    ]
    for ask in asks:
        assert is_as_absent(ask, state["id"])
    assert runs.list(visitor=OTHER) == []


@pytest.mark.parametrize(
    "run", ["", "..", "../finished", "r/../../x", "a" * 500, "run-1", "r\0" * 10, None, 3, "%2e%2e%2f" * 2]
)
def test_a_run_id_is_no_path(finished: tuple[Runs, dict[str, Any]], run: Any) -> None:
    with pytest.raises(WorkbenchError) as told:
        finished[0].state(run, visitor=ME)
    assert told.value.kind == "not_found"


def test_a_new_server_sees_the_run_as_the_old_one_did(
    finished: tuple[Runs, dict[str, Any]], models_folder: Path, engine: Engine
) -> None:
    runs, state = finished
    again = open_runs(runs.settings, models_folder, engine)
    try:
        assert again.state(state["id"], visitor=ME) == state
        assert [run["id"] for run in again.list(visitor=ME)] == [state["id"]]
        assert "train" not in again.list(visitor=ME)[0]
    finally:
        again.close()


def by_hand(path: Path, value: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    file = path / "spec.json"
    file.write_text(json.dumps(value))
    return subprocess.run(
        [sys.executable, "-m", "components.service.runs", str(file), "--out", str(path / "run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.mark.long
def test_by_hand_and_as_a_script_a_run_gives_the_same_figures(
    finished: tuple[Runs, dict[str, Any]], tmp_path: Path, tiny_classifier: Path
) -> None:
    _, state = finished
    (tmp_path / "pasted.csv").write_text(rows())
    same = {**state["spec"], "model": str(tiny_classifier), "data": {"file": str(tmp_path / "pasted.csv")}}
    done = by_hand(tmp_path, same)
    assert done.returncode == 0, done.stderr
    events = list(RunFolder(tmp_path / "run").events())
    final = next(event["final"] for event in events if event["kind"] == "results")
    wanted = state["results"]["final"]
    assert {k: v for k, v in final.items() if k != "seconds"} == {k: v for k, v in wanted.items() if k != "seconds"}

    code = snippet("finetune", {"spec": {**same, "data": {"file": "pasted.csv"}}}, "https://huggingface.co")
    (tmp_path / "train.py").write_text(code + '\nimport json\njson.dump(result, open("result.json", "w"))\n')
    environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    ran = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
    )
    assert ran.returncode == 0, ran.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    for name in ("loss", "accuracy", "f1"):
        assert result[f"eval_{name}"] == pytest.approx(wanted[name], abs=1e-6)


def test_a_killed_run_is_resumed_to_the_figures_of_one_that_was_not(runs: Runs) -> None:
    whole = runs.start(spec(**LONG), visitor=ME)["id"]
    killed = runs.start(spec(**LONG), visitor=ME)["id"]
    folder = RunFolder(runs.root / killed)
    wait(runs, killed, lambda state: len(folder.complete_checkpoints()) > 0 and folder.pid() is not None)
    os.kill(folder.pid() or 0, signal.SIGKILL)
    state = wait(runs, killed, lambda state: state["failure"] is not None)
    assert (state["status"], state["failure"]["kind"], state["resumable"]) == ("interrupted", "memory", True)
    # A checkpoint that the kill left half written is passed over.
    torn = folder.checkpoints / "checkpoint-9999"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"half")
    runs.resume(killed, visitor=ME)
    first, second = ended(runs, whole), ended(runs, killed)
    assert not torn.exists()
    for name in ("loss", "accuracy", "f1"):
        assert second["results"]["final"][name] == pytest.approx(first["results"]["final"][name], abs=1e-6)
    assert [e["step"] for e in second["train"]] == [e["step"] for e in first["train"]]
    assert second["results"]["commit"] == first["results"]["commit"]


@pytest.mark.long
def test_a_stopped_run_can_be_used_and_resumed_by_another_server(
    runs: Runs, models_folder: Path, engine: Engine
) -> None:
    run = runs.start(spec(**LONG), visitor=ME)["id"]
    wait(runs, run, lambda state: len(state["train"]) > 8)
    runs.close()
    other = open_runs(runs.settings, models_folder, engine)
    try:
        other.stop(run, visitor=ME)
        state = ended(other, run, "stopped")
        assert state["progress"]["step"] < state["progress"]["steps"]
        assert other.hub.model(state["model"], visitor=ME).path.is_dir()
        assert state["resumable"]
        other.resume(run, visitor=ME)
        done = ended(other, run)
        assert done["progress"]["step"] == done["progress"]["steps"] == 72
        assert done["results"]["commit"] != state["results"]["commit"]
        assert other.delete(run, visitor=ME) == {"deleted": run}
        assert not (other.root / run).exists()
    finally:
        other.close()


def test_a_run_whose_loss_is_no_number_ends_with_advice(runs: Runs, models_folder: Path) -> None:
    broken = models_folder / "no-number"
    shutil.copytree(models_folder / "classifier", broken)
    weights = load_file(broken / "model.safetensors")
    weights["bert.encoder.layer.0.output.dense.bias"][0] = float("nan")
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    run = runs.start(spec(model="local/no-number"), visitor=ME)["id"]
    state = ended(runs, run, "failed")
    assert state["failure"]["kind"] == "diverged"
    assert "step 1" in state["message"]
    assert "learning rate" in state["failure"]["next"]
    assert state["model"] is None
    assert not state["resumable"]


def test_a_queued_run_waits_its_turn_and_can_be_stopped(
    tmp_path: Path, models_folder: Path, engine: Engine, tiny_classifier: Path
) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path, running_runs=0, queued_runs=2, free_disk_bytes=0)
    runs = open_runs(settings, models_folder, engine)
    try:
        first = runs.start(spec(), visitor=ME)
        assert (first["status"], first["message"]) == ("queued", "Waiting for its turn.")
        runs.start(spec(), visitor=ME)
        with pytest.raises(WorkbenchError) as told:
            runs.start(spec(), visitor=ME)
        assert told.value.kind == "busy"
        runs.stop(first["id"], visitor=ME)
        state = ended(runs, first["id"], "stopped")
        assert state["model"] is None
        assert state["resumable"]
    finally:
        runs.close()


@pytest.mark.parametrize(
    ("data", "changes", "field", "said"),
    [
        (rows(), {"columns": {"label": "stars"}}, "columns.label", "text, label"),
        (rows(), {"columns": {"text": "review"}}, "columns.text", "text, label"),
        (rows(), {"metric": "pearson"}, "metric", "does not measure"),
        ("text,label\nfine,a\nbad,b\n", {}, "data", "each label has one row only"),
        ("text\nfine\nfine\n", {"task": "fill-mask"}, "data", "1 row is left .* alike count as one"),
        ("text,label\nfine,a\nbad,a\nfair,a\n", {}, "columns.label", "one label"),
        ("text,label\n,\n,\n", {}, "columns.text", "No column looks like text"),
        ("text,label\n", {}, "data", "no rows"),
        ("", {}, "data", "data"),
    ],
)
def test_data_that_cannot_be_trained_on_is_told_before_the_start(
    runs: Runs, data: str, changes: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(WorkbenchError, match=said) as told:
        runs.start(spec(data={"text": data}, **changes), visitor=ME)
    assert told.value.field == field
    assert runs.list(visitor=ME) == []


@pytest.mark.parametrize(
    ("key", "value", "said"), [("vocab_size", 200_000_000, "parameters"), ("num_hidden_layers", 10**6, "layers")]
)
def test_a_model_whose_configuration_asks_for_far_too_much_is_not_built(
    runs: Runs, models_folder: Path, tiny_classifier: Path, key: str, value: int, said: str
) -> None:
    bomb = models_folder / f"bomb-{key}"
    shutil.copytree(tiny_classifier, bomb)
    config = json.loads((bomb / "config.json").read_text())
    (bomb / "config.json").write_text(json.dumps({**config, key: value}))
    started = runs.start(spec(model=f"local/{bomb.name}"), visitor=ME)
    state = ended(runs, started["id"], "failed")
    assert said in state["failure"]["message"]
    assert f"{value:,}" in state["failure"]["message"] or "but its files hold only" in state["failure"]["message"]


def test_a_trial_of_a_run_judges_its_models_first(finished: tuple[Runs, dict[str, Any]], engine: Engine) -> None:
    runs, state = finished
    folder = RunFolder(runs.root / state["id"])
    swollen = folder.path / "swollen"
    shutil.copytree(folder.model, swollen)
    config = json.loads((swollen / "config.json").read_text())
    (swollen / "config.json").write_text(json.dumps({**config, "vocab_size": 200_000_000}))
    arguments = {"spec": state["spec"], "labels": state["labels"], "samples": ["fine"]}
    with pytest.raises(WorkbenchError, match="files hold only"):
        engine.call("try_run", {**arguments, "base": str(folder.model), "tuned": str(swollen)})


def test_a_run_by_hand_with_a_bad_spec_ends_at_once(tmp_path: Path) -> None:
    done = by_hand(tmp_path, {"task": "text-classification", "model": "a/b"})
    assert done.returncode == 2
    assert "needs task, model and data" in done.stderr


def test_a_model_without_the_head_of_a_task_is_refused_before_it_is_built(tmp_path: Path) -> None:
    from transformers import BartConfig, BartForConditionalGeneration

    from components.service.worker.fit import check_start

    small = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
    BartForConditionalGeneration(BartConfig(vocab_size=50, **small, **heads)).save_pretrained(tmp_path)
    with pytest.raises(WorkbenchError, match="bart model") as told:
        check_start(tmp_path, "somebody/bart", "AutoModelForTokenClassification", 10**9)
    assert told.value.field == "model"
    check_start(tmp_path, "somebody/bart", "AutoModelForSequenceClassification", 10**9)
