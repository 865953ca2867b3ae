"""From process start to a page that answers, and the memory then: this app against a one-button Gradio app."""

from __future__ import annotations

import sys
import tempfile
import time

import httpx

from tests.bench.app import app_command, free_port, running, started
from tests.bench.table import Goal, Row

REST = 2.0
ONE_BUTTON = """
import sys, gradio as gr
with gr.Blocks() as page:
    gr.Button("Run").click(lambda: None)
page.launch(server_port=int(sys.argv[1]), quiet=True)
"""


def up(command: list[str], port: int) -> tuple[float, float]:
    """Seconds until the page answers, and the web process's memory at rest, in MB."""
    with started(command, port) as (process, seconds):
        time.sleep(REST)  # what it still does after its first answer belongs to it
        return seconds, process.memory_info().rss / 1e6


def measure(rounds: int) -> list[Row]:
    """Both in turns; only in the first round is the data folder new."""
    stock, ours = [], []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(rounds):
            port = free_port()
            stock.append(up([sys.executable, "-c", ONE_BUTTON, str(port)], port))
            port = free_port()
            ours.append(up(app_command(port, home), port))
        with running() as other:
            hub = httpx.get(f"{other.url}/health").json()["hub"]
            port = free_port()
            beside, _ = up([*app_command(port, home), "--hub", hub], port)
    against = "a one-button Gradio app"
    (seconds, megabytes), (their_seconds, their_megabytes) = (zip(*one, strict=True) for one in (ours, stock))
    return [
        Row(
            "page up: process start to a page that answers",
            against,
            Goal(most=1.2),
            "s",
            seconds,
            their_seconds,
            "The embedded Hub with its starter models is started, too, on the same cores. Beside a Hub that was there "
            f"before, the page was up in {beside:.2f} s. Gradio is imported without its stubs for editors and without "
            "the library of MCP, which the one button's is not.",
        ),
        Row(
            "memory of the web process at rest",
            against,
            Goal(most=1.3),
            "MB",
            megabytes,
            their_megabytes,
            f"Resident, {REST:g} seconds after the page answered.",
        ),
    ]
