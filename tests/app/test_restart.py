"""The web server and its Hub die and come back: nothing that was begun, made or pushed is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

ROWS = "text,label\n" + "".join(f"{'lovely' if i % 2 else 'awful'} thing {i},{i % 2}\n" for i in range(300))


def test_a_run_outlives_server_and_hub_and_what_was_pushed_is_still_there(
    app_in: Callable[..., Any], tmp_path: Path, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    first = app_in(tmp_path)
    client = Client(first.url, verbose=False)
    client.predict("kept", api_name="/create_repo")
    spec = {
        "task": "text-classification",
        "model": "starter/encoder",
        "data": {"text": ROWS},
        "columns": {"text": "text", "label": "label"},
        "epochs": 2,
    }
    run = client.predict(spec, api_name="/start_run")["id"]
    at = client.predict(api_name="/whoami")["hub"]
    kill_the_hub(first, client)
    wait_for_run(client, run, "preparing", "running")
    first.process.kill()
    first.process.wait()

    second = Client(app_in(tmp_path).url, verbose=False)
    assert second.predict(api_name="/whoami")["hub"] == at
    assert [state["id"] for state in second.predict(api_name="/list_runs")] == [run]
    state = wait_for_run(second, run)
    assert state["status"] == "finished", state
    assert second.predict(run, "kept", "", True, "", True, api_name="/publish_run")["repo"] == "me/kept"
    said = second.predict("text-classification", "me/kept", "lovely thing", api_name="/run_task")
    assert {row["label"] for row in said["output"]} == {"0", "1"}


def kill_the_hub(app: Any, client: Client) -> None:
    """It is told for as long as it lasts, and the Hub is back at its address by itself."""
    (hub,) = [one for one in psutil.Process(app.process.pid).children() if "components.localhub" in one.cmdline()]
    hub.kill()
    hub.wait()
    told = set()
    while (said := state_of("me/kept", client)) != "me/kept":
        told.add(said)
    assert told
    assert all("started again by itself" in one for one in told), told


def state_of(repo: str, client: Client) -> str:
    """Its id, or why it is not told."""
    try:
        return client.predict(repo, api_name="/repo_info")["id"]
    except AppError as error:
        return str(error)


def test_a_hub_that_does_not_answer_is_replaced_by_the_embedded_one(app_in: Callable[..., Any], tmp_path: Path) -> None:
    app = app_in(tmp_path, "--hub", "auto", HF_ENDPOINT="http://127.0.0.1:9")
    who = Client(app.url, verbose=False).predict(api_name="/whoami")
    assert who["name"] == "me"
    assert who["hub"].startswith("http://127.0.0.1:")


@pytest.mark.long
def test_another_app_can_use_a_hub_by_its_address(app: Any, app_in: Callable[..., Any], tmp_path: Path) -> None:
    endpoint = Client(app.url, verbose=False).predict(api_name="/whoami")["hub"]
    other = Client(app_in(tmp_path, "--hub", endpoint).url, verbose=False)
    assert other.predict(api_name="/whoami")["name"] is None
    said = other.predict("text-classification", "starter/sentiment", "I hate this so much!", api_name="/run_task")
    assert said["output"][0]["label"] == "negative"
