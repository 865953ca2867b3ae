"""A rehearsal in the training process: a few real steps, an evaluation, a save and a reload, each measured.

The steps are the Trainer's own, on rows chosen from the run's: twice its longest batch, which decides whether it fits,
then batches of other lengths, which decide how long it takes. What is found goes to `rehearsal.json`.
"""

# ruff: noqa: ARG002 - the hooks' arguments are the Trainer's
from __future__ import annotations

import ctypes
import gc
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, set_seed

from components.service.runs.failures import explain
from components.service.runs.families import family as find_family
from components.service.runs.families.base import Prepared
from components.service.runs.hardware import keep_memory, limit_memory, memory_at_hand, peak_memory
from components.service.runs.inputs import Inputs
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder, write_json
from components.service.runs.training import Job, _load, _trainer, save_model
from components.service.worker.blame import blamed

FILE = "rehearsal.json"
#: Steps on the longest batch, and then on batches of other lengths.
LONGEST, OTHERS = 2, 4
#: Batches of the evaluation that is measured.
EVALUATED = 2
#: Shortest sequence that is proposed instead, in tokens.
SHORTEST = 32


def rehearse(folder: RunFolder, spec: RunSpec, inputs: Inputs) -> int:
    """Measure the run; where the memory does not do, look for settings with which it does.

    Returns:
        The exit status: 0 if something fits, 1 otherwise.
    """
    at_hand = int(min(memory_at_hand(), inputs.limits["memory_bytes"]))
    noted: dict[str, Any] = {"memory_bytes": at_hand, "changes": None, "failure": None}
    # As for the run itself.
    keep_memory()
    limit_memory(inputs.limits["memory_bytes"])
    for changes in ({}, *smaller(spec)):
        write_json(folder.path / FILE, {**noted, "trying": changes})
        try:
            noted |= {**measure(folder, spec.with_(**changes), inputs), "changes": changes}
            break
        except (MemoryError, RuntimeError, OSError) as error:
            if explain(error)["kind"] != "memory":
                raise
        _start_over()
    write_json(folder.path / FILE, noted)
    return 0 if noted["changes"] is not None else 1


def _start_over() -> None:
    """Give back the memory that an attempt took, and forget how much that was."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    elif sys.platform == "linux":
        if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
            trim(0)
        # Sets the peak back to what is in use (proc(5)).
        Path("/proc/self/clear_refs").write_text("5")


def fail(folder: RunFolder, error: Exception) -> None:
    """Note what ended the rehearsal, and which setting it concerns."""
    failure = {**explain(error), "field": getattr(blamed(error) or error, "field", None)}
    write_json(folder.path / FILE, {"changes": None, "failure": failure})


def smaller(spec: RunSpec) -> Iterator[dict[str, Any]]:
    """Settings that take less and less memory: the same step in smaller batches, then LoRA, then shorter sequences."""
    changes: dict[str, Any] = {}
    batch, accumulation = spec.batch_size, spec.accumulation
    while batch > 1:
        batch, accumulation = batch // 2, min(1024, accumulation * 2)
        changes = {"batch_size": batch, "accumulation": accumulation}
        yield changes
    if spec.method == "full":
        changes = {**changes, "method": "lora"}
        yield changes
    longest = spec.max_length or 512
    while longest > SHORTEST:
        longest //= 2
        yield {**changes, "max_length": max(SHORTEST, longest)}


def measure(folder: RunFolder, spec: RunSpec, inputs: Inputs) -> dict[str, Any]:
    """Figures of one run, in seconds and bytes."""
    passes = min(LONGEST, spec.accumulation)
    # One epoch of the few rows chosen; the rest is as the run has it.
    tried = spec.with_(epochs=1, accumulation=passes, evaluate="epoch", patience=0, track="")
    job = _load(folder, tried, inputs, {"facts": {}})
    whole = job.data
    job = _few(job, passes)
    trainer, _ = _trainer(job, spent=0.0)
    # In the order in which they were chosen, so that it is known which step is which.
    trainer.args.train_sampling_strategy = "sequential"
    watch = Watch()
    trainer.add_callback(watch)
    began = time.time() - psutil.Process().create_time()
    answering = _timed(lambda: job.family.predict(job.model.eval(), job.processor, spec.samples)) if spec.samples else 0
    set_seed(spec.seed)
    trainer.train()
    saving = _timed(lambda: save_model(job, trainer))
    reloading = _timed(lambda: job.family.load(folder.model, job.rows.labels))
    others = watch.steps[LONGEST:] or watch.steps[-1:]
    steps = _steps(spec, len(whole.train))
    scale = len(whole.validation) / len(job.data.validation)
    return {
        "seconds_per_step": sum(others) / len(others) * spec.accumulation / passes,
        "longest_seconds": watch.steps[min(1, len(watch.steps) - 1)],
        "steps": steps,
        "evaluations": _evaluations(spec, steps),
        "evaluation_seconds": watch.evaluation * scale,
        "test_share": len(whole.test) / len(whole.validation),
        "save_seconds": watch.saving,
        "begin_seconds": began,
        "end_seconds": saving + 2 * answering,
        "reload_seconds": reloading,
        "peak_memory_bytes": peak_memory(),
        "checkpoint_bytes": _size(job.folder.complete_checkpoints()[-1]),
        "model_bytes": _size(folder.model),
        "checkpoints": (trainer.args.save_total_limit or 2) + 1,
        "precision": job.facts["precision"],
        "longest": max((_length(one) or 0 for one in job.data.train), default=0) or None,
        "rows": {"train": len(job.rows.train), "validation": len(job.rows.validation)},
    }


class Watch(TrainerCallback):  # type: ignore[misc]  # the library has no types
    """Takes the time of each step, of the evaluation and of the checkpoint, in seconds.

    Attributes:
        steps: Of each step, from the end of the one before it.
        evaluation, saving: Of the last of each.
    """

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.evaluation = self.saving = 0.0
        self._last = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self._last = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """A step has ended."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.steps.append(self._lap())

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The evaluation at the end of the epoch has ended."""
        self.evaluation = self._lap()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The checkpoint is written."""
        self.saving = self._lap()

    def _lap(self) -> float:
        now = time.monotonic()
        lap, self._last = now - self._last, now
        return lap


