"""The whole circle through the API: run, look inside, fine-tune, document, publish, run what was published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from gradio_client import Client

COURSE = "I've been waiting for a HuggingFace course my whole life."


@pytest.mark.long
def test_a_person_takes_a_model_all_the_way_round(
    app: Any, client: Client, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    who = client.predict(api_name="/whoami")
    assert who["name"] == "me"

    found = client.predict("sentiment", "text-classification", api_name="/search_models")
    model = found[0]["id"]
    assert model == "starter/sentiment"
    assert client.predict(model, api_name="/model_facts")["family"] == "encoder"

    said = client.predict("sentiment-analysis", model, COURSE, api_name="/run_task")
    assert said["output"][0]["label"] == "positive"
    inside = client.predict("text-classification", model, COURSE, api_name="/run_stages")
    assert [stage["name"] for stage in inside["stages"]] == ["preprocess", "forward", "postprocess"]
    seen = client.predict(model, COURSE, api_name="/tokenize")
    assert seen["matches_encode"]
    back = client.predict(model, [token["id"] for token in seen["tokens"]], api_name="/decode")
    assert "waiting for a" in back["text"]

    data = {"dataset": "starter/reviews"}
    looked = client.predict(data, api_name="/inspect_data")
    assert looked["suggested"]["text"] == "text"
    assert looked["suggested"]["label"] == "label"
    spec = {
        "task": "text-classification",
        "model": "starter/encoder",
        "data": data,
        "columns": {"text": "text", "label": "label"},
        "epochs": 1,
        "batch_size": 64,
        "learning_rate": 5e-4,
        "samples": [COURSE, "I hate this so much!"],
    }
    started = client.predict(spec, api_name="/start_run")
    state = wait_for_run(client, started["id"])
    assert state["status"] == "finished", state
    assert state["eval"][-1]["accuracy"] > 0.8
    tried = client.predict(state["id"], [COURSE], api_name="/try_run")
    assert tried["rows"][0]["after"][0]["label"] == "positive"
    own = client.predict("text-classification", state["model"], COURSE, api_name="/run_task")
    assert own["output"][0]["label"] == "positive"

    card = client.predict(state["model"], api_name="/draft_card")["text"]
    errors = [p for p in client.predict(card, api_name="/check_card")["problems"] if p["level"] == "error"]
    assert errors == []
    author = [
        {"field": "license", "value": "cc-by-4.0"},
        {"field": "language", "value": ["en", "sw"]},
        {"section": "Limitations and bias", "text": "Tried on short reviews only."},
    ]
    card = client.predict(card, author, api_name="/edit_card")["text"]
    published = client.predict(state["id"], "journey", card, api_name="/publish_run")
    assert published["repo"] == "me/journey"
    assert published["private"] is True
    assert "model.safetensors" in published["files"]

    filters = ("journey", "text-classification", "sw", "transformers", "cc-by-4.0")
    assert [row["id"] for row in client.predict(*filters, api_name="/search_models")] == ["me/journey"]
    assert client.predict(*filters[:2], "de", api_name="/search_models") == []
    states = {one["state"] for one in client.predict(card, state["id"], api_name="/card_sources")["sources"]}
    assert states == {"same"}, "the repository's name is not a fact of the run"

    again = client.predict("text-classification", "me/journey", COURSE, api_name="/run_task")
    assert again["commit"] == published["commit"]
    assert again["output"] == own["output"]
    assert _label_from_outside(app, "me/journey") == "positive"


def _label_from_outside(app: Any, repo: str) -> str:
    """What somebody else's process says, with nothing but the Hub's address and a token."""
    code = (
        "import json, sys; from transformers import pipeline;"
        f"print(json.dumps(pipeline('text-classification', {repo!r})({COURSE!r})))"
    )
    environ = {
        **os.environ,
        "HF_ENDPOINT": (app.home / "hub" / "port").read_text().join(["http://127.0.0.1:", ""]),
        "HF_TOKEN": (app.home / "hub" / "token").read_text(),
        "HF_HOME": str(app.home / "outside"),
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout.splitlines()[-1])[0]["label"])
