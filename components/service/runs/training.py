"""The training process: one run from its spec to its model, with `transformers.Trainer`."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import Trainer, TrainerState, TrainingArguments, set_seed

from components.service.errors import WorkbenchError
from components.service.runs import ranks
from components.service.runs.checkpoints import is_whole
from components.service.runs.families import family as find_family
from components.service.runs.families.base import Family, Prepared
from components.service.runs.hardware import hardware, peak_memory, versions
from components.service.runs.inputs import Inputs
from components.service.runs.losses import settle_scale
from components.service.runs.outcomes import asked
from components.service.runs.precision import choose_precision
from components.service.runs.replay import Replay
from components.service.runs.reporter import Reporter, evaluation, without_gain
from components.service.runs.rows import Rows, choose_rows
from components.service.runs.spec import RunSpec
from components.service.runs.state import read_state
from components.service.runs.store import RunFolder
from components.service.runs.tasks import LOWER
from components.service.runs.titles import metric_name, metric_title
from components.service.worker.fit import check_start
from components.service.worker.sources import load

#: Points that a loss curve has at most.
POINTS = 500
#: Figures that follow from the loss, and are best where it is.
_BY_LOSS = ("perplexity",)
TRACKING = "The figures go to trackio, too."
NO_TRACKING = "trackio is not installed here, so the figures are kept in the run alone."


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
    if "untrained" not in job.facts:
        _first_look(job, trainer)
    folder.append("status", status="running", message="Training.")
    checkpoint = _checkpoint(folder)
    # Looking at the untrained model has drawn random numbers: start from the seed, as a plain script does.
    set_seed(spec.seed)
    reporter.stopped = ranks.gathered(asked(folder))[0]
    if checkpoint and _patience_ended(checkpoint, trainer, spec):
        reporter.out_of_patience = True
    elif reporter.stopped is None:
        trainer.train(resume_from_checkpoint=checkpoint)
    _finish(job, trainer, reporter)


def _load(folder: RunFolder, spec: RunSpec, inputs: Inputs, before: dict[str, Any]) -> Job:
    """Read data and model, and make the one's rows into inputs of the other; `before` is the state of the run."""
    known = before["facts"]
    ranks.check_batch(spec.batch_size)
    family = find_family(spec)
    rows = choose_rows(load(inputs.data, inputs.caps), spec)
    processor = family.processor(inputs.model)
    most_bytes = int(inputs.limits["model_bytes"])
    check_start(inputs.model, Path(spec.model).name, family.auto_class.__name__, most_bytes)
    set_seed(spec.seed)
    model = family.load(inputs.model, rows.labels)
    # Of the model as it is kept: an adapter's matrices are counted apart, and added to its weights in the end.
    made = {"parameters": model.num_parameters(), "architecture": type(model).__name__}
    adapted = {}
    if spec.method == "lora":
        from components.service.runs import lora

        model = lora.wrap(model, spec)
        adapted = {"lora": lora.facts(model)}
    family.kept, family.most_pixels = inputs.encoded, inputs.caps.pixels
    data = family.prepare(rows, processor, model.config, inputs.sequence_tokens)
    precision = known.get("precision") or ranks.gathered(_precision(spec, inputs, model))[0]
    facts = {**rows.facts(), **data.facts, **made, **adapted, **_circumstances(spec, family, model, precision)}
    folder.append("facts", **facts)
    kept = {name: known[name] for name in ("untrained", "baselines") if name in known}
    return Job(folder, spec, inputs, family, rows, processor, model, data, {**facts, **kept})


def _precision(spec: RunSpec, inputs: Inputs, model: Any) -> dict[str, Any]:
    return choose_precision(spec.precision, inputs.precision_cache, model.num_parameters())


