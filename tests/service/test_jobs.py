"""Runs sent to Hugging Face Jobs: the real client, against a server that speaks the jobs' protocol before a real Hub.

The server runs nothing by itself: a test does on this machine what the job was told to do.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from run_parts import rows, spec

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.runs import Runs
from components.service.runs.job_package import AROUND, PACKAGE, PAGE_ONLY, dependencies
from components.service.runs.jobs import Jobs
from components.service.settings import Settings
from components.service.visitor import Visitor

HARDWARE = [
    {"name": "cpu-basic", "prettyName": "CPU Basic", "cpu": "2 vCPU", "ram": "16 GB", "accelerator": None,
     "unitCostMicroUSD": 167, "unitCostUSD": 0.000167, "unitLabel": "minute"},
    {"name": "t4-small", "prettyName": "Nvidia T4 - small", "cpu": "4 vCPU", "ram": "15 GB",
     "accelerator": {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB", "manufacturer": "Nvidia"},
     "unitCostMicroUSD": 6667, "unitCostUSD": 0.006667, "unitLabel": "minute"},
]  # fmt: skip


@dataclass
class JobsApi:
    """The jobs of one account, before the Hub at `hub`, to which everything else is passed on.

    Attributes:
        posted: The jobs asked for, as they were sent.
        tokens: The token of each call about jobs.
        stage: How every job stands.
        logged: Lines of the log in parts: each connection gets one part more, then it breaks off.
        refuse: A status with which new jobs are refused.
    """

    hub: str
    posted: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    stage: str = "RUNNING"
    logged: list[list[str]] = field(default_factory=list)
    connections: int = 0
    refuse: int = 0

    def job(self, number: int) -> dict[str, Any]:
        return {
            **{key: value for key, value in self.posted[number].items() if key != "secrets"},
            "id": f"{number:024x}",
            "createdAt": "2026-11-21T10:00:00.000Z",
            "startedAt": "2026-11-21T10:01:00.000Z",
            "status": {"stage": self.stage, "message": None},
            "durations": {"schedulingSecs": 60, "runningSecs": 5, "totalSecs": 65},
            "owner": {"id": "1", "name": "ada", "type": "user"},
        }


class _Handler(BaseHTTPRequestHandler):
    api: JobsApi

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def do_HEAD(self) -> None:
        self._answer("HEAD")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        if path == "/api/jobs/hardware":
            self._send(HARDWARE)
        elif path.startswith("/api/jobs/"):
            self._jobs(method, path.split("/")[3:], body)
        else:
            self._pass_on(method, body)

    def _jobs(self, method: str, parts: list[str], body: bytes) -> None:
        self.api.tokens.append(self.headers.get("authorization", ""))
        owner, job, *what = [*parts, ""]
        known = [f"{number:024x}" for number in range(len(self.api.posted))]
        if owner != "ada" or (job and job not in known):
            self._send({"error": "Not found"}, 404)
        elif method == "POST" and not job:
            if self.api.refuse:
                self._send({"error": "No"}, self.api.refuse)
                return
            self.api.posted.append(json.loads(body))
            self._send(self.api.job(len(self.api.posted) - 1))
        elif not job:
            self._send([self.api.job(number) for number in range(len(known))])
        elif what[0] == "cancel":
            self.api.stage = "CANCELED"
            self._send({})
        elif what[0] == "logs":
            self._log()
        else:
            self._send(self.api.job(int(job, 16)))

    def _log(self) -> None:
        """All parts up to this connection's, which then ends; with the last one the job is done."""
        self.api.connections += 1
        parts = self.api.logged[: self.api.connections]
        if self.api.connections >= len(self.api.logged):
            self.api.stage = "COMPLETED"
        lines = [line for part in parts for line in part]
        events = [{"data": line, "timestamp": "2026-01-01T10:02:00.000Z"} for line in lines]
        body = ": keep-alive\n\n" + "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self._send_bytes(body.encode(), 200, {"content-type": "text/event-stream"})

    def _pass_on(self, method: str, body: bytes) -> None:
        kept = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection")}
        answer = httpx.request(method, self.api.hub + self.path, content=body, headers=kept, timeout=60)
        left_out = ("transfer-encoding", "content-encoding", "connection", "date", "server")
        headers = {key: value for key, value in answer.headers.items() if key.lower() not in left_out}
        self._send_bytes(answer.content, answer.status_code, headers, body=method != "HEAD")

    def _send(self, value: Any, status: int = 200) -> None:
        self._send_bytes(json.dumps(value).encode(), status, {"content-type": "application/json"})

    def _send_bytes(self, content: bytes, status: int, headers: dict[str, str], *, body: bool = True) -> None:
        self.send_response(status)
        for key, value in {**headers, **({"content-length": str(len(content))} if body else {})}.items():
            self.send_header(key, value)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@dataclass(frozen=True)
