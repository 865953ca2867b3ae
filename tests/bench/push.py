"""A model of 1 GB from a finished run to the embedded Hub, against copying the file and one sha256 of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

from tests.bench.app import App, running
from tests.bench.table import Goal, Row, in_turns

BYTES = 1_000_000_000
_LINES = "".join(f"{'lovely' if number % 2 else 'awful'} thing {number},{number % 2}\n" for number in range(64))
SPEC = {
    "task": "text-classification",
    "model": "starter/encoder",
    "data": {"text": f"text,label\n{_LINES}"},
    "columns": {"text": "text", "label": "label"},
    "epochs": 1,
}


def finished_run(app: App) -> tuple[str, Path]:
    """A run that has ended, and its weights on disk."""
    run: str = app.call("start_run", SPEC)["id"]
    while (state := app.call("run_state", run))["status"] != "finished":
        if state["status"] in ("failed", "stopped", "interrupted"):
            raise RuntimeError(f"the run is {state['status']}: {state.get('message')}")
        time.sleep(0.5)
    return run, app.home / "runs" / run / "model" / "model.safetensors"


def grow(weights: Path) -> None:
    """Make the weights 1 GB, of bytes that no two calls share: publishing takes files as they are."""
    with weights.open("r+b") as file:
        file.truncate(0)
        for _ in range(BYTES // 10_000_000):
            file.write(os.urandom(10_000_000))


@contextmanager
def peak(process: psutil.Process) -> Iterator[list[float]]:
    """How far the process's memory grows above where it begins, in MB: one figure, there when the block ends."""
    before, grown, done = process.memory_info().rss, [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            grown[0] = max(grown[0], (process.memory_info().rss - before) / 1e6)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield grown
    finally:
        done.set()
        looking.join()


def measure(rounds: int) -> list[Row]:
    """New weights and a new repository each round, the file in the system's cache for both."""
    seconds: dict[str, list[float]] = {"stock": [], "ours": []}
    memory: dict[str, list[float]] = {"web process": [], "Hub": []}
    hashing: list[float] = []
    with running() as app:
        run, weights = finished_run(app)
        copy = app.home / "copy"
        hub = app.child("components.localhub")

        def stock() -> None:
            shutil.copyfile(weights, copy)
            began = time.perf_counter()
            with weights.open("rb") as file:
                hashlib.file_digest(file, "sha256")
            hashing.append(time.perf_counter() - began)

        def ours() -> None:
            app.call("publish_run", run, "bench-push")

        for _ in range(rounds):
            grow(weights)
            os.sync()
            with peak(app.process) as web, peak(hub) as stored:
                for way, times in in_turns(1, stock=stock, ours=ours).items():
                    seconds[way] += times
            memory["web process"] += web
            memory["Hub"] += stored
            copy.unlink()
            app.call("delete_repo", "me/bench-push", "me/bench-push")
    grown = ", ".join(f"the {name} by {max(one):.0f} MB" for name, one in memory.items())
    return [
        Row(
            "push of a 1 GB model to the embedded Hub",
            "copying the file and one sha256 of it",
            Goal(most=2),
            "s",
            seconds["ours"],
            seconds["stock"],
            "Publish of a finished run, through HTTP, until the commit is made and on disk. The client has to hash the "
            f"file before it may send it, and the Hub hashes what arrives: {2 * median(hashing):.2f} s for the two. "
            f"Both sides pass it on in Python, 64 kB at a time. At most, memory grows: {grown}.",
        )
    ]
