"""What the tests of runs share: rows with a plain rule, a spec for them, and a wait for a state."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot
from components.service.runs import Runs
from components.service.runs.store import new_id
from components.service.settings import Settings
from components.service.visitor import Visitor

ME, OTHER = Visitor("machine"), Visitor("guest:somebody-else")
ENDED = ("finished", "stopped", "failed", "interrupted")
#: Long enough to be stopped in the middle.
LONG = {"epochs": 12, "keep": "last"}


def rows(number: int = 60, lengths: int = 1) -> str:
    """Films with their labels as CSV, of so many different lengths."""
    draw = random.Random(0)
    words = {"positive": ("wonderful", "warm"), "negative": ("awful", "dull")}
    lines = ["text,label"]
    for i in range(number):
        label = ("negative", "positive")[i % 2]
        more = " very" * draw.randrange(lengths) if lengths > 1 else ""
        lines.append(f"this film {i} is {draw.choice(words[label])} and {draw.choice(words[label])}{more},{label}")
    return "\n".join(lines)


def spec(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "task": "text-classification",
        "model": "local/classifier",
        "data": {"text": rows()},
        "epochs": 2,
        "batch_size": 8,
        "learning_rate": 2e-3,
        "precision": "fp32",
    }
    return {**values, **changes}


def open_runs(settings: Settings, models_folder: Path, engine: Engine) -> Runs:
    hub = Hub(settings)
    hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", "0" * 40, models_folder / name))
    return Runs(settings, hub, engine, Data(settings, hub, engine))


def close_runs(runs: Runs) -> None:
    """Close the runs and end those that still train."""
    runs.close()
    for folder in runs.supervisor.folders():
        if pid := folder.pid():
            os.kill(pid, signal.SIGKILL)


def wait(runs: Runs, run: str, until: Callable[[dict[str, Any]], bool], seconds: float = 120) -> dict[str, Any]:
    """The first state that is as wanted; fails with the run's log when it ends otherwise or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = runs.state(run, visitor=ME)
        if until(state):
            return state
        if state["status"] in ENDED:
            break
        threading.Event().wait(0.02)
    log = runs.root / run / "log.txt"
    raise AssertionError(f"{state['status']}: {state['message']}\n{log.read_text()[-3000:] if log.is_file() else ''}")


def is_as_absent(ask: Callable[[str], Any], run: str) -> bool:
    """Whether who asks for a run learns nothing else than of one that does not exist."""
    told = []
    for one in (run, new_id()):
        with pytest.raises(WorkbenchError) as error:
            ask(one)
        told.append((error.value.message, error.value.kind))
    return told[0] == told[1] == (told[0][0], "not_found")


def ended(runs: Runs, run: str, status: str = "finished") -> dict[str, Any]:
    return wait(runs, run, lambda state: state["status"] == status)
