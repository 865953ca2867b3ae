"""One worker process, seen from the web process: how it starts, what it is told, what it answers, how it ends."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from components.service.engine import frames
from components.service.settings import Settings

_ROOT = Path(__file__).resolve().parents[3]
_LOG_BYTES = 5 * 1024**2
_ABORT_TAIL = 4096

#: All that a worker inherits. No token, no secret of a Space, no proxy.
_INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")
_INHERITED_PREFIXES = ("CUDA_", "NVIDIA_", "MKL_", "PYTORCH_")

FIXED = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_DATASETS_OFFLINE": "1",
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "TOKENIZERS_PARALLELISM": "true",
    # Threads that wait must not spin: a training run on the same cores would crawl.
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONSAFEPATH": "1",
    "PYTHONUTF8": "1",
}


def environment(home: Path, search: tuple[Path, ...] = (), source: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The worker's environment, built from an allow-list; its home folder holds no login."""
    inherited = {
        name: value for name, value in source.items() if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }
    path = os.pathsep.join(str(folder) for folder in (_ROOT, *search))
    return {**inherited, **FIXED, "PYTHONPATH": path, "HOME": str(home), "HF_HOME": str(home / "huggingface")}


class WorkerProcess:
    """One process and the calls in flight on it.

    The thread that starts the process also reads its answers until it ends: Linux counts that thread as the parent
    whose death takes the child along, so it has to live as long as the child.

    Attributes:
        ready: Set once the worker has its libraries loaded and reads calls, or is gone.
        served: Whether it ever was ready.
        gone: Set once the process has ended and every call in flight knows it.
        ending: Why it ended: `"deadline"`, `"closed"`, `"memory"`, `"killed"`, `"crashed"`, `"unstarted"` (it never
            was ready).
        models: The models it holds, as last reported.
    """

    def __init__(
        self,
        settings: Settings,
        calls: Mapping[str, str],
        search: tuple[Path, ...],
        on_end: Callable[[WorkerProcess], None],
    ) -> None:
        self.ready = threading.Event()
        self.served = False
        self.gone = threading.Event()
        self.ending = ""
        self.models: list[dict[str, Any]] = []
        self.pid: int | None = None
        self._settings = settings
        self._calls = dict(calls)
        self._search = search
        self._on_end = on_end
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # apart from the other: a write may block until the process is killed
        self._boxes: dict[int, queue.SimpleQueue[dict[str, Any]]] = {}
        self._started: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None
        threading.Thread(target=self._live, name="worker-process", daemon=True).start()

    def open(self, number: int) -> queue.SimpleQueue[dict[str, Any]] | None:
        """A box for the answers to call `number`, or None where the process is gone."""
        box: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        with self._lock:
            if self.ending:
                return None
            self._boxes[number] = box
        return box

    def close(self, number: int) -> None:
        """Forget call `number`; where it still runs, tell the worker to stop it."""
        with self._lock:
            running = self._boxes.pop(number, None) is not None
            self._started.discard(number)
        if running:
            self.send({"cancel": number})

    def send(self, value: dict[str, Any]) -> None:
        """Send one frame. A worker that cannot be reached is about to be noticed by its reader."""
        frame = frames.pack(value)
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._writing:
            try:
                process.stdin.write(frame)
                process.stdin.flush()
            except (BrokenPipeError, ValueError):
                return

    def kill(self, ending: str) -> None:
        """End the process at once; the calls in flight are told `ending`."""
        with self._lock:
            self.ending = self.ending or ending
        if self._process is not None:
            self._process.kill()

    def _live(self) -> None:
        try:
            self._start()
            self._read()
        finally:
            self._end()

    def _start(self) -> None:
        home, logs = self._settings.home / "worker", self._settings.home / "logs"
        home.mkdir(parents=True, exist_ok=True)
        logs.mkdir(parents=True, exist_ok=True)
        log = logs / "worker.log"
        if log.exists() and log.stat().st_size > _LOG_BYTES:
            log.replace(log.with_suffix(".1.log"))
        # There is no GPU for it on ZeroGPU, however much of one is in sight.
        hidden = {"CUDA_VISIBLE_DEVICES": ""} if self._settings.zero_gpu else {}
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "components.service.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=home,
                env={**environment(home, self._search), **hidden},
            )
        self._process, self.pid = process, process.pid
        settings = {
            name: str(value) if isinstance(value, Path) else value
            for name, value in asdict(replace(self._settings, machine_token=None)).items()
        }
        self.send({"settings": settings, "calls": self._calls})
        if self.ending:
            process.kill()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        while (frame := frames.read(self._process.stdout)) is not None:
            if "models" in frame:
                self.models = frame["models"]
            elif "ready" in frame:
                self.served = True
                self.ready.set()
            else:
                self._deliver(frame)

    def _deliver(self, frame: dict[str, Any]) -> None:
        number = frame["id"]
        with self._lock:
            if "started" in frame:
                self._started.add(number)
            elif "item" not in frame:
                self._started.discard(number)
            last = "value" in frame or "error" in frame
            box = self._boxes.pop(number, None) if last else self._boxes.get(number)
        if box is not None:
            box.put(frame)

    def _end(self) -> None:
        code = None
        if self._process is not None:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.kill()
            code = self._process.wait()
            with self._writing:
                self._process.stdout.close()
                try:
                    self._process.stdin.close()
                except BrokenPipeError:
                    pass
        with self._lock:
            self.ending = self.ending or self._cause(code)
            boxes, self._boxes = self._boxes, {}
            started = self._started & boxes.keys()
        for number, box in boxes.items():
            box.put({"gone": self.ending, "suspect": number in started, "suspects": len(started)})
        self.models = []
        self.gone.set()
        self.ready.set()
        self._on_end(self)

    def _cause(self, code: int | None) -> str:
        """Why a process ended that nobody here ended. Native code that is refused memory aborts with a line in the
        log; the system kills (9) what exhausts the machine's memory, but so may a person."""
        if not self.served:
            return "unstarted"
        if code == -signal.SIGKILL:
            return "killed"
        log = self._settings.home / "logs" / "worker.log"
        if code is not None and code < 0 and log.exists():
            tail = log.read_bytes()[-_ABORT_TAIL:]
            if b"memory allocation of" in tail or b"bad_alloc" in tail:
                return "memory"
        return "crashed"
