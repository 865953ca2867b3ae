"""The training process: what ends a run, what is left of it then, and that it goes on as if nothing had happened."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from run_parts import rows
from safetensors.torch import load_file, save_file

from components.service.runs.checkpoints import is_whole
from components.service.runs.reporter import without_gain
from components.service.runs.spec import RunSpec
from components.service.runs.state import read_state
from components.service.runs.store import RunFolder, write_json
from components.service.settings import Settings

ROOT = Path(__file__).parents[2]
#: Rows that are trained on: 64 in 8 batches of 8, beside 16 held out.
ROWS = 80


@pytest.fixture(scope="module")
def even(models_folder: Path) -> Path:
    """A classifier without dropout: what it learns depends on its rows alone."""
    from service_models import classifier

    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return classifier(models_folder / "even", **none)


@pytest.fixture(scope="module")
def masked(models_folder: Path) -> Path:
    from text_models import masked

    return masked(models_folder / "masked")


Train = Callable[..., tuple[RunFolder, dict[str, Any]]]


@pytest.fixture
def train(tmp_path: Path, tiny_classifier: Path) -> Train:
    """Trains in this process, and gives the run's folder and state; a folder that is there already is gone on with."""
    from components.service.runs.__main__ import work

    settings = Settings(home=tmp_path, cache=tmp_path, free_disk_bytes=0)

    def run(name: str = "run", **changes: Any) -> tuple[RunFolder, dict[str, Any]]:
        folder = RunFolder(tmp_path / name)
        values: dict[str, Any] = {
            "task": "text-classification",
            "model": str(tiny_classifier),
            "data": {"text": rows(ROWS, 8)},
            "epochs": 3,
            "batch_size": 8,
            "learning_rate": 2e-3,
            "precision": "fp32",
        }
        spec = RunSpec.from_dict({**values, **changes}, settings)
        folder.path.mkdir(exist_ok=True)
        write_json(folder.spec, spec.to_dict())
        folder.claim(os.getpid())
        status = work(folder, spec, settings)
        state = read_state(folder)
        assert status == (1 if state["status"] == "failed" else 0), state["failure"]
        return folder, state

    return run


def cut_off(folder: RunFolder) -> int:
    """Leave of a run what a kill right before its last checkpoint would have left; returns the step of the one kept."""
    shutil.rmtree(folder.model, ignore_errors=True)
    kept, last = folder.complete_checkpoints()
    shutil.rmtree(last)
    return int(kept.name.split("-")[1])


