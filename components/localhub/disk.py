"""Files that are whole or absent, whenever the process dies."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(file: Path, data: bytes, *, private: bool = False) -> None:
    """Replace `file` by `data` in one step, through a temporary file beside it.

    Args:
        file: Where to write; its folder exists.
        data: The new content.
        private: Whether only the owner of the process may read it.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=".part-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if not private:
            os.chmod(temporary, 0o644)
        os.replace(temporary, file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
