"""A batch through the service against `pipeline(list, batch_size=32)`, on the same rows, model and machine.

    python tests/bench/batch.py [--rows 2000] [--rounds 3] [--model FOLDER]

Both run in this process, warm, in turns, so that what else the machine does falls on both. The answers have to be the
same within 1e-5.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

TASK = "text-classification"
WORDS = ("love", "this", "film", "and", "it", "is", "wonderful", "awful", "dull", "far", "too", "long", "but", "great")


def mixed(count: int) -> list[str]:
    """Texts of 2 to 200 words, most of them short, as reviews are: lengths are log-normal with a median of 16."""
    draw = random.Random(0)
    lengths = [min(200, max(2, int(draw.lognormvariate(2.8, 0.8)))) for _ in range(count)]
    return [" ".join(draw.choices(WORDS, k=length)) for length in lengths]


def apart(ours: list[Any], theirs: list[Any]) -> float:
    """The largest difference of a score, for rows whose labels are the same."""
    pairs = [
        (one, two) for a, b in zip(ours, theirs, strict=True) for one, two in zip(by_label(a), by_label(b), strict=True)
    ]
    assert all(one[0] == two[0] for one, two in pairs)
    return max(abs(one[1] - two[1]) for one, two in pairs)


def by_label(output: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return sorted((one["label"], one["score"]) for one in output)


def main() -> None:
    """Measure in turns and print one table."""
    from transformers import pipeline

    from components.service.settings import Settings
    from components.service.worker.batch import run_batch
    from components.service.worker.calls import Call
    from components.service.worker.models import Models

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default=str(ROOT / "components/starter/repos/models/starter/sentiment"))
    given = parser.parse_args()
    rows = mixed(given.rows)
    stock = pipeline(TASK, model=given.model, device="cpu")
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), cache=Path(home))
        call = Call(settings, Models(settings, lambda _: None), lambda _: None)
        arguments = {"task": TASK, "path": given.model, "model": "bench", "gold": None, "parameters": {}, "caps": {}}

        def batch() -> list[Any]:
            done: dict[int, Any] = {}
            for item in run_batch(call, **arguments, source={"rows": rows}, seconds=3600.0):
                done.update(item.get("rows", ()))
            return [done[number]["output"] for number in range(len(rows))]

        def library() -> list[Any]:
            return stock(rows, batch_size=32, top_k=None, truncation=True)

        seconds: dict[str, list[float]] = {"library": [], "batch": []}
        worst = 0.0
        batch()
        for _ in range(given.rounds):
            begun = time.perf_counter()
            theirs = library()
            between = time.perf_counter()
            ours = batch()
            seconds["library"].append(between - begun)
            seconds["batch"].append(time.perf_counter() - between)
            worst = max(worst, apart(ours, theirs))
    one, two = (statistics.median(seconds[name]) for name in ("library", "batch"))
    print(f"{'':30}{'seconds':>10}{'rows/s':>10}{'ratio':>8}")
    print(f"{'pipeline(list, batch_size=32)':30}{one:10.2f}{len(rows) / one:10.0f}{1.0:8.2f}")
    print(f"{'batch':30}{two:10.2f}{len(rows) / two:10.0f}{one / two:8.2f}")
    print(f"medians of {given.rounds} rounds in turns; {len(rows)} rows; scores differ by at most {worst:.1e}")


if __name__ == "__main__":
    main()
