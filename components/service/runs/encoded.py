"""Tokenized texts on disk, so that a rehearsal, the run that follows and its resumption tokenize many texts once.

Each visitor's lie in a folder of their own, named by a digest of texts, tokenizer and options: nobody can learn from
the time a run takes whether somebody else has the same data. They are arrays and nothing else; none is unpickled.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

#: Fewer texts than this are tokenized sooner than they are worth a file.
FEWEST = 5_000
_ENDING = ".npz"


class Encoded:
    """One visitor's tokenized texts.

    Args:
        folder: Where they lie; beside it lie those of other visitors.
        most: What all visitors' may take together, in bytes: those that were not used for longest go first.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self.folder = folder
        self.most = most

    def get(self, key: str) -> dict[str, np.ndarray] | None:
        """The arrays that were kept under a key; None if there are none that are whole."""
        path = self.folder / f"{key}{_ENDING}"
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                found = dict(file)
            os.utime(path)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        return found

    def put(self, key: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays, unless they are too large or the disk takes no more: a run does as well without."""
        if sum(array.nbytes for array in arrays.values()) > self.most // 2:
            return
        part = self.folder / f".{key}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            return
        try:
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            part.replace(self.folder / f"{key}{_ENDING}")
            self._prune()
        except OSError:
            part.unlink(missing_ok=True)

    def _prune(self) -> None:
        files = [(file.stat(), file) for file in self.folder.parent.glob(f"*/*{_ENDING}")]
        total = sum(stat.st_size for stat, _ in files)
        for stat, file in sorted(files, key=lambda one: one[0].st_mtime_ns):
            if total > self.most:
                file.unlink(missing_ok=True)
                total -= stat.st_size


def key_of(tokenizer: Any, options: Mapping[str, Any], *texts: Sequence[str] | None) -> str:
    """40 hexadecimal digits that change with any text, with the order of texts, the tokenizer and the options."""
    backend = tokenizer.backend_tokenizer
    # How it cut and padded last is not what it is.
    backend.no_truncation()
    backend.no_padding()
    own = (type(tokenizer).__name__, tokenizer.truncation_side, tokenizer.split_special_tokens)
    versions = (version("tokenizers"), version("transformers"))
    digest = hashlib.sha256(repr((own, versions, sorted(options.items()))).encode())
    digest.update(backend.to_str().encode())
    for some in texts:
        lengths = [len(text) for text in some or ()]
        digest.update(repr((some is None, len(lengths))).encode() + np.array(lengths, dtype=np.int64).tobytes())
        digest.update("".join(some or ()).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:40]
