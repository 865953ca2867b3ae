"""The project as a Space: what is sent, to a real embedded Hub, and what the Hub would make of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, RepoCard
from huggingface_hub.errors import EntryNotFoundError

from components.deploy import LEFT_OUT, ZERO_GPU, is_binary, stage, tracked

ROOT = Path(__file__).parents[2]
#: The scopes of the Hub's sign-in.
SCOPES = {"read-repos", "gated-repos", "contribute-repos", "write-repos", "manage-repos", "inference-api", "jobs"}
LARGEST = 10 * 1024 * 1024
TOKEN = "hf_ada_secret"


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a Space would hold."""
    folder = tmp_path_factory.mktemp("space")
    stage(ROOT, folder)
    return folder


def run(hub: Any, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The command, as a person who has signed in gives it."""
    environ = {"PATH": os.environ["PATH"], "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    environ |= {"HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "components.deploy", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


def test_a_space_gets_what_git_tracks_without_the_tests_and_again_only_what_changed(hub: Any, api: HfApi) -> None:
    done = run(hub, "ada/workbench", "--private", "--variable", "GRADIO_MCP_SERVER=true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{hub.url}/spaces/ada/workbench"
    sent = set(api.list_repo_files("ada/workbench", repo_type="space"))
    assert sent == set(tracked(ROOT)) | {".gitattributes"}
    assert not [name for name in sent if name.startswith(LEFT_OUT)]
    known = api.space_info("ada/workbench", files_metadata=True)
    assert known.sdk == "gradio"
    assert known.private
    in_git = [file.rfilename for file in known.siblings or [] if file.lfs is None]
    assert [name for name in in_git if is_binary(ROOT / name)] == []
    api.upload_file(repo_id="ada/workbench", repo_type="space", path_or_fileobj=b"old", path_in_repo="old.py")
    first = api.list_repo_commits("ada/workbench", repo_type="space")
    assert run(hub, "ada/workbench").returncode == 0
    assert len(api.list_repo_commits("ada/workbench", repo_type="space")) == len(first) + 1
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("ada/workbench", "old.py", repo_type="space")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a b"], "is no name of a Space"),
        (["bob/workbench"], "The Hub refused: "),
        (["ada/workbench", "--variable", "MCP"], "'MCP' is no variable: write NAME=VALUE"),
    ],
)
def test_what_cannot_be_deployed_is_told_in_a_sentence(hub: Any, arguments: list[str], sentence: str) -> None:
    done = run(hub, *arguments)
    assert done.returncode > 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_without_git_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is not a git checkout"):
        tracked(tmp_path)


def test_the_front_matter_is_a_space_s(staged: Path) -> None:
    data = RepoCard.load(staged / "README.md").data
    assert data.sdk == "gradio"
    pinned = dict(line.split("==") for line in (staged / "requirements.txt").read_text().splitlines() if "==" in line)
    assert data.sdk_version == next(pinned[name] for name in pinned if name.startswith("gradio["))
    assert data.python_version == "3.11"
    assert (staged / data.app_file).is_file()
    assert len(data.title) <= 60
    assert len(data.short_description) <= 60
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    assert {data.colorFrom, data.colorTo} <= colours
    assert data.hf_oauth is True
    assert set(data.hf_oauth_scopes) <= SCOPES


def test_zero_gpu_is_sent_a_python_that_it_has(staged: Path, tmp_path: Path) -> None:
    stage(ROOT, tmp_path, ZERO_GPU)
    assert RepoCard.load(tmp_path / "README.md").data.python_version == "3.12"
    text, other = ((folder / "README.md").read_text().splitlines() for folder in (staged, tmp_path))
    assert sum(one != two for one, two in zip(text, other, strict=True)) == 1


def test_nothing_that_the_hub_would_refuse_is_sent_as_text(staged: Path) -> None:
    large = {line.split()[0] for line in (staged / ".gitattributes").read_text().splitlines()}
    for file in (one for one in staged.rglob("*") if one.is_file()):
        assert file.stat().st_size <= LARGEST, file
        assert not is_binary(file) or f"*{file.suffix}" in large, file


def test_the_app_needs_nothing_but_its_requirements(staged: Path) -> None:
    lines = [line for line in (staged / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.\-]+(\[[\w,]+\])?==[\w.]+", line) for line in lines)
