"""What watches a training step by step: writes events, heeds requests to stop, ends what has gone wrong."""

# ruff: noqa: ARG002 - the hooks' arguments are the Trainer's
from __future__ import annotations

import math
import time
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from components.service.disk import spare_disk
from components.service.errors import WorkbenchError
from components.service.runs import ranks
from components.service.runs.checkpoints import EPOCH_RNG
from components.service.runs.failures import Diverged
from components.service.runs.families.base import Family
from components.service.runs.hardware import memory
from components.service.runs.outcomes import asked
from components.service.runs.pace import Pace
from components.service.runs.replay import Batch, Replay
from components.service.runs.store import RunFolder, write_json
from components.service.runs.tasks import LOWER


class Reporter(TrainerCallback):  # type: ignore[misc]  # the library has no types
    """Writes what happens into the run's folder.

    Args:
        folder: The run.
        family: Names the figures of an evaluation.
        limits: `seconds`: time left for training; `free_disk_bytes`: disk space that must stay free.
        spent: Seconds that earlier attempts of this run took.
        replay: Makes the batches.

    Attributes:
        stopped: How training was stopped, if it was.
        out_of_time: Whether the time limit stopped it.
        out_of_patience: Whether it ended because the metric no longer got better.
    """

    def __init__(
        self, folder: RunFolder, family: Family, limits: dict[str, float], spent: float, replay: Replay
    ) -> None:
        self.folder = folder
        self.replay = replay
        self.family = family
        self.limits = limits
        self.spent = spent
        self.stopped: str | None = None
        self.out_of_time = self.out_of_patience = False
        self.pace = Pace()
        self.started = self.told = time.monotonic()
        self.first_step = self.evaluated = 0
        self.finite = True
        self.ahead: Batch | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Start the clock, and look at every loss from now on."""
        self.started = time.monotonic()
        self.pace.begin(self.started)
        self.first_step = self.evaluated = state.global_step
        self.hook = kwargs["model"].register_forward_hook(self._look)
        self._tell(state)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The last evaluation and the last checkpoint are done."""
        self.hook.remove()
        self._tell(state)

    def _look(self, module: torch.nn.Module, inputs: Any, output: Any) -> None:
        loss = getattr(output, "loss", None)
        if module.training and loss is not None:
            self.finite = self.finite and bool(torch.isfinite(loss).all())

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note the random state that decides this epoch's order of rows; a resume inside the epoch needs it again."""
        resumed = self.folder.checkpoints / f"checkpoint-{state.global_step}" / EPOCH_RNG
        if state.global_step == self.first_step and resumed.is_file():
            kept = torch.load(resumed, weights_only=True)
            torch.set_rng_state(kept["epoch"])
            if "batch" in kept:
                self.replay.resume(kept["batch"], kept["now"])
        ranks.same_random()
        self.rng = torch.get_rng_state()

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """After a resume, let dropout draw what it would have drawn."""
        if self.replay.resuming:
            self.replay.resuming = False
            torch.set_rng_state(self.replay.state)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Keep the random state that a resume begins its epoch with: this epoch's first, or at its end the next one's.

        It is written after all else, so a checkpoint that has it whole is whole.
        """
        if state.is_world_process_zero:
            now = torch.get_rng_state()
            inside = bool(state.global_step % self._epoch_steps(state))
            kept: dict[str, Any] = {"epoch": self.rng if inside else now, "now": now}
            if inside and self.ahead is not None:
                kept["batch"] = dict(self.ahead)
            torch.save(kept, self.folder.checkpoints / f"checkpoint-{state.global_step}" / EPOCH_RNG)
        self.pace.go_on(time.monotonic())

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Tell progress about once a second; stop if asked to, or if time or disk run out or the loss is no number."""
        now = time.monotonic()
        self.pace.step(now)
        self.ahead = self.replay.last
        late = now - self.started > self.limits["seconds"]
        told = ranks.gathered((self.stopped or asked(self.folder), late, self.finite))
        if not all(finite for _, _, finite in told):
            raise Diverged(state.global_step)
        self.stopped, late, _ = told[0]
        if late:
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
            control.should_evaluate = self.evaluated != state.global_step
            control.should_save = control.should_save or control.should_evaluate
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
        """Record an evaluation of the validation split; end where there was none better for too long."""
        figures = evaluation(kwargs["metrics"], self.family)
        self.pace.evaluation = figures["seconds"]
        self.evaluated = state.global_step
        if state.global_step and not math.isfinite(figures["loss"]):
            raise Diverged(state.global_step)
        self.folder.append("eval", step=state.global_step, epoch=state.epoch or 0.0, **figures)
        patience = self.family.spec.patience
        if patience and state.global_step and without_gain(state.log_history, args.metric_for_best_model) >= patience:
            self.out_of_patience = control.should_training_stop = True

    def _epoch_steps(self, state: TrainerState) -> int:
        steps: int = math.ceil(state.max_steps / max(1, state.num_train_epochs))
        return max(1, steps)

    def _tell(self, state: TrainerState) -> None:
        self.told = time.monotonic()
        if not state.is_world_process_zero:
            return
        left = state.max_steps - state.global_step
        every = self.family.spec.every if self.family.spec.evaluate == "steps" else self._epoch_steps(state)
        progress = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": state.epoch or 0.0,
            "epochs": state.num_train_epochs,
            "seconds": self.spent + self.told - self.started,
            "remaining_seconds": self.pace.remaining(self.told, left, math.ceil(left / every)),
        }
        write_json(self.folder.progress, progress)

    def _check_disk(self) -> None:
        if spare_disk(self.folder.path, int(self.limits["free_disk_bytes"])) < 0:
            raise WorkbenchError(
                "Training stopped because the disk is nearly full. Delete runs that are not needed, then resume.",
                kind="disk",
            )


def evaluation(metrics: dict[str, Any], family: Family) -> dict[str, Any]:
    """The figures of an evaluation under their short names, with its time in seconds."""
    left_out = ("runtime", "samples_per_second", "steps_per_second", "model_preparation_time")
    named = {key.split("_", 1)[1]: value for key, value in metrics.items() if key != "epoch"}
    figures = {key: value for key, value in named.items() if key not in left_out}
    return {**figures, **family.extra(figures), "seconds": named.get("runtime", 0.0)}


def without_gain(history: list[dict[str, Any]], metric: str) -> int:
    """How many evaluations there were since the best one, the first of equals; the same after a resume as without."""
    values = [entry[f"eval_{metric}"] for entry in history if f"eval_{metric}" in entry]
    values = [-value if metric in LOWER else value for value in values]
    return len(values) - 1 - values.index(max(values)) if values else 0
