"""Make the starter repositories anew: `python -m components.starter`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

from components.starter import recipes
from components.starter.workshop import workshop

DESCRIPTION = "Make the starter repositories anew: data from grammars, models by the training process."
REPOS = Path(__file__).parent / "repos"
logger = logging.getLogger("components.starter")


def main(arguments: list[str] | None = None) -> int:
    """Make one repository, or all of them in order."""
    parser = argparse.ArgumentParser(prog="python -m components.starter", description=DESCRIPTION)
    choices = [*recipes.DATA, *recipes.MODELS]
    parser.add_argument("--only", choices=choices, help="make this one, from the others as they are")
    parser.add_argument("--out", type=Path, default=REPOS, help="folder of the repositories (default: their place)")
    parser.add_argument("--real", type=Path, help="real sentences to measure on: SST-2's dev.tsv, text and 0 or 1")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    wanted = [options.only] if options.only else choices
    options.out.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        logger.info("Making starter/%s.", name)
        if name in recipes.DATA:
            recipes.DATA[name](options.out)
            continue
        with tempfile.TemporaryDirectory() as folder, workshop(Path(folder), options.out, options.real) as shop:
            recipes.MODELS[name](shop, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
