"""Who one is, and whose token is used: cases 1 to 19, on the running app and over the request log of its Hub."""

from __future__ import annotations

import base64
import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from components.web.logs import keep_tokens_out_of_logs

UNSAFE = [
    ("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/call/whoami"), ("POST", "/gradio_api/call/v2/whoami"),
    ("POST", "/gradio_api/run/whoami"), ("POST", "/gradio_api/upload"), ("POST", "/gradio_api/cancel"),
    ("POST", "/gradio_api/reset"), ("POST", "/gradio_api/component_server"), ("POST", "/login"),
    ("POST", "/inference/text-classification/starter/sentiment"), ("PUT", "/health"), ("DELETE", "/anything"),
]  # fmt: skip
FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://another.hf.space"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(headers.values()))
def test_other_websites_may_send_nothing_with_a_visitors_cookie(street: Any, headers: dict[str, str]) -> None:
    street.log()
    for method, path in UNSAFE:
        answer = street.ada.http.request(method, path, json={"data": []}, headers=headers)
        assert (answer.status_code, "another website" in answer.text) == (403, True), path
    assert street.log() == []


def test_a_forged_session_cookie_signs_nobody_in(street: Any) -> None:
    from itsdangerous import TimestampSigner

    login = {"access_token": street.tokens["ada"], "expires_at": time.time() + 9999, "userinfo": {"name": "ada"}}
    value = base64.b64encode(json.dumps({"oauth_info": login}).encode())
    stranger = street.another()
    stranger.http.cookies.set("session", TimestampSigner(sha256(b"-v4").hexdigest()).sign(value).decode())
    assert stranger.ask("whoami")["name"] is None
    config = stranger.http.get("/config").json()
    assert "loginbutton" not in {component["type"] for component in config["components"]}


def test_one_s_own_machine_listens_on_loopback_alone(app: Any) -> None:
    listening = [at for at in psutil.Process(app.process.pid).net_connections() if at.status == psutil.CONN_LISTEN]
    assert {at.laddr.ip for at in listening} == {"127.0.0.1"}
    for path in ("/", "/config", "/health"):
        assert httpx.get(f"{app.url}{path}", headers={"Host": "evil.example"}).status_code == 403, path


def test_every_request_to_the_hub_carries_the_visitors_own_token_or_none(street: Any) -> None:
    text = "text-classification"
    for caller, digest in ((street.another(), None), (street.ada, street.digest("ada"))):
        street.log()
        assert caller.run(text, "starter/sentiment", "lovely").status_code == 200
        caller.ask("model_facts", model="starter/encoder")
        caller.ask("tokenize", model="starter/encoder", text="lovely")
        caller.ask("search_models", query="sentiment")
        caller.call("list_own")
        asked = street.log()
        assert asked
        assert {entry["token"] for entry in asked} == {digest}, asked


