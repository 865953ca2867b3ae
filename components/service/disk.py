"""How much of a disk is used, and may be."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def spare_disk(folder: Path, kept: int) -> int:
    """Disk space that may still be used, in bytes; less than nothing where the disk is too full already.

    Args:
        folder: Where it is to be used; it may have yet to be made.
        kept: What has to stay free, in bytes.
    """
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free - kept


def bytes_of(folder: Path) -> int:
    """What the files below a folder take, in bytes; links are not followed, and files that go meanwhile passed over."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total
