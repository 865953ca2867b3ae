"""The running app as `gradio_client` sees it."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from gradio_client import Client


class Caller:
    """A visitor of an app over plain HTTP, with the cookies of a browser of their own and, if given, a token.

    Attributes:
        http: Their browser.
        token: Their token, or None.
        endpoints: The names of the app's endpoints, as it lists them.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self.http = httpx.Client(
            base_url=url, timeout=60, headers={"Authorization": f"Bearer {token}"} if token else {}
        )
        self.token = token
        self.http.get("/")
        listed = self.http.get("/gradio_api/info").json()["named_endpoints"]
        self._defaults = {
            name.removeprefix("/"): [one.get("parameter_default") for one in said["parameters"]]
            for name, said in listed.items()
        }
        self.endpoints = list(self._defaults)
        self._sessions = threading.local()

    def call(self, endpoint: str, *arguments: Any) -> Any:
        """What a call gives; a refusal is its sentence."""
        return self.read(endpoint, self.send(endpoint, *arguments))

    def send(self, endpoint: str, *arguments: Any) -> str:
        """Begin a call; gives its id."""
        data = [*arguments, *self._defaults[endpoint][len(arguments) :]]
        if not hasattr(self._sessions, "mine"):
            # A session of its own for each call would cost more than the call; one for two at once mixes their answers.
            self._sessions.mine = uuid.uuid4().hex
        body = {"data": data, "session_hash": self._sessions.mine}
        return self.http.post(f"/gradio_api/call/{endpoint}", json=body).raise_for_status().json()["event_id"]

    def send_raw(self, endpoint: str, body: bytes) -> Any:
        """What a call gives whose body is given as bytes."""
        sent = self.http.post(
            f"/gradio_api/call/{endpoint}", content=body, headers={"Content-Type": "application/json"}
        )
        return self.read(endpoint, sent.raise_for_status().json()["event_id"])

    def read(self, endpoint: str, event: str) -> Any:
        """What a call that was begun gives."""
        events = self.told(f"/gradio_api/call/{endpoint}/{event}")
        # A call that takes long is preceded by heartbeats.
        kind, data = [*events.strip().split("\n\n")[-1].split("\n"), ""][:2]
        try:
            value = json.loads(data.removeprefix("data: "))
        except ValueError:
            return events
        return value[0] if kind == "event: complete" else value

    def told(self, path: str, **query: str) -> str:
        """What a stream of events says until it ends; one of a session that is not there is broken off."""
        said = ""
        with self.http.stream("GET", path, params=query) as lines, suppress(httpx.RemoteProtocolError):
            for part in lines.iter_text():
                said += part
        return said

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file; gives its path on the server."""
        sent = self.http.post("/gradio_api/upload", files={"files": (name, content)})
        return sent.raise_for_status().json()[0]

    def number(self, endpoint: str) -> int:
        """The number of an endpoint, as the page calls it."""
        listed = self.http.get("/config").json()["dependencies"]
        return next(one["id"] for one in listed if one["api_name"] == endpoint)


@pytest.fixture(scope="session")
def public(start_app: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A public app, as on a Space, on the embedded Hub."""
    running = start_app(tmp_path_factory.mktemp("public"), "--hub", "local", "--host", "0.0.0.0")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def caller() -> Iterator[Callable[..., Caller]]:
    """`caller(app, token=None)`: a visitor of an app."""
    made: list[Caller] = []

    def visit(app: Any, token: str | None = None) -> Caller:
        made.append(Caller(app.url, token))
        return made[-1]

    yield visit
    for one in made:
        one.http.close()


@pytest.fixture
def client(app: Any) -> Client:
    """A client of the session's app."""
    return Client(app.url, verbose=False)


@pytest.fixture
def wait_for_run() -> Callable[..., dict[str, Any]]:
    """Follow a run until it is in one of the given states; gives its last state."""

    def wait(client: Client, run: str, *statuses: str, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        state: dict[str, Any] = {}
        while time.monotonic() < deadline:
            state = client.predict(run, api_name="/run_state")
            if state["status"] in (statuses or ("finished", "failed", "stopped", "interrupted")):
                return state
            time.sleep(0.3)
        raise AssertionError(f"The run is still {state.get('status')}: {state.get('message')}")

    return wait
