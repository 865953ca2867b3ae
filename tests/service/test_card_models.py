"""The card of a model on the Hub that has none: drafted from its files, and followed when they change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from components.service.cards import Cards
from components.service.data import Data
from components.service.engine import Engine
from components.service.hub import Hub
from components.service.runs import Runs
from components.service.settings import Settings


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def cards(live_hub: Any, engine: Engine, home: Path) -> Iterator[Cards]:
    settings = Settings(home=home, cache=home / "cache", endpoint=live_hub.settings.endpoint)
    hub = Hub(settings)
    runs = Runs(settings, hub, engine, Data(settings, hub, engine))
    yield Cards(settings, hub, runs)
    runs.close()


@pytest.fixture
def model(live_hub: Any, tiny_classifier: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A model without a card."""
    api = HfApi(endpoint=live_hub.settings.endpoint, token="hf_ada")
    api.create_repo("ada/bare")
    api.upload_folder(repo_id="ada/bare", folder_path=tiny_classifier)
    yield "ada/bare"
    api.delete_repo("ada/bare")


def test_a_model_without_a_card_is_drafted_from_its_files_and_followed(
    cards: Cards, live_hub: Any, model: str, tiny_classifier: Path
) -> None:
    draft = cards.draft(model, visitor=live_hub.ada)
    for said in ("| Architecture | `BertForSequenceClassification` |", "| Layers | 2 |", "| Hidden size | 32 |",
                 "| Type of the weights | `F32` |", "| Special tokens | ", "| Longest input | 64 tokens |",
                 "`negative`, `neutral`, `positive`"):  # fmt: skip
        assert said in draft["text"], said
    assert not [problem for problem in draft["problems"] if problem["level"] == "error"]
    config = json.loads((tiny_classifier / "config.json").read_text())
    config["id2label"]["0"] = "bad"
    api = HfApi(endpoint=live_hub.settings.endpoint, token="hf_ada")
    api.upload_file(repo_id=model, path_or_fileobj=json.dumps(config).encode(), path_in_repo="config.json")
    cards.hub.forget()
    told = cards.card_sources(draft["text"], model, draft["sources"], visitor=live_hub.ada)["sources"]
    (stale,) = [one for one in told if one["state"] != "same"]
    assert (stale["state"], stale["fact"]) == ("stale", "config.json: id2label")
    text = cards.edit_card(draft["text"], stale["remedy"])["text"]
    assert text == draft["text"].replace("`negative`", "`bad`")
    own = cards.draft(model, visitor=live_hub.ada)["text"]
    api.upload_file(repo_id=model, path_or_fileobj=b"---\nlicense: mit\n---\n# Mine\n", path_in_repo="README.md")
    cards.hub.forget()
    with_card = cards.draft(model, visitor=live_hub.ada)
    assert (with_card["text"], with_card["sources"]) == ("---\nlicense: mit\n---\n# Mine\n", [])
    assert "`bad`" in own
