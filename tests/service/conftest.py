"""A worker process, and tiny models built from configurations, for the tests of the service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

# Not at module level in the fixtures: `service_models` brings torch, which most tests of this folder do without.
sys.path.insert(0, str(Path(__file__).parent))

from components.service.engine import Engine
from components.service.hub import Hub, Snapshot
from components.service.inference import Inference
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


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where models of the tests lie: `local/NAME` is the folder NAME in here."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny_classifier(models_folder: Path) -> Path:
    """`local/classifier`: a BERT of two layers with three labels, which reads 64 tokens."""
    from service_models import classifier

    return classifier(models_folder / "classifier")


@pytest.fixture(scope="module")
def tiny_generator(models_folder: Path) -> Path:
    """`local/generator`: a GPT-2 of two layers, which reads 128 tokens."""
    from service_models import generator

    return generator(models_folder / "generator")


@pytest.fixture(scope="module")
def hub(settings: Settings, models_folder: Path) -> Hub:
    """A Hub whose namespace `local` is a folder of this machine."""
    hub = Hub(settings)
    hub.add_namespace("local", lambda name, visitor: Snapshot(f"local/{name}", COMMIT, models_folder / name))
    return hub


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    """The folder with the models that a file of tests needs; the file makes them in a fixture of this name."""
    return models_folder


@pytest.fixture(scope="module")
def inference(settings: Settings, hub: Hub, engine: Engine, models: Path) -> Inference:
    """Runs tasks on the file's `models`."""
    return Inference(settings, hub, engine)


@pytest.fixture(scope="module")
def run(inference: Inference, visitor: Visitor) -> Callable[..., dict[str, Any]]:
    """`run_task` on `local/MODEL`: takes the task, the name in `models`, the inputs and the parameters."""
    return lambda task, model, *rest: inference.run_task(task, f"local/{model}", *rest, visitor=visitor)


@dataclass(frozen=True)
class LiveHub:
    """An embedded Hub in a process of its own, with people on it.

    ada may write to her own namespace and to `lab`, and only read in `club`; bob writes to his own.

    Attributes:
        settings: Settings for it.
        ada, reader, bob, nobody: Visitors: ada with a write token and with a read token, bob, and an anonymous one.
    """

    settings: Settings
    ada: Visitor
    reader: Visitor
    bob: Visitor
    nobody: Visitor


@pytest.fixture(scope="module")
def live_hub(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHub]:
    from components.localhub import accounts_command

    folder = tmp_path_factory.mktemp("live")
    root = folder / "root"
    for words in (
        "add-user ada --token hf_ada",
        "add-user ada --role read --token hf_ada_reads",
        "add-user bob --token hf_bob",
        "add-member lab ada --role write",
        "add-member lab bob --role admin",
        "add-member club bob --role admin",
        "add-member club ada --role read",
    ):
        assert accounts_command.main(["--root", str(root), *words.split()]) == 0
    command = [sys.executable, "-m", "components.localhub", "--root", str(root), "--port", "0"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert address.startswith("http://"), address
        yield LiveHub(
            settings=replace(settings, endpoint=address, cache=folder / "cache"),
            ada=Visitor("user:ada", "hf_ada"),
            reader=Visitor("user:ada", "hf_ada_reads"),
            bob=Visitor("user:bob", "hf_bob"),
            nobody=Visitor("guest:x"),
        )
        process.terminate()


class Zygote:
    """A process with the heavy libraries imported, which runs each program in a fork of its own."""

    def __init__(self, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "zygote.py")],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._told() == "ready\n"

    def run(self, code: str, folder: Path) -> Any:
        """What the program leaves in `result`, run in this folder."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"code": code, "folder": str(folder)}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self._told())
        assert "error" not in answer, f"{answer['error']}\n{code}"
        return answer["result"]

    def _told(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def close(self) -> None:
        """End the process, which holds nothing that has to be put away."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Zygote]]:
    """`forks(**environ)` starts a process that runs programs in forks, with a home of its own."""
    started: list[Zygote] = []

    def start(**environ: str) -> Zygote:
        home = str(tmp_path_factory.mktemp("home"))
        started.append(Zygote(HOME=home, OMP_NUM_THREADS="1", HF_HUB_DISABLE_TELEMETRY="1", **environ))
        return started[-1]

    yield start
    for zygote in started:
        zygote.close()


@pytest.fixture(scope="session")
def run_snippet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Runs a snippet in a process of its own and gives what it left in `result`; files are put beside it by name."""
    zygote = Zygote(HOME=str(tmp_path_factory.mktemp("snippets")), HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")

    def run(code: str, **files: Path) -> Any:
        folder = tmp_path_factory.mktemp("snippet")
        for file in files.values():
            copy = shutil.copytree if file.is_dir() else shutil.copyfile
            copy(file, folder / file.name)
        return zygote.run(code, folder)

    yield run
    zygote.close()
