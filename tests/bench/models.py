"""Ten models used in turn where the memory is for three: loading each again against its first load, and the memory."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from components.service.engine import Engine
from components.service.hub import Hub, Snapshot
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.visitor import Visitor
from tests.bench.batch import TASK, of_minilm_size
from tests.bench.table import HEADERS, Goal, Row, as_text

MODELS, HELD = 10, 3
TEXT = "It is wonderful."


def measure(rounds: int) -> list[Row]:
    """First loads of ten models in a new worker, then as many turns through all of them as there are rounds."""
    from transformers import pipeline

    me = Visitor("machine")
    with tempfile.TemporaryDirectory() as home:
        folders = [of_minilm_size(Path(home) / f"model-{number}") for number in range(MODELS)]
        size = sum(file.stat().st_size for file in folders[0].glob("*.safetensors"))
        settings = Settings(home=Path(home), cache=Path(home) / "cache", cache_bytes=int(size * (HELD + 0.5)))
        hub, engine = Hub(settings), Engine(settings)
        hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", "0" * 40, Path(home) / name))
        inference = Inference(settings, hub, engine)
        held: list[int] = []

        def turn() -> list[float]:
            seconds = []
            for folder in folders:
                answer = inference.run_task(TASK, f"local/{folder.name}", TEXT, visitor=me)
                seconds.append(answer["load_seconds"])
                held.append(sum(one["bytes"] for one in engine.status()["models"]))
            return seconds

        def anew() -> float:
            began = time.perf_counter()
            pipeline(TASK, model=str(folders[0]), device="cpu")
            return time.perf_counter() - began

        try:
            anew()
            first = turn()[1:]  # the very first one also imports what all of them need
            again, stock = [], []
            for _ in range(rounds):
                stock.append(anew())
                again.append(median(turn()))
        finally:
            engine.close()
    what = f"{MODELS} models in turn where memory is for {HELD}"
    note = f"6 layers, 384 wide, all in the system's file cache; a first load here takes {median(first):.2f} s."
    return [
        Row(f"{what}: loads of one again", "pipeline() anew", Goal(least=5), "loads/s", *_rates(again, stock), note),
        Row(f"{what}: most that is held", "the budget", Goal(most=1.0), "MB", [max(held) / 1e6], [size * 3.5 / 1e6]),
    ]


def _rates(again: list[float], stock: list[float]) -> tuple[list[float], list[float]]:
    return [1 / one for one in again], [1 / one for one in stock]


def main() -> None:
    """Measure once and print the table."""
    print(as_text([HEADERS, *(row.cells() for row in measure(1))]))


if __name__ == "__main__":
    main()
