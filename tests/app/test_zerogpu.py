"""The app with the platform's package `spaces` switched on, against a device API that lends what is not there.

All is real but the GPU: the package has no torch to prepare one with, and the fork computes on the processor.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

BOOT = """
import os, sys
from dataclasses import replace
import app
from components.service.settings import read_settings
settings, hub = app.find_hub(replace(read_settings(os.environ, app.arguments()), lent_bytes=1))
app.set_switches(settings)
sys.modules["torch"] = None  # that of a processor is none that the package knows how to prepare
import spaces
del sys.modules["torch"]
from components.page import serve
hub.wait()
serve(settings)
"""


class Devices(ThreadingHTTPServer):
    """What lends GPUs on the platform.

    Attributes:
        asked: The path and query of each request, in order.
        idle: Whether the next call may have the process that had the GPU before.
        left: Whether there is any time left to be lent.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.idle = False
        self.left = True

    def since(self, begin: int) -> list[str]:
        """The paths asked for since there were `begin` of them."""
        return [path for path, _ in self.asked[begin:]]


class Handler(BaseHTTPRequestHandler):
    server: Devices

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        self.server.asked.append((url.path, {name: one for name, (one, *_) in parse_qs(url.query).items()}))
        status, said = 200, {}
        if url.path == "/schedule" and not self.server.left:
            status, said = 429, {"left": 0, "wait": 3600}
        elif url.path == "/schedule":
            said = {"idle": self.server.idle, "nvidiaIndex": 0, "nvidiaUUID": "GPU-0", "allowToken": "allowed"}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture(scope="module")
def devices() -> Iterator[Devices]:
    server = Devices()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def zero(start_app: Callable[..., Any], devices: Devices, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The app as on ZeroGPU, for which every model is a large one."""
    home = tmp_path_factory.mktemp("zero")
    (home / "cgroup").write_text("0::/space\n")
    running = start_app(
        home,
        "--hub",
        "local",
        program=("-c", BOOT),
        SPACES_ZERO_GPU="true",
        SPACES_ZERO_DEVICE_API_URL=f"http://127.0.0.1:{devices.server_port}",
        ZEROGPU_PROC_SELF_CGROUP_PATH=str(home / "cgroup"),
    )
    yield running
    running.stop()


def test_the_platform_is_told_at_the_start_that_there_is_work_for_a_gpu(zero: Any, devices: Devices) -> None:
    assert devices.asked[0][0] == "/startup-report"


def test_a_large_model_computes_in_a_fork_that_serves_the_next_call_too(zero: Any, devices: Devices) -> None:
    begin, client = len(devices.asked), Client(zero.url, verbose=False)
    asked = ("text-classification", "starter/sentiment", "A lovely day")
    first = client.predict(*asked, api_name="/run_task")
    assert first["output"][0]["label"] == "positive"
    assert devices.since(begin) == ["/schedule", "/allow", "/release"]
    assert devices.asked[begin][1]["durationSeconds"] == str(120 + 30)
    fork = int(devices.asked[begin + 1][1]["pid"])
    assert fork in [child.pid for child in psutil.Process(zero.process.pid).children()]
    assert "components.service.worker" not in psutil.Process(fork).cmdline()
    devices.idle = True
    stages = client.predict(*asked, api_name="/run_stages")
    assert stages["load_seconds"] == 0
    assert devices.since(begin)[3:] == ["/schedule", "/release"]


def test_what_a_model_cannot_do_is_told_through_the_fork(zero: Any) -> None:
    with pytest.raises(AppError, match=r"\[MASK\]"):
        Client(zero.url, verbose=False).predict("fill-mask", "starter/masks", "No mask", api_name="/run_task")


def test_where_no_gpu_is_lent_the_platform_s_sentence_is_told(zero: Any, devices: Devices) -> None:
    devices.left = False
    with pytest.raises(AppError, match=r"ZeroGPU lent no GPU for this model, and says: .*GPU limit.* runs without one"):
        Client(zero.url, verbose=False).predict("text-classification", "", "A lovely day", api_name="/run_task")
    devices.left = True


def test_a_program_that_has_no_minutes_is_served_by_a_worker_that_sees_no_gpu(zero: Any, devices: Devices) -> None:
    begin = len(devices.asked)
    address = f"{zero.url}/inference/text-classification/starter/sentiment"
    assert httpx.post(address, json={"inputs": "A lovely day"}, timeout=60).json()[0][0]["label"] == "positive"
    assert devices.since(begin) == []
    workers = [
        one for one in psutil.Process(zero.process.pid).children() if "components.service.worker" in one.cmdline()
    ]
    assert [one.environ()["CUDA_VISIBLE_DEVICES"] for one in workers] == [""]


def test_nothing_is_trained_there(zero: Any) -> None:
    with pytest.raises(AppError, match="Hugging Face Jobs"):
        Client(zero.url, verbose=False).predict({"task": "text-classification"}, api_name="/start_run")
