"""From process start to a page that answers: this app against a one-button Gradio app, on the same machine.

    python tests/bench/page_up.py [--rounds 5]

The two are started in turns, so that what else the machine does falls on both. The app starts its embedded Hub, too.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent.parent
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


def measure(command: list[str], port: int) -> tuple[float, float]:
    """Seconds until the page answers, and the web process's memory then, in MB."""
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
        return seconds, psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Measure in turns and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    stock, ours = [], []
    with tempfile.TemporaryDirectory() as home:
        for _ in range(rounds):
            port = free_port()
            stock.append(measure([sys.executable, "-c", ONE_BUTTON, str(port)], port))
            port = free_port()
            flags = ["--hub", "local", "--port", str(port), "--home", home]
            ours.append(measure([sys.executable, "app.py", *flags], port))
    print(f"{'':28}{'one button':>12}{'this app':>12}{'ratio':>8}")
    for name, unit, i in (("page up", "s", 0), ("memory of the web process", "MB", 1)):
        one, two = statistics.median(row[i] for row in stock), statistics.median(row[i] for row in ours)
        print(f"{f'{name}, {unit}':28}{one:12.2f}{two:12.2f}{two / one:8.2f}")
    print(f"medians of {rounds} rounds, in turns")


if __name__ == "__main__":
    main()
