"""Visitors of every tab at once, for minutes, on a public app: what it refuses, how long one waits, and what grows.

    python -m tests.bench.load [--visitors 64] [--minutes 10] [--think 4] [--seed 0]

First few visitors warm the app up and give the waits to compare with, then all of them come. It fails (status 1) where
anything ends in an error that is no sentence; the rest is told in a table. Then one greedy visitor comes beside others.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

from tests.bench.app import app_command, free_port, started
from tests.bench.mix import Ask, asks
from tests.bench.table import as_text

FEW = 8
WARM_UP = 60.0
GREEDY = 100
#: How long somebody greedy waits once refused, in seconds.
PAUSE = 0.5
#: How long what was used by the last calls may take to be let go of, in seconds.
SETTLES = 20.0
SECONDS = 300.0
SORRY = "Something went wrong in the app itself"


@dataclass
class Told:
    """What visitors were answered, together.

    Attributes:
        waits: Seconds of each call that gave a result, by endpoint.
        refused: How often each sentence came, by its start.
        broken: What came that is neither.
    """

    waits: dict[str, list[float]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def p(self, share: float) -> float:
        """What that share of the calls with a result took at most, in seconds."""
        waits = sorted(one for each in self.waits.values() for one in each)
        return waits[min(len(waits) - 1, int(share * len(waits)))] if waits else float("nan")

    @property
    def count(self) -> int:
        """Calls that gave a result."""
        return sum(map(len, self.waits.values()))


@cache
def defaults(url: str) -> dict[str, list[Any]]:
    """What the arguments of each endpoint are where none is given, asked once for all visitors."""
    listed = httpx.get(f"{url}/gradio_api/info", timeout=SECONDS).json()["named_endpoints"]
    return {name[1:]: [one.get("parameter_default") for one in said["parameters"]] for name, said in listed.items()}


class Visitor:
    """One browser, which notes what it is answered.

    Args:
        cookies: Those of another window of it; without them it is a new one.
    """

    def __init__(self, url: str, told: Told, cookies: httpx.Cookies | None = None) -> None:
        # Each call has a connection of its own: those that rest are closed by the server while a visitor thinks.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._http = httpx.Client(base_url=url, timeout=SECONDS, limits=limits, cookies=cookies)
        self._url = url
        self._told = told
        if cookies is None:
            self._http.get("/health")

    @property
    def cookies(self) -> httpx.Cookies:
        """What it is known by."""
        return self._http.cookies

    def ask(self, ask: Ask) -> bool:
        """Make one call and note how it ended; gives whether with a result."""
        began = time.perf_counter()
        try:
            kind, value = self._ask(ask)
        except (httpx.HTTPError, ValueError, KeyError) as error:
            self._told.broken.append(f"{ask.endpoint}: {error!r}")
            return False
        if kind == "complete":
            self._told.waits.setdefault(ask.endpoint, []).append(time.perf_counter() - began)
        elif isinstance(value, str) and value.rstrip()[-1:] in (".", "?", ")") and SORRY not in value:
            self._told.refused[f"{ask.endpoint}: {value[:70]}"] += 1
        else:
            self._told.broken.append(f"{ask.endpoint}: {kind} {value!r}"[:300])
        return kind == "complete"

    def _ask(self, ask: Ask) -> tuple[str, Any]:
        given = list(ask.arguments)
        if ask.file:
            sent = self._http.post("/gradio_api/upload", files={"files": ("rows.csv", ask.file)}).raise_for_status()
            given = [{"file": sent.json()[0]}]
        place = f"/gradio_api/call/{ask.endpoint}"
        posted = self._http.post(place, json={"data": [*given, *defaults(self._url)[ask.endpoint][len(given) :]]})
        if posted.status_code != 200:
            return f"status {posted.status_code}", posted.json().get("detail") if posted.status_code == 503 else None
        # A call that takes long is preceded by heartbeats.
        events = self._http.get(f"{place}/{posted.json()['event_id']}").text.strip().split("\n\n")
        kind, _, data = events[-1].partition("\ndata: ")
        value = orjson.loads(data)
        if kind == "event: complete":
            return "complete", value
        return kind, value["error"] if isinstance(value, dict) else value


def crowd(url: str, visitors: int, seconds: float, think: float, seed: int) -> Told:
    """So many visitors who each ask, think and ask again for so long; gives what they were answered."""
    told, until = Told(), time.monotonic() + seconds

    def one(number: int) -> None:
        draw, visitor = random.Random(seed * 1000 + number), Visitor(url, told)
        for ask in asks(seed * 1000 + number):
            time.sleep(min(draw.expovariate(1 / think), 3 * think))  # they think
            if time.monotonic() > until:
                return
            visitor.ask(ask)

    with ThreadPoolExecutor(visitors) as pool:
        for done in [pool.submit(one, number) for number in range(visitors)]:
            done.result()
    return told


def beside_greedy(url: str, seconds: float, think: float, seed: int) -> tuple[Told, Told]:
    """Seven visitors as ever beside one who always has a hundred calls under way; gives what each side was told."""
    over, greedy = threading.Event(), Told()
    cookies = Visitor(url, greedy).cookies
    ask = Ask("run_task", ("text-classification", "starter/sentiment", "I love it " * 50))

    def grab() -> None:
        window = Visitor(url, greedy, cookies)
        while not over.is_set():
            if not window.ask(ask):
                over.wait(PAUSE)

    with ThreadPoolExecutor(GREEDY) as pool:
        grabbing = [pool.submit(grab) for _ in range(GREEDY)]
        told = crowd(url, FEW - 1, seconds, think, seed)
        over.set()
        for one in grabbing:
            one.result()
    return told, greedy


class Watched:
    """The app's processes and its data folder, looked at from outside; and what its web process says of itself."""

    def __init__(self, process: psutil.Process, home: Path, inside: Path) -> None:
        self._process = process
        self._home = home
        self._inside = inside

    def look(self) -> dict[str, float]:
        """Memory, threads and descriptors of each process, and files of each folder, by name."""
        found: dict[str, float] = {}
        for process in [self._process, *self._process.children(recursive=True)]:
            with process.oneshot():
                name = next((one for one in process.cmdline() if one.startswith("components.")), "web")
                if name == "components.service.runs":
                    continue
                found[f"{name} MB"] = process.memory_info().rss / 1e6
                found[f"{name} threads"] = process.num_threads()
                found[f"{name} descriptors"] = process.num_fds()
        for folder in sorted(self._home.iterdir()):
            found[f"files in {folder.name}"] = sum(1 for one in folder.rglob("*")) if folder.is_dir() else 1
        return found

    def held(self) -> dict[str, dict[str, int]]:
        """What the web process holds, as `inside` tells it."""
        self._inside.unlink(missing_ok=True)
        self._process.send_signal(signal.SIGUSR2)
        while not self._inside.exists():
            time.sleep(0.1)
        return dict(orjson.loads(self._inside.read_bytes()))


