"""Fine-tuning by the library's examples, by its `Trainer`, and by this app's runner, side by side.

The same rows, seed, batch, epochs and learning rate on this machine, each way in a process of its own, in turns. Each
evaluates and saves after every epoch; that is counted, loading is not. The bf16 that the runner may choose is the only
difference in number types.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench.batch import of_minilm_size
from tests.bench.finetune.data import ROOT, Case, entities, marked, opinions, plays, sentences, tales
from tests.bench.generation import of_distilgpt2_size
from tests.bench.table import Goal, Row, as_text

SEED = 42
RATE = 5e-5
#: Cases of the project's own rows, and of real ones that are given by path.
CASES = (opinions, marked, tales)
#: The sizes of larger models for the same cases, and the rows that they are trained on.
LARGER, FEWER = ("6 layers, 384 wide", "6 layers, 384 wide", "6 layers, 768 wide"), 192
REAL = {"sst2": sentences, "wnut17": entities, "shakespeare": plays}
SCRIPT, TRAINER, RUNNER = "script, padded to 128", "Trainer, padded by batch", "runner"
#: What the runner reaches where bf16 is fast, and what it may not fall below elsewhere.
FAST, ANYWHERE = {SCRIPT: 6.0, TRAINER: 2.5}, 1.0

Figures = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """How it is trained: folders of the models, where not the starter ones; rows, epochs and the size of a batch."""

    model: Path | None = None
    causal: Path | None = None
    rows: int = 2000
    epochs: int = 1
    batch: int = 32

    def start_from(self, case: Case) -> Path:
        """The model that a case starts from."""
        chosen = self.causal if case.task == "text-generation" else self.model
        return chosen.resolve() if chosen else case.model


def measure(rounds: int) -> list[Row]:
    """Rows for the table, of the project's own data: from the starter models, and from larger ones on fewer rows."""
    rows = _measured([make() for make in CASES], Asked(), rounds)
    with tempfile.TemporaryDirectory() as folder:
        models = _headless(of_minilm_size(Path(folder, "encoder"))), of_distilgpt2_size(Path(folder, "decoder"))
        larger = [replace(make(), name=f"{size}, random weights") for make, size in zip(CASES, LARGER, strict=True)]
        return rows + _measured(larger, Asked(*models, rows=FEWER), rounds)


def _headless(folder: Path) -> Path:
    """The same folder with the model alone, which takes a new head for whatever it is trained for."""
    from transformers import AutoModel

    AutoModel.from_pretrained(folder).save_pretrained(folder)
    return folder


def _measured(cases: Sequence[Case], asked: Asked, rounds: int) -> list[Row]:
    return [row for case in cases for row in rows_of(case, asked, compare(case, asked, rounds))]


