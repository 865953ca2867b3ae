"""The list of the endpoints, which the page of the API, `gradio_client` and MCP read, and the call that each shows."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from components.api_examples import EXAMPLES

#: What cannot be done as it is shown on an embedded Hub with no run in the data folder, and what is said then.
NEEDS_MORE = {
    **dict.fromkeys(
        ["rerun_run", "stop_run", "resume_run", "move_run", "run_state", "run_log", "compare_runs", "try_run"],
        "There is no such run of yours",
    ),
    **dict.fromkeys(["share_run", "publish_run", "delete_run"], "There is no such run of yours"),
    **dict.fromkeys(
        ["job_hardware", "preview_job", "start_job", "list_jobs", "job_state", "job_log", "cancel_job"], "has no Jobs"
    ),
    "login": "does not accept this token",
    "run_remote": "Inference providers belong to huggingface.co",
    "rebase_card": "no such revision",
}
UPLOAD = {"path": "uploaded.txt", "meta": {"_type": "gradio.FileData"}}
#: These train.
LONG = ("rehearse_run", "start_run")


@pytest.fixture(scope="module")
def listed(app: Any) -> dict[str, Any]:
    """Every endpoint as the app lists it."""
    return httpx.get(f"{app.url}/gradio_api/info", timeout=60).json()["named_endpoints"]


def test_every_endpoint_says_what_it_does_what_it_takes_and_gives_with_a_call_that_python_can_read(
    listed: dict[str, Any],
) -> None:
    assert {name.removeprefix("/") for name in listed} == set(EXAMPLES)
    for name, told in listed.items():
        example = EXAMPLES[name.removeprefix("/")]
        assert told["description"].count("Example: {") == 1, name
        taken = {one["parameter_name"]: one for one in told["parameters"]}
        needed = {key for key, one in taken.items() if not one["parameter_has_default"]}
        assert needed <= set(example) <= set(taken), name
        for key, one in taken.items():
            assert one["python_type"]["description"].endswith((".", ")", "...")), (name, key)
            assert one["type"] is not None, (name, key)
        compile(told["code_snippets"]["python"], name, "exec")


def test_each_call_that_is_shown_can_be_made(
    listed: dict[str, Any], client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uploaded.txt").write_text("A text.")
    monkeypatch.chdir(tmp_path)
    for name in EXAMPLES:
        if name in LONG:
            continue
        code = listed[f"/{name}"]["code_snippets"]["python"]
        head, _, call = code.partition(f'client = Client("{client.src.rstrip("/")}")\n')
        assert head.startswith("from gradio_client import Client"), name
        run = compile(call.removesuffix("print(result)"), name, "exec")
        found: dict[str, Any] = {"client": client}
        exec(head, found)
        if name in NEEDS_MORE:
            with pytest.raises(AppError, match=NEEDS_MORE[name]):
                exec(run, found)
        else:
            exec(run, found)
            assert found["result"] is not None, name


@pytest.mark.parametrize("name", ["tokenize", "check_card", "create_repo", "upload_files", "delete_repo"])
def test_each_call_that_is_shown_works_in_a_shell(listed: dict[str, Any], tmp_path: Path, name: str) -> None:
    (tmp_path / "uploaded.txt").write_text("A text.")
    code = listed[f"/{name}"]["code_snippets"]["bash"].replace("me/tried", "me/try")
    done = subprocess.run(["bash", "-euc", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("event: complete\ndata: ["), done.stdout


def test_a_call_as_a_command_and_as_javascript_has_the_values_of_the_example(listed: dict[str, Any]) -> None:
    for name, example in EXAMPLES.items():
        beside = json.loads(json.dumps(example).replace("/where/it/was/", ""))
        code = listed[f"/{name}"]["code_snippets"]
        command, verb, _, endpoint, sent = shlex.split(code["cli"])
        assert (command, verb, endpoint, json.loads(sent)) == ("{command}", "predict", f"/{name}", beside)
        given = code["javascript"].partition(f'client.predict("/{name}", ')[2].partition(");\nconsole.log")[0]
        assert json.loads(given.replace('handle_file("uploaded.txt")', json.dumps(UPLOAD))) == beside
