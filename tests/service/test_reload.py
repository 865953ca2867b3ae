"""A model whose weights have left the memory comes back with the same answers, without being made anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from components.service.settings import Settings
from components.service.tasks import TASKS
from components.service.tasks.inputs import check_inputs
from components.service.worker.calls import Call
from components.service.worker.models import Loaded, Models
from components.service.worker.run import run_task

CLASSIFY, GENERATE = "text-classification", "text-generation"
TEXT = "I love this film"


def as_it_is(_folder: Path) -> None:
    """Nothing is changed."""


def in_bf16(folder: Path) -> None:
    file = folder / "model.safetensors"
    weights = {name: value.bfloat16() for name, value in load_file(file).items()}
    save_file(weights, file, {"format": "pt"})


def with_older_names(folder: Path) -> None:
    file = folder / "model.safetensors"
    older = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    weights = {}
    for name, value in load_file(file).items():
        end = next((end for end in older if name.endswith(end)), "")
        weights[name.removesuffix(end) + older.get(end, "")] = value
    save_file(weights, file, {"format": "pt"})


def in_parts(folder: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("*.safetensors"))) > 1


KEPT: list[tuple[str, str, str, Callable[[Path], None], Any]] = [
    ("as it is", CLASSIFY, "service_models:classifier", as_it_is, TEXT),
    ("stored in half precision", CLASSIFY, "service_models:classifier", in_bf16, TEXT),
    ("names of older files", CLASSIFY, "service_models:classifier", with_older_names, TEXT),
    ("weights in several files", CLASSIFY, "service_models:classifier", in_parts, TEXT),
    ("a head tied to the words", GENERATE, "service_models:generator", as_it_is, TEXT),
    ("a model without its head", "feature-extraction", "service_models:classifier", as_it_is, TEXT),
    ("two parts", "translation", "generation_models:bart", as_it_is, TEXT),
    ("positions that are computed", "text-generation", "generation_models:chat", as_it_is, TEXT),
    ("running means", "object-detection", "vision_models:detector", as_it_is, {"sample": "cat.png"}),
    ("two towers", "zero-shot-image-classification", "vision_models:matcher_of_words", as_it_is, {"sample": "cat.png"}),
]
PARAMETERS: dict[str, dict[str, Any]] = {
    GENERATE: {"max_new_tokens": 8},
    "translation": {"max_new_tokens": 8},
    "zero-shot-image-classification": {"candidate_labels": ["cat", "street"]},
    "object-detection": {"threshold": 0.0},
}


@pytest.fixture(scope="module")
def tight(settings: Settings) -> Settings:
    """With memory for one model at a time."""
    return replace(settings, cache_bytes=1)


def made(model: str, folder: Path) -> Path:
    module, _, build = model.partition(":")
    return Path(getattr(import_module(module), build)(folder))


class Worker:
    """Loads models, and runs them, with memory for one at a time."""

    def __init__(self, settings: Settings) -> None:
        self.models = Models(settings, lambda _: None)
        self.call = Call(settings, self.models, lambda _: None)

    def load(self, task: str, folder: Path) -> Loaded:
        return self.models.load(str(folder), TASKS[task], folder.name)[0]

    def run(self, task: str, folder: Path, item: Any) -> Any:
        spec, limits = TASKS[task], self.call.settings
        checked = {
            "inputs": check_inputs(spec, item, limits),
            "parameters": spec.check_parameters(PARAMETERS.get(task), limits),
        }
        asked = {"path": str(folder), "model": folder.name, **checked}
        return run_task(self.call, task=task, seconds=60.0, **asked)["output"]


@pytest.fixture(scope="module")
def worker(tight: Settings) -> Worker:
    return Worker(tight)


@pytest.fixture(scope="module")
def other(models_folder: Path, tiny_classifier: Path) -> Path:
    """A model that takes the place of another one."""
    return Path(shutil.copytree(tiny_classifier, models_folder / "other"))


@pytest.mark.parametrize(("task", "model", "change", "item"), [one[1:] for one in KEPT], ids=[one[0] for one in KEPT])
def test_a_model_comes_back_with_the_same_numbers(
    worker: Worker, other: Path, tmp_path: Path, task: str, model: str, change: Callable[[Path], None], item: Any
) -> None:
    folder = made(model, tmp_path / "model")
    change(folder)
    before, output = worker.load(task, folder), worker.run(task, folder, item)
    for _ in range(2):
        worker.load(CLASSIFY, other)
        after = worker.load(task, folder)
        assert after.model is not before.model
        assert after.structure is before.structure
        assert worker.run(task, folder, item) == output
        same = zip(after.model.state_dict().items(), before.model.state_dict().items(), strict=True)
        assert all(name == other_name and torch.equal(one, two) for (name, one), (other_name, two) in same)


ANEW: list[tuple[str, str, str]] = [
    ("a parametrization, which cannot be pickled", "audio-classification", "audio_models:audio_classifier"),
    ("weights that no file holds", "feature-extraction", "text_models:tagger"),
]


@pytest.mark.parametrize(("task", "model"), [one[1:] for one in ANEW], ids=[one[0] for one in ANEW])
def test_what_cannot_come_back_is_loaded_anew(
    worker: Worker, other: Path, tmp_path: Path, task: str, model: str
) -> None:
    folder = made(model, tmp_path / "model")
    before = worker.load(task, folder)
    worker.load(CLASSIFY, other)
    assert worker.load(task, folder).structure is not before.structure


def test_who_still_computes_with_a_model_is_not_disturbed(worker: Worker, other: Path, tiny_classifier: Path) -> None:
    before = worker.load(CLASSIFY, tiny_classifier)
    inputs = before.tokenizer(TEXT, return_tensors="pt")
    logits = before.model(**inputs).logits
    worker.load(CLASSIFY, other)
    assert torch.equal(before.model(**inputs).logits, logits)
    after = worker.load(CLASSIFY, tiny_classifier)
    assert torch.equal(before.model(**inputs).logits, after.model(**inputs).logits)


def test_a_model_that_was_written_anew_meanwhile_is_not_brought_back(
    worker: Worker, other: Path, tmp_path: Path
) -> None:
    folder = made("service_models:classifier", tmp_path / "model")
    before = worker.run(CLASSIFY, folder, TEXT)
    worker.load(CLASSIFY, other)
    weights = load_file(folder / "model.safetensors")
    save_file({name: value * 2 for name, value in weights.items()}, folder / "model.safetensors", {"format": "pt"})
    assert worker.run(CLASSIFY, folder, TEXT) != before


@pytest.mark.parametrize("broken", [b"", b"\xff" * 64, None], ids=["empty", "nonsense", "gone"])
def test_files_that_broke_while_a_model_was_in_use_keep_nobody_else_from_theirs(
    worker: Worker, other: Path, tmp_path: Path, broken: bytes | None
) -> None:
    folder = made("service_models:classifier", tmp_path / "model")
    worker.load(CLASSIFY, folder)
    (folder / "model.safetensors").unlink()
    if broken is not None:
        (folder / "model.safetensors").write_bytes(broken)
    assert worker.run(CLASSIFY, other, TEXT)


def test_a_model_that_takes_much_of_the_memory_is_not_looked_for(tight: Settings, other: Path, tmp_path: Path) -> None:
    folder = made("service_models:classifier", tmp_path / "model")
    worker = Worker(replace(tight, worker_bytes=200_000))
    before = worker.load(CLASSIFY, folder)
    assert before.bytes > 50_000
    worker.load(CLASSIFY, other)
    assert worker.load(CLASSIFY, folder).structure is not before.structure


def test_what_is_kept_beside_the_weights_is_bounded(tight: Settings, other: Path, tmp_path: Path) -> None:
    worker = Worker(tight)
    folder = made("service_models:classifier", tmp_path / "model")
    (folder / "notes.txt").write_bytes(b" " * 33_000_000)
    before = worker.load(CLASSIFY, folder)
    worker.load(CLASSIFY, other)
    assert worker.load(CLASSIFY, folder).structure is not before.structure