@contextmanager
def smallest_files(most: int) -> Iterator[None]:
    """The system refuses to let any file grow beyond so many bytes, as a full disk or a quota does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


#: So slow that no checkpoint is the best by far; the best and the last one stay.
SLOW = {"learning_rate": 1e-4, "metric": "loss", "epochs": 2}
STEPS = {**SLOW, "evaluate": "steps", "keep": "last"}
MASKS = {"task": "fill-mask", "max_length": 16, "metric": None}
RESUMED: list[tuple[str, str, dict[str, Any]]] = [
    ("at the end of an epoch", "classifier", SLOW),
    ("inside an epoch", "classifier", {**STEPS, "every": 5}),
    ("inside an epoch, with accumulation", "classifier", {**STEPS, "every": 3, "accumulation": 2, "warmup": 0.2}),
    ("inside an epoch, with an adapter", "classifier", {**STEPS, "every": 5, "method": "lora"}),
    ("inside an epoch, with masks that are drawn", "masked", {**STEPS, **MASKS, "every": 5}),
]


@pytest.mark.parametrize(("where", "model", "changes"), RESUMED)
def test_a_run_that_was_cut_off_ends_as_one_that_was_not(
    train: Train, models_folder: Path, masked: Path, where: str, model: str, changes: dict[str, Any]
) -> None:
    folder, whole = train(model=str(models_folder / model), **changes)
    inside = cut_off(folder) % (whole["progress"]["steps"] // 2)
    assert bool(inside) == where.startswith("inside")
    _, again = train(model=str(models_folder / model), **changes)
    assert again["results"]["final"]["loss"] == whole["results"]["final"]["loss"]
    assert again["results"]["commit"] == whole["results"]["commit"]
    assert losses(again) == losses(whole)


def losses(state: dict[str, Any]) -> list[float]:
    return [entry["loss"] for entry in state["train"]]


def test_a_run_may_be_cut_off_at_the_end_of_an_epoch_and_again_inside_the_next(train: Train) -> None:
    given = {**STEPS, "every": 4, "schedule": "constant", "learning_rate": 3e-4}
    _, whole = train("whole", **given)
    folder, _ = train("parts", **{**given, "epochs": 1})
    train("parts", **given)
    # The loss gets less at this rate, so that the checkpoint before the last one is the second best.
    assert cut_off(folder) == 12
    _, again = train("parts", **given)
    assert losses(again) == losses(whole)
    assert again["results"]["commit"] == whole["results"]["commit"]


def test_a_disk_that_takes_no_more_at_a_checkpoint_leaves_the_one_before(train: Train) -> None:
    folder, whole = train(**SLOW)
    cut_off(folder)
    kept = {file.name: file.read_bytes() for file in (folder.checkpoints / "checkpoint-8").iterdir()}
    weights = len(kept["model.safetensors"])
    assert len(kept["optimizer.pt"]) > weights + 10_000
    with smallest_files(weights + 10_000):
        _, failed = train(**SLOW)
    assert failed["failure"]["kind"] == "disk"
    assert "Delete runs" in failed["failure"]["next"]
    assert failed["resumable"]
    assert [path.name for path in folder.checkpoints.iterdir()] == ["checkpoint-8"]
    assert {file.name: file.read_bytes() for file in (folder.checkpoints / "checkpoint-8").iterdir()} == kept
    _, again = train(**SLOW)
    assert again["results"]["commit"] == whole["results"]["commit"]


def test_a_disk_that_takes_no_more_at_the_model_leaves_no_half_of_it(train: Train) -> None:
    given = {"method": "lora", "epochs": 1}
    folder, _ = train(**given)
    weights = (folder.model / "model.safetensors").stat().st_size
    shutil.rmtree(folder.model)
    with smallest_files(weights - 1):
        _, failed = train(**given)
    assert failed["failure"]["kind"] == "disk"
    assert not folder.model.exists()
    assert not list(folder.path.glob(".model*"))
    assert train(**given)[1]["status"] == "finished"


def test_the_weights_of_a_model_and_those_that_lora_trains_are_counted_apart(train: Train) -> None:
    folder, state = train(method="lora", epochs=1)
    kept = load_file(folder.model / "model.safetensors")
    assert state["facts"]["parameters"] == sum(one.numel() for one in kept.values())
    assert state["facts"]["architecture"] == "BertForSequenceClassification"
    adapter = load_file(folder.path / "adapter" / "adapter_model.safetensors")
    assert state["facts"]["lora"]["trained_parameters"] == sum(one.numel() for one in adapter.values())


def test_a_byte_that_changed_on_the_disk_is_found_before_a_resume(train: Train) -> None:
    folder, whole = train(**SLOW)
    last = folder.complete_checkpoints()[-1]
    state = bytearray((last / "optimizer.pt").read_bytes())
    state[len(state) // 2] ^= 0xFF
    (last / "optimizer.pt").write_bytes(state)
    shutil.rmtree(folder.model)
    assert is_whole(last)
    assert not is_whole(last, closely=True)
    _, again = train(**SLOW)
    assert again["results"]["commit"] == whole["results"]["commit"]


def test_a_run_ends_early_when_nothing_gets_better_and_does_so_again_after_a_kill(train: Train) -> None:
    given = {"learning_rate": 1e-9, "epochs": 20, "patience": 2, "metric": "accuracy"}
    folder, state = train(**given)
    assert state["status"] == "finished"
    assert state["progress"]["step"] == 3 * 8
    assert "Ended early, at step 24. Accuracy had stopped getting better" in state["message"]
    assert state["results"]["best_step"] == 8
    assert "2 later ones have the same; of equals the first is kept" in state["results"]["kept"]
    shutil.rmtree(folder.model)
    _, again = train(**given)
    assert again["message"] == state["message"]
    assert again["results"]["commit"] == state["results"]["commit"]
    assert len(again["train"]) == 24


@pytest.mark.parametrize(
    ("metric", "values", "since"),
    [
        ("f1", [], 0),
        ("f1", [0.5], 0),
        ("f1", [0.5, 0.5, 0.5], 2),
        ("f1", [0.5, 0.7, 0.6, 0.65], 2),
        ("f1", [0.5, 0.4, 0.7], 0),
        ("loss", [0.5, 0.4, 0.7], 1),
    ],
)
def test_patience_is_counted_from_the_best_evaluation(metric: str, values: list[float], since: int) -> None:
    history: list[dict[str, Any]] = [{"loss": 1.0, "step": 1}]
    history += [{f"eval_{metric}": value, "step": step} for step, value in enumerate(values, 1)]
    assert without_gain(history, metric) == since


def test_a_run_is_evaluated_and_saved_by_steps(train: Train) -> None:
    folder, state = train(evaluate="steps", every=7, epochs=2, keep="last")
    assert [entry["step"] for entry in state["eval"]] == [0, 7, 14, 16]
    assert folder.complete_checkpoints()[-1].name == "checkpoint-16"


def test_a_run_that_is_to_finish_its_epoch_is_evaluated_there_and_can_be_resumed(train: Train, tmp_path: Path) -> None:
    def ask() -> None:
        asked = RunFolder(tmp_path / "run")
        while not any(event["kind"] == "train" for event in asked.events()):
            threading.Event().wait(0.01)
        asked.stop.write_text("epoch")

    asking = threading.Thread(target=ask)
    asking.start()
    folder, state = train(evaluate="steps", every=1000, epochs=100, keep="last")
    asking.join()
    step = state["progress"]["step"]
    assert (state["status"], state["resumable"]) == ("stopped", True)
    assert step % 8 == 0
    assert [entry["step"] for entry in state["eval"]] == [0, step]
    assert [path.name for path in folder.complete_checkpoints()] == [f"checkpoint-{step}"]


@pytest.fixture(scope="module")
def even_generator(models_folder: Path, tiny_generator: Path) -> Path:
    even = models_folder / "even-generator"
    shutil.copytree(tiny_generator, even)
    config = json.loads((even / "config.json").read_text())
    none = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}
    (even / "config.json").write_text(json.dumps({**config, **none}))
    return even


# BERT's head gives the mean of a batch whatever it is told of the step; a causal language model divides by the tokens
# of the whole step.
@pytest.mark.parametrize("task", ["text-classification", "text-generation"])
def test_accumulated_passes_make_the_step_of_one_large_batch(
    train: Train, even: Path, even_generator: Path, task: str
) -> None:
    model, length = (even, None) if task == "text-classification" else (even_generator, 16)
    given = {"task": task, "model": str(model), "max_length": length, "clipping": 0.0, "epochs": 1}
    _, large = train("large", **given, batch_size=16)
    _, small = train("small", **given, batch_size=4, accumulation=4)
    assert large["progress"]["steps"] == small["progress"]["steps"]
    assert losses(small) == pytest.approx(losses(large), rel=1e-3)
    assert small["train"][0]["grad_norm"] == pytest.approx(large["train"][0]["grad_norm"], rel=1e-4)


def test_the_learning_rate_rises_in_the_warm_up_and_falls_as_the_schedule_says(train: Train) -> None:
    _, state = train(warmup=0.25, schedule="cosine", epochs=2)
    rates = [entry["learning_rate"] for entry in state["train"]]
    assert rates[0] == 0
    assert rates.index(max(rates)) == 4
    assert max(rates) == pytest.approx(2e-3)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_gradients_are_clipped_to_the_length_asked_for(train: Train, even: Path) -> None:
    # AdamW's first step has the same length whatever the gradient's; its weight decay of all else tells them apart.
    free = train("free", model=str(even), clipping=0.0, epochs=1)[1]
    tight = train("tight", model=str(even), clipping=1e-6, epochs=1)[1]
    assert losses(free)[0] == losses(tight)[0]
    assert losses(free)[-1] != losses(tight)[-1]
    assert free["train"][0]["grad_norm"] == pytest.approx(tight["train"][0]["grad_norm"])


@pytest.mark.parametrize("metric", ["loss", "matthews"])
def test_the_best_checkpoint_is_chosen_by_the_metric_asked_for(train: Train, metric: str) -> None:
    _, state = train(metric=metric, learning_rate=5e-3)
    values = {entry["step"]: entry[metric] for entry in state["eval"] if entry["step"]}
    best = (min if metric == "loss" else max)(values.values())
    assert state["results"]["best_step"] == next(step for step, value in values.items() if value == best)
    assert state["results"]["final"][metric] == pytest.approx(best, abs=1e-6)
    # Nor are they evaluated once more: the time is that of the evaluation that chose them.
    chosen = next(entry for entry in state["eval"] if entry["step"] == state["results"]["best_step"])
    assert state["results"]["final"] == {name: chosen[name] for name in state["results"]["final"]}


def test_perplexity_chooses_the_checkpoint_with_the_least_loss(train: Train, tiny_generator: Path) -> None:
    given = {"task": "text-generation", "model": str(tiny_generator), "max_length": 32, "epochs": 2}
    _, state = train(**given, metric="perplexity")
    values = {entry["step"]: entry["perplexity"] for entry in state["eval"] if entry["step"]}
    assert values[state["results"]["best_step"]] == min(values.values())


def test_a_metric_that_the_rows_do_not_have_is_told_before_the_training(train: Train) -> None:
    _, state = train(metric="pearson")
    assert state["status"] == "failed"
    assert state["failure"]["kind"] == "data"
    assert "pearson" in state["message"]
    assert state["train"] == []


def test_a_loss_that_is_no_number_is_told_at_its_step_and_not_at_the_next_point_of_the_curve(
    train: Train, models_folder: Path, even: Path
) -> None:
    odd, data = models_folder / "odd-word", models_folder / "fox"
    shutil.copytree(even, odd)
    weights = load_file(odd / "model.safetensors")
    vocabulary = json.loads((odd / "tokenizer.json").read_text())["model"]["vocab"]
    weights["bert.embeddings.word_embeddings.weight"][vocabulary["fox"]] = float("nan")
    save_file(weights, odd / "model.safetensors", {"format": "pt"})
    data.mkdir()
    (data / "train.csv").write_text(rows(ROWS, 8).replace("this film 3 is", "this fox is"))
    (data / "validation.csv").write_text(rows(20, 8).replace(" 3 ", " 4 "))
    told = []
    for seed in range(2):
        # Every step is a point of the short run's curve, and one in eight of the long run's.
        for epochs in (1, 100):
            given = {"data": {"dataset": str(data)}, "seed": seed, "epochs": epochs, "batch_size": 2}
            _, state = train(f"{seed}-{epochs}", model=str(odd), **given)
            assert state["failure"]["kind"] == "diverged"
            assert "Lower the learning rate" in state["failure"]["next"]
            told.append(int(state["message"].split(":")[0].rsplit(" ", 1)[-1]))
    assert told[::2] == told[1::2]
    assert told[0] != told[2]
    assert all(step % 8 and step > 1 for step in told)


def by_hand(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command, str(folder)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_a_run_that_wants_more_memory_than_it_may_take_fails_with_a_sentence(
    tiny_classifier: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    wide = tmp_path / "wide"
    config = BertConfig.from_pretrained(tiny_classifier, intermediate_size=100_000)
    BertForSequenceClassification(config).save_pretrained(wide)
    AutoTokenizer.from_pretrained(tiny_classifier).save_pretrained(wide)
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    write_json(folder.inputs, {"limits": {"memory_bytes": 2 * 1024**3, "free_disk_bytes": 0}})
    given = {"model": str(wide), "data": {"text": rows(400, 8)}, "batch_size": 256, "precision": "fp32"}
    write_json(folder.spec, {"task": "text-classification", **given})
    done = by_hand(folder.path, "-m", "components.service.runs")
    assert done.returncode == 1, done.stderr[-3000:]
    failure = read_state(folder)["failure"]
    assert failure["kind"] == "memory", done.stderr[-3000:]
    assert "smaller batch" in failure["next"]


@pytest.mark.long
def test_two_processes_train_to_the_figures_of_one(train: Train, even: Path, tmp_path: Path) -> None:
    values = {"model": str(even), "epochs": 2, "batch_size": 8, "learning_rate": 1e-3}
    single, alone = train("alone", **values)
    folder = RunFolder(tmp_path / "together")
    folder.path.mkdir()
    shutil.copy(single.spec, folder.spec)
    launch = (
        "-m",
        "accelerate.commands.launch",
        "--multi_gpu",
        "--num_processes",
        "2",
        "-m",
        "components.service.runs",
    )
    done = by_hand(folder.path, *launch)
    assert done.returncode == 0, done.stderr[-3000:]
    together = read_state(folder)
    assert together["facts"]["processes"] == 2
    # Each event is there once: the other process has written nothing.
    kinds = [event["kind"] for event in folder.events()]
    assert kinds == [event["kind"] for event in single.events()]
    assert losses(together) == pytest.approx(losses(alone), rel=1e-3)
    for when in ("untrained", "final"):
        for name in ("loss", "accuracy", "f1"):
            expected = alone["results"][when][name]
            assert together["results"][when][name] == pytest.approx(expected, rel=1e-3), (when, name)


def test_figures_go_to_trackio_where_it_is_and_it_is_said_where_it_is_not(train: Train) -> None:
    _, state = train(track="films", epochs=1)
    assert state["status"] == "finished"
    expected = "go to trackio" if find_spec("trackio") else "trackio is not installed"
    assert expected in state["facts"]["tracking"]
