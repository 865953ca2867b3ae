"""What a run stands on: its model and data found and judged, and all of it laid down in a folder of its own."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.runs import line
from components.service.runs.checks import check_metric
from components.service.runs.samples import check_samples
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder, write_json
from components.service.settings import Settings
from components.service.visitor import Visitor

ZERO_GPU = (
    "This Space runs on ZeroGPU, which lends a GPU for about a minute at a time: training does not fit there. Send the "
    "run to Hugging Face Jobs instead, or start the app on a machine of your own."
)
NO_JOBS = (
    "The Hub in use is the embedded one, which has no Jobs: they run on huggingface.co. Start the app with --hub "
    "https://huggingface.co and sign in there, or train on this machine."
)


@dataclass(frozen=True)
class Plan:
    """A run that can be laid down.

    Attributes:
        spec: What is asked for, model and data at fixed commits, columns chosen.
        model: The folder of the model to start from.
        local: The data source on this machine, as the worker takes it.
    """

    spec: RunSpec
    model: Path
    local: dict[str, Any]


class Groundwork:
    """Finds what runs need, and lays it down."""

    def __init__(self, settings: Settings, hub: Hub, engine: Engine, data: Data) -> None:
        self.settings = settings
        self.hub = hub
        self.engine = engine
        self.data = data

    def plan(self, spec: Any, visitor: Visitor) -> Plan:
        """Hold what is asked for to the limits, to the model and to the data.

        Raises:
            WorkbenchError: The spec, the model or the data does not allow it; `field` says which setting.
        """
        wanted = RunSpec.from_dict(spec, self.settings)
        check_samples(wanted.task, wanted.samples, self.settings, "samples")
        model = self.hub.model(wanted.model, wanted.revision, visitor=visitor)
        fixed, local = self.data.resolve(wanted.data, visitor=visitor)
        columns = self._columns(wanted, local)
        return Plan(wanted.with_(model=model.id, revision=model.commit, data=fixed, columns=columns), model.path, local)

    def here(self) -> None:
        """Refuse to train on a machine that is none for it."""
        if self.settings.zero_gpu:
            raise WorkbenchError(ZERO_GPU, kind="forbidden")

    def _columns(self, spec: RunSpec, local: dict[str, Any]) -> dict[str, str]:
        """The columns to train on, after a look at the data: what would fail later is told now."""
        arguments = {
            "source": local,
            "columns": {role: column for role, column in spec.columns.items() if column},
            "caps": self.data.caps(),
            "task": spec.task,
            "options": {**spec.to_dict(), "samples": []},
        }
        seen = self.engine.call("inspect_data", arguments)
        for problem in seen["problems"]:
            if problem["level"] == "error":
                raise WorkbenchError(f"{problem['message']} {problem['fix']}", field=problem["field"])
        check_metric(spec.metric, seen["problem"])
        return {role: column for role, column in seen["suggested"].items() if column}

    def lay_down(self, plan: Plan, folder: RunFolder, visitor: Visitor) -> None:
        """Fill a run's folder; `spec.json` comes last, because with it the folder is a run."""
        folder.data.mkdir(parents=True, mode=0o700)
        folder.owner.write_text(owner_key(visitor))
        line.join(folder)
        spec, local = keep_data(folder, plan.spec, plan.local)
        inputs = {
            "model": str(plan.model),
            "data": local,
            "caps": self.data.caps(),
            "limits": {
                "seconds": self.settings.run_seconds,
                "free_disk_bytes": self.settings.free_disk_bytes,
                "model_bytes": self.settings.model_bytes,
                "memory_bytes": self.settings.trainer_bytes,
            },
            "sequence_tokens": self.settings.sequence_tokens,
            "precision_cache": str(self.settings.home / "precision.json"),
            "encoded": {"folder": str(encoded_folder(self.settings, visitor)), "bytes": self.settings.runs_bytes // 20},
        }
        write_json(folder.inputs, inputs)
        folder.append("status", status="queued", message="Waiting for its turn.")
        write_json(folder.spec, spec.to_dict())


def keep_data(folder: RunFolder, spec: RunSpec, local: dict[str, Any]) -> tuple[RunSpec, dict[str, Any]]:
    """Copy uploads, or write pasted rows, into the run's folder, where they stay as long as the run."""
    if "files" in local:
        kept = [folder.data / f"{number:05d}{Path(file).suffix.lower()}" for number, file in enumerate(local["files"])]
        for source, target in zip(local["files"], kept, strict=True):
            shutil.copyfile(source, target)
        named = {key: local[key] for key in ("names", "splits") if local.get(key)}
        inside = [f"data/{target.name}" for target in kept]
        return spec.with_(data={"files": inside, **named}), {**local, "files": [str(target) for target in kept]}
    if "file" not in local and "text" not in local:
        return spec, local
    name = str(local.get("name") or "pasted.csv")
    rows = folder.data / f"rows{Path(name).suffix.lower()}"
    if "file" in local:
        shutil.copyfile(local["file"], rows)
    else:
        rows.write_text(local["text"], encoding="utf-8")
    return spec.with_(data={"file": f"data/{rows.name}", "name": name}), {"file": str(rows), "name": name}


def kept_data(folder: RunFolder, data: dict[str, Any]) -> dict[str, Any]:
    """The data of a spec as it can be read again: what was kept in the run's folder by its whole path."""
    if "files" in data:
        return {**data, "files": [str(folder.path / file) for file in data["files"]]}
    return {**data, "file": str(folder.path / data["file"])} if "file" in data else dict(data)


def encoded_folder(settings: Settings, visitor: Visitor) -> Path:
    """Where a visitor's tokenized texts are kept, for the next run of the same data."""
    return settings.home / "encoded" / owner_key(visitor)


def owner_key(visitor: Visitor) -> str:
    """What is kept of the owner: a guest's key is a secret, so only its digest touches the disk."""
    return hashlib.sha256(visitor.owner.encode()).hexdigest()
