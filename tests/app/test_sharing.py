"""Pushing while training: checkpoints arrive as they are made, and a push that fails is not a run that fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from huggingface_hub import HfApi

from tests.app import town

SPEC = {**town.SPEC, "batch_size": 8}


def api_of(app: Any) -> HfApi:
    home = Path(app.home)
    return HfApi(
        endpoint=f"http://127.0.0.1:{(home / 'hub' / 'port').read_text()}", token=(home / "hub" / "token").read_text()
    )


def test_each_checkpoint_and_at_the_end_the_model_with_its_card_are_pushed(
    app: Any, client: Client, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    run = client.predict(SPEC, api_name="/start_run")["id"]
    shared = client.predict(run, "shared-live", api_name="/share_run")
    assert shared["repo"] == "me/shared-live"
    with pytest.raises(AppError, match="shared already"):
        client.predict(run, "elsewhere", api_name="/share_run")
    state = wait_for_run(client, run)
    assert state["status"] == "finished", state
    while not state["pushes"] or state["pushes"][-1]["step"] is not None:
        state = client.predict(run, api_name="/run_state")
    assert all(push["commit"] for push in state["pushes"]), state["pushes"]
    api = api_of(app)
    titles = [commit.title for commit in api.list_repo_commits("me/shared-live")]
    assert titles[0] == "End of training"
    assert any(title.startswith("Training in progress") for title in titles)
    assert {"README.md", "model.safetensors", "tokenizer.json"} <= set(api.list_repo_files("me/shared-live"))
    assert not any("optimizer" in name for name in api.list_repo_files("me/shared-live"))
    with pytest.raises(AppError, match="has ended"):
        client.predict(run, "too-late", api_name="/share_run")


def test_a_push_that_fails_leaves_the_run_alone(
    app: Any, client: Client, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    run = client.predict(SPEC, api_name="/start_run")["id"]
    client.predict(run, "shared-gone", api_name="/share_run")
    api_of(app).delete_repo("me/shared-gone")
    state = wait_for_run(client, run)
    assert state["status"] == "finished", state
    while not state["pushes"]:
        state = client.predict(run, api_name="/run_state")
    assert state["pushes"][0]["commit"] is None
    assert state["pushes"][0]["message"].endswith(".")
