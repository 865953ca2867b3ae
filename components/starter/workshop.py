"""A Hub of one's own for the time of a training: push what it starts from, run the training process, take its model."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER = "workshop"
#: What a saved tokenizer says about where it was loaded from; nobody else needs it.
PLACES = ("is_local", "local_files_only", "name_or_path")


@dataclass(frozen=True)
class Trained:
    """A finished run: the folder with its model, and everything its events recorded."""

    model: Path
    spec: dict[str, Any]
    facts: dict[str, Any]
    results: dict[str, Any]
    seconds: float


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn."""

    epochs: float
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Fitted:
    """A trained model's folder, and what its card says about the training."""

    model: Path
    parameters: int
    rows: int
    seconds: float
    loss: float
    schedule: Schedule


@dataclass(frozen=True)
class Workshop:
    """An embedded Hub on this machine and a folder for runs.

    Attributes:
        real: Tab-separated real sentences with 0 (negative) or 1, to measure on and never to train on.
    """

    endpoint: str
    token: str
    folder: Path
    real: Path | None = None

    def push(self, name: str, folder: Path, *, kind: str = "model") -> str:
        """Make repository `workshop/name` of a folder's files, with the real client; gives its id."""
        from huggingface_hub import HfApi

        api = HfApi(endpoint=self.endpoint, token=self.token)
        repository = f"{USER}/{name}"
        api.create_repo(repository, repo_type=kind, exist_ok=True)
        api.upload_folder(repo_id=repository, repo_type=kind, folder_path=folder)
        return repository

    def train(self, spec: Mapping[str, Any]) -> Trained:
        """Run the training process on a spec.

        Raises:
            RuntimeError: It ended without a model; the message is the run's own.
        """
        run = self.folder / "runs" / str(spec["name"])
        run.mkdir(parents=True)
        file = run.with_suffix(".json")
        file.write_text(json.dumps(dict(spec)), encoding="utf-8")
        command = [sys.executable, "-m", "components.service.runs", str(file), "--out", str(run)]
        places = {"HF_ENDPOINT": self.endpoint, "HF_HOME": str(self.folder / "cache")}
        # Waiting threads that spin take the cores from those that work, on a machine that does other things too.
        threads = {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_DISABLE_XET": "1"}
        ended = subprocess.run(command, env={**os.environ, **places, **threads}, check=False)
        events = [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
        if ended.returncode:
            raise RuntimeError(str(events[-1].get("message", "The run failed.")))
        gathered: dict[str, dict[str, Any]] = {"facts": {}, "results": {}}
        for event in events:
            gathered.get(event["kind"], {}).update(event)
        return Trained(run / "model", dict(spec), **gathered, seconds=events[-1]["time"] - events[0]["time"])


@contextmanager
def workshop(folder: Path, starter: Path, real: Path | None = None) -> Iterator[Workshop]:
    """A workshop whose Hub has the repositories that lie in `starter` so far."""
    token = "hf_" + secrets.token_hex(16)
    arguments = ["--root", str(folder / "hub"), "--user", USER, "--seed", str(starter), "--with-parent"]
    hub = subprocess.Popen(
        [sys.executable, "-m", "components.localhub", *arguments],
        env={**os.environ, "LOCALHUB_TOKEN": token},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = hub.stdout.readline() if hub.stdout else ""
        found = re.fullmatch(r"localhub ready (\S+)\n", line)
        if not found:
            raise RuntimeError("The embedded Hub did not start.")
        yield Workshop(found[1], token, folder, real)
    finally:
        hub.terminate()
        hub.wait()


def publish(model: Path, card: str, folder: Path) -> None:
    """Replace a starter repository by a trained model and its card."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder)
    for file in folder.iterdir():
        file.chmod(0o644)
    settings = folder / "tokenizer_config.json"
    if settings.exists():
        kept = {key: value for key, value in json.loads(settings.read_text("utf-8")).items() if key not in PLACES}
        settings.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")
