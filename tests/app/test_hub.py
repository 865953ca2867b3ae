"""Everything that the course does on the Hub, through the API, with the real embedded Hub behind it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

ROOT = Path(__file__).parents[2]
CARD = "---\nlicense: mit\n---\n# Mine\n"


@pytest.fixture
def files(tmp_path: Path) -> list[dict[str, Any]]:
    """Two files as the API takes them."""
    (tmp_path / "README.md").write_text(CARD)
    (tmp_path / "rows.csv").write_text("text,label\nlovely,1\nawful,0\n")
    return [
        {"file": handle_file(str(tmp_path / "README.md")), "path": "README.md"},
        {"file": handle_file(str(tmp_path / "rows.csv")), "path": "data/rows.csv"},
    ]


def test_a_repository_is_looked_after_by_the_api_alone(client: Client, files: list[dict[str, Any]]) -> None:
    def ask(name: str, *arguments: Any) -> Any:
        return client.predict(*arguments, api_name=f"/{name}")

    assert ask("list_namespaces") == ["me"]
    made = ask("create_repo", "course")
    assert (made["repo"], made["private"]) == ("me/course", True)
    done = ask("upload_files", "me/course", files, "Two files")
    assert done["files"] == ["README.md", "data/rows.csv"]
    assert done["address"].endswith("/me/course")
    assert {"name": "data/rows.csv", "bytes": 28} in ask("list_files", "me/course")
    info = ask("repo_info", "me/course")
    assert (info["commit"], info["writable"], info["license"]) == (done["commit"], True, "mit")
    assert ask("repo_card", "me/course")["text"] == CARD

    ask("create_tag", "me/course", "v1")
    ask("create_branch", "me/course", "draft")
    refs = ask("list_refs", "me/course")
    assert {ref["name"] for ref in refs["branches"]} == {"main", "draft"}
    assert [ref["name"] for ref in refs["tags"]] == ["v1"]
    proposed = ask("upload_files", "me/course", [{**files[1], "path": "b.csv"}], "", "model", None, False, "", True)
    assert proposed["pull_request"]
    assert not ask("upload_files", "me/course", files, "Again", "model", None, True)["changed"]
    assert [one["pull_request"] for one in ask("list_discussions", "me/course")] == [True]
    ask("delete_file", "me/course", "data/rows.csv")
    assert [one["title"] for one in ask("list_commits", "me/course")][:2] == ["Delete data/rows.csv", "Two files"]
    ask("delete_branch", "me/course", "draft")
    ask("delete_tag", "me/course", "v1")

    assert ask("set_visibility", "me/course", False)["private"] is False
    assert "me/course" in [row["id"] for row in ask("search_models", "course")]
    assert "me/course" in [row["id"] for row in ask("list_own")]
    assert ask("move_repo", "me/course", "me/learned")["repo"] == "me/learned"
    with pytest.raises(AppError, match="type its full name"):
        ask("delete_repo", "me/learned", "learned")
    assert ask("delete_repo", "me/learned", "me/learned")["deleted"]


def test_the_lists_of_the_hub_come_through_the_api(client: Client) -> None:
    assert client.predict("reviews", api_name="/search_datasets")[0]["id"] == "starter/reviews"
    assert client.predict("no such space", api_name="/search_spaces") == []
    page = client.predict("model", "", {"author": "starter"}, "created_at", "", 2, api_name="/browse_hub")
    rest = client.predict("model", "", {"author": "starter"}, "created_at", page["next"], 50, api_name="/browse_hub")
    ids = [row["id"] for row in page["rows"] + rest["rows"]]
    assert len(page["rows"]) == 2
    assert set(ids) >= {"starter/encoder", "starter/sentiment", "starter/stories"}
    assert "evaluate" in client.predict(api_name="/list_metrics")["explanation"]


@pytest.mark.parametrize(
    ("endpoint", "arguments", "said"),
    [
        ("/upload_files", ("me/x", [{"file": "/etc/passwd", "path": "a"}]), "uploaded"),
        ("/upload_files", ("me/x", [{"path": "/etc/passwd"}]), "each file"),
        ("/upload_files", ("starter/sentiment", []), "at least one"),
        ("/delete_file", ("starter/sentiment", "config.json"), "may not write to starter"),
        ("/delete_repo", ("starter/sentiment", "starter/sentiment"), "may not write to starter"),
        ("/set_visibility", ("starter/sentiment", True), "may not write to starter"),
        ("/move_repo", ("starter/sentiment", "me/mine"), "may not write to starter"),
        ("/create_tag", ("starter/sentiment", "v1"), "may not write to starter"),
        ("/repo_info", ("../../etc/passwd",), "cannot be the name"),
        ("/repo_info", ("nobody/nothing",), "has no nobody/nothing"),
        ("/list_commits", ("starter/sentiment", "model", "--help"), "revision"),
        ("/browse_hub", ("model", "", {"colour": "red"}), "colour"),
        ("/login", ("hf_nobody_has_this_one",), "does not accept"),
        ("/snippet", ("share", {"action": "rob"}), "rob"),
    ],
)
def test_what_one_may_not_do_is_refused(client: Client, endpoint: str, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(AppError) as refused:
        client.predict(*arguments, api_name=endpoint)
    assert said.lower() in str(refused.value).lower()
    assert "/tmp" not in str(refused.value)
    assert "hf_" not in str(refused.value)


@pytest.mark.long
def test_a_failed_push_leaves_the_run_as_it_was_and_is_repeated(
    app_in: Callable[..., Any], tmp_path: Path, wait_for_run: Callable[..., dict[str, Any]]
) -> None:
    """The first push stops after its first step: the repository is there, and empty."""
    running = app_in(tmp_path / "home")
    client = Client(running.url, verbose=False)
    spec = {"task": "text-classification", "model": "starter/encoder", "epochs": 1}
    rows = "text,label\n" + "".join(f"{'lovely' if i % 2 else 'awful'} thing {i},{i % 2}\n" for i in range(40))
    data = {"data": {"text": rows}, "columns": {"text": "text", "label": "label"}}
    run = client.predict({**spec, **data}, api_name="/start_run")["id"]
    assert wait_for_run(client, run)["status"] == "finished"

    client.predict("halfway", api_name="/create_repo")  # what a push leaves behind that fails after its first step
    with pytest.raises(AppError, match="changed meanwhile"):
        client.predict(run, "halfway", "", True, "", False, False, "0" * 40, api_name="/publish_run")
    state = client.predict(run, api_name="/run_state")
    assert (state["status"], state["failure"]) == ("finished", None)
    done = client.predict(run, "halfway", api_name="/publish_run")
    assert "model.safetensors" in done["files"]
    with pytest.raises(AppError, match="already have"):
        client.predict(run, "halfway", api_name="/publish_run")
    assert (
        client.predict(run, "halfway", CARD, True, "Again", True, api_name="/publish_run")["commit"] != done["commit"]
    )
    proposed = client.predict(run, "halfway", f"{CARD}More.", True, "", False, True, api_name="/publish_run")
    assert proposed["pull_request"].endswith("/me/halfway/discussions/1")


@pytest.fixture
def public(tmp_path: Path, app_in: Callable[..., Any]) -> Iterator[tuple[Any, str]]:
    """A public app over a Hub of ada's, and the machine's own token, which nobody may act with."""
    root = tmp_path / "hub"
    command = [sys.executable, "-m", "components.localhub", "--root", str(root), "--port", "0"]
    command += ["--user", "ada", "--token", "hf_adas_own_token"]
    owner = [sys.executable, "-m", "components.localhub", "accounts", "--root", str(root)]
    subprocess.run([*owner, "add-user", "owner", "--token", "hf_the_owners"], cwd=ROOT, check=True)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert address.startswith("http"), address
        running = app_in(tmp_path / "home", "--hub", address, "--host", "0.0.0.0", HF_TOKEN="hf_the_owners")
        yield running, address
        running.stop()
        process.terminate()


def test_in_public_nobody_acts_with_the_owners_token(public: tuple[Any, str], tmp_path: Path) -> None:
    running, _ = public
    guest, ada = Client(running.url, verbose=False), Client(running.url, token="hf_adas_own_token", verbose=False)
    assert guest.predict(api_name="/whoami")["name"] is None
    assert guest.predict(api_name="/list_own") == []
    for endpoint, arguments in (
        ("/create_repo", ("owner/x",)),
        ("/create_repo", ("x",)),
        ("/list_namespaces", ()),
        ("/delete_repo", ("owner/x", "owner/x")),
    ):
        with pytest.raises(AppError, match="Sign in first"):
            guest.predict(*arguments, api_name=endpoint)
    assert ada.predict(api_name="/whoami")["name"] == "ada"
    assert guest.predict("hf_adas_own_token", api_name="/login")["name"] == "ada"
    assert guest.predict(api_name="/whoami")["name"] is None
    assert ada.predict("hers", api_name="/create_repo")["repo"] == "ada/hers"
    with pytest.raises(AppError, match="may not write to owner"):
        ada.predict("owner/x", api_name="/create_repo")
    with pytest.raises(AppError, match="has no ada/hers"):
        guest.predict("ada/hers", api_name="/repo_info")
    assert ada.predict(api_name="/logout")["name"] is None
    running.stop()
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hf_adas_own_token" in path.read_bytes()]
