"""Whether a checkpoint is whole, from its files alone: nothing in them is unpickled, no weight is loaded."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import orjson

_NAME = re.compile(r"checkpoint-(\d+)", re.ASCII)
#: The random state that decided the epoch's order of rows: written last, so that all else lies there with it.
EPOCH_RNG = "epoch_rng.pth"
_STATES = ("optimizer.pt", "scheduler.pt", EPOCH_RNG)
_WEIGHTS = ("model.safetensors", "adapter_model.safetensors")
_INDEX = "model.safetensors.index.json"
#: Largest header of a safetensors file, in bytes.
HEADER = 100_000_000


def step_of(path: Path) -> int | None:
    """The step that a checkpoint's folder is named after; None if it is no checkpoint's."""
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else None


def is_whole(path: Path, *, closely: bool = False) -> bool:
    """Whether training can go on from a checkpoint: its step told, weights, optimizer, schedule and random states.

    Args:
        path: The checkpoint's folder.
        closely: Compare check sums too, which reads all bytes of the states.
    """
    try:
        state = orjson.loads((path / "trainer_state.json").read_bytes())
        if not isinstance(state, dict) or state.get("global_step") != step_of(path) or not _weights(path):
            return False
        random = list(path.glob("rng_state*.pth"))
        files = [*(path / name for name in _STATES), *random]
        return bool(random) and all(_is_archive(file, closely) for file in files)
    except (OSError, orjson.JSONDecodeError):
        return False


def _weights(path: Path) -> bool:
    if (path / _INDEX).is_file():
        index = orjson.loads((path / _INDEX).read_bytes())
        names = set(index["weight_map"].values()) if isinstance(index, dict) and "weight_map" in index else set()
        return bool(names) and all(is_safetensors(path / name) for name in names)
    found = [path / name for name in _WEIGHTS if (path / name).is_file()]
    return bool(found) and all(is_safetensors(file) for file in found)


def is_safetensors(file: Path) -> bool:
    """Whether a file has as many bytes as its header says: eight with the header's length, the header, the weights."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 0 < length <= HEADER:
            return False
        try:
            header = orjson.loads(opened.read(length))
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        except (orjson.JSONDecodeError, AttributeError, KeyError, IndexError, TypeError):
            return False
        size: int = os.fstat(opened.fileno()).st_size
    return bool(ends) and size == 8 + length + max(ends)


def _is_archive(file: Path, closely: bool) -> bool:
    """Whether what `torch.save` wrote is all there: a zip archive, whose table of contents comes last."""
    try:
        with zipfile.ZipFile(file) as archive:
            return bool(archive.infolist()) and (not closely or archive.testzip() is None)
    except zipfile.BadZipFile:
        return False
