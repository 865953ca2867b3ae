"""Rows made into model inputs by a run against `datasets.map` with the same tokenizer, one row and 1,000 rows a call.

    python -m tests.bench.prepare [--tokenizer FOLDER] [--rows 100000] [--rounds 3] [--curve]

All begin with the rows in memory and end with something that a `Trainer` takes. A run does more: it reads the cells by
their roles, holds rows out, counts the labels and takes the fingerprint of the data, and that is counted.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.table import HEADERS, Curve, Goal, Row, as_text, in_turns

ROOT = Path(__file__).parents[2]
TOKENIZER = ROOT / "components/starter/repos/models/starter/encoder"
ROWS, FEWER = 100_000, 20_000
SIZES = (1_000, 10_000, 100_000, 1_000_000)
WORDS = """
the a film plot actor scene was is felt looked dull bright slow quick warm cold and but so very rather hardly ever never
again story music picture ending beginning I you they we liked loved hated missed forgot remembered it this
"""


def columns(rows: int) -> dict[str, list[str]]:
    """Texts of 8 to 60 words, most of them short (log-normal, median 18), and one of two labels each."""
    draw = random.Random(0)
    lengths = (min(60, max(8, int(draw.lognormvariate(2.9, 0.6)))) for _ in range(rows))
    words = WORDS.split()
    texts = [" ".join(draw.choices(words, k=length)) for length in lengths]
    return {"text": texts, "label": draw.choices(["good", "bad"], k=rows)}


class Ways:
    """The same rows made ready in each way.

    Args:
        rows: How many.
        folder: The tokenizer's, with the configuration of its model.
    """

    def __init__(self, rows: int, folder: Path) -> None:
        from datasets import Dataset, disable_caching, disable_progress_bars
        from transformers import AutoConfig, AutoTokenizer

        from components.service.worker.tables import Table

        disable_caching()
        disable_progress_bars()
        self.folder = folder
        self.columns = columns(rows)
        self.table = Table(self.columns)
        self.config = AutoConfig.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.dataset = Dataset.from_dict(self.columns)
        self.fewer = self.dataset.select(range(min(rows, FEWER)))

    def ours(self) -> Any:
        """As a run prepares its data."""
        from components.service.runs.families import family
        from components.service.runs.rows import choose_rows
        from components.service.runs.spec import RunSpec

        task = "text-classification"
        spec = RunSpec(
            task=task, model=str(self.folder), data={"text": "-"}, columns={"text": "text", "label": "label"}
        )
        rows = choose_rows({"train": self.table}, spec)
        rows.facts()
        kind = family(spec)
        return kind.prepare(rows, kind.processor(self.folder), self.config, 512)

    def batched(self) -> Any:
        """`datasets.map` with 1,000 rows a call."""
        return self.dataset.map(self._encode, batched=True)

    def single(self) -> Any:
        """`datasets.map` with one row a call, on fewer rows."""
        return self.fewer.map(self._encode)

    def bare(self) -> Any:
        """The Rust tokenizer alone, which uses all cores: nothing can be quicker that asks it for ids."""
        return [one.ids for one in self.tokenizer.backend_tokenizer.encode_batch_fast(self.fewer["text"][:])]

    def _encode(self, rows: dict[str, Any]) -> Any:
        return self.tokenizer(rows["text"], truncation=True, max_length=512)


def measure(rounds: int, rows: int = ROWS, folder: Path = TOKENIZER) -> list[Row]:
    """Rows a second of each way, in turns."""
    same(Ways(2000, folder))
    ways = Ways(rows, folder)
    seconds = in_turns(rounds, ours=ways.ours, batched=ways.batched, single=ways.single, bare=ways.bare)
    ours, batched = ([rows / one for one in seconds[name]] for name in ("ours", "batched"))
    single, bare = ([len(ways.fewer) / one for one in seconds[name]] for name in ("single", "bare"))
    what, note = f"data preparation of {rows:,} rows", "A run also chooses, splits, counts and fingerprints the rows."
    most = f"The tokenizer inside alone gives the ids of {max(bare):,.0f} rows a second."
    fewer = f"{note} {most} Unbatched, {len(ways.fewer):,} of the rows are timed, each of which costs the same."
    return [
        Row(what, "datasets.map, one row a call", Goal(least=10), "rows/s", ours, single, fewer),
        Row(what, "datasets.map, batched", Goal(least=1.0), "rows/s", ours, batched, note),
    ]


def same(ways: Ways) -> None:
    """Hold that the rows get the ids that the library gives them."""
    made = ways.ours()
    ids = sorted(example["input_ids"] for part in (made.train, made.validation) for example in part)
    assert ids == sorted(ways.batched()["input_ids"])


def curves(rounds: int, folder: Path = TOKENIZER) -> list[Curve]:
    """Seconds and memory of 1,000 to 1,000,000 rows, each in a process of its own; one round says enough."""
    told = [_apart(size, folder) for size in SIZES]
    lines = {
        "seconds": [one["seconds"] for one in told],
        "microseconds a row": [one["seconds"] / size * 1e6 for one, size in zip(told, SIZES, strict=True)],
        "memory of the rows, MB": [one["rows"] / 1e6 for one in told],
        "memory at the most beside them, MB": [one["peak"] / 1e6 for one in told],
    }
    return [
        Curve("Data preparation", "rows", SIZES, lines, "1,000,000 rows is the most that a data set may have here.")
    ]


def _apart(size: int, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.prepare", "--one", str(size), "--tokenizer", str(folder)]
    told: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return told


def _one(size: int, folder: Path) -> dict[str, float]:
    """Seconds of one preparation, and bytes: of the rows as they were read, and what is taken beside them."""
    import psutil

    Ways(1000, folder).ours()
    process = psutil.Process()
    before = process.memory_info().rss
    ways = Ways(size, folder)
    del ways.dataset, ways.fewer
    read = process.memory_info().rss
    Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is in use (proc(5))
    began = time.perf_counter()
    ways.ours()
    seconds = time.perf_counter() - began
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    peak = int(status["VmHWM"].split()[0]) * 1024
    return {"seconds": seconds, "rows": read - before, "peak": peak - read}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--tokenizer", type=Path, default=TOKENIZER)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(_one(given.one, given.tokenizer)))
        return
    print(as_text([HEADERS, *(row.cells() for row in measure(given.rounds, given.rows, given.tokenizer))]))
    for curve in curves(given.rounds, given.tokenizer) if given.curve else ():
        print(f"\n{curve.what}\n{as_text(curve.table())}")


if __name__ == "__main__":
    main()
