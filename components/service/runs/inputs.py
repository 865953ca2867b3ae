"""Where a run finds its model and data, and the limits that hold for it. Training process only."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.service.runs.encoded import Encoded
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder, read_json
from components.service.settings import Settings
from components.service.worker.layout import choose_files
from components.service.worker.tables import Caps

#: Files of a model repository that are fetched by hand: no pickles, no code.
MODEL_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


@dataclass(frozen=True)
class Inputs:
    """Model folder, data source on this machine (as `worker.sources.load` takes it), limits, and what is kept where for
    the next run."""

    model: Path
    data: dict[str, Any]
    caps: Caps
    limits: dict[str, float]
    sequence_tokens: int
    precision_cache: Path | None
    encoded: Encoded | None = None

    @classmethod
    def of(cls, folder: RunFolder, spec: RunSpec, settings: Settings) -> Inputs:
        """What the web process laid down, or else what is fetched from the Hub at `HF_ENDPOINT`."""
        noted = read_json(folder.inputs) or {}
        model = noted.get("model") or _model(spec)
        data = noted.get("data") or _data(folder, spec)
        caps = Caps(**noted.get("caps", {"bytes": settings.upload_bytes, "rows": settings.data_rows}))
        limits = {"seconds": settings.run_seconds, "free_disk_bytes": float(settings.free_disk_bytes)}
        limits["model_bytes"] = float(settings.model_bytes)
        limits |= noted.get("limits", {})
        cache, encoded = noted.get("precision_cache"), noted.get("encoded")
        tokens = int(noted.get("sequence_tokens", settings.sequence_tokens))
        return cls(
            Path(model),
            data,
            caps,
            limits,
            tokens,
            Path(cache) if cache else None,
            Encoded(Path(encoded["folder"]), int(encoded["bytes"])) if encoded else None,
        )


def _model(spec: RunSpec) -> str:
    from huggingface_hub import snapshot_download

    if Path(spec.model).is_dir():
        return spec.model
    return snapshot_download(spec.model, revision=spec.revision, allow_patterns=MODEL_FILES)


def _data(folder: RunFolder, spec: RunSpec) -> dict[str, Any]:
    from huggingface_hub import HfApi, snapshot_download

    if "files" in spec.data:
        paths = [_inside(folder, file) for file in spec.data["files"]]
        return {**spec.data, "files": paths, "names": spec.data.get("names") or [Path(path).name for path in paths]}
    if "file" in spec.data:
        return {**spec.data, "file": _inside(folder, spec.data["file"])}
    if "dataset" not in spec.data:
        return dict(spec.data)
    name, revision = spec.data["dataset"], spec.data.get("revision")
    chosen = {key: spec.data.get(key) for key in ("config", "split")}
    if os.path.isdir(name):
        return {"folder": name, **chosen}
    files = HfApi().list_repo_files(name, repo_type="dataset", revision=revision)
    fetch = partial(snapshot_download, name, repo_type="dataset", revision=revision)
    splits = choose_files(None, fetch(allow_patterns=["README.md"]), files, **chosen)
    wanted = [glob.escape(file) for paths in splits.values() for file in paths]
    return {"folder": fetch(allow_patterns=[*wanted, "README.md"]), "splits": splits, **chosen}


def _inside(folder: RunFolder, file: str) -> str:
    """A file that was laid into the run's folder by its whole path; any other as it is."""
    return str(folder.path / file) if (folder.path / file).is_file() else file
