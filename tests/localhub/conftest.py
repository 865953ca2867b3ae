"""A real embedded Hub in a process of its own, and the real clients that talk to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from huggingface_hub import HfApi

from components.localhub import accounts_command

PROJECT = Path(__file__).parents[2]
TOKENS = {"ada": "hf_ada_secret", "bob": "hf_bob_secret", "cleo": "hf_cleo_secret", "ada reads": "hf_ada_reads"}
#: Who else the shared Hub knows: further users, a read token, and the organization `lab`.
ACCOUNTS = [
    ["add-user", "bob", "--token", TOKENS["bob"]],
    ["add-user", "cleo", "--token", TOKENS["cleo"]],
    ["add-user", "ada", "--token", TOKENS["ada"]],
    ["add-user", "ada", "--role", "read", "--token", TOKENS["ada reads"]],
    ["add-member", "lab", "ada", "--role", "admin"],
    ["add-member", "lab", "bob", "--role", "read"],
]


def pytest_configure(config: pytest.Config) -> None:
    """Accept the one warning that huggingface_hub itself causes: it streams uploads by an old argument of httpx2."""
    config.addinivalue_line("filterwarnings", "ignore:Use 'content=:DeprecationWarning")


class RunningHub:
    """An embedded Hub that a test started."""

    def __init__(self, root: Path, *options: str, user: str = "ada", env: dict[str, str] | None = None) -> None:
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-m", "components.localhub", "--root", str(root), "--user", user, *options],
            cwd=PROJECT,
            env={"PATH": os.environ["PATH"], "LOCALHUB_TOKEN": TOKENS[user], **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("localhub ready "):
            errors = self.stop()
            raise AssertionError(f"the Hub did not start: {line}{errors}")
        self.url = line.split()[-1]

    def api(self, user: str | None = "ada") -> HfApi:
        """The client of that user, or of nobody."""
        return HfApi(endpoint=self.url, token=TOKENS[user] if user else False)

    def stop(self, *, kill: bool = False) -> str:
        """End the server; gives what it wrote to stderr."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        return self.process.communicate(timeout=20)[1]


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories to publish at the start."""
    folder = tmp_path_factory.mktemp("seeds")
    reviews = folder / "datasets" / "starter" / "reviews"
    reviews.mkdir(parents=True)
    reviews.joinpath("README.md").write_text("---\nlicense: mit\nlanguage: en\n---\n# Reviews\n")
    reviews.joinpath("train.csv").write_text("text,label\ngood,1\nbad,0\nfine,1\n")
    lines = folder / "datasets" / "starter" / "lines"
    lines.mkdir()
    lines.joinpath("train.jsonl").write_text('{"text": "a", "label": 0}\n{"text": "b", "label": 1}\n')
    small = folder / "models" / "starter" / "small"
    small.mkdir(parents=True)
    small.joinpath("config.json").write_text('{"model_type": "bert", "architectures": ["BertForMaskedLM"]}')
    small.joinpath("weights.bin").write_bytes(bytes(range(256)) * 40)
    return folder


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory, seeds: Path) -> Iterator[RunningHub]:
    """One Hub for all tests that do not stop it; users `ada`, `bob` and `cleo`, organization `lab`."""
    root = tmp_path_factory.mktemp("hub")
    for arguments in ACCOUNTS:
        assert accounts_command.main(["--root", str(root), *arguments]) == 0
    running = RunningHub(root, "--seed", str(seeds))
    yield running
    errors = running.stop()
    assert "Traceback" not in errors, errors


@pytest.fixture
def start_hub(tmp_path: Path) -> Iterator[Callable[..., RunningHub]]:
    """Start a Hub of the test's own; called again, it starts over the same folder."""
    with ExitStack() as stack:

        def start(*options: str, user: str = "ada", root: Path = tmp_path / "root") -> RunningHub:
            running = RunningHub(root, *options, user=user)
            stack.callback(lambda: running.process.returncode is None and running.stop(kill=True))
            return running

        yield start


@pytest.fixture
def api(hub: RunningHub) -> HfApi:
    """The client of the user `ada`."""
    return hub.api()


@pytest.fixture
def http(hub: RunningHub) -> Iterator[httpx.Client]:
    """A bare HTTP client with the token of `ada`, for requests that the real clients refuse to send."""
    with httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {TOKENS['ada']}"}) as client:
        yield client


@pytest.fixture
def repo(api: HfApi, request: pytest.FixtureRequest) -> Iterator[str]:
    """The id of a new, empty model repository."""
    name = f"ada/test-{abs(hash(request.node.nodeid)):x}"
    api.create_repo(name)
    yield name
    api.delete_repo(name, missing_ok=True)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", str(tmp_path / "cache"))
