"""Fine-tuning by the library's examples, by its `Trainer`, and by this app's runner, side by side.

    python -m tests.bench.finetune [--sst2 FOLDER] [--wnut17 FOLDER] [--shakespeare FILE] [--model FOLDER]
                                   [--causal FOLDER] [--rows 2000] [--epochs 1] [--batch 32] [--rounds 1]

The same rows, seed, batch, epochs and learning rate on this machine, each way in a process of its own, in turns. Each
evaluates and saves after every epoch; that is counted, loading is not. Without a path the rows are the reviews that the
starter models are made of. The bf16 that the runner may choose is the only difference in number types.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.finetune.data import ROOT, Case, entities, opinions, plays, sentences

SEED = 42
RATE = 5e-5


def stock(case: Case, data: Path, given: argparse.Namespace, padding: int, home: Path) -> dict[str, Any]:
    """Train as the library does."""
    options = {
        "task": case.task,
        "model": str(model(case, given)),
        "data": str(data),
        "out": str(home / "stock"),
        "answer": str(home / "stock.json"),
        "padding": padding,
        "epochs": given.epochs,
        "batch_size": given.batch,
        "learning_rate": RATE,
        "seed": SEED,
    }
    start([sys.executable, "-m", "tests.bench.finetune.stock", json.dumps(options)], home)
    answer: dict[str, Any] = json.loads((home / "stock.json").read_text())
    return answer


def runner(case: Case, data: Path, given: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Train as a run does, with its own defaults for all that is not said here."""
    spec = {
        "task": case.task,
        "model": str(model(case, given)),
        "data": {"dataset": str(data)},
        "epochs": given.epochs,
        "batch_size": given.batch,
        "learning_rate": RATE,
        "seed": SEED,
        "keep": "last",
        **({"max_length": 128} if case.task == "text-generation" else {}),
    }
    (home / "spec.json").write_text(json.dumps(spec))
    start([sys.executable, "-m", "components.service.runs", str(home / "spec.json"), "--out", str(home / "run")], home)
    events = [json.loads(line) for line in (home / "run/events.jsonl").read_text().splitlines()]
    results = next(event for event in events if event["kind"] == "results")
    facts = {key: value for event in events if event["kind"] == "facts" for key, value in event.items()}
    seconds = json.loads((home / "run/progress.json").read_text())["seconds"]
    examples = facts.get("blocks", {}).get("train") or facts["rows"]["train"]
    return {**results["final"], "seconds": seconds, "examples": examples, "dtype": facts["dtype"]}


def model(case: Case, given: argparse.Namespace) -> Path:
    """The model that a case starts from."""
    chosen = given.causal if case.task == "text-generation" else given.model
    return Path(chosen).resolve() if chosen else case.model


def start(command: list[str], home: Path) -> None:
    """Run to the end; what it says goes to a file that is shown where it fails."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    with (home / "log.txt").open("w") as log:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        sys.exit((home / "log.txt").read_text()[-3000:])


def compare(case: Case, given: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    """Each way with the medians of its rounds."""
    ways: dict[str, list[dict[str, Any]]] = {"script, padded to 128": [], "Trainer, padded by batch": [], "runner": []}
    if case.task == "text-generation":
        del ways["script, padded to 128"]  # blocks are of one length
    for _ in range(given.rounds):
        for way, found in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                home = Path(folder)
                case.write(home / "data", given.rows)
                if way == "runner":
                    found.append(runner(case, home / "data", given, home))
                else:
                    found.append(stock(case, home / "data", given, 128 if way.startswith("script") else 0, home))
    middle = {way: statistics.median(one["seconds"] for one in found) for way, found in ways.items()}
    return [(way, {**found[-1], "seconds": middle[way]}) for way, found in ways.items()]


def show(case: Case, given: argparse.Namespace, found: list[tuple[str, dict[str, Any]]]) -> None:
    """One table."""
    least = min(len(case.validation), given.rows)
    print(f"\n{case.name}: {min(len(case.train), given.rows):,} rows, {given.epochs} epochs, batch {given.batch}")
    print(f"{'':28}{'seconds':>9}{'samples/s':>11}{'ratio':>8}{case.metric:>11}{'dtype':>7}")
    for way, figures in found:
        rate = figures["examples"] * given.epochs / figures["seconds"]
        ratio = found[0][1]["seconds"] / figures["seconds"]
        kind = figures.get("dtype", "fp32")
        print(f"{way:28}{figures['seconds']:9.1f}{rate:11.1f}{ratio:8.2f}{figures[case.metric]:11.4f}{kind:>7}")
    if case.metric == "accuracy":
        value = found[-1][1]["accuracy"]
        noise = 1.96 * math.sqrt(value * (1 - value) / least)
        print(f"the 95 % noise of an accuracy on {least} rows is +-{noise:.3f}")


def main() -> None:
    """Compare on each data set that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name in ("sst2", "wnut17", "shakespeare", "model", "causal"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    makers = {"sst2": sentences, "wnut17": entities, "shakespeare": plays}
    cases = [make(getattr(given, name)) for name, make in makers.items() if getattr(given, name)]
    for case in cases or [opinions()]:
        show(case, given, compare(case, given))


if __name__ == "__main__":
    main()
