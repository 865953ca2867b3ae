"""A worker process, and tiny models built from configurations, for the tests of the service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Not at module level in the fixtures: `service_models` brings torch, which most tests of this folder do without.
sys.path.insert(0, str(Path(__file__).parent))

from components.service.engine import Engine
from components.service.hub import Hub, Snapshot
from components.service.settings import Settings
from components.service.visitor import Visitor

COMMIT = "0" * 40


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return Settings(home=home, cache=home / "cache", call_seconds=60.0, worker_calls=3)


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = Engine(settings)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def visitor() -> Visitor:
    return Visitor("machine")


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models of the tests lie: `local/NAME` is the folder NAME in here."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def tiny_classifier(models_folder: Path) -> Path:
    """`local/classifier`: a BERT of two layers with three labels, which reads 64 tokens."""
    from service_models import classifier

    return classifier(models_folder / "classifier")


@pytest.fixture(scope="session")
def tiny_generator(models_folder: Path) -> Path:
    """`local/generator`: a GPT-2 of two layers, which reads 128 tokens."""
    from service_models import generator

    return generator(models_folder / "generator")


@pytest.fixture(scope="session")
def hub(settings: Settings, models_folder: Path) -> Hub:
    """A Hub whose namespace `local` is a folder of this machine."""
    hub = Hub(settings)
    hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", COMMIT, models_folder / name))
    return hub