def _circumstances(spec: RunSpec, family: Family, model: Any, precision: dict[str, Any]) -> dict[str, Any]:
    """What is recorded beside the data: model, machine, versions."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return {
        "precision": precision,
        "dtype": precision["dtype"],
        "device": device,
        "processes": ranks.processes(),
        "metric": family.metric,
        "model_type": model.config.model_type,
        "hardware": hardware(device),
        "versions": versions(),
        **({"tracking": TRACKING if _can_track() else NO_TRACKING} if spec.track else {}),
    }


def _can_track() -> bool:
    return find_spec("trackio") is not None


def arguments(spec: RunSpec, family: Family, folder: Path, dtype: str, steps: int) -> TrainingArguments:
    """The Trainer's arguments for a run of so many steps."""
    metric = "loss" if family.metric in _BY_LOSS else family.metric
    track = {"report_to": "trackio", "project": spec.track, "run_name": spec.name or folder.parent.name}
    return TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=spec.epochs,
        per_device_train_batch_size=spec.batch_size,
        per_device_eval_batch_size=spec.batch_size * 2,
        gradient_accumulation_steps=spec.accumulation,
        learning_rate=spec.learning_rate,
        weight_decay=spec.weight_decay,
        warmup_steps=spec.warmup,
        lr_scheduler_type=spec.schedule,
        max_grad_norm=spec.clipping,
        seed=spec.seed,
        bf16=dtype == "bf16",
        use_cpu=not torch.cuda.is_available(),
        train_sampling_strategy="group_by_length" if family.grouped else "random",
        eval_strategy=spec.evaluate,
        eval_steps=spec.every,
        save_strategy=spec.evaluate,
        save_steps=spec.every,
        save_total_limit=2,
        load_best_model_at_end=spec.keep == "best",
        metric_for_best_model=metric,
        greater_is_better=metric not in LOWER,
        logging_steps=max(1, steps // POINTS),
        logging_first_step=True,
        logging_nan_inf_filter=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        # A batch is shared by the processes, so a step sees as many rows with several as with one.
        accelerator_config={"split_batches": ranks.processes() > 1},
        disable_tqdm=True,
        **(track if spec.track and _can_track() else {"report_to": "none"}),
        **family.arguments(),
    )


