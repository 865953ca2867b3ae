"""How a run may be stopped, what is left of it then, and which of its weights became the model."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.service.runs.store import STOPS, RunFolder
from components.service.runs.tasks import LOWER
from components.service.runs.titles import metric_name
from components.service.worker.findings import count


@dataclass(frozen=True)
class Outcome:
    """One way to stop.

    Attributes:
        title: What a button says.
        effect: What happens, and what is on disk afterwards.
        stopping: What is said until it has happened.
    """

    title: str
    effect: str
    stopping: str


OUTCOMES: dict[str, Outcome] = {
    "epoch": Outcome(
        "Finish this epoch",
        "Training goes on to the end of this epoch and is evaluated there. The model and a checkpoint stay, so the run "
        "can be resumed.",
        "Stopping at the end of this epoch.",
    ),
    "best": Outcome(
        "Stop, keep the best",
        "Training stops after this step. The weights of the best evaluation so far become the model; a checkpoint "
        "stays, so the run can be resumed.",
        "Stopping after this step, to keep the best weights so far.",
    ),
    "stop": Outcome(
        "Stop, keep the last",
        "Training stops after this step. Its weights become the model; a checkpoint of it stays, so the run can be "
        "resumed.",
        "Stopping: the step that runs is finished first.",
    ),
    "discard": Outcome(
        "Discard",
        "Training ends at once. Its checkpoints and its model are deleted; settings, curves and log stay. It cannot "
        "be resumed.",
        "Ending the training, to discard it.",
    ),
}


def asked(folder: RunFolder) -> str | None:
    """How a run is asked to stop, if it is."""
    try:
        how = folder.stop.read_text().strip()
    except OSError:
        return None
    return how if how in STOPS else "stop"


def settle(folder: RunFolder, status: str) -> None:
    """Carry out what is left to do once a run that was asked to stop has ended, and note what came of it."""
    how = asked(folder)
    if how == "discard":
        for gone in (folder.checkpoints, folder.model):
            shutil.rmtree(gone, ignore_errors=True)
    if how and (status == "stopped" or how == "discard"):
        folder.append("outcome", how=how)
    folder.stop.unlink(missing_ok=True)


def on_disk(folder: RunFolder) -> dict[str, Any]:
    """What there is of a run: `{"model": bool, "checkpoints": steps, "bytes"}`."""
    steps = [int(path.name.rpartition("-")[2]) for path in folder.complete_checkpoints()]
    return {"model": (folder.model / "config.json").is_file(), "checkpoints": steps, "bytes": folder.bytes()}


def weights_kept(
    evaluations: Sequence[Mapping[str, Any]], metric: str | None, best: int | None, last: int, task: str = ""
) -> str:
    """Which evaluation's weights are the model, and why it is that one.

    Of equal evaluations the first counts, by the rule of transformers' Trainer, which the scripts of a run follow too;
    so one that is as good by the metric and has a lower loss is named, and how to keep that one.

    Args:
        evaluations: As `read_state` has them: `[{"step", "loss", ...}]`.
        metric: What the best one was chosen by.
        best: Its step; None where the last weights are kept.
        last: The last step.
        task: The run's task.
    """
    if best is None:
        return f"The weights of the last step, {last:,}, are kept."
    compared = [one for one in evaluations if one["step"] and {metric, "loss"} <= one.keys()]
    chosen = next((one for one in compared if one["step"] == best), None)
    if metric is None or chosen is None:
        return f"The weights of step {best:,} are kept, the best of {last:,} steps."
    most = "lowest" if metric in LOWER else "highest"
    figure = f"{chosen[metric]:.4f}"
    told = f"The weights of step {best:,} are kept: of {count(len(compared), 'evaluation', 'evaluations')} it has the "
    told += f"{most} {metric_name(metric, task)}, {figure}."
    equals = [one for one in compared if one["step"] != best and one[metric] == chosen[metric]]
    if not equals:
        return told
    told += f" {count(len(equals), 'later one has', 'later ones have')} the same; of equals the first is kept."
    lower = min(equals, key=lambda one: one["loss"])
    if metric != "loss" and round(lower["loss"], 4) < round(chosen["loss"], 4):
        told += (
            f" The loss went on falling, from {chosen['loss']:.4f} to {lower['loss']:.4f} at step {lower['step']:,}: "
            "to keep such weights, choose the best by loss."
        )
    return told
