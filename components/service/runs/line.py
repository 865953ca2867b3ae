"""The line of runs that wait. A run's place is a number in a file of its own, so that it outlives every process."""

from __future__ import annotations

import time
from collections.abc import Sequence

from components.service.errors import WorkbenchError
from components.service.runs.store import RunFolder


def join(folder: RunFolder) -> None:
    """Put a run at the end of the line, behind all that wait: also where the clock was set back since they came."""
    others = (RunFolder(path) for path in folder.path.parent.iterdir() if path.is_dir())
    folder.place.write_text(str(max(time.time_ns(), 1 + max(map(_number, others), default=0))))


def in_order(folders: Sequence[RunFolder]) -> list[RunFolder]:
    """Waiting runs, the next one first."""
    return sorted(folders, key=lambda folder: (_number(folder), folder.id))


def move(line: Sequence[RunFolder], own: Sequence[RunFolder], folder: RunFolder, place: int) -> None:
    """Put one of the owner's runs at another place in line, as near as nobody else's run is overtaken.

    The places that the owner has in the line stay theirs; their runs change places among themselves.

    Args:
        line: All that wait, in order.
        own: Those of them that are the owner's, `folder` included.
        place: The place in the whole line that is wished for; 1 is the next to start.
    """
    ids = {one.id for one in own}
    slots = [number for number, one in enumerate(line, 1) if one.id in ids]
    index = min(sum(slot < place for slot in slots), len(slots) - 1)
    others = [one for one in line if one.id in ids and one.id != folder.id]
    numbers = sorted(_number(one) for one in own)
    for number, one in zip(numbers, [*others[:index], folder, *others[index:]], strict=True):
        one.place.write_text(str(number))


def check_place(place: object) -> int:
    """A place in line as a whole number from 1 on."""
    if isinstance(place, bool) or not isinstance(place, int | float) or place < 1 or place != place // 1:
        raise WorkbenchError("A place in line is a whole number; 1 is the next to start.", field="place")
    return int(min(place, 1_000_000))


def _number(folder: RunFolder) -> int:
    try:
        return int(folder.place.read_text())
    except (OSError, ValueError):
        return 0
