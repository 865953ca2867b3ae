"""The running app as `gradio_client` sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from gradio_client import Client


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