class Sent:
    """Jobs on a Hub that runs them.

    Attributes:
        jobs: What is tested.
        api: What it talks to.
        settings: The Hub in use.
        ada, nobody: Visitors.
    """

    jobs: Jobs
    api: JobsApi
    settings: Settings
    ada: Visitor
    nobody: Visitor


@pytest.fixture(scope="module")
def served(live_hub: Any, engine: Engine, tiny_classifier: Path) -> Iterator[tuple[Runs, JobsApi]]:
    api = JobsApi(live_hub.settings.endpoint)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"api": api}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = replace(
        live_hub.settings, endpoint=f"http://127.0.0.1:{server.server_port}", free_disk_bytes=0, running_runs=0
    )
    hub = Hub(settings)
    hub.api.create_repo("ada/classifier", token="hf_ada", private=True)
    hub.api.upload_folder(repo_id="ada/classifier", folder_path=tiny_classifier, token="hf_ada")
    runs = Runs(settings, hub, engine, Data(settings, hub, engine))
    yield runs, api
    runs.close()
    server.shutdown()
    server.server_close()


@pytest.fixture
def sent(served: tuple[Runs, JobsApi], live_hub: Any) -> Sent:
    runs, api = served
    api.posted.clear()
    api.tokens.clear()
    api.stage, api.logged, api.connections, api.refuse = "RUNNING", [], 0, 0
    return Sent(
        Jobs(runs.hub, runs.groundwork, runs.estimate), api, runs.settings, live_hub.ada, live_hub.nobody
    )  # fmt: skip


ASKED = spec(model="ada/classifier", epochs=1)


def test_what_is_shown_before_is_what_is_sent_then(sent: Sent) -> None:
    shown = sent.jobs.preview_job(ASKED, "shown", "t4-small", 0.5, visitor=sent.ada)
    assert sent.api.posted == []
    told = sent.jobs.start_job(ASKED, "shown", "t4-small", 0.5, visitor=sent.ada)
    (posted,) = sent.api.posted
    assert posted["command"] == shown["command"]
    assert posted["dockerImage"] == shown["image"]
    assert posted["flavor"] == shown["flavor"] == "t4-small"
    assert posted["timeoutSeconds"] == shown["timeout_seconds"] == 1800
    assert posted["labels"] == shown["labels"]
    assert posted["environment"] == {**shown["environment"], "WORKBENCH_SCRIPT": shown["script"]}
    assert posted["environment"]["WORKBENCH_REPO"] == "ada/shown"
    assert posted["secrets"] == {"HF_TOKEN": "hf_ada"}
    assert shown["secrets"] == ["HF_TOKEN"]
    assert "hf_ada" not in json.dumps(shown)
    assert shown["most_usd"] == pytest.approx(30 * 0.006667, abs=1e-4)
    assert (told["status"], told["done"], told["repo"], told["model"]) == ("RUNNING", False, "ada/shown", None)
    assert told["address"] == f"{sent.settings.endpoint}/jobs/ada/{told['job']}"
    assert set(sent.api.tokens) == {"Bearer hf_ada"}
    assert sent.jobs.job_state(told["job"], visitor=sent.ada) == told
    assert sent.jobs.list_jobs(visitor=sent.ada) == [told]


