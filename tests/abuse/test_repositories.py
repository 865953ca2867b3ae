"""Models and repositories of strangers, and what is put into them: cases 20 to 62, on the running app."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.visitor import Visitor

TEXT = "text-classification"
#: What is no id at all, and what names nothing on the Hub though it may be a folder of the server.
NO_IDS = [
    "/etc/passwd", "../../x", "C:\\Users", "a\0b", "https://evil.example/a/b", "file:///etc/passwd", "user/name@rev",
    "datasets/a/b", "a/b/c", "st\u0430rter/sentiment", "starter/\u202esentiment", "--help", "a..b", ".git", "x" * 200,
    "runs/../x", "a/..",
]  # fmt: skip
FOLDERS = ["components/service", "tests/app", "components"]


@pytest.mark.parametrize("model", NO_IDS, ids=repr)
def test_what_is_no_id_is_refused_in_a_line_that_names_no_path(street: Any, model: Any) -> None:
    street.log()
    for endpoint, more in (("model_facts", {}), ("tokenize", {"text": "a"})):
        said = street.guest.refused(endpoint, model=model, **more)
        assert "model id" in said, said
        assert str(Path.cwd()) not in said
    assert not [entry for entry in street.log() if "/api/models/" in entry["path"]]


@pytest.mark.parametrize("model", FOLDERS)
def test_a_folder_of_the_server_is_no_model(street: Any, model: str) -> None:
    answer = street.guest.run(TEXT, model, "lovely")
    assert (answer.status_code, f"has no {model}" in answer.text) == (404, True)


#: Each stranger's repository: the sentence, and what may have been fetched to find out.
WEIGHTS = (".safetensors", ".bin", ".pkl", ".py")
REFUSED = [
    ("remote-code", "code of its own", ()),
    ("nested-code", "code of its own", ()),
    ("tokenizer-code", "code of its own", ()),
    ("kernel", "code of its own", ()),
    ("pickle", "a format that can run code", ()),
    ("climbing-index", "outside the repository", ()),
    ("many-files", "more than the 200 allowed", ()),
    ("layer-bomb", "The config.json of mallory/layer-bomb", (".safetensors",)),
    ("config-bomb", "describes", (".safetensors",)),
    ("odd-weights", "is broken", (".safetensors",)),
]


@pytest.mark.parametrize(("name", "said", "fetched"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched(
    street: Any, name: str, said: str, fetched: tuple[str, ...]
) -> None:
    street.guest.run(TEXT, "starter/sentiment", "lovely")  # so that the worker is up
    street.log()
    began = time.monotonic()
    answer = street.guest.run(TEXT, f"mallory/{name}", "lovely")
    assert answer.status_code in (400, 403, 507), answer.text
    assert said in answer.json()["error"]
    assert time.monotonic() - began < 10
    asked = [entry["path"] for entry in street.log() if "/resolve/" in entry["path"]]
    assert {path for path in asked if path.endswith(WEIGHTS) and not path.endswith(fetched or "none")} == set()
    assert not list(Path(street.app.home).rglob("modeling.py"))
    assert street.guest.run(TEXT, "starter/sentiment", "lovely").status_code == 200


def test_of_a_repository_with_pickles_beside_its_weights_only_the_weights_are_fetched(street: Any) -> None:
    street.log()
    assert street.guest.run(TEXT, "mallory/beside", "lovely").status_code == 200
    asked = [entry["path"] for entry in street.log() if "/resolve/" in entry["path"]]
    assert any(path.endswith("model.safetensors") for path in asked)
    assert not [path for path in asked if path.endswith((".bin", ".pkl", ".py"))]


class _Liar(BaseHTTPRequestHandler):
    """A Hub that says that its repositories hold files outside of themselves."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        names = ["../../../escaped.csv", "/etc/escaped.csv", "data\\..\\escaped.csv"]
        info = {
            "id": "x/y",
            "sha": "0" * 40,
            "private": False,
            "siblings": [{"rfilename": n, "size": 4} for n in names],
        }
        body = json.dumps(info).encode() if self.path.startswith("/api/") else b"evil"
        self.send_response(200)
        for name, value in (("Content-Length", len(body)), ("ETag", '"e"'), ("X-Repo-Commit", "0" * 40)):
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def liar() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_file_names_that_leave_the_repository_are_refused(liar: str, tmp_path: Path) -> None:
    hub = Hub(Settings(home=tmp_path / "home", cache=tmp_path / "home" / "cache", endpoint=liar))
    with pytest.raises(WorkbenchError, match="outside of itself"):
        hub.dataset("x/y", visitor=Visitor("guest:x"))
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.fixture(scope="module")
def api(street: Any) -> Any:
    """The Hub's client, as ada."""
    from huggingface_hub import HfApi

    return HfApi(endpoint=street.address(), token=street.tokens["ada"])


