"""What watches a training step by step: writes events, heeds requests to stop, ends what has gone wrong."""

# ruff: noqa: ARG002 - the hooks' arguments are the Trainer's
from __future__ import annotations

import math
import resource
import shutil
import sys
import time
from typing import Any

import psutil
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from components.service.errors import WorkbenchError
from components.service.runs.families.base import Family
from components.service.runs.pace import Pace
from components.service.runs.store import STOPS, RunFolder, write_json

EPOCH_RNG = "epoch_rng.pth"


class Diverged(WorkbenchError):
    """The loss is no longer a number."""

    def __init__(self, step: int) -> None:
        super().__init__(
            f"Training diverged at step {step}: the loss is no longer a number. Lower the learning rate (a third of "
            "it is a good next try), or add warm-up.",
            field="learning_rate",
        )


class Reporter(TrainerCallback):  # type: ignore[misc]  # the library has no types
    """Writes what happens into the run's folder.

    Args:
        folder: The run.
        family: Names the figures of an evaluation.
        limits: `seconds`: time left for training; `free_disk_bytes`: disk space that must stay free.
        spent: Seconds that earlier attempts of this run took.

    Attributes:
        stopped: How training was stopped, if it was.
        out_of_time: Whether the time limit stopped it.
    """

    def __init__(self, folder: RunFolder, family: Family, limits: dict[str, float], spent: float = 0.0) -> None:
        self.folder = folder
        self.family = family
        self.limits = limits
        self.spent = spent
        self.stopped: str | None = None
        self.out_of_time = False
        self.pace = Pace()
        self.started = self.told = time.monotonic()
        self.first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock."""
        self.started = time.monotonic()
        self.pace.begin(self.started)
        self.first_step = state.global_step
        self._tell(state)

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note the random state that decides this epoch's order of rows; a resume inside the epoch needs it again."""
        self.pace.go_on(time.monotonic())
        resumed = self.folder.checkpoints / f"checkpoint-{state.global_step}" / EPOCH_RNG
        if state.global_step == self.first_step and resumed.is_file():
            torch.set_rng_state(torch.load(resumed, weights_only=True))
        self.rng = torch.get_rng_state()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep the epoch's first random state with a checkpoint made inside it."""
        if state.global_step % self._epoch_steps(state):
            torch.save(self.rng, self.folder.checkpoints / f"checkpoint-{state.global_step}" / EPOCH_RNG)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Tell progress about once a second; stop if asked to, or if time or disk run out."""
        now = time.monotonic()
        self.pace.step(now)
        if self.stopped is None:
            self.stopped = read_stop(self.folder)
        if now - self.started > self.limits["seconds"]:
            self.stopped, self.out_of_time = self.stopped or "stop", True
        if self.stopped and self.stopped != "epoch":
            control.should_training_stop = True
            control.should_save = self.stopped != "discard"
            args.load_best_model_at_end = self.stopped == "best"
        if now - self.told > 1.0 or control.should_training_stop:
            self._tell(state)
            self._check_disk()

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """End here if that was asked for; after a stop inside the epoch, skip its evaluation and second save."""
        self._check_disk()
        if self.stopped == "epoch":
            control.should_training_stop = True
        elif self.stopped:
            control.should_evaluate = control.should_save = False

    def on_log(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Record a training step."""
        logs = kwargs["logs"]
        if "loss" not in logs:
            return
        names = ("loss", "learning_rate", "grad_norm", "epoch")
        values = {name: float(logs[name]) for name in names if name in logs}
        if not math.isfinite(values["loss"]):
            raise Diverged(state.global_step)
        self.folder.append("train", step=state.global_step, memory_bytes=memory(), **values)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Record an evaluation of the validation split."""
        figures = evaluation(kwargs["metrics"], self.family)
        self.pace.evaluation = figures["seconds"]
        if state.global_step and not math.isfinite(figures["loss"]):
            raise Diverged(state.global_step)
        self.folder.append("eval", step=state.global_step, epoch=state.epoch or 0.0, **figures)

    def _epoch_steps(self, state: TrainerState) -> int:
        steps: int = math.ceil(state.max_steps / max(1, state.num_train_epochs))
        return max(1, steps)

    def _tell(self, state: TrainerState) -> None:
        self.told = time.monotonic()
        seconds = self.told - self.started
        left = state.max_steps - state.global_step
        epochs = math.ceil(left / self._epoch_steps(state))
        progress = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": state.epoch or 0.0,
            "epochs": state.num_train_epochs,
            "seconds": self.spent + seconds,
            "remaining_seconds": self.pace.remaining(self.told, left, epochs),
        }
        write_json(self.folder.progress, progress)

    def _check_disk(self) -> None:
        if shutil.disk_usage(self.folder.path).free < self.limits["free_disk_bytes"]:
            raise WorkbenchError(
                "Training stopped because the disk is nearly full. Delete runs that are not needed, then resume.",
                kind="disk",
            )


def read_stop(folder: RunFolder) -> str | None:
    """How the run is asked to stop, if it is."""
    try:
        how = folder.stop.read_text().strip()
    except OSError:
        return None
    return how if how in STOPS else "stop"


def memory() -> int:
    """Memory in use: of the GPU where there is one, else of this process, in bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.memory_reserved())
    return int(psutil.Process().memory_info().rss)


def peak_memory() -> int:
    """The most memory that was in use: of the GPU where there is one, else of this process, in bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def evaluation(metrics: dict[str, Any], family: Family) -> dict[str, Any]:
    """The figures of an evaluation under their short names, with its time in seconds."""
    left_out = ("runtime", "samples_per_second", "steps_per_second", "model_preparation_time")
    named = {key.split("_", 1)[1]: value for key, value in metrics.items() if key != "epoch"}
    figures = {key: value for key, value in named.items() if key not in left_out}
    return {**figures, **family.extra(figures), "seconds": named.get("runtime", 0.0)}
