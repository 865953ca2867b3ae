"""Processes of the app die at any moment: nothing that was begun, made or pushed is lost, and all come back.

As many other rounds as one likes: `FAULTS=50 pytest -m long -n 0 tests/app/test_restart.py`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client

from tests.app.town import VICTIMS, Town

ROUNDS = int(os.environ.get("FAULTS", "12"))
SEED = int(os.environ.get("FAULTS_SEED", "0"))


@pytest.fixture
def town(app_in: Callable[..., Any], tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path, app_in, SEED)
    yield made
    made.close()


def test_what_was_acknowledged_outlives_a_kill_of_each_process(
    town: Town, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    at = town.ask("whoami")["hub"]
    town.strike("trainer")
    client = Client(town.app.url, verbose=False)
    (run,) = town.runs
    wait_for_run(client, run, "interrupted")
    assert town.train() == run
    for who in ("web", "hub", "worker"):
        town.strike(who)
    assert town.ask("whoami")["hub"] == at
    state = wait_for_run(Client(town.app.url, verbose=False), run)
    assert state["status"] == "finished", state
    assert town.ask("publish_run", run=run, repo="me/kept", update=True)["repo"] == "me/kept"
    said = town.ask("run_task", task="text-classification", model="me/kept", inputs="lovely thing")
    assert {row["label"] for row in said["output"]} == {"0", "1"}


@pytest.mark.long
@pytest.mark.timeout(60 + 60 * ROUNDS)
def test_what_was_acknowledged_outlives_kills_of_anybody(town: Town) -> None:
    draw = random.Random(SEED)
    for number in range(ROUNDS):
        who = draw.choice(list(VICTIMS))
        print(f"round {number}: {who}", flush=True)
        town.strike(who, within=8.0 if who == "trainer" else 1.5)


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