def test_a_repository_or_a_commit_that_went_away_is_told(street: Any, api: Any) -> None:
    api.create_repo("ada/gone")
    api.upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id="ada/gone")
    assert street.guest.ask("model_facts", model="ada/gone")["id"] == "ada/gone"
    assert "no such revision" in street.guest.refused("model_facts", model="ada/gone", revision="f" * 40)
    api.delete_repo("ada/gone")
    answer = street.guest.run(TEXT, "ada/gone", "lovely")
    assert answer.status_code in (403, 404), answer.text
    assert answer.json()["error"].rstrip().endswith(".")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 429, "headers": {"Retry-After": "1"}}, "asks for a pause"),
        ({"status": 500}, "failed to answer"),
        ({"status": 503}, "failed to answer"),
        ({"status": 507}, "The Hub's disk is full. Delete something there"),
        ({"drop": 20}, "does not answer"),
        ({"status": 403, "code": "GatedRepo"}, "accept its conditions on its page on the Hub, then sign in here"),
    ],
)
def test_a_hub_that_fails_is_told_and_the_app_goes_on(
    street: Any, spoil: Callable[..., None], fault: dict[str, Any], said: str
) -> None:
    spoil(path="^/api/models/mallory/hostile-names", **fault)
    assert said in street.another().refused("repo_info", repo="mallory/hostile-names")
    assert street.guest.http.get("/health").json()["status"] == "ok"
    assert street.guest.run(TEXT, "starter/sentiment", "lovely").status_code == 200


def test_a_slow_hub_is_given_up_on_and_does_not_hold_up_the_app(
    street: Any, spoil: Callable[..., None], tmp_path: Path
) -> None:
    spoil(path="^/api/models/starter/stories", seconds=2)
    hasty = Hub(Settings(home=tmp_path, cache=tmp_path, endpoint=street.address(), hub_seconds=0.3))
    with pytest.raises(WorkbenchError, match="does not answer"):
        hasty.model_info("starter/stories", visitor=Visitor("guest:x"))
    slow = street.another()
    waiting = threading.Thread(target=slow.ask, args=("repo_info",), kwargs={"repo": "starter/stories"})
    waiting.start()
    assert street.guest.http.get("/health").json()["status"] == "ok"
    assert waiting.is_alive()
    waiting.join()


def test_a_cache_that_cannot_be_written_ends_in_a_sentence(street: Any, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    hub = Hub(Settings(home=tmp_path, cache=tmp_path / "cache", endpoint=street.address()))
    with pytest.raises(WorkbenchError, match="could not be kept on this machine") as told:
        hub.tokenizer("starter/sentiment", visitor=Visitor("guest:x"))
    assert told.value.kind == "disk"
    assert str(tmp_path) not in told.value.message


def test_a_disk_that_takes_no_more_is_told_and_costs_no_more_than_the_call(street: Any) -> None:
    rows = "text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} {i},{i % 2}\n" for i in range(40))
    spec = {"task": TEXT, "model": "starter/encoder", "data": {"text": rows}, "epochs": 1}
    own = street.another()
    with full_disk(street.app.process.pid):
        sent = own.http.post("/gradio_api/upload", files={"files": ("a.csv", rows * 20)})
        assert (sent.status_code, "disk is full" in sent.json()["error"]) == (507, True)
        assert "disk is full" in own.refused("start_run", spec=spec)
    assert own.ask("list_runs") == []
    assert own.http.post("/gradio_api/upload", files={"files": ("a.csv", rows * 20)}).status_code == 200
    run = own.ask("start_run", spec=spec)["id"]
    own.ask("stop_run", run_id=run, how="discard")


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """A process that may write no file beyond a few bytes: for it, that is what a full disk is."""
    process = psutil.Process(pid)
    process.rlimit(psutil.RLIMIT_FSIZE, (16, -1))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, (-1, -1))


