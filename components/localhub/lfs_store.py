"""Large files on their way to disk: written aside while their hash is computed, then moved into place or dropped."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from components.localhub.errors import HubError
from components.localhub.repositories import Repository


def store_file(repository: Repository, source: Path, oid: str) -> None:
    """Make the file `source`, whose sha256 is `oid` and which lies on the same file system, a git-lfs object."""
    target = repository.large_file(oid)
    with repository.writing():
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)


class Upload:
    """A large file on its way in: written aside while its hash is computed, then moved into place or dropped."""

    def __init__(self, repository: Repository, folder: Path, oid: str, size: int) -> None:
        self._repository = repository
        self._oid, self._size = oid, size
        self._hash = hashlib.sha256()
        self._received = 0
        descriptor, name = tempfile.mkstemp(prefix="upload-", dir=folder)
        self._stream = os.fdopen(descriptor, "wb")
        self._file = Path(name)

    def write(self, data: bytes) -> None:
        """Take the next bytes; 400 beyond the announced size."""
        self._received += len(data)
        if self._received > self._size:
            raise HubError(400, f"More than the announced {self._size} bytes were sent.")
        self._hash.update(data)
        self._stream.write(data)

    def finish(self) -> None:
        """Keep the file; 400 if it is not what was announced."""
        if self._received != self._size or self._hash.hexdigest() != self._oid:
            raise HubError(400, "The content that was sent does not have the announced size and SHA-256.")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        store_file(self._repository, self._file, self._oid)

    def close(self) -> None:
        """Drop what was not kept."""
        with suppress(OSError):  # what could not be written on a full disk is dropped now
            self._stream.close()
        self._file.unlink(missing_ok=True)
