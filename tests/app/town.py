"""People who work with an app whose processes are killed at random moments, and note what it said is done."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

ROWS = "text,label\n" + "".join(f"{'lovely' if i % 2 else 'awful'} thing {i},{i % 2}\n" for i in range(300))
SPEC = {
    "task": "text-classification",
    "model": "starter/encoder",
    "data": {"text": ROWS},
    "columns": {"text": "text", "label": "label"},
    "epochs": 2,
}
#: Who may be killed, and the module that tells the process among the children of the app.
VICTIMS = {"trainer": "", "web": "", "hub": "components.localhub", "worker": "components.service.worker"}
#: Longest time until all is well again, in seconds.
RECOVERY = 120.0


class Refused(Exception):
    """A call that gave no result: refused, or broken off when a process died."""


class Town:
    """An app on its embedded Hub, and two people: one publishes card after card, one uploads file after file.

    Args:
        home: The app's data folder.
        start: Starts the app with its data there.
        seed: Says whom it hits and when.

    Attributes:
        app: The app, as it was started last.
        acknowledged: What the app said is done: the last card, and each file by its path.
        tried: Every card and file that was sent, acknowledged or not, by its path and in order.
        runs: The ids of the runs that were begun.
    """

    def __init__(self, home: Path, start: Callable[..., Any], seed: int) -> None:
        self._home = home
        self._start = start
        self._draw = random.Random(seed)
        self._number = 0
        self._http = httpx.Client(timeout=RECOVERY)
        self.app = start(home)
        self.acknowledged: dict[str, str] = {}
        self.tried: dict[str, list[str]] = {}
        self.runs: list[str] = []
        self.ask("create_repo", repo="me/kept")
        self._until_well()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def ask(self, endpoint: str, **arguments: Any) -> Any:
        """What a call gives.

        Raises:
            Refused: It gives none.
        """
        try:
            calls = f"{self.app.url}/gradio_api/call"
            posted = self._http.post(f"{calls}/v2/{endpoint}", json=arguments).raise_for_status()
            told = self._http.get(f"{calls}/{endpoint}/{posted.json()['event_id']}").text
            # A call that takes long is preceded by heartbeats.
            kind, _, data = told.strip().split("\n\n")[-1].partition("\ndata: ")
            value = orjson.loads(data)
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(repr(error)) from error
        if kind != "event: complete":
            raise Refused(str(value))
        return value[0]

    def train(self) -> str:
        """The run that is under way, or a new one, or the last one resumed."""
        if self.runs:
            state = self.ask("run_state", run_id=self.runs[-1])
            if state["status"] in ("queued", "preparing", "running"):
                return self.runs[-1]
            if state["status"] == "interrupted":
                self.ask("resume_run", run_id=self.runs[-1])
                return self.runs[-1]
            assert state["status"] == "finished", state
        self.runs.append(self.ask("start_run", spec=SPEC)["id"])
        return self.runs[-1]

    def strike(self, who: str, within: float = 1.5) -> None:
        """Kill one of the processes at some moment while everybody works, and see that all is well again.

        Args:
            who: One of `VICTIMS`.
            within: The latest that the moment may come, in seconds.
        """
        victim = self._victim(who)
        over = threading.Event()
        people = [threading.Thread(target=self._work, args=(one, over)) for one in (self._publish, self._upload)]
        for one in people:
            one.start()
        time.sleep(self._draw.uniform(0, within))  # any moment: this is what is tried
        with suppress(psutil.NoSuchProcess):  # a run may be over by then
            victim.kill()
        if who == "web":
            self.app.process.wait()
        over.set()
        for one in people:
            one.join()
        if who == "web":
            self.app = self._start(self._home)
        self._until_well()
        self.check()

    def _victim(self, who: str) -> psutil.Process:
        if who == "web":
            return psutil.Process(self.app.process.pid)
        if who == "trainer":
            run = self._home / "runs" / self.train()
            return self._until(lambda: psutil.Process(orjson.loads((run / "process.json").read_bytes())["pid"]))
        return self._until(lambda: self._child(VICTIMS[who]))

    def _child(self, module: str) -> psutil.Process:
        children = psutil.Process(self.app.process.pid).children()
        return next(one for one in children if module in one.cmdline())

    @staticmethod
    def _until(look: Callable[[], Any]) -> Any:
        """What a look gives, as soon as it gives something."""
        deadline = time.monotonic() + RECOVERY
        while True:
            try:
                return look()
            except (Refused, OSError, StopIteration, psutil.Error):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _until_well(self) -> None:
        """Every process answers again."""
        self._until(lambda: self.ask("repo_info", repo="me/kept"))
        asked = {"task": "text-classification", "model": "starter/sentiment", "inputs": "lovely"}
        assert self._until(lambda: self.ask("run_task", **asked))["output"][0]["label"] == "positive"

    def _work(self, act: Callable[[int], None], over: threading.Event) -> None:
        while not over.is_set():
            self._number += 1
            try:
                act(self._number)
            except Refused:
                over.wait(0.1)

    def _send(self, path: str, content: str, endpoint: str, **arguments: Any) -> None:
        self.tried.setdefault(path, []).append(content)
        self.ask(endpoint, repo="me/kept", **arguments)
        self.acknowledged[path] = content

    def _publish(self, number: int) -> None:
        card = f"---\nlicense: mit\n---\n# Card {number}\n\n" + f"Line of {number}.\n" * 200
        self._send("README.md", card, "push_card", text=card)

    def _upload(self, number: int) -> None:
        content = f"{number}\n" * 20_000
        try:
            sent = self._http.post(f"{self.app.url}/gradio_api/upload", files={"files": (f"{number}.txt", content)})
            path = sent.raise_for_status().json()[0]
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(repr(error)) from error
        self._send(f"{number}.txt", content, "upload_files", files=[{"file": path, "path": f"{number}.txt"}])

    def check(self) -> None:
        """Nothing that was acknowledged is lost, and nothing is there in part."""
        files = {one["name"] for one in self.ask("list_files", repo="me/kept")}
        assert self.acknowledged.keys() <= files
        for path in files & self.tried.keys():
            tried, content = self.tried[path], self._content(path)
            assert content in tried, path
            # What was sent later may have arrived although its answer did not.
            assert tried.index(content) >= tried.index(self.acknowledged.get(path, content)), path
        assert self.runs == [state["id"] for state in reversed(self.ask("list_runs"))]

    def _content(self, path: str) -> str:
        hub = self._home / "hub"
        address = f"http://127.0.0.1:{(hub / 'port').read_text()}/me/kept/resolve/main/{path}"
        token = (hub / "token").read_text().strip()
        return self._http.get(address, headers={"Authorization": f"Bearer {token}"}).raise_for_status().text
