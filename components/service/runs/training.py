"""The training process: one run from its spec to its model, with `transformers.Trainer`."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainingArguments, set_seed

from components.service.errors import WorkbenchError
from components.service.runs.families import family as find_family
from components.service.runs.families.base import Family, Prepared
from components.service.runs.hardware import hardware, versions
from components.service.runs.inputs import Inputs
from components.service.runs.precision import choose_precision
from components.service.runs.reporter import Diverged, Reporter, evaluation, peak_memory, read_stop
from components.service.runs.rows import Rows, choose_rows
from components.service.runs.spec import RunSpec
from components.service.runs.state import read_state
from components.service.runs.store import RunFolder
from components.service.runs.tasks import LOWER
from components.service.worker.blame import blamed
from components.service.worker.fit import check_start
from components.service.worker.sources import load

#: Points that a loss curve has at most.
POINTS = 500


@dataclass
class Job:
    """Everything loaded for one run."""

    folder: RunFolder
    spec: RunSpec
    inputs: Inputs
    family: Family
    rows: Rows
    processor: Any
    model: Any
    data: Prepared
    facts: dict[str, Any]


def train(folder: RunFolder, spec: RunSpec, inputs: Inputs) -> None:
    """Train a run, or go on from its last complete checkpoint, and leave its model in the folder.

    Raises:
        WorkbenchError: Data, model or disk do not allow it, or the loss diverges.
    """
    before = read_state(folder, history=False)
    folder.append("status", status="preparing", message="Reading the data and the model.")
    job = _load(folder, spec, inputs, before)
    trainer, reporter = _trainer(job, spent=before["progress"]["seconds"] or 0.0)
    if "untrained" not in before["facts"]:
        _first_look(job, trainer)
    folder.append("status", status="running", message="Training.")
    folder.drop_partial_checkpoints()
    checkpoints = folder.complete_checkpoints()
    # Looking at the untrained model has drawn random numbers: start from the seed, as a plain script does.
    set_seed(spec.seed)
    if read_stop(folder):
        reporter.stopped = read_stop(folder)
    else:
        trainer.train(resume_from_checkpoint=str(checkpoints[-1]) if checkpoints else None)
    _finish(job, trainer, reporter)


def _load(folder: RunFolder, spec: RunSpec, inputs: Inputs, before: dict[str, Any]) -> Job:
    family = find_family(spec)
    rows = choose_rows(load(inputs.data, inputs.caps), spec)
    processor = family.processor(inputs.model)
    most_bytes = int(inputs.limits["model_bytes"])
    check_start(inputs.model, Path(spec.model).name, family.auto_class.__name__, most_bytes)
    set_seed(spec.seed)
    model = family.load(inputs.model, rows.labels)
    data = family.prepare(rows, processor, model.config, inputs.sequence_tokens)
    known = before["facts"].get("precision")
    facts = {
        **rows.facts(),
        **data.facts,
        "precision": known or choose_precision(spec.precision, inputs.precision_cache),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
        "metric": family.metric,
        "parameters": model.num_parameters(),
        "architecture": type(model).__name__,
        "model_type": model.config.model_type,
        "hardware": hardware("cuda" if torch.cuda.is_available() else "cpu"),
        "versions": versions(),
    }
    facts["dtype"] = facts["precision"]["dtype"]
    folder.append("facts", **facts)
    return Job(folder, spec, inputs, family, rows, processor, model, data, facts)


def arguments(spec: RunSpec, family: Family, folder: Path, dtype: str, steps: int) -> TrainingArguments:
    """The Trainer's arguments for a run of so many steps."""
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=spec.epochs,
        per_device_train_batch_size=spec.batch_size,
        per_device_eval_batch_size=spec.batch_size * 2,
        learning_rate=spec.learning_rate,
        weight_decay=spec.weight_decay,
        warmup_steps=spec.warmup,
        lr_scheduler_type=spec.schedule,
        seed=spec.seed,
        bf16=dtype == "bf16",
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="group_by_length" if family.grouped else "random",
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=spec.keep == "best",
        metric_for_best_model=family.metric,
        greater_is_better=family.metric not in LOWER,
        logging_steps=max(1, steps // POINTS),
        logging_first_step=True,
        logging_nan_inf_filter=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=True,
        report_to="none",
        **family.arguments(),
    )