def _few(job: Job, passes: int) -> Job:
    """The job with the few examples that are measured, and a family that knows of those alone."""
    spec, rows = job.spec, job.rows
    wanted = EVALUATED * 2 * spec.batch_size * len(rows.validation) // max(1, len(job.data.validation))
    validation = _spread(rows.validation, max(1, wanted))
    family = find_family(spec)
    # A few rows to train on are prepared as well, because a family may refuse to go without.
    some = replace(rows, train=_spread(rows.train, max(1, wanted)), validation=validation, test=[])
    data = family.prepare(some, job.processor, job.model.config, job.inputs.sequence_tokens)
    train = _chosen(job.data.train, spec.batch_size, passes, by_length=family.grouped)
    return replace(job, family=family, rows=rows, data=Prepared(train, data.validation, [], data.collator, data.facts))


def _chosen(examples: Sequence[dict[str, Any]], batch: int, passes: int, *, by_length: bool) -> list[dict[str, Any]]:
    """The longest batch for as many steps as it takes to fill the memory, then batches of other lengths."""
    order = sorted(examples, key=lambda one: -(_length(one) or 0))
    longest = order[:batch]
    if len(longest) == len(examples):
        return longest * (LONGEST * passes)
    # Where batches are not made by length, each is like any other: one row in so many of the whole.
    rest = [order[i : i + batch] for i in range(0, len(order), batch)] if by_length else _dealt(order, batch)
    others = _spread([one for one in rest if len(one) == batch] or [longest], OTHERS * passes)
    return [one for part in [longest] * (LONGEST * passes) + others for one in part]


def _dealt(order: list[dict[str, Any]], batch: int) -> list[list[dict[str, Any]]]:
    """Batches in which all lengths occur, as random ones have them."""
    number = math.ceil(len(order) / batch)
    return [order[i::number] for i in range(number)]


def _spread(values: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the values, evenly spread over them."""
    if len(values) <= most:
        return list(values)
    return [values[i * len(values) // most] for i in range(most)]


def _length(example: dict[str, Any]) -> int | None:
    """Tokens of an example, those of what it is to answer included; None where it has no tokens, as an image."""
    ids = example.get("input_ids")
    if ids is None:
        return None
    labels = example.get("labels")
    return len(ids) + (len(labels) if isinstance(labels, list) and len(labels) != len(ids) else 0)


def _steps(spec: RunSpec, examples: int) -> int:
    batches = math.ceil(examples / spec.batch_size)
    return max(1, math.ceil(batches / spec.accumulation)) * spec.epochs


def _evaluations(spec: RunSpec, steps: int) -> int:
    """How often a run is evaluated and saved; always after its last step."""
    return spec.epochs if spec.evaluate == "epoch" else math.ceil(steps / spec.every)


def _timed(work: Any) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
