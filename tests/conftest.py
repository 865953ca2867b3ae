"""Switches that the Hub's client libraries read when they are imported, and where all state of the tests goes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

os.environ |= {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "TOKENIZERS_PARALLELISM": "false",
}
for name in ("HF_TOKEN", "HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "WORKBENCH_HOME"):
    os.environ.pop(name, None)

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


@dataclass
class RunningApp:
    """The app as a person starts it, in a process of its own.

    Attributes:
        url: Address of its page.
        home: Its data folder.
        process: Its web process.
        log: What it wrote to its output.
    """

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _start_app(home: Path, *flags: str, program: tuple[str, ...] = ("app.py",), **environ: str) -> RunningApp:
    """Start `app.py`, or another program, on a free port with its data in `home`, and wait until its page answers."""
    port = free_port()
    home.mkdir(parents=True, exist_ok=True)
    log = home / "app.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, *program, "--port", str(port), "--home", str(home), *(flags or ("--hub", "local"))],
            cwd=ROOT,
            env={**os.environ, "HF_HOME": str(home / "hf"), "OMP_NUM_THREADS": "2", **environ},
            stdout=output,
            stderr=output,
        )
    app = RunningApp(f"http://127.0.0.1:{port}", home, process, log)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{app.url}/health", timeout=5):
                return app
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    app.stop()
    raise AssertionError(f"The app did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def start_app() -> Callable[..., RunningApp]:
    """`start_app(home, *flags, **environ)`, for fixtures that stop what they start."""
    return _start_app


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """One running app on the embedded Hub, for the tests that leave it as it was."""
    running = _start_app(tmp_path_factory.mktemp("app"))
    yield running
    running.stop()


@pytest.fixture
def app_in() -> Iterator[Callable[..., RunningApp]]:
    """Start apps of one's own: `app_in(home, *flags, **environ)`; those still running are stopped at the end."""
    started: list[RunningApp] = []

    def start(home: Path, *flags: str, **environ: str) -> RunningApp:
        started.append(_start_app(home, *flags, **environ))
        return started[-1]

    yield start
    for running in started:
        running.stop()
