"""Which files become git-lfs objects: the `.gitattributes` patterns that the Hub gives a new repository, and size."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

ATTRIBUTES = ".gitattributes"
#: Larger files are git-lfs objects, whatever their name; in bytes.
REGULAR_BYTES = 10 * 1024**2
_RULE = "filter=lfs diff=lfs merge=lfs -text"
_COMMON = """
    *.7z *.arrow *.bin *.bz2 *.ckpt *.ftz *.gz *.h5 *.joblib *.lfs.* *.mlmodel *.model *.msgpack *.npy *.npz *.onnx
    *.ot *.parquet *.pb *.pickle *.pkl *.pt *.pth *.rar *.safetensors saved_model/**/* *.tar.* *.tar *.tflite *.tgz
    *.wasm *.xz *.zip *.zst *tfevents*
"""
_MEDIA = """
    *.aac *.avi *.flac *.gif *.jpeg *.jpg *.lz4 *.mds *.mkv *.mov *.mp3 *.mp4 *.ogg *.pcm *.png *.raw *.sam *.tiff
    *.wav *.webm *.webp
"""


def default_attributes(kind: str) -> str:
    """The `.gitattributes` of a new repository of that kind (`"models"`, `"datasets"`, `"spaces"`)."""
    patterns = (_COMMON + _MEDIA if kind == "datasets" else _COMMON).split()
    return "".join(f"{pattern} {_RULE}\n" for pattern in patterns)


def rule_for(path: str) -> str:
    """The line of `.gitattributes` that tracks exactly `path`."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path).replace(" ", "[[:space:]]") + (
        f" {_RULE}\n"
    )


class Patterns:
    """The git-lfs patterns of one `.gitattributes` file."""

    def __init__(self, attributes: str) -> None:
        rules = [line.split() for line in attributes.splitlines() if line.strip() and not line.startswith("#")]
        self._folders = _matcher(rule[0].lstrip("/") for rule in rules if "/" in rule[0] and "filter=lfs" in rule)
        self._names = _matcher(rule[0] for rule in rules if "/" not in rule[0] and "filter=lfs" in rule)

    def match(self, path: str) -> bool:
        """Whether git-lfs tracks the file at `path`."""
        return bool(self._names.fullmatch(path.rpartition("/")[2]) or self._folders.fullmatch(path))

    def large(self, path: str, size: int, sample: bytes = b"") -> bool:
        """Whether a file of `size` bytes that starts with `sample` is to be stored as a git-lfs object.

        As on the Hub, a file goes there by its name, its size, or because it is not text. An empty file never does.
        """
        return size > 0 and (size > REGULAR_BYTES or self.match(path) or b"\0" in sample)


def _matcher(patterns: Iterable[str]) -> re.Pattern[str]:
    spaced = (pattern.replace("[[:space:]]", "[ ]") for pattern in patterns)
    return re.compile("|".join(translate(pattern) for pattern in spaced) or r"(?!)")
