"""The `hf` command line against the embedded Hub."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def hf(hub, api, tmp_path):
    """A function that runs `hf ARGUMENTS` as the user `ada` and gives its output."""
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HF_HOME": str(tmp_path / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": api.token,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",
        "NO_COLOR": "1",
    }

    def run(*arguments, fails=False):
        command = [str(Path(sys.executable).parent / "hf"), *map(str, arguments)]
        ended = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert bool(ended.returncode) == fails, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    return run


def test_a_repository_lives_and_dies_by_the_hf_command(hf, api, tmp_path):
    assert "ada" in hf("auth", "whoami")
    hf("repos", "create", "by-hf", "--private")
    assert api.model_info("ada/by-hf").private
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "a.txt").write_text("text")
    (tmp_path / "up" / "w.bin").write_bytes(b"\0" * 5000)
    hf("upload", "ada/by-hf", tmp_path / "up")
    hf("upload", "ada/by-hf", tmp_path / "up" / "a.txt", "b.txt", "--create-pr")
    hf("download", "ada/by-hf", "--local-dir", tmp_path / "down")
    assert sorted(path.name for path in (tmp_path / "down").glob("[a-z]*")) == ["a.txt", "w.bin"]
    hf("repos", "tag", "create", "ada/by-hf", "v1")
    assert "v1" in hf("repos", "tag", "list", "ada/by-hf")
    hf("repos", "branch", "create", "ada/by-hf", "next")
    hf("repos", "settings", "ada/by-hf", "--gated", "manual")
    assert api.model_info("ada/by-hf").gated == "manual"
    assert "1" in hf("discussions", "list", "ada/by-hf")
    hf("discussions", "merge", "ada/by-hf", "1", "--yes")
    hf("repos", "delete-files", "ada/by-hf", "w.bin")
    assert sorted(api.list_repo_files("ada/by-hf")) == [".gitattributes", "a.txt", "b.txt"]
    hf("repos", "move", "ada/by-hf", "ada/moved-by-hf")
    assert "ada/moved-by-hf" in hf("models", "list", "--author", "ada", "--format", "json")
    hf("repos", "delete", "ada/moved-by-hf", "--yes")
    assert not api.repo_exists("ada/moved-by-hf")
    assert "not found" in hf("download", "ada/moved-by-hf", fails=True).lower()
