"""From process start to a page that answers, and the memory then: this app against a one-button Gradio app.

python -m tests.bench --only page_up
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import psutil

from tests.bench.machine import ROOT
from tests.bench.table import Goal, Row

REST = 2.0
ONE_BUTTON = """
import sys, gradio as gr
with gr.Blocks() as page:
    gr.Button("Run").click(lambda: None)
page.launch(server_port=int(sys.argv[1]), quiet=True)
"""


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(command: list[str], port: int) -> tuple[float, float]:
    """Seconds until the page answers, and the web process's memory at rest, in MB."""
    environ = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                    answer.read()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None:
                    raise SystemExit(f"{command} ended with status {process.returncode}") from None
                time.sleep(0.01)
        seconds = time.perf_counter() - began
        time.sleep(REST)  # what it still does after its first answer belongs to it
        return seconds, psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        process.terminate()
        process.wait()


def measure(rounds: int) -> list[Row]:
    """Both in turns; the data folder is new in the first round alone, as it is for a person."""
    stock, ours = [], []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(rounds):
            port = free_port()
            stock.append(start([sys.executable, "-c", ONE_BUTTON, str(port)], port))
            port = free_port()
            flags = ["--hub", "local", "--port", str(port), "--home", home]
            ours.append(start([sys.executable, "app.py", *flags], port))
    against = "a one-button Gradio app"
    return [
        Row(
            "page up: process start to a page that answers",
            against,
            Goal(most=1.2),
            "s",
            [seconds for seconds, _ in ours],
            [seconds for seconds, _ in stock],
            "The embedded Hub with its starter models is started, too.",
        ),
        Row(
            "memory of the web process at rest",
            against,
            Goal(most=1.3),
            "MB",
            [megabytes for _, megabytes in ours],
            [megabytes for _, megabytes in stock],
            f"Resident, {REST:g} seconds after the page answered.",
        ),
    ]
