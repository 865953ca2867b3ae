"""The guide and the documents: every command and every piece of code in them runs, and every link leads somewhere."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.service.runs.spec import RunSpec
from components.service.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(ROOT.glob("docs/*.md"))
BIN = Path(sys.executable).parent
#: What is not run here, by how it begins: it installs, trains or measures for long, or runs elsewhere in the tests.
#: Each program is asked whether it knows the flags.
ELSEWHERE = (
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python app.py",
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt -r tests/requirements.txt && ",
    "CI=1 bash .ci/run",
    ".venv/bin/python -m tests.bench",
    ".venv/bin/python -m components.starter",
    ".venv/bin/python -m components.deploy",
    ".venv/bin/python -m pytest",
    ".venv/bin/accelerate launch",
    "pip install pip-audit",
)
#: What trains, or starts an app of its own.
LONG = ("start_run", "components.service.runs", "subprocess.Popen")
SERVES = ".venv/bin/python -m components.localhub --root"


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    place: str
    language: str
    text: str

    def starts(self, *beginnings: str) -> bool:
        """Whether it begins so."""
        return self.text.startswith(beginnings)


def blocks() -> list[Block]:
    """Every block of every document, each text once."""
    found: dict[str, Block] = {}
    for document in DOCUMENTS:
        text = document.read_text()
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
            line = text[: match.start()].count("\n") + 1
            found.setdefault(match[2], Block(f"{document.name}:{line}", match[1], match[2]))
    return list(found.values())


def chosen(*languages: str) -> list[Any]:
    """The blocks of these languages that are run here."""
    return [
        pytest.param(one, id=one.place, marks=[pytest.mark.long] if any(word in one.text for word in LONG) else [])
        for one in blocks()
        if one.language in languages and not one.starts(*ELSEWHERE)
    ]


@pytest.fixture(scope="module")
def served(start_app: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An app as the documents start it, with its MCP server."""
    running = start_app(tmp_path_factory.mktemp("documents"), "--hub", "local", "--mcp")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the documents' commands leave their files, with the spec that they speak of."""
    folder = tmp_path_factory.mktemp("here")
    rows = "text,label\n" + "".join(f"Film {n} is warm,good\nFilm {n} is dull,bad\n" for n in range(30))
    (folder / "spec.json").write_text(
        json.dumps({"task": "text-classification", "model": "starter/encoder", "data": {"text": rows}, "epochs": 1})
    )
    return folder


@pytest.fixture(scope="module")
def classroom(folder: Path) -> Iterator[str]:
    """The port of a Hub that serves alone, started by the documents' own command."""
    (block,) = [one for one in blocks() if one.starts(SERVES)]
    port = free_port()
    text = block.text.replace(".venv/bin", str(BIN)).replace("7870", port)
    with subprocess.Popen(
        shlex.split(text), cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("localhub ready")
        yield port
        process.terminate()


def environment(**more: str) -> dict[str, str]:
    """What a command finds in its environment."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), "GIT_TERMINAL_PROMPT": "0", **more}


def put_in(text: str, app: Any, port: str = "") -> str:
    """A block with the addresses and places of this test."""
    swapped = {
        "http://127.0.0.1:7860": app.url,
        "http://127.0.0.1:PORT": hub_of(app),
        "~/.transformers-workbench": str(app.home),
        ".venv/bin": str(BIN),
        "127.0.0.1:7870": f"127.0.0.1:{port}",
        "7861": free_port(),
    }
    for written, here in swapped.items():
        text = text.replace(written, here)
    return text


def hub_of(app: Any) -> str:
    """The address of the Hub that the app uses."""
    with urllib.request.urlopen(f"{app.url}/health") as answer:
        return str(json.load(answer)["hub"])


def free_port() -> str:
    """A port of loopback that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return str(listener.getsockname()[1])


def ran(command: list[str], where: Path, **more: str) -> str:
    """What a command writes, if it ends well."""
    done = subprocess.run(command, cwd=where, env=environment(**more), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", chosen("python"))
def test_python_in_a_document_runs_and_says_something(
    block: Block, served: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = put_in(block.text, served)
    if "os.environ" not in code and "Popen" not in code:
        monkeypatch.chdir(folder)
        exec(compile(code, block.place, "exec"), {"__name__": "__main__"})
        assert capsys.readouterr().out.strip()
        return
    if "Popen" in code:
        code += "\nworkbench.terminate()\nworkbench.wait()\n"
    home = {"WORKBENCH_HOME": str(folder / "home"), "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_DISABLE_XET": "1"}
    assert ran([sys.executable, "-c", code], ROOT if "Popen" in code else folder, **home).strip()


@pytest.mark.parametrize("block", chosen("bash"))
def test_commands_in_a_document_run(block: Block, served: Any, folder: Path, classroom: str) -> None:
    if block.starts(SERVES):
        return  # it runs while the others do
    command = put_in(block.text, served, classroom)
    home = {"HF_ENDPOINT": hub_of(served), "HF_HUB_DISABLE_XET": "1"}
    assert "error" not in ran(["bash", "-euo", "pipefail", "-c", command], folder, **home).lower()


@pytest.mark.parametrize("block", [pytest.param(one, id=one.place) for one in blocks() if one.language == "json"])
def test_json_in_a_document_is_json_and_a_spec_is_one(block: Block) -> None:
    read = json.loads(block.text)
    if "task" in read:
        spec = RunSpec.from_dict(read, Settings(home=ROOT, cache=ROOT))
        assert spec.model == read["model"]


def test_what_is_not_run_here_is_in_a_document_and_its_programs_know_its_flags() -> None:
    here = {one.text for one in blocks() if one.language == "bash" and one.starts(*ELSEWHERE)}
    assert [beginning for beginning in ELSEWHERE if not any(text.startswith(beginning) for text in here)] == []
    for text in here:
        for command in re.findall(r"python (?:-m )?((?:app\.py|components\.\S+|tests\.\S+)[^&\n]*)", text):
            program, *arguments = shlex.split(command)
            asked = ["-m", program] if not program.endswith(".py") else [program]
            told = ran([sys.executable, *asked, "--help"], ROOT)
            assert [one for one in arguments if one.startswith("--") and one not in told] == []
        for file in re.findall(r"\S+\.(?:py|txt|sh)\b|\.ci/run", text):
            assert (ROOT / file).is_file(), file


def test_every_block_says_its_language() -> None:
    assert [one.place for one in blocks() if one.language not in ("python", "bash", "json", "")] == []
    # What has none is a drawing.
    assert len([one for one in blocks() if not one.language]) <= 1


def test_every_link_and_picture_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", document.read_text()):
            assert (document.parent / link.partition("#")[0]).exists(), f"{document.name}: {link}"


def test_the_guide_lists_every_flag_and_every_variable_that_counts() -> None:
    told = ran([sys.executable, "app.py", "--help"], ROOT)
    guide = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("## ")[0]
    flags = set(re.findall(r"--[a-z-]+", told)) - {"--help"}
    assert flags == set(re.findall(r"`(--[a-z-]+)", guide))
    read = (ROOT / "components" / "service" / "settings.py").read_text()
    variables = {name for name in re.findall(r'environ(?:\.get\(|\[)"(\w+)"', read) if not name.startswith("SPACE")}
    for text in (guide, told):
        assert variables <= set(re.findall(r"\b[A-Z][A-Z_]+\b", text))
