"""What the tests of families share: a family with its model, its data and its Trainer, and what training leaves."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import Trainer, TrainingArguments, set_seed

from components.service.runs import lora
from components.service.runs.families import family
from components.service.runs.families.base import Family, Prepared
from components.service.runs.rows import Rows
from components.service.runs.spec import RunSpec


@dataclass
class Ready:
    """What a run has before its first step, made in this process."""

    family: Family
    rows: Rows
    model: Any
    processor: Any
    data: Prepared
    trainer: Trainer


@dataclass
class Trained(Ready):
    """What a run leaves behind."""

    final: dict[str, Any]
    details: dict[str, Any]


def spec_of(task: str, path: Path, **changes: Any) -> RunSpec:
    return RunSpec(task=task, model=str(path), data={"text": "-"}, **changes)


def ready(wanted: RunSpec, path: Path, rows: Rows, folder: Path, longest: int = 64, **arguments: Any) -> Ready:
    """Everything for a run from the model at `path`; `arguments` are those of `TrainingArguments`."""
    kind = family(wanted)
    processor = kind.processor(path)
    set_seed(0)
    model = kind.load(path, rows.labels)
    data = kind.prepare(rows, processor, model.config, longest)
    if wanted.method == "lora":
        model = lora.wrap(model, wanted)
    trainer = kind.trainer(
        model=model,
        args=TrainingArguments(
            str(folder),
            per_device_eval_batch_size=7,
            train_sampling_strategy="group_by_length" if kind.grouped else "random",
            use_cpu=True,
            dataloader_pin_memory=False,
            report_to="none",
            disable_tqdm=True,
            **kind.arguments(),
            **arguments,
        ),
        train_dataset=data.train,
        eval_dataset=data.validation,
        data_collator=data.collator,
        processing_class=processor,
        compute_metrics=kind.metrics,
    )
    return Ready(kind, rows, model, processor, data, trainer)


def trained(
    path: Path, task: str, rows: Rows, folder: Path, epochs: int = 8, rate: float = 3e-3, **changes: Any
) -> Trained:
    """A run to its end; `changes` are settings of its spec."""
    steps = {"num_train_epochs": epochs, "per_device_train_batch_size": 8, "learning_rate": rate}
    run = ready(spec_of(task, path, **changes), path, rows, folder, save_strategy="no", **steps)
    run.trainer.train()
    output = run.trainer.predict(run.data.validation, metric_key_prefix="final")
    if run.data.test:
        run.trainer.predict(run.data.test, metric_key_prefix="test")
    final = {name.removeprefix("final_"): value for name, value in (output.metrics or {}).items()}
    run.model.eval()
    return Trained(**vars(run), final=final, details=run.family.details(output, rows))


FILLER = ("this", "film", "is", "a", "story", "to", "read")


def filler(draw: random.Random, most: int) -> str:
    """Words that say nothing, of many lengths."""
    return " ".join(draw.choices(FILLER, k=draw.randint(1, most)))


def answers(done: Trained, *samples: Any) -> list[Any]:
    found = done.family.predict(done.model, done.processor, samples)
    json.dumps(found)
    return found
