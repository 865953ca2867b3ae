"""Fine-tuning by the library's examples, by its `Trainer`, and by this app's runner, side by side.

    python -m tests.bench.finetune [--sst2 FOLDER] [--wnut17 FOLDER] [--shakespeare FILE] [--model FOLDER]
                                   [--causal FOLDER] [--rows 2000] [--epochs 1] [--batch 32] [--rounds 1]

Without a path the rows are those that the starter models are made of. See `tests.bench.finetune`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.bench.finetune import CASES, REAL, Asked, compare, rows_of, told
from tests.bench.table import HEADERS, as_text


def main() -> None:
    """Compare on each data set that is given."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    for name in (*REAL, "model", "causal"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    asked = Asked(given.model, given.causal, given.rows, given.epochs, given.batch)
    cases = [make(getattr(given, name)) for name, make in REAL.items() if getattr(given, name)]
    rows = []
    for case in cases or [make() for make in CASES]:
        found = compare(case, asked, given.rounds)
        print(told(case, asked, found), flush=True)
        rows += rows_of(case, asked, found)
    print(as_text([HEADERS, *(row.cells() for row in rows)]))


if __name__ == "__main__":
    main()
