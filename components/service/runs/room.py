"""Whether one more run may wait: nobody fills the line of runs, or the disk, for everybody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from components.service.disk import spare_disk
from components.service.errors import WorkbenchError
from components.service.runs.store import RunFolder
from components.service.settings import Settings
from components.service.sizes import in_units
from components.service.visitor import Visitor
from components.service.worker.findings import count


class Room:
    """Room for runs.

    Args:
        settings: `queued_runs`, `address_queued_runs`, `waiting_runs`, `runs_bytes` and `free_disk_bytes`.
        root: Where runs lie.
        waiting: Gives the runs that wait, of all visitors.
    """

    def __init__(self, settings: Settings, root: Path, waiting: Callable[[], Sequence[RunFolder]]) -> None:
        self._settings = settings
        self._root = root
        self._waiting = waiting
        #: Where runs were sent from, as long as they wait and this process lives.
        self._addresses: dict[str, str] = {}

    def note(self, folder: RunFolder, visitor: Visitor) -> None:
        """A run waits that was sent by this visitor."""
        self._addresses[folder.id] = visitor.address

    def check(self, visitor: Visitor, own: Sequence[RunFolder]) -> None:
        """Refuse one more run where too many wait or the disk is too full.

        Args:
            own: All runs of the visitor.

        Raises:
            WorkbenchError: Too many wait (`busy`), or they take too much of the disk (`disk`).
        """
        self._check_line(visitor, {folder.id for folder in own})
        used = sum(folder.bytes() for folder in own)
        if used >= self._settings.runs_bytes:
            raise WorkbenchError(
                f"Your runs take {in_units(used)} of disk, and {in_units(self._settings.runs_bytes)} are allowed. "
                "Delete runs that are not needed.",
                kind="disk",
            )
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        if spare_disk(self._root, self._settings.free_disk_bytes) < 0:
            raise WorkbenchError("The disk is nearly full. Delete runs that are not needed.", kind="disk")

    def _check_line(self, visitor: Visitor, own: set[str]) -> None:
        waiting = {folder.id for folder in self._waiting()}
        self._addresses = {run: address for run, address in self._addresses.items() if run in waiting}
        mine = len(waiting & own)
        if mine >= self._settings.queued_runs:
            raise WorkbenchError(
                f"You have {count(mine, 'run', 'runs')} waiting, as many as may wait here. Stop one, or wait "
                "until one ends.",
                kind="busy",
            )
        here = list(self._addresses.values()).count(visitor.address) if visitor.address else 0
        if here >= self._settings.address_queued_runs:
            raise WorkbenchError(
                f"Visitors from your address have {count(here, 'run', 'runs')} waiting, as many as may wait from one. "
                "Try again when one has ended.",
                kind="busy",
            )
        if len(waiting) >= self._settings.waiting_runs:
            raise WorkbenchError("Too many runs wait here at the moment. Try again in an hour.", kind="busy")