@pytest.mark.long
def test_the_job_trains_the_spec_and_its_model_takes_the_place_of_the_package(sent: Sent, tmp_path: Path) -> None:
    asked = spec(model="ada/classifier", name="On jobs", keep="last")
    sent.jobs.start_job(asked, "trained", hours=1.0, visitor=sent.ada)
    (posted,) = sent.api.posted
    hub = Hub(sent.settings)
    package = hub.api.hf_hub_download("ada/trained", PACKAGE, token="hf_ada", cache_dir=tmp_path)
    with zipfile.ZipFile(package) as archive:
        names = archive.namelist()
        assert json.loads(archive.read("run/inputs.json")) == {"limits": {"seconds": 3600 - AROUND}}
        assert archive.read("run/data/rows.csv").decode() == rows()
        assert "hf_ada" not in "".join(archive.read(name).decode(errors="ignore") for name in names)
        assert str(sent.settings.home) not in archive.read("spec.json").decode()
    assert all(name.startswith(("spec.json", "run/", "components/")) for name in names)
    # What uv would do, but with the libraries that are here, and without those that it would not bring.
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules.update(dict.fromkeys({PAGE_ONLY!r}))\n")
    command = posted["command"]
    assert command[:3] == ["uv", "run", "--with"]
    done = subprocess.run(
        [sys.executable, *command[command.index("python") + 1 :]],
        env={**posted["environment"], **posted["secrets"], "PATH": os.environ["PATH"], "HOME": str(tmp_path),
             "PYTHONPATH": str(tmp_path),
             "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1"},
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("The model is in ada/trained.\n")
    files = {file.rfilename for file in hub.api.model_info("ada/trained", token="hf_ada").siblings or []}
    assert {"config.json", "model.safetensors", "tokenizer.json", "run/spec.json", "run/events.jsonl"} <= files
    assert PACKAGE not in files
    snapshot = hub.model("ada/trained", visitor=sent.ada)
    assert json.loads((snapshot.path / "config.json").read_text())["id2label"] == {"0": "negative", "1": "positive"}
    kept = json.loads(Path(hub.api.hf_hub_download("ada/trained", "run/spec.json", token="hf_ada")).read_text())
    assert kept["name"] == "On jobs"
    assert kept["revision"] == hub.api.model_info("ada/classifier", token="hf_ada").sha


def test_without_hours_the_time_limit_follows_from_the_rehearsal(served: tuple[Runs, JobsApi], sent: Sent) -> None:
    runs, _ = served
    jobs = Jobs(runs.hub, runs.groundwork, lambda _spec, _visitor: 4000.0)
    shown = jobs.preview_job(ASKED, "timed", visitor=sent.ada)
    assert shown["timeout_seconds"] == 60 * -(-(2 * 4000 + AROUND) // 60)
    unknown = Jobs(runs.hub, runs.groundwork, lambda _spec, _visitor: None)
    with pytest.raises(WorkbenchError, match="how many hours") as told:
        unknown.preview_job(ASKED, "timed", visitor=sent.ada)
    assert told.value.field == "hours"


def test_the_lines_of_a_job_come_once_each_however_often_one_asks(sent: Sent) -> None:
    job = sent.jobs.start_job(ASKED, "logged", hours=1, visitor=sent.ada)["job"]
    sent.api.logged = [["===== Job started", "one"], ["two", "three"], [], ["four in /home/ada/x.py with hf_abcdef"]]
    asked = [sent.jobs.job_log(job, visitor=sent.ada)]
    while not asked[-1]["done"] and len(asked) < 9:
        asked.append(sent.jobs.job_log(job, asked[-1]["next"], visitor=sent.ada))
    assert [one["lines"] for one in asked] == [["one"], ["two", "three"], [], ["four in x.py with [token]"], []]
    # Somebody who comes back asks for what they have not seen.
    told = sent.jobs.job_log(job, 2, visitor=sent.ada)
    assert told == {"lines": ["three", "four in x.py with [token]"], "next": 4, "done": True}


def files_of(sent: Sent, repo: str) -> set[str]:
    known = Hub(sent.settings).api.model_info(repo, token="hf_ada")
    return {file.rfilename for file in known.siblings or []}


def test_a_cancelled_job_leaves_nothing_of_what_was_sent_or_says_that_it_does(sent: Sent) -> None:
    job = sent.jobs.start_job(ASKED, "cancelled", hours=1, visitor=sent.ada)["job"]
    assert PACKAGE in files_of(sent, "ada/cancelled")
    told = sent.jobs.cancel_job(job, visitor=sent.ada)
    assert (told["status"], told["done"], told["model"], told["message"]) == ("CANCELED", True, None, None)
    assert PACKAGE not in files_of(sent, "ada/cancelled")
    assert sent.jobs.cancel_job(job, visitor=sent.ada)["message"] is None
    sent.api.posted[0]["environment"]["WORKBENCH_REPO"] = "bob/model"
    assert sent.jobs.cancel_job(job, visitor=sent.ada)["message"].startswith(f"{PACKAGE} is still in bob/model: ")


#: What a training does in place of one that fails by itself, and the token of its job.
FAILING = [
    ("sys.exit(3)", "hf_ada"),
    ("os.kill(os.getppid(), 15); time.sleep(60)", "hf_ada"),
    ("sys.exit(4)", "hf_ada_reads"),
]


@pytest.mark.parametrize(("does", "token"), FAILING)
def test_a_job_that_fails_takes_what_was_sent_out_of_the_repository(
    sent: Sent, tmp_path: Path, does: str, token: str
) -> None:
    name, left = f"failed-{FAILING.index((does, token))}", token != "hf_ada"
    sent.jobs.start_job(ASKED, name, hours=1, visitor=sent.ada)
    (posted,) = sent.api.posted
    package = tmp_path / PACKAGE
    with zipfile.ZipFile(package, "w") as archive:
        for part in ("components/__init__.py", "components/service/__init__.py", "components/service/runs/__init__.py"):
            archive.writestr(part, "")
        archive.writestr("components/service/runs/__main__.py", f"import os, sys, time\n{does}\n")
    api = Hub(sent.settings).api
    api.upload_file(path_or_fileobj=package, path_in_repo=PACKAGE, repo_id=f"ada/{name}", token="hf_ada")
    done = subprocess.run(
        [sys.executable, "-c", posted["environment"]["WORKBENCH_SCRIPT"]],
        env={**posted["environment"], "HF_TOKEN": token, "PATH": os.environ["PATH"], "HOME": str(tmp_path),
             "HF_HUB_DISABLE_XET": "1"},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert (PACKAGE in files_of(sent, f"ada/{name}")) is left
    assert (f"{PACKAGE} is still in ada/{name}" in done.stdout) is left


def test_the_hardware_is_listed_with_its_price(sent: Sent) -> None:
    listed = sent.jobs.job_hardware(visitor=sent.ada)
    assert [one["name"] for one in listed] == ["cpu-basic", "t4-small"]
    assert [one["gpu"] for one in listed] == [None, "1 T4, 16 GB"]
    assert [one["usd_per_hour"] for one in listed] == pytest.approx([0.01002, 0.40002])


REFUSED = [
    ("hardware that is not there", {"flavor": "h9000"}, "flavor", "cpu-basic, t4-small"),
    ("no hours", {"hours": 0}, "hours", "from 0.1 to 72"),
    ("endless hours", {"hours": 10**6}, "hours", "from 0.1 to 72"),
    ("hours in words", {"hours": "two"}, "hours", "from 0.1 to 72"),
    ("somebody else's repository", {"repo": "bob/model"}, "repo", "may not write to bob"),
    ("a repository that holds something", {"repo": "ada/classifier"}, "repo", "Choose another name"),
    ("no repository", {"repo": ""}, "repo", "cannot be the name"),
    ("a spec that is not right", {"spec": {**ASKED, "epochs": 0}}, "epochs", "whole number"),
    ("a model that is nowhere", {"spec": {**ASKED, "model": "ada/nothing"}}, "model", "has no ada/nothing"),
    ("data without texts", {"spec": {**ASKED, "data": {"text": "a\nb\n"}}}, "columns.text", "No column"),
]


@pytest.mark.parametrize(("given", "name", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_sent_is_told_before_anything_is(
    sent: Sent, given: dict[str, Any], name: str, said: str
) -> None:
    asked = {"spec": ASKED, "repo": "refused", "hours": 1.0, **given}
    with pytest.raises(WorkbenchError) as told:
        sent.jobs.start_job(**asked, visitor=sent.ada)
    assert told.value.field == name
    assert said in told.value.message
    assert sent.api.posted == []


@pytest.mark.parametrize(("status", "said"), [(402, "no credit"), (403, "may not run Jobs"), (404, "runs no Jobs")])
def test_a_refusal_of_the_hub_is_a_sentence(sent: Sent, status: int, said: str) -> None:
    sent.api.refuse = status
    with pytest.raises(WorkbenchError, match=said) as told:
        sent.jobs.start_job(ASKED, f"refused-{status}", hours=1, visitor=sent.ada)
    assert re.search(r"\.$", told.value.message)
    assert PACKAGE not in files_of(sent, f"ada/refused-{status}")


def test_jobs_are_seen_with_the_token_of_their_owner_alone(sent: Sent, live_hub: Any) -> None:
    job = sent.jobs.start_job(ASKED, "own", hours=1, visitor=sent.ada)["job"]
    for ask in (sent.jobs.job_state, sent.jobs.job_log, sent.jobs.cancel_job):
        with pytest.raises(WorkbenchError, match="no such job"):
            ask(job, visitor=live_hub.bob)
        with pytest.raises(WorkbenchError, match="Sign in first"):
            ask(job, visitor=sent.nobody)
        with pytest.raises(WorkbenchError, match="may only read"):
            ask(job, visitor=live_hub.reader)
        for odd in ("", "../x", "a" * 65, None, 3, job + "/logs"):
            with pytest.raises(WorkbenchError, match="not the id of a job"):
                ask(odd, visitor=sent.ada)


def test_on_the_embedded_hub_there_are_no_jobs(live_hub: Any, served: tuple[Runs, JobsApi]) -> None:
    runs, _ = served
    jobs = Jobs(Hub(replace(live_hub.settings, embedded=True)), runs.groundwork, runs.estimate)
    for ask in (
        lambda: jobs.start_job(ASKED, "x", visitor=live_hub.ada),
        lambda: jobs.job_hardware(visitor=live_hub.ada),
        lambda: jobs.list_jobs(visitor=live_hub.ada),
        lambda: jobs.job_log("a" * 24, visitor=live_hub.ada),
    ):
        with pytest.raises(WorkbenchError, match="embedded one, which has no Jobs"):
            ask()


def test_a_job_installs_what_training_imports_and_nothing_of_the_page() -> None:
    names = {re.split(r"[\[=]", line)[0] for line in dependencies()}
    assert {"torch", "transformers", "accelerate", "peft", "seqeval", "datasets", "orjson", "psutil"} <= names
    assert not names & {"gradio", "dulwich"}
    assert all("==" in line for line in dependencies())
