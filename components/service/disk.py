"""How much of a disk may be used."""

from __future__ import annotations

import shutil
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
