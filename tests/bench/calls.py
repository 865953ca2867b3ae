"""One call: the first result of a cold worker, and one warm through HTTP."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from components.service.engine import Engine
from components.service.hub import Hub, Snapshot
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.visitor import Visitor
from tests.bench.batch import STARTER, TASK, of_minilm_size
from tests.bench.crowd import Caller
from tests.bench.table import HEADERS, Goal, Row, as_text, in_turns
from tests.bench.visitors import both

TEXT = "I love this film, it is wonderful and warm."
CALLS = 20
SCRIPT = """
import sys
from transformers import pipeline
print(pipeline("text-classification", model=sys.argv[1], device="cpu")(sys.argv[2]))
"""


def measure(rounds: int) -> list[Row]:
    """The first result, then a warm one of a starter model and of one of MiniLM's size."""
    with tempfile.TemporaryDirectory() as folder:
        large = of_minilm_size(Path(folder))
        rows = [first(large, rounds), warm(large, "6 layers, 384 wide, random weights", rounds)]
    return [*rows, warm(STARTER, "a starter model", rounds)]


def first(folder: Path, rounds: int) -> Row:
    """From a worker that is being started to its first answer, against a script from its start to its end."""

    def ours() -> None:
        with tempfile.TemporaryDirectory() as home:
            settings = Settings(home=Path(home), cache=Path(home) / "cache")
            hub, engine = Hub(settings), Engine(settings)
            hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", "0" * 40, folder))
            try:
                Inference(settings, hub, engine).run_task(TASK, "local/model", TEXT, visitor=Visitor("machine"))
            finally:
                engine.close()

    def script() -> None:
        subprocess.run([sys.executable, "-c", SCRIPT, str(folder), TEXT], check=True, capture_output=True)

    ours()
    seconds = in_turns(rounds, stock=script, ours=ours)
    against = "a script that imports, loads and runs"
    return Row("first result, cold worker", against, Goal(most=1.1), "s", seconds["ours"], seconds["stock"])


def warm(folder: Path, told: str, rounds: int) -> Row:
    """One call after another through HTTP against the pipeline in this process, plus an empty call through HTTP."""
    from transformers import pipeline

    pipe = pipeline(TASK, model=str(folder), device="cpu")
    ours, stock = [], []
    with both(folder) as (app, page):
        model = "starter/sentiment" if folder == STARTER else app.push(folder, "one-call")
        with closing(Caller(app.url)) as own, closing(Caller(page)) as empty:
            ways = {
                "ours": lambda: own.call("run_task", TASK, model, TEXT, None, None),
                "pipeline": lambda: pipe(TEXT, top_k=None),
                "empty": lambda: empty.call("empty", TEXT),
            }
            for way in ways.values():
                way()
            for _ in range(rounds):
                seconds = {name: [] for name in ways}
                for _ in range(CALLS):
                    for name, way in ways.items():
                        began = time.perf_counter()
                        way()
                        seconds[name].append(time.perf_counter() - began)
                middle = {name: median(each) for name, each in seconds.items()}
                ours.append(middle["ours"])
                stock.append(middle["pipeline"] + middle["empty"])
    against = "the call on the bare pipeline, plus an empty Gradio call"
    note = f"Medians of {CALLS} calls, the three in turns."
    return Row(f"one call, warm, through HTTP: {told}", against, Goal(most=1.1), "s", ours, stock, note)


def main() -> None:
    """Measure once and print the table."""
    print(as_text([HEADERS, *(row.cells() for row in measure(1))]))


if __name__ == "__main__":
    main()