#: An image on the server, which a path leads to and a model could look at.
CAT = Path(__file__).parents[2] / "components" / "service" / "samples" / "cat.png"
TOO_MUCH = [
    ("a prompt of 10 MB", TEXT, "starter/sentiment", "word " * 2_000_000, {}, (400, 413), "allowed here"),
    ("a million lines", TEXT, "starter/sentiment", ["a\n" * 1_000_000], {}, (400, 413), "allowed here"),
    ("a billion new tokens", "text-generation", "starter/stories", "Once", {"max_new_tokens": 10**9}, (422,), "512"),
    ("a path as an image", "image-classification", "starter/pictures", str(CAT), {}, (400,), "base64"),
    ("an address as an image", "image-classification", "starter/pictures", "{address}", {}, (400,), "not fetched here"),
    (
        "an address as a sound",
        "automatic-speech-recognition",
        "starter/stories",
        "{address}",
        {},
        (400,),
        "not fetched",
    ),
]


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "statuses", "said"),
    [row[1:] for row in TOO_MUCH],
    ids=[row[0] for row in TOO_MUCH],
)
def test_inputs_that_are_too_much_or_elsewhere_are_refused(
    street: Any, liar: str, task: str, model: str, inputs: Any, parameters: dict[str, Any], statuses: Any, said: str
) -> None:
    _Liar.asked.clear()
    given = inputs.format(address=f"{liar}/x.png") if isinstance(inputs, str) else inputs
    answer = street.guest.run(task, model, given, **parameters)
    assert answer.status_code in statuses, answer.text
    assert said in answer.json()["error"]
    assert _Liar.asked == []
    assert answer.json()["error"].rstrip().endswith((".", "?", ")"))


def test_a_request_is_read_only_so_far(street: Any) -> None:
    page = HTTPConnection("127.0.0.1", street.guest.http.base_url.port, timeout=60)
    with closing(page):
        page.putrequest("POST", "/gradio_api/call/v2/check_card")
        page.putheader("Content-Length", str(10**12))
        page.endheaders(b'{"text": "')
        answer = page.getresponse()
        assert (answer.status, answer.read().endswith(b"Send less at once.")) == (413, True)
    upload = street.guest.http.post("/gradio_api/upload", files={"files": ("a.csv", b"x" * 21 * 1024**2)})
    assert upload.status_code == 413


def test_no_table_of_the_page_draws_html(street: Any) -> None:
    page = street.guest.http.get("/config").json()
    tables = [one["props"] for one in page["components"] if one["type"] == "dataframe"]
    kinds = {kind for table in tables for kind in (table.get("datatype") or [])}
    assert not kinds & {"html", "markdown"}
    previews = [one["props"] for one in page["components"] if one["type"] == "markdown"]
    assert previews
    assert all(preview["sanitize_html"] for preview in previews)


def test_names_that_a_stranger_chose_arrive_as_they_are_and_as_data(street: Any) -> None:
    answer = street.guest.run(TEXT, "mallory/hostile-names", "lovely", top_k=2)
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<img src=x onerror=alert(1)>" in answer.text


def test_a_data_folder_has_one_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import app as entry

    monkeypatch.setattr(entry, "PATIENCE", 0.2)
    with entry.claim(tmp_path), pytest.raises(SystemExit, match="Another app uses the data folder"):
        entry.claim(tmp_path)
    entry.claim(tmp_path).close()


def test_a_data_folder_that_cannot_be_written_is_told_at_the_start(tmp_path: Path) -> None:
    from app import claim

    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit, match=r"cannot be written.*--home"):
        claim(tmp_path / "file" / "home")


def test_a_link_among_the_files_leads_nowhere(street: Any, api: Any, tmp_path: Path) -> None:
    api.create_repo("ada/linked")
    address = street.address().replace("://", f"://ada:{street.tokens['ada']}@") + "/ada/linked"
    folder, git = tmp_path / "linked", ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
    subprocess.run([*git, "clone", "-q", address, str(folder)], check=True)
    (folder / "config.json").symlink_to("/etc/passwd")
    (folder / "README.md").symlink_to("/etc/passwd")
    (folder / "model.safetensors").symlink_to("/etc/passwd")
    subprocess.run([*git, "add", "."], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Links"], cwd=folder, check=True)
    pushed = subprocess.run([*git, "push", "-q"], cwd=folder, check=False, capture_output=True, text=True)
    answer = street.ada.run(TEXT, "ada/linked", "lovely")
    assert answer.status_code in (400, 403), (pushed.stderr, answer.text)
    told = json.dumps([answer.text, street.ada.call("repo_card", repo="ada/linked"), pushed.stderr])
    assert "root:" not in told