def _trainer(job: Job, spent: float) -> tuple[Trainer, Reporter]:
    steps = -(-len(job.data.train) // job.spec.batch_size) * job.spec.epochs
    reporter = Reporter(job.folder, job.family, job.inputs.limits, spent)
    trainer = job.family.trainer(
        model=job.model,
        args=arguments(job.spec, job.family, job.folder.checkpoints, job.facts["dtype"], steps),
        train_dataset=job.data.train,
        eval_dataset=job.data.validation,
        data_collator=job.data.collator,
        processing_class=job.processor,
        compute_metrics=job.family.metrics,
        callbacks=[reporter],
    )
    return trainer, reporter


def _first_look(job: Job, trainer: Trainer) -> None:
    """What there is to beat: the model before training, and scores that need none."""
    figures = evaluation(trainer.evaluate(), job.family)
    job.folder.append("facts", untrained=figures, baselines=job.family.baselines(job.rows))
    _show_samples(job, "before")


def _show_samples(job: Job, when: str) -> None:
    if job.spec.samples:
        job.model.eval()
        answers = job.family.predict(job.model, job.processor, job.spec.samples)
        pairs = zip(job.spec.samples, answers, strict=True)
        job.folder.append("samples", when=when, rows=[{"text": sample, "output": output} for sample, output in pairs])


def _finish(job: Job, trainer: Trainer, reporter: Reporter) -> None:
    folder, stopped = job.folder, reporter.stopped
    trained = trainer.state.global_step > 0
    if stopped == "discard" or not trained:
        folder.append("status", status="stopped", message="Stopped before there was anything to keep.")
        return
    job.model = trainer.model
    job.model.eval()
    results = _results(job, trainer)
    _show_samples(job, "after")
    results["commit"] = save_model(job, trainer)
    folder.append("results", **results)
    if stopped:
        limit = "the time limit was reached" if reporter.out_of_time else "this was asked for"
        message = f"Stopped at step {trainer.state.global_step} because {limit}; the model so far can be used."
        folder.append("status", status="stopped", message=message)
    else:
        folder.append("status", status="finished", message="The model is ready.")


def _results(job: Job, trainer: Trainer) -> dict[str, Any]:
    """Figures of the weights that are kept, on the validation split and, where there is one, the test split."""
    output = trainer.predict(job.data.validation, metric_key_prefix="final")
    results = {
        "final": evaluation(output.metrics or {}, job.family),
        "untrained": job.facts.get("untrained") or read_state(job.folder)["facts"].get("untrained"),
        "step": trainer.state.global_step,
        "best_step": trainer.state.best_global_step if trainer.args.load_best_model_at_end else None,
        "peak_memory_bytes": peak_memory(),
        **read_state(job.folder)["facts"].get("baselines", {}),
        **job.family.details(output, job.rows),
    }
    if job.data.test:
        tested = trainer.predict(job.data.test, metric_key_prefix="test")
        results["test"] = evaluation(tested.metrics or {}, job.family)
    return results


def save_model(job: Job, trainer: Trainer) -> str:
    """Put weights, configuration and tokenizer into `model/`, which is whole or absent; returns its fingerprint."""
    part = job.folder.path / f".model.{os.getpid()}"
    shutil.rmtree(part, ignore_errors=True)
    trainer.model.config.use_cache = True
    # Where this machine keeps the base model is nobody's business.
    base = Path(job.spec.model)
    trainer.model.config._name_or_path = job.processor.name_or_path = base.name if base.is_absolute() else str(base)
    trainer.model.save_pretrained(part)
    job.processor.save_pretrained(part)
    old = job.folder.path / f".old.{time.time_ns()}"
    if job.folder.model.exists():
        os.replace(job.folder.model, old)
    os.replace(part, job.folder.model)
    shutil.rmtree(old, ignore_errors=True)
    return fingerprint(job.folder.model)


def fingerprint(folder: Path) -> str:
    """40 hexadecimal digits that change with any byte of any file in a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:40]


def explain(error: Exception) -> dict[str, str]:
    """`{kind, message, next}` for whatever ended a run."""
    text = str(error)
    error = blamed(error) or error
    if isinstance(error, Diverged):
        return {"kind": "diverged", "message": error.message, "next": "Lower the learning rate, then start a new run."}
    if isinstance(error, WorkbenchError):
        kind = {"input": "data", "code": "code"}.get(error.kind, error.kind)
        return {"kind": kind, "message": error.message, "next": "Change the setting that is named, then start again."}
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in text:
        return {
            "kind": "memory",
            "message": "Training needed more memory than this machine has free.",
            "next": "Use a smaller batch, a shorter max_length or a smaller model, then start again.",
        }
    if (isinstance(error, OSError) and error.errno == 28) or "No space left" in text:
        return {
            "kind": "disk",
            "message": "The disk is full; the last whole checkpoint is intact.",
            "next": "Delete runs that are not needed, then resume.",
        }
    return {
        "kind": "code",
        "message": f"Training failed with {type(error).__name__}, which was not foreseen.",
        "next": "The run's log has the details; try another model, or report it with the log.",
    }
