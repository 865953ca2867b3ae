"""How looking at data grows with its rows: `inspect_data` on a table of the Hub, as the fine-tune tab does."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from statistics import median

from tests.bench.app import running
from tests.bench.batch import mixed
from tests.bench.push import peak
from tests.bench.table import Curve, in_turns

SIZES = (1_000, 10_000, 100_000, 1_000_000)
_DIFFERENT = 50_000


def table(rows: int) -> str:
    """Rows of a text and a label as CSV; each has a number in it, so that none are alike."""
    texts, draw = mixed(min(rows, _DIFFERENT)), random.Random(1)
    lines = (f"{texts[number % len(texts)]} {number},{draw.choice(('good', 'bad'))}\n" for number in range(rows))
    return "text,label\n" + "".join(lines)


def curves(rounds: int) -> list[Curve]:
    """From 1,000 to 1,000,000 rows: seconds until the answer, and how far the worker's memory grows."""
    lines: dict[str, list[float]] = {"inspect_data, s": [], "with a model's tokens, s": [], "worker grows, MB": []}
    with running() as app, tempfile.TemporaryDirectory() as folder:
        app.call("inspect_data", {"text": table(60)}, None, "text-classification", "starter/encoder")
        worker = app.child("components.service.worker")
        for size in SIZES:
            place = Path(folder) / str(size)
            place.mkdir()
            (place / "train.csv").write_text(table(size))
            source = {"dataset": app.push(place, f"rows-{size}", "dataset")}
            arguments = (source, None, "text-classification", "starter/encoder")
            with peak(worker) as grown:
                app.call("inspect_data", *arguments)
            seconds = in_turns(
                rounds if size < SIZES[-1] else 1,
                plain=lambda source=source: app.call("inspect_data", source),
                measured=lambda arguments=arguments: app.call("inspect_data", *arguments),
            )
            lines["inspect_data, s"].append(median(seconds["plain"]))
            lines["with a model's tokens, s"].append(median(seconds["measured"]))
            lines["worker grows, MB"] += grown
    note = "Texts of 2 to 200 words in a CSV file. A second look reads the file anew. Memory is the first look's."
    return [Curve("Looking at data before a fine-tune", "rows", SIZES, lines, note)]
