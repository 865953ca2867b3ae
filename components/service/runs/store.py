"""A run on disk: one folder whose files are its whole state, written so that any process may die at any moment.

spec.json      what is asked for, complete and repeatable
inputs.json    where the web process put model and data on this machine, and the limits that hold
owner          whose run it is
events.jsonl   what happened, appended to by one writer at a time
progress.json  where training stands, replaced about once a second
process.json   process id and start time of the process that trains
stop           a request to stop; its text says how
place          where it stands in the line of runs that wait
log.txt  data/  checkpoints/  model/  card.md
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil

from components.service.disk import bytes_of
from components.service.runs.checkpoints import is_whole, step_of

_ID = re.compile(r"[A-Za-z0-9_-]{16,40}", re.ASCII)
#: Ways to stop: keep the weights as they are, keep the best so far, finish the epoch first, or keep nothing.
STOPS = ("stop", "best", "epoch", "discard")
#: Two readings of a process's start time may differ by this much, in seconds.
CLOCK = 2.0


def new_id() -> str:
    """An id that cannot be guessed; it never starts with a dash, so that it is no option on a command line."""
    # Hexadecimal: a model id must hold no two hyphens in a row and end with none.
    return "r" + secrets.token_hex(15)


def is_id(value: Any) -> bool:
    """Whether a value has the form of a run id, and so is safe as a folder's name."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file so that a reader finds the old one or the new one, never a part."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(orjson.dumps(value))
    os.replace(part, path)


def read_json(path: Path) -> Any:
    """The value of a JSON file; `None` if there is none that is whole."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.id = path.name
        self.spec = path / "spec.json"
        self.inputs = path / "inputs.json"
        self.owner = path / "owner"
        self.events_file = path / "events.jsonl"
        self.progress = path / "progress.json"
        self.process = path / "process.json"
        self.stop = path / "stop"
        self.place = path / "place"
        self.log = path / "log.txt"
        self.data = path / "data"
        self.checkpoints = path / "checkpoints"
        self.model = path / "model"

    def append(self, kind: str, **values: Any) -> None:
        """Add an event. A line that a dead writer left half written is closed first."""
        line = orjson.dumps({"kind": kind, "time": time.time(), **values}, option=orjson.OPT_SERIALIZE_NUMPY)
        with self.events_file.open("ab+") as file:
            if file.tell() and not self._ends_whole():
                line = b"\n" + line
            file.write(line + b"\n")

    def _ends_whole(self) -> bool:
        with self.events_file.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def events(self) -> Iterator[dict[str, Any]]:
        """What happened, in order; lines that are not whole are passed over."""
        try:
            lines = self.events_file.read_bytes().split(b"\n")
        except OSError:
            return
        for line in lines:
            try:
                event = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(event, dict) and isinstance(event.get("kind"), str):
                yield event

    def stamp(self) -> tuple[int, int]:
        """Changes whenever an event is added."""
        try:
            stat = self.events_file.stat()
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    def claim(self, pid: int) -> None:
        """Note which process trains."""
        write_json(self.process, {"pid": pid, "created": _created(psutil.Process(pid))})

    def pid(self) -> int | None:
        """The process that trains, if it is alive: the process id may have gone to another program since."""
        noted = read_json(self.process)
        try:
            process = psutil.Process(noted["pid"])
            same = abs(_created(process) - noted["created"]) < CLOCK
            return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (psutil.Error, TypeError, KeyError, ValueError):
            return None

    def complete_checkpoints(self) -> list[Path]:
        """Checkpoints that training can go on from, oldest first."""
        whole = [path for path in self.checkpoints.glob("checkpoint-*") if is_whole(path)]
        return sorted(whole, key=lambda path: step_of(path) or 0)

    def drop_partial_checkpoints(self) -> None:
        """Remove what a killed process left half written."""
        whole = set(self.complete_checkpoints())
        for path in self.checkpoints.glob("*"):
            if path not in whole:
                shutil.rmtree(path, ignore_errors=True)

    def bytes(self) -> int:
        """Disk space that the run takes, in bytes."""
        return bytes_of(self.path)

    def owner_key(self) -> str:
        """What stands for its owner; empty for a run by hand."""
        try:
            return self.owner.read_text()
        except OSError:
            return ""


def _created(process: psutil.Process) -> float:
    """When a process was started, in seconds, as it is told again after the clock was set."""
    # Linux counts from the start of the machine; the time of day of that start moves with the clock.
    began: float = psutil.boot_time() if psutil.LINUX else 0.0
    return float(process.create_time() - began)
