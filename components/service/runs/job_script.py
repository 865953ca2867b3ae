"""What a job does on Hugging Face Jobs: fetch the run from its repository, train it, push what came of it.

Sent as a text and run there alone, with `huggingface_hub` and what training needs, in an empty folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

repo, package = os.environ["WORKBENCH_REPO"], os.environ["WORKBENCH_PACKAGE"]
work = Path("workbench").resolve()
run = work / "run"
hub = HfApi()


def train() -> None:
    """Train the run that the package holds."""
    zipfile.ZipFile(hub.hf_hub_download(repo, package)).extractall(work)
    command = [sys.executable, "-m", "components.service.runs", "spec.json", "--out", "run"]
    code = subprocess.run(command, cwd=work, check=False).returncode
    if code or not (run / "model").is_dir():
        sys.exit(code or "The run left no model. The lines above say why.")


def push() -> None:
    """Put the model in the place of the package."""
    files = {file.name: file for file in sorted((run / "model").iterdir()) if file.is_file()}
    files |= {f"run/{name}": run / name for name in ("spec.json", "events.jsonl")}
    hub.create_commit(
        repo,
        [*(CommitOperationAdd(name, str(file)) for name, file in files.items()), CommitOperationDelete(package)],
        commit_message="End of training",
    )
    sys.stdout.write(f"The model is in {repo}.\n")


def clear() -> None:
    """Take the package out of the repository, where it is of no more use."""
    try:
        hub.delete_file(package, repo, commit_message="The training left no model")
    except Exception as error:  # noqa: BLE001 - the job has failed already; why is said above, and this with it
        sys.stdout.write(f"{package} is still in {repo} ({type(error).__name__}). Delete it there.\n")


# A job that runs out of time is asked to end before it is killed.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("The job was ended before its training was done."))
try:
    train()
    push()
except BaseException:
    clear()
    raise
