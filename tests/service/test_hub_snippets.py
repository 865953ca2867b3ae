"""Every snippet of sharing runs as it stands against the embedded Hub, with the login of its machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from components.service.errors import WorkbenchError
from components.service.settings import HUGGING_FACE
from components.service.snippets import snippet
from components.service.snippets.sharing import ACTIONS, WAYS

TOKEN = "hf_ada"
NOTHING = "has nothing for this"
#: What is not there in a way, told by a remark.
WITH_PUSH = {
    "create_repo", "upload_file", "upload_folder", "push_model", "card", "clone", "pull", "push", "branch"
}  # fmt: skip
#: Of those that import transformers, the one that runs in a process that has imported nothing.
FRESH = "push_model"
WITHOUT = {("push_to_hub", action) for action in ACTIONS if action not in WITH_PUSH}


@pytest.fixture(scope="module")
def api(live_hub: Any) -> HfApi:
    return HfApi(endpoint=live_hub.settings.endpoint, token=TOKEN)


@pytest.fixture
def desk(tmp_path: Path, tiny_classifier: Path) -> Path:
    """A folder to work in, as somebody has it who follows the course: a file, a model's folder, git set up."""
    shutil.copytree(tiny_classifier, tmp_path / "desk" / "my-model")
    folder = tmp_path / "desk"
    (folder / "README.md").write_text("---\ntags: [mine]\n---\n# Mine\n")
    (folder / "rows.csv").write_text("text,label\nlovely,1\nawful,0\n")
    (folder / "notes.md").write_text("Notes.\n")
    ask = tmp_path / "ask"
    ask.write_text('#!/bin/sh\ncase "$1" in Username*) echo ada;; *) echo "$HF_TOKEN";; esac\n')
    ask.chmod(0o700)
    return folder