def _children(app: Any, module: str) -> list[int]:
    """The processes that an app has started of a module."""
    found = []
    for process in psutil.Process(app.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found += [process.pid] if module in process.cmdline() else []
    return found


ROWS = "text,label\n" + "".join(f"{'lovely' if i % 2 else 'awful'} thing {i},{i % 2}\n" for i in range(400))
RUN = {"task": "text-classification", "model": "starter/encoder", "data": {"text": ROWS}, "epochs": 5, "batch_size": 4}


def test_a_visitor_s_one_run_trains_in_a_process_without_a_secret_and_with_every_switch(
    street: Any, environ_of: Callable[[int], dict[str, str]]
) -> None:
    runs = [street.ada.ask("start_run", spec=RUN)["id"] for _ in range(3)]
    try:
        deadline = time.monotonic() + 60
        while not _children(street.app, "components.service.runs"):
            assert time.monotonic() < deadline, "no training process was started"
            time.sleep(0.05)
        for module in ("components.service.worker", "components.service.runs"):
            (pid, *_) = _children(street.app, module)
            found = environ_of(pid)
            assert not [name for name in found if name.startswith(("HF_TOKEN", "OAUTH_", "SPACE_"))], module
            assert street.tokens["owner"] not in " ".join(found.values()), module
            for name in ("DISABLE_SAFETENSORS_CONVERSION", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "HF_HUB_OFFLINE"):
                assert found[name] == "1", (module, name)
            assert found["HOME"].startswith(str(street.app.home)), module
        assert "2 runs waiting" in street.ada.refused("start_run", spec=RUN)
        waiting = [state for state in street.ada.ask("list_runs") if state["status"] == "queued"]
        assert sorted(state["place"] for state in waiting) == [1, 2]
        assert street.bob.ask("list_runs") == []
    finally:
        for run in reversed(runs):
            street.ada.ask("stop_run", run_id=run, how="discard")


def test_the_embedded_hub_starts_without_a_secret(app: Any, environ_of: Callable[[int], dict[str, str]]) -> None:
    from components.localhub.beside import ENVIRONMENT

    (pid,) = _children(app, "components.localhub")
    assert set(environ_of(pid)) <= {*ENVIRONMENT, "LOCALHUB_TOKEN"}


def test_the_page_is_without_telemetry_monitoring_and_secrets(street: Any) -> None:
    config = street.guest.http.get("/config").json()
    assert config["analytics_enabled"] is False
    page = "".join(street.ada.http.get(path).text for path in ("/", "/config", "/gradio_api/info"))
    assert len(page) > 100_000
    assert not [secret for secret in (*street.tokens.values(), "the space's own secret") if secret in page]
    for path in ("/monitoring", "/monitoring/summary", "/gradio_api/monitoring/summary"):
        assert street.guest.http.get(path).status_code in (401, 403, 404), path
    for path in ("vibe-edit", "vibe-code", "undo-vibe-edit", "vibe-starter-queries"):
        body = {"prompt": "x", "code": "x", "hash": "x"}
        assert street.guest.http.post(f"/gradio_api/{path}", json=body).status_code in (403, 404), path


SECRET = f"hf_{'x' * 34}"


@pytest.mark.parametrize(
    ("message", "arguments"),
    [(f"sent with {SECRET}", ()), ("sent with %s", (SECRET,)), ("Authorization: Bearer %s", ("opaque",)),
     ("%s %s", (SECRET,)), ("%(token)s", ({"token": SECRET},)), (ValueError(SECRET), ())],
)  # fmt: skip
def test_no_token_reaches_a_log_in_a_message_or_in_what_was_raised(
    capsys: pytest.CaptureFixture[str], message: Any, arguments: tuple[Any, ...]
) -> None:
    before, logger = logging.getLogRecordFactory(), logging.getLogger("abuse")
    handler = logging.StreamHandler()
    logger.addHandler(handler)
    try:
        keep_tokens_out_of_logs()
        try:
            raise RuntimeError(f"the Hub refused {SECRET}")
        except RuntimeError:
            logger.exception(message, *arguments)
    finally:
        logging.setLogRecordFactory(before)
        logger.removeHandler(handler)
    written = capsys.readouterr().err
    assert "[token]" in written
    assert "the Hub refused [token]" in written
    assert SECRET not in written
    assert "opaque" not in written


@pytest.fixture(scope="module")
def page(street: Any) -> dict[str, Any]:
    """The page's own configuration, as a browser gets it."""
    config: dict[str, Any] = street.guest.http.get("/config").json()
    return config


def dependency(page: dict[str, Any], name: str, event: str) -> dict[str, Any]:
    """What the server does on an event of the component of that name; `load` is an event of no component."""
    ids = [one["id"] for one in page["components"] if one["props"].get("elem_id") == name]
    for one in (each for each in page["dependencies"] if each["backend_fn"]):
        if event == "load" and any(kind == "load" for _, kind in one["targets"]) and set(ids) & set(one["outputs"]):
            return dict(one)
        if any(target in ids and kind == event for target, kind in one["targets"]):
            return dict(one)
    raise AssertionError(f"the page has no {event} of {name}")


def test_a_session_s_id_does_not_let_another_browser_act_with_its_token(street: Any, page: dict[str, Any]) -> None:
    sign_in, who = dependency(page, "hub-sign-in", "click"), dependency(page, "who", "load")
    victim, thief, session = street.another(), street.another(), "abcdefghijk"

    def header(caller: Any) -> str:
        told = caller.event(who["id"], [None] * len(who["inputs"]), session)
        return json.dumps(told["output"]["data"])

    assert "not signed in" in header(victim)
    values = [None] * (len(sign_in["inputs"]) - 1) + [street.tokens["ada"]]
    signed = victim.event(sign_in["id"], values, session)
    assert "You act as ada" in json.dumps(signed["output"]["data"])
    assert street.tokens["ada"] not in json.dumps(signed)
    assert "<b>ada</b>" in header(victim)
    assert "not signed in" in header(thief)


def test_no_file_of_the_server_or_of_the_data_folder_is_served(street: Any) -> None:
    home = Path(street.app.home)
    (home / "uploads").mkdir(exist_ok=True)
    (home / "uploads" / "private.csv").write_text("secret rows")
    inside = [str(file) for file in home.rglob("*") if file.is_file()][:20]
    for path in [
        "/etc/passwd",
        "app.py",
        str(Path.cwd() / "app.py"),
        "../../etc/passwd",
        "file:///etc/passwd",
        *inside,
    ]:
        answer = street.guest.http.get(f"/gradio_api/file={path}")
        assert answer.status_code in (403, 404), path
        assert "location" not in answer.headers, path


def test_an_upload_that_is_a_page_does_nothing_when_it_is_opened(street: Any) -> None:
    attack = b"<script>fetch('/gradio_api/call/whoami')</script>"
    for name, kind in (("a.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.txt", "text/plain")):
        (path,) = street.ada.http.post("/gradio_api/upload", files={"files": (name, attack, kind)}).json()
        answer = street.ada.http.get(f"/gradio_api/file={path}")
        assert answer.status_code == 200
        assert "sandbox" in answer.headers["content-security-policy"], name
        assert answer.headers["x-content-type-options"] == "nosniff", name
        assert not answer.headers["content-type"].startswith(("text/html", "image/svg")), name


@pytest.fixture(scope="module")
def private(street: Any) -> str:
    """A private model of ada's, which she has used."""
    from huggingface_hub import HfApi, snapshot_download

    api = HfApi(endpoint=street.address(), token=street.tokens["ada"])
    api.create_repo("ada/secret", private=True)
    folder = snapshot_download(
        "starter/sentiment", endpoint=street.address(), token=False, cache_dir=street.app.home / "test-cache"
    )
    api.upload_folder(repo_id="ada/secret", folder_path=folder)
    assert street.ada.run("text-classification", "ada/secret", "lovely").status_code == 200
    return "ada/secret"


def test_what_one_visitor_fetched_with_a_token_is_nobody_else_s(street: Any, private: str) -> None:
    asks: dict[str, Callable[[str], dict[str, Any]]] = {
        "model_facts": lambda model: {"model": model},
        "tokenize": lambda model: {"model": model, "text": "a"},
        "repo_card": lambda model: {"repo": model},
        "draft_card": lambda model: {"run_or_model": model},
        "run_stages": lambda model: {"task": "text-classification", "model": model, "inputs": "a"},
    }
    for caller in (street.bob, street.another()):
        answer = caller.run("text-classification", private, "lovely")
        unknown = caller.run("text-classification", "ada/nothing", "lovely")
        assert answer.status_code == unknown.status_code == 404
        assert answer.text == unknown.text.replace("ada/nothing", private)
        for endpoint, of in asks.items():
            said = caller.refused(endpoint, **of(private))
            assert said == caller.refused(endpoint, **of("ada/nothing")).replace("ada/nothing", private), endpoint
            assert f"has no {private}" in said, endpoint
    assert street.ada.run("text-classification", private, "lovely").status_code == 200


def test_a_push_whose_session_expired_says_so_and_can_be_repeated(
    street: Any, private: str, spoil: Callable[..., None]
) -> None:
    card = "---\nlicense: mit\n---\n# Mine\n"
    spoil(path="/commit/", method="POST", status=401, times=1)
    assert "Sign in again" in street.ada.refused("push_card", repo=private, text=card)
    assert street.ada.ask("repo_info", repo=private)["private"]
    done = street.ada.ask("push_card", repo=private, text=card)
    assert done["changed"]
    # A repository that exists keeps its visibility, whatever is put into it; a new one is private.
    assert street.ada.ask("repo_info", repo=private)["private"]
    assert street.ada.ask("create_repo", repo="fresh")["private"]


def test_the_token_of_the_moment_says_who_acts_in_a_browser_with_two_accounts(street: Any) -> None:
    browser = street.another()
    for name in ("ada", "bob"):
        browser.http.headers["Authorization"] = f"Bearer {street.tokens[name]}"
        assert browser.ask("whoami")["name"] == name
        assert browser.ask("create_repo", repo="twice")["repo"] == f"{name}/twice"


def test_nothing_is_sent_to_a_namespace_of_somebody_else(street: Any) -> None:
    street.log()
    for endpoint, arguments in (
        ("create_repo", {"repo": "ada/planted"}),
        ("push_card", {"repo": "ada/twice", "text": "# Planted"}),
        ("delete_repo", {"repo": "ada/twice", "confirm": "ada/twice"}),
        ("set_visibility", {"repo": "ada/twice", "private": False}),
        ("move_repo", {"repo": "ada/twice", "to": "bob/taken"}),
        ("move_repo", {"repo": "bob/twice", "to": "ada/taken"}),
    ):
        assert "may not write to ada" in street.bob.refused(endpoint, **arguments), endpoint
    assert {entry["method"] for entry in street.log()} <= {"GET", "HEAD"}


def test_no_endpoint_takes_the_address_of_a_hub_or_a_file_of_the_server(street: Any) -> None:
    described = street.guest.http.get("/gradio_api/info").json()["named_endpoints"]
    assert len(described) > 60
    names = {parameter["parameter_name"] for one in described.values() for parameter in one["parameters"]}
    assert not {name for name in names if any(word in name for word in ("endpoint", "host", "url", "hf_", "owner_key"))}
    for address in (
        f"{street.address()}.evil.example/a/b",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:22/a",
    ):
        assert "not a model id" in street.guest.refused("model_facts", model=address)


def test_values_that_no_menu_offers_are_refused_when_sent_directly(street: Any, page: dict[str, Any]) -> None:
    run = dependency(page, "pg-run", "click")
    kinds = {one["id"]: one for one in page["components"]}
    values = [
        "not offered" if kinds[name]["type"] == "dropdown" else kinds[name]["props"].get("value")
        for name in run["inputs"]
    ]
    told = street.guest.event(run["id"], values, "tampered-with")
    answer = json.dumps(told)
    assert told["success"] is False
    assert "not offered" in answer
    assert "Traceback" not in answer
    assert "site-packages" not in answer


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("call/v2/nothing", {}, 404),
        ("call/nothing", {"data": []}, 404),
        ("run/nothing", {"data": []}, 404),
        ("queue/join", {"data": [], "fn_index": 10**6, "session_hash": "a"}, 404),
        ("queue/join", {"data": [], "fn_index": -1, "session_hash": "a"}, 404),
        ("call/v2/whoami", {"nothing": 1}, 400),
    ],
)
def test_a_call_of_nothing_is_refused_in_a_sentence_and_fills_no_log(
    street: Any, path: str, body: dict[str, Any], status: int
) -> None:
    before = street.app.log.stat().st_size
    answer = street.guest.http.post(f"/gradio_api/{path}", json=body)
    assert (answer.status_code, answer.json()["error"].endswith(".")) == (status, True)
    assert street.app.log.stat().st_size - before < 500


def test_what_a_session_holds_is_written_to_no_file(street: Any) -> None:
    begun = street.guest.http.post("/gradio_api/call/list_metrics", json={"data": [], "session_hash": "to-be-linked"})
    assert begun.status_code == 200
    asked = street.guest.http.get("/gradio_api/deep_link", params={"session_hash": "to-be-linked"})
    assert asked.status_code == 404


def test_no_token_is_in_any_file_or_log_of_the_app(street: Any) -> None:
    # Last in this file: after everything that the visitors above have done.
    secrets = [token.encode() for token in street.tokens.values()]
    kept = [file for file in Path(street.app.home).rglob("*") if file.is_file() and os.access(file, os.R_OK)]
    assert len(kept) > 20
    assert [str(file) for file in kept if any(token in file.read_bytes() for token in secrets)] == []
