"""Who may do what: other websites, guests of a public app, somebody with a token."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

TABLE = [
    ("another website, by its origin", {"Origin": "https://evil.example"}, 403),
    ("another website, by what the browser says", {"Sec-Fetch-Site": "cross-site"}, 403),
    ("a sister site, by what the browser says", {"Sec-Fetch-Site": "same-site"}, 403),
    ("the page itself", {"Sec-Fetch-Site": "same-origin"}, 200),
    ("a client that is no browser", {}, 200),
]


@pytest.mark.parametrize(("headers", "status"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_only_the_page_and_clients_may_post(app: Any, headers: dict[str, str], status: int) -> None:
    answer = httpx.post(f"{app.url}/gradio_api/call/whoami", json={"data": [None]}, headers=headers)
    assert answer.status_code == status


def test_the_page_s_own_origin_may_post(app: Any) -> None:
    answer = httpx.post(f"{app.url}/gradio_api/call/whoami", json={"data": [None]}, headers={"Origin": app.url})
    assert answer.status_code == 200


def test_health_answers_without_a_model(app: Any) -> None:
    assert httpx.get(f"{app.url}/health").json()["status"] == "ok"


def call(guest: httpx.Client, endpoint: str, *arguments: Any) -> Any:
    """One call as a browser with its cookies makes it; a refusal is its sentence."""
    posted = guest.post(f"/gradio_api/call/{endpoint}", json={"data": [*arguments, None]})
    events = guest.get(f"/gradio_api/call/{endpoint}/{posted.json()['event_id']}").text
    # A call that takes long is preceded by heartbeats.
    kind, data = events.strip().split("\n\n")[-1].split("\n")[0:2]
    value = json.loads(data.removeprefix("data: "))
    return value[0] if kind == "event: complete" else value


#: Every endpoint that takes a run, with its arguments.
OF_A_RUN: dict[str, Callable[[str], list[Any]]] = {
    "run_state": lambda run: [run],
    "run_log": lambda run: [run, 1000],
    "stop_run": lambda run: [run, "discard"],
    "resume_run": lambda run: [run],
    "rerun_run": lambda run: [run, {"seed": 1}],
    "move_run": lambda run: [run, 1],
    "compare_runs": lambda run: [[run, run]],
    "try_run": lambda run: [run, ["a text"]],
    "delete_run": lambda run: [run],
}


def test_guests_of_a_public_app_are_apart_and_nobody_has_the_owner_s_token(public: Any) -> None:
    with httpx.Client(base_url=public.url, timeout=60) as one, httpx.Client(base_url=public.url, timeout=60) as other:
        for guest in (one, other):
            guest.get("/")
            assert call(guest, "whoami")["name"] is None
        rows = "text,label\n" + "".join(f"{'good' if i % 2 else 'bad'} {i},{i % 2}\n" for i in range(40))
        spec = {"task": "text-classification", "model": "starter/encoder", "data": {"text": rows}, "epochs": 1}
        run = call(one, "start_run", spec)["id"]
        assert [state["id"] for state in call(one, "list_runs")] == [run]
        assert call(other, "list_runs") == []
        unknown = "A" * len(run)
        for endpoint, ask in OF_A_RUN.items():
            refused = call(other, endpoint, *ask(run))
            assert refused == call(other, endpoint, *ask(unknown)), endpoint
            assert "no such run of yours" in str(refused), endpoint
        assert call(one, "run_log", run, 1000)["bytes"] >= 0
        assert "Sign in" in str(call(one, "create_repo", "mine", True, "model"))
        call(one, "stop_run", run, "discard")


def test_a_client_without_a_cookie_or_a_token_owns_no_run(public: Any) -> None:
    spec = {"task": "text-classification", "model": "starter/encoder", "data": {"text": "text,label\na,b\nc,d\n"}}
    with httpx.Client(base_url=public.url, timeout=60) as forgetful:
        forgetful.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for endpoint, arguments in (("start_run", [spec]), ("rehearse_run", [spec, ""])):
            assert "needs an owner" in str(call(forgetful, endpoint, *arguments))


@pytest.mark.parametrize(
    ("endpoint", "arguments"),
    [("job_hardware", []), ("list_jobs", []), ("job_state", ["a" * 24]), ("job_log", ["a" * 24, 0]),
     ("cancel_job", ["a" * 24])],
)  # fmt: skip
def test_the_embedded_hub_says_that_it_has_no_jobs(public: Any, endpoint: str, arguments: list[Any]) -> None:
    with httpx.Client(base_url=public.url, timeout=60) as guest:
        guest.get("/")
        assert "which has no Jobs" in str(call(guest, endpoint, *arguments))


def test_a_token_in_the_request_says_who_one_is(public: Any) -> None:
    token = (Path(public.home) / "hub" / "token").read_text()
    assert Client(public.url, verbose=False, token=token).predict(api_name="/whoami")["name"] == "me"
    with pytest.raises(AppError, match="does not accept this token"):
        Client(public.url, verbose=False, token="hf_" + "x" * 34).predict(api_name="/whoami")
    with httpx.Client(base_url=public.url, timeout=60) as guest:
        for none in ("hf_\x80", "hf_a\nb"):
            assert "does not accept this token" in str(call(guest, "login", none))


def test_no_token_reaches_a_log_or_a_run(app: Any, client: Client) -> None:
    token = (Path(app.home) / "hub" / "token").read_text()
    client.predict(api_name="/whoami")
    found = [
        str(file)
        for file in Path(app.home).rglob("*")
        if file.is_file() and file.name != "token" and token.encode() in file.read_bytes()
    ]
    assert found == []
