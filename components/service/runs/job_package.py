"""What is sent to Hugging Face Jobs for a run: spec, data and the code that trains, and how the job is to run them."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from components.service.runs.groundwork import Plan, keep_data
from components.service.runs.store import RunFolder, write_json

PACKAGE = "workbench-run.zip"
LABEL = {"workbench": "run"}
#: Runs the script, which travels in the environment: as a file it would have to be stored somewhere first.
BOOT = "import os; exec(os.environ['WORKBENCH_SCRIPT'])"
#: Seconds that a job spends on its image, its libraries, the downloads and the push, at the most.
AROUND = 900.0
#: What only the page needs of the libraries that the app is pinned to.
PAGE_ONLY = ("gradio", "dulwich", "jiwer")
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Request:
    """One job as it is sent, but for the token.

    Attributes:
        plan: The run, held to the limits.
        repo: Where its model goes.
        flavor: The hardware.
        timeout: Seconds after which the job is ended.
        minutes_usd: Price of a minute; None where the Hub does not say.
    """

    plan: Plan
    repo: str
    flavor: str
    timeout: int
    minutes_usd: float | None = None

    @property
    def training_seconds(self) -> float:
        """When the training ends by itself, so that what there is can still be pushed."""
        return max(self.timeout - AROUND, self.timeout / 2)

    def arguments(self, endpoint: str) -> dict[str, Any]:
        """What `run_uv_job` is given."""
        name = re.sub(r"[^a-zA-Z0-9_-]+", "-", f"workbench-{self.repo.partition('/')[2]}")
        return {
            "script": "python",
            "script_args": ["-c", BOOT],
            "dependencies": dependencies(),
            "env": {
                "HF_ENDPOINT": endpoint,
                "WORKBENCH_REPO": self.repo,
                "WORKBENCH_PACKAGE": PACKAGE,
                "WORKBENCH_SCRIPT": script(),
            },
            "flavor": self.flavor,
            "timeout": self.timeout,
            "name": name,
            "labels": dict(LABEL),
        }


def script() -> str:
    """What runs on the job, as a text."""
    return (Path(__file__).parent / "job_script.py").read_text(encoding="utf-8")


def dependencies() -> list[str]:
    """The libraries of a training process, at the versions that this app is pinned to."""
    lines = (line.split("#")[0].strip() for line in (_ROOT / "requirements.txt").read_text().splitlines())
    return [line for line in lines if line and re.split(r"[\[=<>~!]", line)[0] not in PAGE_ONLY]


def pack(plan: Plan, seconds: float) -> bytes:
    """A zip archive with the spec, its data, its limit of time and the code that trains."""
    with tempfile.TemporaryDirectory() as made:
        folder = RunFolder(Path(made) / "run")
        folder.data.mkdir(parents=True)
        spec, _ = keep_data(folder, plan.spec, plan.local)
        write_json(folder.inputs, {"limits": {"seconds": seconds}})
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("spec.json", orjson.dumps(spec.to_dict()))
            for file in sorted(path for path in folder.path.rglob("*") if path.is_file()):
                archive.write(file, Path("run") / file.relative_to(folder.path))
            for file in _code():
                archive.write(file, file.relative_to(_ROOT))
    return packed.getvalue()


def _code() -> list[Path]:
    """The files that a training process may read: the service, with the small tables beside its modules."""
    service = _ROOT / "components" / "service"
    return [_ROOT / "components" / "__init__.py", *sorted(service.rglob("*.py")), *sorted(service.rglob("*.json"))]