@contextmanager
def public_app() -> Any:
    """The app as on a Space, and its address."""
    with tempfile.TemporaryDirectory() as folder:
        port, home = free_port(), Path(folder) / "home"
        flags = [*app_command(port, str(home))[2:], "--host", "0.0.0.0"]
        command = [sys.executable, "-m", "tests.bench.inside", f"{folder}/inside.json", *flags]
        with started(command, port, HF_HOME=f"{folder}/hf", GRADIO_TEMP_DIR=str(home / "gradio")) as (process, _):
            yield f"http://127.0.0.1:{port}", Watched(process, home, Path(folder) / "inside.json")


def grown(before: dict[str, int], after: dict[str, int], least: int) -> list[list[str]]:
    """What there is more of by at least that many, the most first."""
    more = {name: count - before.get(name, 0) for name, count in after.items()}
    rows = sorted((one for one in more.items() if one[1] >= least), key=lambda one: -one[1])
    return [[name, f"{before.get(name, 0):,}", f"{after[name]:,}", f"+{count:,}"] for name, count in rows[:25]]


def summary(name: str, told: Told) -> list[str]:
    """A row of the table of waits."""
    refused, broken = sum(told.refused.values()), len(told.broken)
    return [name, f"{told.count:,}", f"{refused:,}", f"{broken:,}", f"{told.p(0.5):.2f}", f"{told.p(0.95):.2f}"]


def main() -> None:
    """Let them come, and tell what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--visitors", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--think", type=float, default=4.0, help="how long one thinks between two calls, in seconds")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    think, seed = given.think, given.seed
    with public_app() as (url, app):
        crowd(url, given.visitors, WARM_UP, think, seed + 1)
        told = {f"{FEW} visitors": crowd(url, FEW, max(60.0, given.minutes * 12), think, seed + 2)}
        looks, held = [app.look()], app.held()
        for half in range(2):
            told[f"{given.visitors} visitors, half {half + 1}"] = crowd(
                url, given.visitors, given.minutes * 30, think, seed + 3 + half
            )
            time.sleep(SETTLES)
            looks.append(app.look())
        more = app.held()
        told[f"{FEW - 1} visitors beside a greedy one"], greedy = beside_greedy(url, 60.0, think, seed + 2)
        told["the greedy one"] = greedy
        time.sleep(SETTLES)
        looks.append(app.look())
    report(told, looks, held, more)


def report(told: dict[str, Told], looks: list[dict[str, float]], held: dict[str, Any], more: dict[str, Any]) -> None:
    """Print the tables; end with status 1 where something broke."""
    show(["who", "results", "refused", "broken", "p50 s", "p95 s"], [summary(*one) for one in told.items()])
    names = sorted({name for look in looks for name in look})
    rows = [[name, *(f"{look[name]:,.0f}" if name in look else "-" for look in looks)] for name in names]
    show(["", "warm", "after half 1", "after half 2", "after the greedy one"], rows)
    for kind, least in (("objects", 200), ("containers", 1)):
        show([kind, "warm", "after", "more"], grown(held[kind], more[kind], least))
    refused = sum((one.refused for one in told.values()), Counter())
    show(["refused", "what was said"], [[f"{count:,}", said] for said, count in refused.most_common(20)])
    if broken := [f"{name}: {said}" for name, one in told.items() for said in one.broken]:
        sys.exit("\nThese broke:\n" + "\n".join(broken[:40]))


def show(headers: list[str], rows: list[list[str]]) -> None:
    """Print a table."""
    print(f"{as_text([headers, *rows])}\n", flush=True)


if __name__ == "__main__":
    main()