def compare(case: Case, asked: Asked, rounds: int) -> dict[str, list[Figures]]:
    """What each way found, round by round."""
    # Blocks of a language model are of one length: there is nothing to pad.
    ways = (TRAINER, RUNNER) if case.task == "text-generation" else (SCRIPT, TRAINER, RUNNER)
    found: dict[str, list[Figures]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in ways if number % 2 == 0 else reversed(ways):
            with tempfile.TemporaryDirectory() as folder:
                home = Path(folder)
                case.write(home / "data", asked.rows)
                made = _runner(case, asked, home) if way == RUNNER else _stock(case, asked, 128 * (way == SCRIPT), home)
                found[way].append(made)
    return found


def _stock(case: Case, asked: Asked, padding: int, home: Path) -> Figures:
    """Train as the library does."""
    options = {
        "task": case.task,
        "model": str(asked.start_from(case)),
        "data": str(home / "data"),
        "out": str(home / "stock"),
        "answer": str(home / "stock.json"),
        "padding": padding,
        "epochs": asked.epochs,
        "batch_size": asked.batch,
        "learning_rate": RATE,
        "seed": SEED,
    }
    whole = _start(["tests.bench.finetune.stock", json.dumps(options)], home)
    return {**json.loads((home / "stock.json").read_text()), "whole": whole, "dtype": "fp32"}


def _runner(case: Case, asked: Asked, home: Path) -> Figures:
    """Train as a run does, with its own defaults for all that is not said here."""
    spec = {
        "task": case.task,
        "model": str(asked.start_from(case)),
        "data": {"dataset": str(home / "data")},
        "epochs": asked.epochs,
        "batch_size": asked.batch,
        "learning_rate": RATE,
        "seed": SEED,
        "keep": "last",
        **({"max_length": 128} if case.task == "text-generation" else {}),
    }
    (home / "spec.json").write_text(json.dumps(spec))
    whole = _start(["components.service.runs", str(home / "spec.json"), "--out", str(home / "run")], home)
    events = [json.loads(line) for line in (home / "run/events.jsonl").read_text().splitlines()]
    results = next(event for event in events if event["kind"] == "results")
    facts = {key: value for event in events if event["kind"] == "facts" for key, value in event.items()}
    seconds = json.loads((home / "run/progress.json").read_text())["seconds"]
    examples = facts.get("blocks", {}).get("train") or facts["rows"]["train"]
    return {**results["final"], "seconds": seconds, "whole": whole, "examples": examples, "dtype": facts["dtype"]}


def _start(arguments: list[str], home: Path) -> float:
    """Run a module to its end; what it says is shown where it fails. Returns its seconds, loading included."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    began = time.perf_counter()
    with (home / "log.txt").open("w") as log:
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError((home / "log.txt").read_text()[-3000:])
    return time.perf_counter() - began


def rows_of(case: Case, asked: Asked, found: Mapping[str, Sequence[Figures]]) -> list[Row]:
    """The runner against each other way, in samples a second."""
    short = all(one["dtype"] == "bf16" for one in found[RUNNER])
    rates = {way: [one["examples"] * asked.epochs / one["seconds"] for one in some] for way, some in found.items()}
    metric = ", ".join(f"{way} {statistics.median(_values(case, some)):.4f}" for way, some in found.items())
    whole = ", ".join(f"{way} {statistics.median(one['whole'] for one in some):.1f} s" for way, some in found.items())
    note = f"{case.metric}: {metric}{_noise(case, asked, found)}. From the start of the process to its end: {whole}."
    return [
        Row(
            f"fine-tuning, {case.task}, {case.name}, {found[RUNNER][0]['dtype']}",
            way,
            Goal(least=FAST[way] if short else ANYWHERE),
            "samples/s",
            rates[RUNNER],
            rates[way],
            note,
        )
        for way in found
        if way != RUNNER
    ]


def _values(case: Case, found: Sequence[Figures]) -> list[float]:
    return [one[case.metric] for one in found]


def _noise(case: Case, asked: Asked, found: Mapping[str, Sequence[Figures]]) -> str:
    """How far an accuracy may be off by chance."""
    if case.metric != "accuracy":
        return ""
    value, least = found[RUNNER][-1]["accuracy"], min(len(case.validation), asked.rows)
    return f" (95 % noise +-{1.96 * math.sqrt(value * (1 - value) / least):.3f})"


def told(case: Case, asked: Asked, found: Mapping[str, Sequence[Figures]]) -> str:
    """One case as a table: medians of the rounds."""
    lines = [["way", "seconds", "whole process, s", "samples/s", case.metric, "dtype"]]
    for way, some in found.items():
        seconds, whole = (statistics.median(one[name] for one in some) for name in ("seconds", "whole"))
        rate, value = some[0]["examples"] * asked.epochs / seconds, statistics.median(_values(case, some))
        lines.append([way, f"{seconds:.2f}", f"{whole:.2f}", f"{rate:.1f}", f"{value:.4f}", some[0]["dtype"]])
    rows = f"{min(len(case.train), asked.rows):,} rows, {asked.epochs} epochs, batch {asked.batch}"
    return f"\n{case.name}: {rows}\n{as_text(lines)}\n"
