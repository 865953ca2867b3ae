"""What a job does on Hugging Face Jobs: fetch the run from its repository, train it, push what came of it.

Sent as a text and run there alone, with `huggingface_hub` and what training needs, in an empty folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

repo, package = os.environ["WORKBENCH_REPO"], os.environ["WORKBENCH_PACKAGE"]
work = Path("workbench").resolve()
run = work / "run"
hub = HfApi()
zipfile.ZipFile(hub.hf_hub_download(repo, package)).extractall(work)
command = [sys.executable, "-m", "components.service.runs", "spec.json", "--out", "run"]
code = subprocess.run(command, cwd=work, check=False).returncode
if code or not (run / "model").is_dir():
    sys.exit(code or "The run left no model. The lines above say why.")
files = {file.name: file for file in sorted((run / "model").iterdir()) if file.is_file()}
files |= {f"run/{name}": run / name for name in ("spec.json", "events.jsonl")}
hub.create_commit(
    repo,
    [*(CommitOperationAdd(name, str(file)) for name, file in files.items()), CommitOperationDelete(package)],
    commit_message="End of training",
)
sys.stdout.write(f"The model is in {repo}.\n")
