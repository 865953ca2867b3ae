"""Every benchmark, as one table.

    python -m tests.bench [--only NAME ...] [--rounds 3] [--write docs/speed.md]

Each is held against the stock way of doing the same work, in turns, on this machine. A benchmark that breaks is named
below the table, and the command then ends with status 1; a goal that does not hold is no failure of the command.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.bench import report
from tests.bench.apart import Measured, run_apart
from tests.bench.machine import busy, facts
from tests.bench.table import HEADERS, as_text

#: The modules of this folder, in the order of the table.
BENCHMARKS = (
    "page_up",
    "calls",
    "visitors",
    "generation",
    "models",
    "batch",
    "precision",
    "tokenizing",
    "looking",
    "push",
    "prepare",
    "finetune",
)

#: The share of the processor that others may take before figures say little.
BUSY = 0.15


def main() -> None:
    """Measure what is asked for, print it, and write the page where one is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", type=Path, help="the page to write")
    given = parser.parse_args()
    measured: dict[str, Measured] = {}
    loads = []
    for name in given.only:
        loads.append(busy())
        print(f"{name} ... ({loads[-1]:.0%} of the processor is taken by others)", file=sys.stderr, flush=True)
        measured[name] = run_apart(name, given.rounds)
    rows = [row for one in measured.values() for row in one.rows]
    curves = [curve for one in measured.values() for curve in one.curves]
    print(as_text([HEADERS, *(row.cells() for row in rows)]))
    for curve in curves:
        print(f"\n{curve.what}\n{as_text(curve.table())}")
    if given.write:
        left = [name for name in BENCHMARKS if name not in measured or measured[name].broken]
        taken = f"{min(loads):.0%} to {max(loads):.0%} of the processor, looked at before each benchmark"
        taken += "; too much for these figures to be relied on" if max(loads) > BUSY else ""
        made = {**facts(), "rounds": str(given.rounds), "load by others": taken}
        given.write.write_text(report.page(rows, curves, made, left))
    if broken := {name: one.broken for name, one in measured.items() if one.broken}:
        sys.exit("\n".join(f"{name} broke:\n{why}" for name, why in broken.items()))


if __name__ == "__main__":
    main()
