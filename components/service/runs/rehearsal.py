"""The rehearsal of a run, seen from the web process: starts the process that measures, and says what came of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from components.service import rights
from components.service.disk import spare_disk
from components.service.engine.process import environment
from components.service.engine.turns import Turns
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.runs.groundwork import Groundwork, Plan
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder, new_id, read_json, write_json
from components.service.settings import Settings
from components.service.sizes import in_units
from components.service.visitor import Visitor

FILE = "rehearsal.json"
FIGURES = ("seconds_per_step", "steps", "evaluation_seconds", "save_seconds", "peak_memory_bytes")
#: What loading and saving take on disk while it is rehearsed, in sizes of the model's files: they hold float32, the
#: model's own may hold half of that; beside the weights lie the optimizer's two numbers for each.
REHEARSED = 10
#: A rehearsal whose folder is older than this many deadlines has been left behind by a server that died.
LEFT = 2.0


class Rehearsals:
    """Rehearses runs, one at a time: two would measure each other."""

    def __init__(self, settings: Settings, hub: Hub, groundwork: Groundwork) -> None:
        self.settings = settings
        self.hub = hub
        self.groundwork = groundwork
        self.root = settings.home / "rehearsals"
        self._turn = threading.Semaphore()
        # One of each visitor waits, so that whoever asks for many is as likely as others to be next.
        self._turns = Turns(1, 1, settings.queue_seconds)
        self._child: subprocess.Popen[bytes] | None = None
        self._closed = False

    def rehearse(self, spec: Any, repo: str, quota: int, *, visitor: Visitor) -> dict[str, Any]:
        """See `Runs.rehearse`.

        Args:
            quota: Disk space that the visitor's runs may still take, in bytes.
        """
        plan = self.groundwork.plan(spec, visitor)
        push = [self.check_push(repo, visitor)] if isinstance(repo, str) and repo.strip() else []
        with self._turns.take(visitor), self._alone():
            self._sweep()
            self._check_room(plan.model)
            noted, at_hand = self._measured(plan, visitor)
        return self.told(plan.spec, noted, at_hand, quota, push)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=self.settings.queue_seconds):
            raise WorkbenchError("Somebody else's run is being rehearsed. Try again in a minute.", kind="busy")
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """End a rehearsal that is going on."""
        self._closed = True
        if self._child is not None:
            _kill(self._child)

    def _measured(self, plan: Plan, visitor: Visitor) -> tuple[dict[str, Any], int]:
        """What the measuring process found, and the memory that was at hand before it began, in bytes."""
        folder = RunFolder(self.root / new_id())
        at_hand = min(psutil.virtual_memory().available, self.settings.trainer_bytes)
        try:
            self.groundwork.lay_down(plan, folder, visitor)
            inputs = read_json(folder.inputs)
            # The floor of free disk space is checked here; a run that needs more is told so by the figures.
            inputs["limits"] |= {"free_disk_bytes": 0, "seconds": self.settings.rehearsal_seconds}
            write_json(folder.inputs, inputs)
            code = self._run(folder)
            noted = read_json(folder.path / FILE) or {}
        finally:
            shutil.rmtree(folder.path, ignore_errors=True)
        return {**noted, "code": code}, noted.get("memory_bytes", at_hand)

    def _run(self, folder: RunFolder) -> int | None:
        """Run the measuring process to its end, or to the deadline; its exit status, None if it had to be ended."""
        seconds = self.settings.rehearsal_seconds
        with folder.log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "components.service.runs", str(folder.path), "--rehearse", str(int(seconds))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(self.settings.home),
                cwd=folder.path,
                start_new_session=True,
            )
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _kill(self._child)
            self._child.wait()
            self._child = None
            if self._closed:
                raise WorkbenchError("The app is shutting down.", kind="busy")

    def _sweep(self) -> None:
        """Remove what a server that died in the middle has left."""
        oldest = time.time() - LEFT * self.settings.rehearsal_seconds
        for left in self.root.glob("*"):
            if left.stat().st_mtime < oldest:
                shutil.rmtree(left, ignore_errors=True)

    def _check_room(self, model: Path) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        needed = REHEARSED * sum(file.stat().st_size for file in model.glob("*.safetensors"))
        free = spare_disk(self.root, self.settings.free_disk_bytes)
        if needed > free:
            raise WorkbenchError(
                f"A rehearsal would take about {in_units(needed)} of disk, and {in_units(max(0, free))} may be used. "
                "Delete runs that are not needed, or choose a smaller model.",
                kind="disk",
            )

    def check_push(self, repo: str, visitor: Visitor) -> dict[str, Any]:
        """Whether the model could be pushed where it is to go."""
        try:
            full = rights.own(self.hub, repo, visitor)
        except WorkbenchError as error:
            return _check("push", False, error.message)
        try:
            info = self.hub.model_info(full, visitor=visitor)
        except WorkbenchError as error:
            known = error.kind == "not_found"
            return _check("push", known, f"{full} will be created." if known else error.message)
        holds = {file.rfilename for file in info.siblings or []} - {".gitattributes"}
        told = f"{full} exists and holds files already. Choose another name." if holds else f"{full} is empty."
        return _check("push", not holds, told)

    def told(
        self, spec: RunSpec, noted: Mapping[str, Any], at_hand: int, quota: int, push: list[dict[str, Any]]
    ) -> dict[str, Any]:  # fmt: skip
        """The rehearsal as its visitor is told."""
        if failure := noted.get("failure"):
            message = f"{failure['message']} {failure['next']}" if failure["kind"] == "code" else failure["message"]
            raise WorkbenchError(message, field=failure["field"])
        free = spare_disk(self.root, self.settings.free_disk_bytes)
        given = {name: noted.get(name) for name in (*FIGURES, "precision", "longest", "rows")}
        answer = {
            **given,
            "seconds": _whole_run(noted),
            "memory_bytes": at_hand,
            "disk_bytes": _disk(noted),
            "disk_free_bytes": max(0, min(free, quota)),
        }
        checks = [*_measured_checks(spec, noted, answer), *self._limits(noted, answer), *push]
        failed = [check for check in checks if not check["ok"] and check["name"] != "push"]
        message = failed[0]["message"] if failed else _fitting(spec, answer)
        instead = self._instead(spec, noted, answer)
        if failed and instead:
            message = f"{message} With {_settings(instead)} it does."
        if blocked := [check["message"] for check in push if not check["ok"]]:
            message = f"{message} It could not be pushed: {blocked[0]}"
        return {
            "fits": not failed,
            "message": message,
            "instead": instead if failed else None,
            "checks": checks,
        } | answer

    def _limits(self, noted: Mapping[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
        """Whether disk and time do."""
        if noted.get("changes") is None:
            return []
        disk, free = answer["disk_bytes"], answer["disk_free_bytes"]
        room = f"It needs {in_units(disk)} of disk; {in_units(free)} may be used."
        if disk > free:
            room = f"It will not fit on the disk. {room} Delete runs that are not needed."
        took, most = answer["seconds"], self.settings.run_seconds
        span = f"A run may take {duration(most)}."
        if took > most:
            span = (
                f"It will not be done in time: it would take about {duration(took)}, and a run may take "
                f"{duration(most)}. Take fewer epochs, fewer rows or a smaller model."
            )
        return [_check("disk", disk <= free, room), _check("time", took <= most, span)]

    def _instead(self, spec: RunSpec, noted: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any] | None:
        """Settings that would fit: those that were measured to, and as many epochs as there is time for."""
        changes = noted.get("changes")
        if changes is None or answer["disk_bytes"] > answer["disk_free_bytes"]:
            return None
        if answer["seconds"] <= self.settings.run_seconds:
            return changes or None
        once = answer["seconds"] - _fixed(noted)
        epochs = int((self.settings.run_seconds - _fixed(noted)) * spec.epochs // once)
        return {**changes, "epochs": epochs} if epochs >= 1 else None


def _measured_checks(spec: RunSpec, noted: Mapping[str, Any], answer: dict[str, Any]) -> list[dict[str, Any]]:
    memory = in_units(answer["memory_bytes"])
    changes = noted.get("changes")
    if changes is None:
        if noted.get("code") is None:
            told = (
                "It could not be measured in time: one step, or what comes before it, takes too long here. Take a "
                "smaller model, shorter sequences or fewer rows."
            )
            return [_check("time", False, told)]
        told = f"It will not fit: training needs more than the {memory} of memory at hand. Choose a smaller model."
        return [_check("memory", False, told)]
    if changes:
        told = f"It will not fit: a batch of {spec.batch_size} needs more than the {memory} of memory at hand."
        return [_check("memory", False, told)]
    longest = f" of {answer['longest']:,} tokens" if answer["longest"] else ""
    rows = answer["rows"]
    steps = f"{duration(noted['longest_seconds'])} for the longest batch{longest}, forward and backward."
    return [
        _check("data", True, f"{rows['train']:,} rows to train on, {rows['validation']:,} to evaluate on."),
        _check("memory", True, f"{in_units(answer['peak_memory_bytes'])} at the most; {memory} are at hand."),
        _check("step", True, steps),
        _check("evaluation", True, f"{duration(answer['evaluation_seconds'])} each."),
        _check("save", True, f"{duration(answer['save_seconds'])} each, and loaded again."),
    ]


def _whole_run(noted: Mapping[str, Any]) -> float | None:
    """Seconds from the start of the process to the model: loading, steps, every evaluation and save."""
    if noted.get("changes") is None:
        return None
    each = noted["evaluation_seconds"] + noted["save_seconds"]
    seconds: float = _fixed(noted) + noted["steps"] * noted["seconds_per_step"] + noted["evaluations"] * each
    return seconds


def _fixed(noted: Mapping[str, Any]) -> float:
    """Seconds that do not grow with the epochs: start and end, the evaluations before the first step and of the test
    split. The weights that are kept have been evaluated among the steps."""
    beside = (1 + noted["test_share"]) * noted["evaluation_seconds"]
    seconds: float = noted["begin_seconds"] + noted["end_seconds"] + beside
    return seconds


def _disk(noted: Mapping[str, Any]) -> int | None:
    if noted.get("changes") is None:
        return None
    return int(noted["checkpoints"] * noted["checkpoint_bytes"] + noted["model_bytes"])


def _fitting(spec: RunSpec, answer: dict[str, Any]) -> str:
    epochs = f"{spec.epochs} epoch" + ("" if spec.epochs == 1 else "s")
    return (
        f"It fits: about {duration(answer['seconds'])} for {epochs} ({answer['steps']:,} steps), "
        f"{in_units(answer['peak_memory_bytes'])} of memory, {in_units(answer['disk_bytes'])} of disk."
    )


def _settings(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in changes.items())


def _check(name: str, ok: bool, message: str) -> dict[str, Any]:
    return {"name": name, "ok": ok, "message": message}


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a process with all that it started; one that has been waited for is left alone."""
    if child.returncode is None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"
