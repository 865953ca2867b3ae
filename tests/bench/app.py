"""The app as a person starts it, in a process of its own, for benchmarks that go through its HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

from tests.bench.machine import ROOT

SECONDS = 600.0


@dataclass(frozen=True)
class Answer:
    """What a call gave, and how many bytes it took on the wire to the caller."""

    value: Any
    bytes: int


@dataclass
class App:
    """The running app on its embedded Hub.

    Attributes:
        url: Its address.
        home: Its data folder.
        process: Its web process.
    """

    url: str
    home: Path
    process: psutil.Process
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=SECONDS))
    _info: dict[str, Any] = field(default_factory=dict)

    def call(self, endpoint: str, *values: Any) -> Any:
        """What a named endpoint gives for these arguments, in its order."""
        return self.ask(endpoint, *values).value[0]

    def ask(self, endpoint: str, *values: Any) -> Answer:
        """The same with its size: all values in the body of the answer."""
        place = f"{self.url}/gradio_api/call/{endpoint}"
        values += tuple(self._defaults(endpoint)[len(values) :])
        body = self._http.get(f"{place}/{self._post(place, {'data': values})['event_id']}").content
        kind, _, data = body.decode().rstrip().rpartition("\n\n")[2].partition("\ndata: ")
        if kind != "event: complete":
            raise RuntimeError(f"{endpoint} answered: {body.decode()[-500:]}")
        return Answer(orjson.loads(data), len(body))

    def press(self, button: str, given: dict[str, Any]) -> Answer:
        """What the page's own handler of a click gives, as the page asks for it.

        Args:
            button: The button's element id.
            given: Values of fields by their element ids or, without one, their labels; the others are as the page
                opens.
        """
        config = self._http.get(f"{self.url}/config").json()
        parts = {part["id"]: part["props"] for part in config["components"]}
        clicked = next(one for one, props in parts.items() if props.get("elem_id") == button)
        handlers = (one for one in config["dependencies"] if [clicked, "click"] in map(list, one["targets"]))
        handler = next(one for one in handlers if one["backend_fn"])
        values = [
            given.get(parts[one].get("elem_id") or parts[one].get("label"), parts[one].get("value"))
            for one in handler["inputs"]
        ]
        session = uuid.uuid4().hex
        asked = {"data": values, "fn_index": handler["id"], "session_hash": session, "trigger_id": clicked}
        self._post(f"{self.url}/gradio_api/queue/join", asked)
        body = self._http.get(f"{self.url}/gradio_api/queue/data", params={"session_hash": session}).content
        messages = [orjson.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: ")]
        done = next(message for message in messages if message["msg"] == "process_completed")
        if not done["success"]:
            raise RuntimeError(f"{button} answered: {done['output']}")
        return Answer(done["output"]["data"], len(body))

    def _defaults(self, endpoint: str) -> list[Any]:
        """What the arguments of an endpoint are where none is given."""
        if not self._info:
            self._info = self._http.get(f"{self.url}/gradio_api/info").json()["named_endpoints"]
        return [one.get("parameter_default") for one in self._info[f"/{endpoint}"]["parameters"]]

    def _post(self, place: str, value: dict[str, Any]) -> dict[str, Any]:
        posted = self._http.post(place, content=orjson.dumps(value), headers={"content-type": "application/json"})
        posted.raise_for_status()
        return dict(posted.json())

    def push(self, folder: Path, name: str, kind: str = "model") -> str:
        """Put a folder onto the embedded Hub as a repository of its user; returns its id."""
        from huggingface_hub import HfApi

        hub = self.home / "hub"
        api = HfApi(f"http://127.0.0.1:{(hub / 'port').read_text()}", token=(hub / "token").read_text().strip())
        repo = f"{api.whoami()['name']}/{name}"
        api.create_repo(repo, repo_type=kind, exist_ok=True)
        api.upload_folder(repo_id=repo, folder_path=folder, repo_type=kind)
        return repo

    def child(self, module: str) -> psutil.Process:
        """A process that the app has started, by the module that it runs."""
        return next(one for one in self.process.children(recursive=True) if module in one.cmdline())


@contextmanager
def started(command: list[str], port: int, **environ: str) -> Iterator[tuple[psutil.Process, float]]:
    """A server in a process of its own, and the seconds until its page answered; it ends with the block."""
    settings = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", **environ}
    with tempfile.TemporaryFile() as log:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
        try:
            while not _answers(port):
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"{command} ended with status {process.returncode}: {log.read()[-2000:]!r}")
                time.sleep(0.01)
            yield psutil.Process(process.pid), time.perf_counter() - began
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    """Whether the page comes, whole."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            answer.read()
    except (urllib.error.URLError, OSError):
        return False
    return True


@contextmanager
def running() -> Iterator[App]:
    """The app with a data folder of its own, which goes when it ends."""
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        command = app_command(port, home)
        with started(command, port, HF_HOME=f"{home}/hf") as (process, _):
            yield App(f"http://127.0.0.1:{port}", Path(home), process)


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def app_command(port: int, home: str) -> list[str]:
    """How a person starts it."""
    return [sys.executable, "app.py", "--hub", "local", "--port", str(port), "--home", home]