def environ(desk: Path) -> dict[str, str]:
    home = desk.parent
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "HF_TOKEN": TOKEN,
        "GIT_ASKPASS": str(home / "ask"),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{f"GIT_{who}_{what}": "ada" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "OMP_NUM_THREADS": "2",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def run(code: str, way: str, desk: Path, *, signed_in: bool = True) -> str:
    """What a fresh process says that runs the snippet."""
    command = ["sh", "-eu", "-c", code] if way == "git" else [sys.executable, "-c", code]
    variables = {name: value for name, value in environ(desk).items() if signed_in or name != "HF_TOKEN"}
    done = subprocess.run(command, cwd=desk, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    assert TOKEN not in code
    return done.stdout


@pytest.fixture(scope="module")
def fork(live_hub: Any, forks: Any) -> Callable[[str, Path], Any]:
    """Runs Python that imports transformers or datasets in a process that has them, whose Hub the code names."""
    endpoint = live_hub.settings.endpoint
    zygote = forks(HF_ENDPOINT=endpoint, HF_HUB_DISABLE_XET="1", HF_TOKEN=TOKEN)

    def run(code: str, desk: Path) -> Any:
        assert code.index(f'os.environ["HF_ENDPOINT"] = "{endpoint}"') < code.index("\nfrom ")
        assert TOKEN not in code
        return zygote.run(code, desk)

    return run


def share(live_hub: Any, action: str, way: str, repo: str, **names: Any) -> str:
    return snippet("share", {"action": action, "way": way, "repo": repo, **names}, live_hub.settings.endpoint)


@pytest.fixture
def filled(api: HfApi, desk: Path, request: pytest.FixtureRequest) -> str:
    """A repository that has a model in it."""
    repo = f"ada/shared-{abs(hash(request.node.name)) % 10**9}"
    api.create_repo(repo)
    api.upload_folder(repo_id=repo, folder_path=desk / "my-model")
    api.upload_file(repo_id=repo, path_or_fileobj=desk / "README.md", path_in_repo="README.md")
    api.upload_file(repo_id=repo, path_or_fileobj=b"old", path_in_repo="old.txt")
    return repo


pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_snippet_runs_and_does_what_it_says(
    live_hub: Any, api: HfApi, desk: Path, filled: str, fork: Any, action: str, way: str
) -> None:
    file = {"delete_file": "old.txt", "upload_file": "notes.md"}.get(action, "README.md")
    names = {"file": file, "folder": "my-model", "query": filled.partition("/")[2], "private": action != "visibility"}
    code = share(live_hub, action, way, filled, **names)
    if (way, action) in WITHOUT:
        assert NOTHING in code
        assert code.startswith("#")
        return
    if action == "create_repo":
        api.delete_repo(filled)
    if action == "pull" and way == "git":
        run(share(live_hub, "clone", way, filled), way, desk)
        api.upload_file(repo_id=filled, path_or_fileobj=b"new", path_in_repo="new.txt")
    (desk / "my-model" / "more.txt").write_text("More.\n")
    if action == "logout":
        run(share(live_hub, "login", way, filled), way, desk)
    before = None if action == "create_repo" else api.repo_info(filled).sha
    if way == "push_to_hub" and action != FRESH:
        said = str(fork(code, desk))
    else:
        said = run(code, way, desk, signed_in=action != "logout")
    _check(api, desk, filled, action, way, said, before)


def _check(api: HfApi, desk: Path, repo: str, action: str, way: str, said: str, before: str | None) -> None:
    clone = desk / repo.partition("/")[2]
    if action == "logout":
        assert not (desk.parent / ".cache" / "huggingface" / "token").exists()
    elif action == "whoami":
        assert "ada" in said
    elif action in ("list_models", "list_files"):
        assert (repo if action == "list_models" else "model.safetensors") in said
    elif action == "create_repo":
        assert api.repo_exists(repo)
        assert api.repo_info(repo).private
    elif action in ("upload_file", "upload_folder", "push", "card", "delete_file"):
        files = set(api.list_repo_files(repo))
        assert ("old.txt" in files) == (action != "delete_file")
        if action == "upload_file" and way != "push_to_hub":
            assert "notes.md" in files
        if way == "git" or action == "card":
            assert api.repo_info(repo).sha != before
    elif action in ("clone", "pull") and way == "git":
        assert (clone / "model.safetensors").stat().st_size > 10_000
        assert (clone / "new.txt").exists() == (action == "pull")
    elif action in ("branch", "tag"):
        refs = api.list_repo_refs(repo)
        assert {"branch": "draft", "tag": "v1.0"}[action] in {ref.name for ref in refs.branches + refs.tags}
    elif action == "visibility":
        assert api.repo_info(repo).private is False
    elif action == "move_repo":
        assert api.repo_exists(f"{repo}-renamed")
    elif action == "delete_repo":
        assert not api.repo_exists(repo)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("repo_type", "action"), [("dataset", "push_model"), ("dataset", "clone"), ("space", "card")])
def test_data_sets_and_spaces_have_snippets_of_their_own(
    live_hub: Any, api: HfApi, desk: Path, fork: Any, repo_type: str, action: str, way: str
) -> None:
    repo = f"ada/{repo_type}-{action}-{way}".replace("_", "-")
    api.create_repo(repo, repo_type=repo_type, space_sdk="gradio" if repo_type == "space" else None)
    api.upload_file(repo_id=repo, repo_type=repo_type, path_or_fileobj=desk / "rows.csv", path_in_repo="rows.csv")
    api.upload_file(repo_id=repo, repo_type=repo_type, path_or_fileobj=desk / "README.md", path_in_repo="README.md")
    before = api.repo_info(repo, repo_type=repo_type).sha
    code = share(live_hub, action, way, repo, repo_type=repo_type, file="rows.csv", folder="my-model")
    if way == "push_to_hub":
        fork(code, desk)
    else:
        run(code, way, desk)
    assert (api.repo_info(repo, repo_type=repo_type).sha != before) == (action != "clone")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "name", ["a'; touch hacked; '", 'a"); open("hacked", "w"); ("', "a\ntouch hacked\n", "--help", "$(x)"]
)
def test_a_name_stays_a_name(action: str, way: str, name: str, tmp_path: Path) -> None:
    names = dict.fromkeys(("repo", "file", "folder", "branch", "tag", "to", "query"), name)
    code = snippet("share", {"action": action, "way": way, **names}, "http://127.0.0.1:9")
    if way == "git":
        plain = "".join(f"{program}() {{ :; }}\n" for program in ("git", "hf", "cd", "cp"))
        done = subprocess.run(
            ["sh", "-c", plain + code], cwd=tmp_path, env={"PATH": "/bin:/usr/bin"}, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    else:
        compiled = compile(code, "snippet", "exec")
        assert "open" not in compiled.co_names
    assert not (tmp_path / "hacked").exists()


def test_a_snippet_for_huggingface_names_no_hub() -> None:
    for way in WAYS:
        assert "HF_ENDPOINT" not in snippet("share", {"action": "upload_file", "way": way}, HUGGING_FACE)


@pytest.mark.parametrize(("arguments", "field"), [({}, "action"), ({"action": "login", "way": "fax"}, "way")])
def test_an_action_that_is_none_is_refused(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        snippet("share", arguments, HUGGING_FACE)
    assert refused.value.field == field
