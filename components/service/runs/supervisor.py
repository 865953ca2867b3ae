"""Starts queued runs and notices dead ones. It keeps no state of its own: a new one reads everything from files."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections import Counter

import psutil

from components.service.engine.process import environment
from components.service.runs.line import in_order
from components.service.runs.outcomes import asked, settle
from components.service.runs.state import ACTIVE, INTERRUPTED
from components.service.runs.store import RunFolder, is_id
from components.service.settings import Settings

logger = logging.getLogger(__name__)
#: Longest wait for a dead process's last threads, in seconds.
DYING = 5.0
KILLED = "The training process was killed, most likely because the machine ran out of memory."


class Supervisor:
    """Looks after the runs under `settings.home / "runs"` in a thread of its own.

    Args:
        settings: Says how many runs train at once, of all visitors and of each.
        every: Longest time between two looks, in seconds; `wake` makes it look at once.
    """

    def __init__(self, settings: Settings, every: float = 1.0) -> None:
        self.settings = settings
        self.root = settings.home / "runs"
        self.every = every
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._statuses = Statuses()
        self._wake = threading.Event()
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Look at once; starts the thread the first time."""
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._watch, name="runs", daemon=True)
                self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """Stop looking. Runs that train go on; the next supervisor finds them."""
        self._closed.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for child in self._children.values():
            if child.poll() is None:
                # It goes on without us, so nobody here will ever wait for it.
                child.returncode = 0

    def folders(self) -> list[RunFolder]:
        """All runs on this machine, oldest first."""
        found = [path for path in self.root.glob("*") if is_id(path.name) and (path / "spec.json").is_file()]
        return [RunFolder(path) for path in sorted(found, key=lambda path: (path / "spec.json").stat().st_mtime_ns)]

    def _watch(self) -> None:
        while not self._closed.is_set():
            self._wake.clear()
            try:
                self.look()
            except OSError:
                # A full or vanished disk now may be well the next time; the page must live.
                logger.exception("Could not look after the runs.")
            self._wake.wait(self.every)

    def look(self) -> None:
        """Mark dead runs, then start queued ones while there is room."""
        with self._lock:
            self._look()

    def line(self) -> tuple[list[RunFolder], list[RunFolder]]:
        """The runs that wait, the next one first, and those that a process works on."""
        waiting, working = [], []
        for folder in self.folders():
            status = self._statuses.of(folder)
            if status in (*ACTIVE, "queued"):
                if folder.pid() is not None:
                    working.append(folder)
                elif status == "queued" and not folder.stop.exists():
                    waiting.append(folder)
        return in_order(waiting), working

    def _look(self) -> None:
        for folder in self.folders():
            status = self._statuses.of(folder)
            if status in ACTIVE:
                if folder.pid() is None:
                    self._mark(folder)
                elif asked(folder) == "discard":
                    _end(folder)
            elif folder.stop.exists():
                self._settle(folder, status)
            elif folder.id in self._children and folder.pid() is None:
                self._reap(folder)
        self._start_next()

    def _start_next(self) -> None:
        waiting, working = self.line()
        room = self.settings.running_runs - len(working)
        training = Counter(folder.owner_key() for folder in working)
        for folder in waiting:
            if room > 0 and training[folder.owner_key()] < self.settings.visitor_runs:
                self._start(folder)
                training[folder.owner_key()] += 1
                room -= 1

    @staticmethod
    def _settle(folder: RunFolder, status: str) -> None:
        if folder.pid() is None:
            if status == "queued":
                folder.append("status", status="stopped", message="Taken out of the line before it began.")
            settle(folder, status)

    def _reap(self, folder: RunFolder) -> int | None:
        """The exit status of a run's process that is gone or about to be, if it was ours; negative for a signal."""
        child = self._children.get(folder.id)
        if child is None:
            return None
        try:
            # A killed process looks dead before the last of its threads is.
            code = child.wait(DYING)
        except subprocess.TimeoutExpired:
            return None
        del self._children[folder.id]
        return code

    def _mark(self, folder: RunFolder) -> None:
        """The process is gone and said nothing of an end."""
        code = self._reap(folder)
        # It may have ended properly between the two looks at its files.
        if self._statuses.of(folder) not in ACTIVE:
            return
        if asked(folder) == "discard":
            folder.append("status", status="stopped", message="Ended and discarded, as was asked for.")
            settle(folder, "stopped")
            return
        failure = None
        message = INTERRUPTED
        if code == -signal.SIGKILL:
            message = KILLED
            advice = "Resume with a smaller batch, or close other programs first."
            failure = {"kind": "memory", "message": KILLED, "next": advice}
        elif code is not None and code > 0:
            message = f"The training process could not work (exit status {code}); its log says why."
            failure = {"kind": "code", "message": message, "next": "Read the run's log, then start again."}
        folder.append("status", status="interrupted", message=message, failure=failure)

    def _start(self, folder: RunFolder) -> None:
        with folder.log.open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, "-m", "components.service.runs", str(folder.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment(self.settings.home), "PYTHONUNBUFFERED": "1"},
                cwd=folder.path,
                start_new_session=True,
            )
        self._children[folder.id] = child
        try:
            folder.claim(child.pid)
        except psutil.NoSuchProcess:
            logger.warning("The training process of a run ended at once.")
        folder.append("status", status="preparing", message="Starting the training process.")


def _end(folder: RunFolder) -> None:
    """End a run's process, and those that it started, at once."""
    pid = folder.pid()
    try:
        if pid is not None:
            os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        # It ended by itself meanwhile, or leads no group of its own: the next look sees which.
        return


class Statuses:
    """The last status written by each run; a file that has not changed is not read again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], str]] = {}

    def of(self, folder: RunFolder) -> str:
        """The status that was last written, whatever became of the process since."""
        stamp = folder.stamp()
        known = self._known.get(folder.id)
        if known is None or known[0] != stamp:
            found = [event["status"] for event in folder.events() if event["kind"] == "status"]
            known = self._known[folder.id] = (stamp, found[-1] if found else "queued")
        return known[1]
