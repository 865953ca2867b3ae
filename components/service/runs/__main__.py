"""The training process: `python -m components.service.runs FOLDER`, or a spec file to train by hand.

    python -m components.service.runs spec.json [--out FOLDER]
    accelerate launch --multi_gpu --num_processes 2 -m components.service.runs spec.json

By hand, model and data are fetched from the Hub at `HF_ENDPOINT` (or are folders and files on this machine), and the
run's folder is made beside the spec. Exit status: 0 done or stopped, 1 failed, 2 the spec is not right.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

from components.service.errors import WorkbenchError
from components.service.runs.ranks import Silent, rank
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder, read_json, write_json
from components.service.settings import Settings

logger = logging.getLogger("components.service.runs")


def main(arguments: list[str] | None = None) -> int:
    """Train one run."""
    parser = argparse.ArgumentParser(prog="python -m components.service.runs", description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path, help="a run's folder, or a spec in a JSON file")
    parser.add_argument("--out", type=Path, help="folder of the run; made beside the spec if not given")
    parser.add_argument("--rehearse", type=int, metavar="SECONDS", help="measure only, for no longer than this")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = Settings(home=options.run.parent, cache=options.run.parent)
    file = options.run / "spec.json" if options.run.is_dir() else options.run
    try:
        spec = RunSpec.from_dict(read_json(file), settings)
    except WorkbenchError as error:
        logger.error("%s", error)
        return 2
    path = (options.run if options.run.is_dir() else options.out or file.with_suffix("")).resolve()
    path.mkdir(parents=True, exist_ok=True)
    folder = Silent(path) if rank() else RunFolder(path)
    if not rank():
        write_json(folder.spec, spec.to_dict())
        folder.claim(os.getpid())
    if options.rehearse:
        return rehearse(folder, spec, settings, options.rehearse)
    return work(folder, spec, settings)


def work(folder: RunFolder, spec: RunSpec, settings: Settings) -> int:
    """Train, and turn whatever ends it into an event."""
    # OpenMP's threads spin while they wait, by default; beside a busy worker on two cores that made training 10 to 20
    # times slower. Read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from components.service.runs.failures import explain
    from components.service.runs.hardware import keep_memory, limit_memory
    from components.service.runs.inputs import Inputs
    from components.service.runs.training import train

    try:
        inputs = Inputs.of(folder, spec, settings)
        if "memory_bytes" in inputs.limits:
            limit_memory(inputs.limits["memory_bytes"])
        keep_memory()
        train(folder, spec, inputs)
    except Exception as error:  # the process ends here: what went wrong becomes the run's failure
        logger.exception("The run failed.")
        if not rank():
            # A checkpoint that a full disk has torn is of no use, and its room may be what the next line needs.
            folder.drop_partial_checkpoints()
        failure = explain(error)
        folder.append("status", status="failed", message=failure["message"], failure=failure)
        return 1
    return 0


def rehearse(folder: RunFolder, spec: RunSpec, settings: Settings, seconds: int) -> int:
    """Measure the run instead of training it; the process ends after so many seconds, whoever may still wait for it."""
    signal.alarm(seconds)
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from components.service.runs import measuring
    from components.service.runs.inputs import Inputs

    try:
        return measuring.rehearse(folder, spec, Inputs.of(folder, spec, settings))
    except Exception as error:  # as in `work`
        logger.exception("The rehearsal failed.")
        measuring.fail(folder, error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
