"""What the app has fetched from the Hub: how much disk it takes, and what goes when more is to come.

In public, strangers choose what is fetched, so the repositories that were not used for longest make room for others.
Only those go that this app fetched: a cache may hold what the owner of the machine put there. On one's own machine
none goes unasked.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from components.service.disk import bytes_of, spare_disk
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.sizes import in_units

#: A repository that was used within this time may be about to be read, in seconds.
RESTING = 300.0


class Fetched:
    """The repositories on this machine that the app has fetched.

    Args:
        settings: `fetched_bytes`, `free_disk_bytes`, and whether this is a public app.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._notes = settings.home / "fetched"
        self._lock = threading.Lock()
        self._arriving: Counter[Path] = Counter()
        self._used: dict[Path, float] = {}
        self._needed: list[Callable[[], Iterable[Path]]] = []
        there = settings.cache.glob("*") if settings.public else ()
        self._others = frozenset(there) - frozenset(self._ours())

    def spare(self, needed: Callable[[], Iterable[Path]]) -> None:
        """Let what lies in the folders that `needed` gives stay where it is."""
        self._needed.append(needed)

    def use(self, folder: Path) -> None:
        """A repository's folder is read now."""
        self._used[folder] = time.monotonic()

    @contextmanager
    def arriving(self, folder: Path, size: int) -> Iterator[None]:
        """A block in which so many bytes come into a repository's folder.

        Raises:
            WorkbenchError: There is no room for them (`disk`).
        """
        with self._lock:
            if size:
                self._make_room(folder, size)
            self._arriving[folder] += size
        try:
            yield
        finally:
            with self._lock:
                self._arriving[folder] -= size
                self._arriving = +self._arriving
            self.use(folder)

    def _make_room(self, folder: Path, size: int) -> None:
        size += self._arriving.total()
        over = size - spare_disk(folder, self._settings.free_disk_bytes)
        going: list[Path] = []
        if self._settings.public:
            ours = {one: bytes_of(one) for one in self._ours()}
            over = max(over, sum(ours.values()) + size - self._settings.fetched_bytes)
            for one in sorted(ours, key=lambda one: self._used.get(one, 0.0)):
                if over > 0 and not self._is_needed(one) and one != folder:
                    going.append(one)
                    over -= ours[one]
        if over > 0:
            raise WorkbenchError(
                f"There is no room on the app's disk for the {in_units(size)} that would have to be fetched. Try again "
                "in some minutes, choose what is here already, or free some space there.",
                kind="disk",
            )
        for one in going:
            _delete(one)
            self._note(one).unlink(missing_ok=True)
        if self._settings.public and folder not in self._others:
            self._notes.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._note(folder).write_text(str(folder))

    def _is_needed(self, folder: Path) -> bool:
        if self._arriving[folder] or time.monotonic() - self._used.get(folder, -RESTING) < RESTING:
            return True
        return any(path.is_relative_to(folder) for needed in self._needed for path in needed())

    def _ours(self) -> list[Path]:
        """The folders that the app has fetched and that are still there."""
        notes = [note.read_text() for note in self._notes.glob("*")] if self._notes.is_dir() else []
        return [folder for folder in map(Path, notes) if folder.is_dir()]

    def _note(self, folder: Path) -> Path:
        return self._notes / hashlib.sha256(str(folder).encode()).hexdigest()[:32]


def _delete(folder: Path) -> None:
    """Remove a folder; what is open stays readable, and nobody finds half of it."""
    gone = folder.with_name(f".gone-{folder.name}")
    with suppress(OSError):
        folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)
