"""The folder of a run: events that were cut off are passed over, and its process is known by more than its id."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from components.service.runs.store import RunFolder, read_json, write_json


def test_a_half_written_event_is_passed_over_and_closed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.append("status", status="running")
    with folder.events_file.open("ab") as file:
        file.write(b'{"kind":"train","step":1,"lo')
    assert [event["kind"] for event in folder.events()] == ["status"]
    folder.append("train", step=2, loss=0.5)
    assert [event.get("step") for event in folder.events()] == [None, 2]


@pytest.mark.parametrize("line", [b"", b"\n\n", b"[1]\n", b"null\n", b'{"kind": 3}\n', b"\xff\xfe\n", b"\0\0\0"])
def test_odd_event_lines_are_passed_over(tmp_path: Path, line: bytes) -> None:
    folder = RunFolder(tmp_path)
    folder.events_file.write_bytes(line)
    assert list(folder.events()) == []
    folder.append("status", status="queued")
    assert [event["status"] for event in folder.events()] == ["queued"]


def test_a_process_id_that_went_to_another_program_is_not_the_trainer(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.pid() is None
    folder.claim(os.getpid())
    assert folder.pid() == os.getpid()
    noted = read_json(folder.process)
    write_json(folder.process, {**noted, "created": noted["created"] - 1000})
    assert folder.pid() is None


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a process's start is noted as a time of day")
@pytest.mark.parametrize("days", [-1, 1])
def test_a_trainer_is_known_again_after_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    from psutil import _pslinux

    folder = RunFolder(tmp_path)
    folder.claim(os.getpid())
    # Linux tells when the machine was started by the clock as it is now.
    began = psutil.boot_time()
    monkeypatch.setattr(_pslinux, "boot_time", lambda: began + days * 86_400)
    assert folder.pid() == os.getpid()
