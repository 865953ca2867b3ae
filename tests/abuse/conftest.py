"""A public app over a real embedded Hub that keeps a log of its requests and fails when told to, and its visitors."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.localhub import accounts_command

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "components" / "starter" / "repos" / "models" / "starter"
#: One weight of one number, as a safetensors file.
_HEADER = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
WEIGHT = struct.pack("<Q", len(_HEADER)) + _HEADER + bytes(4)
CONFIG = json.loads((STARTER / "sentiment" / "config.json").read_text())
CODE = {"AutoModel": "modeling.Evil"}

#: Repositories of a stranger's, by name: files beside those of a real classifier, or in their place.
HOSTILE: dict[str, dict[str, bytes | str | None]] = {
    "remote-code": {"config.json": json.dumps({**CONFIG, "auto_map": CODE}), "modeling.py": "raise SystemExit('ran')"},
    "nested-code": {"config.json": json.dumps({**CONFIG, "parts": [{"deep": {"auto_map": CODE}}]})},
    "tokenizer-code": {"tokenizer_config.json": json.dumps({"auto_map": {"AutoTokenizer": ["t.Evil", None]}})},
    "kernel": {"config.json": json.dumps({**CONFIG, "attn_implementation": "mallory/kernel"})},
    "pickle": {"model.safetensors": None, "pytorch_model.bin": b"\x80\x04cos\nsystem\n(S'true'\ntR."},
    "beside": {"pytorch_model.bin": b"\x80\x04cos\nsystem\n(S'true'\ntR.", "extra.pkl": b"\x80\x04."},
    "climbing-index": {
        "model.safetensors": None,
        "model-00001-of-00001.safetensors": WEIGHT,
        "model.safetensors.index.json": json.dumps({"weight_map": {"w": "../../../../etc/passwd"}}),
    },
    "config-bomb": {"config.json": json.dumps({**CONFIG, "vocab_size": 200_000_000})},
    "layer-bomb": {"config.json": json.dumps({**CONFIG, "num_hidden_layers": 10**6})},
    "many-files": {f"{number}.txt": "x" for number in range(201)},
    "odd-weights": {"model.safetensors": b"\xff" * 64},
    "hostile-names": {
        "config.json": json.dumps(
            {**CONFIG, "id2label": {"0": "<img src=x onerror=alert(1)>", "1": "\u202egood"}, "label2id": None}
        )
    },
}


class Caller:
    """Somebody who sends requests to the app, with the cookies of a browser of their own.

    Attributes:
        http: The bare client.
    """

    def __init__(self, url: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # The server ends a connection that rests for five seconds: let go of it before.
        limits = httpx.Limits(keepalive_expiry=2)
        self.http = httpx.Client(base_url=url, headers=headers, timeout=180, limits=limits)

    def call(self, endpoint: str, **arguments: Any) -> tuple[str, Any]:
        """One call of a named endpoint: `("complete", value)`, or `("error", sentence)`."""
        posted = self.http.post(f"/gradio_api/call/v2/{endpoint}", json=arguments)
        if posted.status_code != 200:
            return "error", posted.text
        return self._end(f"/gradio_api/call/{endpoint}/{posted.json()['event_id']}")

    def _end(self, address: str) -> tuple[str, Any]:
        # A call that takes long is preceded by heartbeats.
        kind, data = self.http.get(address).text.strip().split("\n\n")[-1].split("\n")[:2]
        value = json.loads(data.removeprefix("data: "))
        if kind == "event: complete":
            return "complete", value[0]
        return "error", value["error"] if isinstance(value, dict) else str(value)

    def ask(self, endpoint: str, **arguments: Any) -> Any:
        """What a call gives."""
        kind, value = self.call(endpoint, **arguments)
        assert kind == "complete", value
        return value

    def refused(self, endpoint: str, **arguments: Any) -> str:
        """The sentence that a call is refused with."""
        kind, value = self.call(endpoint, **arguments)
        assert kind == "error", value
        return str(value)

    def run(self, task: str, model: str, inputs: Any, **parameters: Any) -> httpx.Response:
        """A task over the Inference API."""
        body = {"inputs": inputs, **({"parameters": parameters} if parameters else {})}
        return self.http.post(f"/inference/{task}/{model}", json=body)

    def event(self, function: int, data: list[Any], session: str) -> dict[str, Any]:
        """An event of the page, as the browser sends it; gives its last message."""
        sent = {"data": data, "fn_index": function, "session_hash": session}
        posted = self.http.post("/gradio_api/queue/join", json=sent)
        assert posted.status_code == 200, posted.text
        last: dict[str, Any] = {}
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
            for line in lines.iter_lines():
                message = json.loads(line.removeprefix("data: ")) if line else {}
                if message.get("msg") == "process_completed":
                    last = message
                if message.get("msg") == "close_stream":
                    break
        return last


@dataclass(frozen=True)
class Street:
    """The app where strangers meet, and the Hub that it uses.

    Attributes:
        app: The running app, in public, with the owner's token in its environment.
        hub: Asks the Hub itself, as nobody.
        tokens: The token of each person: ada, bob and the owner of the machine.
        ada, bob, guest: Two people with tokens, and a browser without an account.
        open: What is closed at the end.
    """

    app: Any
    hub: httpx.Client
    tokens: dict[str, str]
    ada: Caller
    bob: Caller
    guest: Caller
    open: ExitStack

    def digest(self, name: str) -> str:
        """How the Hub's log writes somebody's token."""
        return hashlib.sha256(self.tokens[name].encode()).hexdigest()[:12]

    def log(self) -> list[dict[str, Any]]:
        """What the Hub was asked since the last call of this."""
        listed: list[dict[str, Any]] = self.hub.delete("/test/requests").json()
        return listed

    def address(self) -> str:
        """Where the Hub is."""
        return str(self.hub.base_url).rstrip("/")

    def another(self, name: str = "") -> Caller:
        """A new browser, of somebody with a token or of nobody."""
        caller = Caller(self.app.url, self.tokens[name] if name else "")
        self.open.enter_context(caller.http)
        caller.http.get("/health")  # which gives it its cookie
        return caller


def _seed(folder: Path) -> Path:
    for name in ("sentiment", "encoder", "stories", "pictures"):
        shutil.copytree(STARTER / name, folder / "models" / "starter" / name)
    for name, changes in HOSTILE.items():
        made = folder / "models" / "mallory" / name
        shutil.copytree(STARTER / "sentiment", made)
        for file, content in changes.items():
            if content is None:
                (made / file).unlink()
            else:
                (made / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory, start_app: Callable[..., Any]) -> Iterator[Street]:
    folder = tmp_path_factory.mktemp("street")
    tokens = {name: f"hf_{secrets.token_hex(17)}" for name in ("ada", "bob", "owner")}
    for name, token in tokens.items():
        arguments = ["--root", str(folder / "root"), "add-user", name, "--token", token]
        assert accounts_command.main(arguments) == 0
    command = [sys.executable, "-m", "components.localhub", "--root", str(folder / "root"), "--test"]
    with subprocess.Popen(
        [*command, "--seed", str(_seed(folder / "seed")), "--with-parent"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        hub = process.stdout.readline().split()[-1]
        assert hub.startswith("http"), hub
        # What an owner may have set, by mistake or by the platform: the app has to stand above it.
        careless = {
            "HF_TOKEN": tokens["owner"],
            "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0",
            "DISABLE_SAFETENSORS_CONVERSION": "0",
            "GRADIO_ANALYTICS_ENABLED": "True",
            "OAUTH_CLIENT_SECRET": "the space's own secret",
            "GRADIO_TEMP_DIR": str(folder / "uploads"),
        }
        app = start_app(folder / "home", "--hub", hub, "--host", "0.0.0.0", **careless)
        with ExitStack() as stack:
            client = stack.enter_context(httpx.Client(base_url=hub))
            callers = {name: Caller(app.url, tokens.get(name, "")) for name in ("ada", "bob", "guest")}
            for caller in callers.values():
                stack.enter_context(caller.http).get("/health")
            yield Street(app, client, tokens, **callers, open=stack)
        app.stop()
        process.terminate()


@pytest.fixture
def spoil(street: Street) -> Iterator[Callable[..., None]]:
    """`spoil(path=..., status=...)` makes the Hub fail; all is well again at the end."""

    def add(**fault: Any) -> None:
        assert street.hub.post("/test/faults", json=fault).status_code == 200

    yield add
    street.hub.delete("/test/faults")


def environment_of(pid: int) -> dict[str, str]:
    """What a process was started with, as the system tells it."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return dict(pair.decode().partition("=")[::2] for pair in pairs if pair)


@pytest.fixture
def environ_of() -> Callable[[int], dict[str, str]]:
    """What a process was started with; skipped where the system does not tell."""
    if not os.path.exists("/proc/self/environ"):
        pytest.skip("This system does not tell what a process was started with.")
    return environment_of