def _trainer(job: Job, spent: float) -> tuple[Trainer, Reporter]:
    """The Trainer for a run, and what watches it; `spent` are seconds that earlier starts of the run took."""
    passes = -(-len(job.data.train) // job.spec.batch_size)
    steps = -(-passes // job.spec.accumulation) * job.spec.epochs
    replay = Replay(job.data.collator)
    reporter = Reporter(job.folder, job.family, job.inputs.limits, spent, replay)
    trainer = job.family.trainer(
        model=job.model,
        args=arguments(job.spec, job.family, job.folder.checkpoints, job.facts["dtype"], steps),
        train_dataset=job.data.train,
        eval_dataset=job.data.validation,
        data_collator=replay,
        processing_class=job.processor,
        compute_metrics=job.family.metrics,
        callbacks=[reporter],
    )
    if ranks.processes() > 1:
        # An evaluation before the training would mark the model as prepared, and its gradients were never averaged.
        trainer.model_wrapped = trainer.accelerator.prepare_model(trainer.model)
    settle_scale(trainer)
    return trainer, reporter


def _first_look(job: Job, trainer: Trainer) -> None:
    """What there is to beat: the model before training, and scores that need none."""
    figures = evaluation(trainer.evaluate(), job.family)
    if job.family.metric not in figures:
        had = ", ".join(
            metric_name(name, job.spec.task) for name in figures if not name.endswith(("_low", "_high", "seconds"))
        )
        raise WorkbenchError(
            f"An evaluation of this run gives {had}; the best checkpoint cannot be chosen by "
            f"{metric_name(job.family.metric, job.spec.task)}. Choose one of those.",
            field="metric",
        )
    job.facts |= {"untrained": figures, "baselines": job.family.baselines(job.rows)}
    job.folder.append("facts", untrained=figures, baselines=job.facts["baselines"])
    _show_samples(job, "before")


def _show_samples(job: Job, when: str) -> None:
    if job.spec.samples and ranks.rank() == 0:
        job.model.eval()
        answers = job.family.predict(job.model, job.processor, job.spec.samples)
        pairs = zip(job.spec.samples, answers, strict=True)
        job.folder.append("samples", when=when, rows=[{"text": sample, "output": output} for sample, output in pairs])


def _checkpoint(folder: RunFolder) -> str | None:
    """The last checkpoint of which every byte is as it was written; those that are torn are removed."""
    if ranks.rank() == 0:
        for path in reversed(folder.complete_checkpoints()):
            if is_whole(path, closely=True):
                break
            shutil.rmtree(path, ignore_errors=True)
        folder.drop_partial_checkpoints()
    ranks.wait()
    found = folder.complete_checkpoints()
    return str(found[-1]) if found else None


def _patience_ended(checkpoint: str, trainer: Trainer, spec: RunSpec) -> bool:
    """Whether the run had ended early at this checkpoint; then the best weights are loaded, and nothing is trained."""
    state = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
    ended = spec.patience and without_gain(state.log_history, trainer.args.metric_for_best_model) >= spec.patience
    if not ended or not state.best_model_checkpoint or not Path(state.best_model_checkpoint).is_dir():
        return False
    trainer.state = state
    trainer._load_best_model()
    return True


def _finish(job: Job, trainer: Trainer, reporter: Reporter) -> None:
    folder, stopped, step = job.folder, reporter.stopped, trainer.state.global_step
    if stopped == "discard" or not step:
        folder.append("status", status="stopped", message="Stopped before there was anything to keep.")
        return
    job.model = trainer.model
    job.model.eval()
    results = _results(job, trainer)
    _show_samples(job, "after")
    if ranks.rank():
        return
    results["commit"] = save_model(job, trainer)
    folder.append("results", **results)
    if stopped:
        limit = "the time limit was reached" if reporter.out_of_time else "this was asked for"
        message = f"Stopped at step {step:,} because {limit}; the model so far can be used."
        folder.append("status", status="stopped", message=message)
    elif reporter.out_of_patience:
        judged = metric_title(job.family.metric, job.spec.task)
        message = f"Ended early, at step {step}. {judged} had stopped getting better. The model is ready."
        folder.append("status", status="finished", message=message)
    else:
        folder.append("status", status="finished", message="The model is ready.")


def _results(job: Job, trainer: Trainer) -> dict[str, Any]:
    """Figures of the weights that are kept, on the validation split and, where there is one, the test split."""
    output = trainer.predicted() or trainer.predict(job.data.validation, metric_key_prefix="final")
    results = {
        "final": evaluation(output.metrics or {}, job.family),
        "untrained": job.facts["untrained"],
        "baselines": job.facts["baselines"],
        "step": trainer.state.global_step,
        "best_step": trainer.state.best_global_step if trainer.args.load_best_model_at_end else None,
        "peak_memory_bytes": peak_memory(),
        # The card reads them by their names.
        **job.facts["baselines"],
        **job.family.details(output, job.rows),
    }
    if job.data.test:
        tested = trainer.predict(job.data.test, metric_key_prefix="test")
        results["test"] = evaluation(tested.metrics or {}, job.family)
    return results


def save_model(job: Job, trainer: Trainer) -> str:
    """Put weights, configuration and tokenizer into `model/`, which is whole or absent; returns its fingerprint.

    A model trained with LoRA is saved with the adapter's matrices added to its weights; `adapter/` has them alone.
    """
    folder, job.model = job.folder.path, trainer.model
    for left in (*folder.glob(".model.*"), *folder.glob(".adapter.*"), *folder.glob(".old.*")):
        shutil.rmtree(left, ignore_errors=True)
    part, adapter = folder / f".model.{os.getpid()}", folder / f".adapter.{os.getpid()}"
    try:
        _write_model(job, part, adapter)
        _put(part, job.folder.model)
        if adapter.is_dir():
            _put(adapter, folder / "adapter")
    finally:
        for left in (part, adapter):
            shutil.rmtree(left, ignore_errors=True)
    return fingerprint(job.folder.model)


def _write_model(job: Job, part: Path, adapter: Path) -> None:
    job.model.config.use_cache = True
    # Where this machine keeps the base model is nobody's business.
    base = Path(job.spec.model)
    job.model.config._name_or_path = job.processor.name_or_path = base.name if base.is_absolute() else str(base)
    if job.spec.method == "lora":
        from components.service.runs import lora

        job.model = lora.save_merged(job.model, part, adapter, job.spec.task)
    else:
        job.model.save_pretrained(part)
    job.processor.save_pretrained(part)


def _put(part: Path, place: Path) -> None:
    """Move a folder to its place, from which another may have to go first."""
    old = place.with_name(f".old.{time.time_ns()}")
    if place.exists():
        os.replace(place, old)
    os.replace(part, place)
    shutil.rmtree(old, ignore_errors=True)


def fingerprint(folder: Path) -> str:
    """40 hexadecimal digits that change with any byte of any file in a folder."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as opened:
            digest.update(hashlib.file_digest(opened, "sha256").digest())
    return digest.hexdigest()[:40]
