"""Checkpoints: they give back all that they hold, and one that was torn is not taken for whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from generation_models import marian, t5
from run_parts import rows
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification, AutoModelForSeq2SeqLM, TrainingArguments
from vision_models import image_classifier

from components.service.errors import WorkbenchError
from components.service.runs.checkpoints import is_whole
from components.service.runs.families.remembering import RememberingTrainer
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder
from components.service.settings import Settings


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, tiny_classifier: Path) -> Path:
    from components.service.runs.__main__ import work

    home = tmp_path_factory.mktemp("checkpoint")
    settings = Settings(home=home, cache=home, free_disk_bytes=0)
    values = {"task": "text-classification", "model": str(tiny_classifier), "data": {"text": rows(10, 8)}, "epochs": 1}
    spec = RunSpec.from_dict({**values, "precision": "fp32"}, settings)
    folder = RunFolder(home / "run")
    folder.path.mkdir()
    assert work(folder, spec, settings) == 0
    return folder.complete_checkpoints()[-1]


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _without_end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-2])


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _zeros(file: Path) -> None:
    file.write_bytes(b"\0" * file.stat().st_size)


@pytest.mark.parametrize("harm", [_half, _without_end, _empty, _zeros, Path.unlink])
@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "epoch_rng.pth", "trainer_state.json"],
)
def test_a_checkpoint_with_a_torn_file_is_not_whole(
    checkpoint: Path, tmp_path: Path, name: str, harm: Callable[[Path], None]
) -> None:
    torn = tmp_path / checkpoint.name
    shutil.copytree(checkpoint, torn)
    assert is_whole(torn, closely=True)
    harm(torn / name)
    assert not is_whole(torn)


def test_a_checkpoint_of_another_step_or_with_odd_weights_is_not_whole(checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "checkpoint-7777"
    shutil.copytree(checkpoint, other)
    assert not is_whole(other)
    for header in (b"", b"[]", b"{}", b'{"a": 1}', b'{"a": {"data_offsets": []}}', b"\xff", b'{"__metadata__": {}}'):
        torn = tmp_path / checkpoint.name
        shutil.copytree(checkpoint, torn)
        (torn / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
        assert not is_whole(torn), header
        shutil.rmtree(torn)


@pytest.mark.parametrize(
    ("make", "auto"),
    [(image_classifier, AutoModelForImageClassification), (t5, AutoModelForSeq2SeqLM), (marian, AutoModelForSeq2SeqLM)],
    ids=["named otherwise in files", "tied", "with fixed positions"],
)
def test_a_checkpoint_gives_back_all_of_its_weights_and_is_refused_where_some_lack(
    make: Any, auto: Any, tmp_path: Path
) -> None:
    model, checkpoint = auto.from_pretrained(make(tmp_path / "base")), tmp_path / "checkpoint"
    trainer = RememberingTrainer(model=model, args=TrainingArguments(str(tmp_path), use_cpu=True, report_to="none"))
    trainer.save_model(str(checkpoint))
    trainer.state.best_model_checkpoint = str(checkpoint)
    kept = {name: weights.clone() for name, weights in model.state_dict().items()}
    for restore in (trainer._load_best_model, lambda: trainer._load_from_checkpoint(str(checkpoint))):
        for weights in model.parameters():
            weights.data += 1
        before = torch.get_rng_state()
        restore()
        assert torch.equal(torch.get_rng_state(), before)
        assert all(torch.equal(weights, kept[name]) for name, weights in model.state_dict().items())
    weights = load_file(checkpoint / "model.safetensors")
    weights.pop(max(weights))
    save_file(weights, checkpoint / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WorkbenchError, match="lacks weights"):
        trainer._load_best_model()
