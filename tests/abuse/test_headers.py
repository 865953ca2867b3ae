"""The door and the headers, on bare ASGI scopes: what is let in, and what each answer tells the browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from components.service.settings import Settings
from components.web import bounds
from components.web.bounds import RequestBound
from components.web.headers import AnswerHeaders, page_policy
from components.web.visitors import Door, kept, kept_token

SPACE = ("me-workbench.hf.space", "models.example")
PAGE = "<html><script>one()</script><SCRIPT type='module'>two()\r\n</SCRIPT><script src='./x.js'></script></html>"


def settings(**more: Any) -> Settings:
    return Settings(home=Path("."), cache=Path("."), **more)


DOOR = [
    ("GET", {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, True),
    ("HEAD", {"sec-fetch-site": "cross-site"}, True),
    ("OPTIONS", {"origin": "https://evil.example"}, True),
    ("POST", {}, True),
    ("POST", {"sec-fetch-site": "same-origin", "origin": "https://me-workbench.hf.space"}, True),
    ("POST", {"sec-fetch-site": "none"}, True),
    ("POST", {"sec-fetch-site": "same-site"}, False),
    ("POST", {"sec-fetch-site": "cross-site"}, False),
    ("POST", {"sec-fetch-site": "Same-Origin"}, False),
    ("POST", {"sec-fetch-site": ""}, False),
    ("PUT", {"sec-fetch-site": "cross-site"}, False),
    ("DELETE", {"sec-fetch-site": "cross-site"}, False),
    ("PATCH", {"origin": "https://evil.example"}, False),
    ("get", {"origin": "https://evil.example"}, False),
    ("POST", {"origin": "http://app.internal:7860"}, True),
    ("POST", {"origin": "https://me-workbench.hf.space"}, True),
    ("POST", {"origin": "https://models.example"}, True),
    ("POST", {"origin": "https://models.example:8443"}, False),
    ("POST", {"origin": "https://evil.example"}, False),
    ("POST", {"origin": "https://models.example.evil.example"}, False),
    ("POST", {"origin": "https://evil.example/models.example"}, False),
    ("POST", {"origin": "https://models.example@evil.example"}, False),
    ("POST", {"origin": "null"}, False),
    ("POST", {"origin": ""}, False),
    ("POST", {"origin": "http://[::1"}, False),
    ("POST", [("origin", "http://app.internal:7860"), ("origin", "https://evil.example")], False),
    ("POST", [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], False),
]


@pytest.mark.parametrize(("method", "headers", "enters"), DOOR)
def test_only_the_page_itself_and_what_is_no_browser_come_through_the_door(
    method: str, headers: Any, enters: bool
) -> None:
    listed = [*(headers.items() if isinstance(headers, dict) else headers), ("host", "app.internal:7860")]
    given = [*listed, ("cookie", "workbench_guest=me")]
    assert enters_through(settings(public=True, space_hosts=SPACE), method, given) is enters


def enters_through(settings: Settings, method: str, headers: list[tuple[str, str]]) -> bool:
    """Whether the door lets a request in; where it does not, it says so with status 403."""
    reached, refused = [], []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["method"])

    async def send(message: Any) -> None:
        refused.append(message.get("status", 403))

    raw = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "method": method, "path": "/gradio_api/queue/join", "headers": raw}
    asyncio.run(Door(inside, settings)(scope, None, send))  # type: ignore[arg-type]
    assert bool(reached) is not bool(refused)
    assert set(refused) <= {403}
    return bool(reached)


@pytest.mark.parametrize(
    ("hosts", "enters"),
    [
        (["127.0.0.1:7860"], True), (["localhost:7860"], True), (["LOCALHOST"], True), (["[::1]:7860"], True),
        (["evil.example:7860"], False), (["127.0.0.1.evil.example"], False), (["localhost.evil.example"], False),
        (["evil@127.0.0.1", "evil.example"], False), (["192.168.0.5:7860"], False), ([""], False), ([], False),
        (["[::1"], False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_s_own_machine_is_asked_by_its_own_names_alone(hosts: list[str], enters: bool, method: str) -> None:
    # A website whose name is made to lead to this machine is of the same origin, for all that a browser knows.
    headers = [("sec-fetch-site", "same-origin"), *(("host", host) for host in hosts)]
    assert enters_through(settings(), method, headers) is enters
    assert enters_through(settings(root_path="/proxied"), method, headers)


def app(hub: str = "", **limits: int) -> TestClient:
    """Pages and files of every kind behind the middleware."""

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse(PAGE)

    async def parts(_request: Request) -> StreamingResponse:
        return StreamingResponse(iter([PAGE[:20], PAGE[20:]]), media_type="text/html; charset=utf-8")

    async def other(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("text", 404)

    async def read(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    routes = [Route("/", page), Route("/parts", parts), Route("/gradio_api/file=a.svg", other), Route("/x", other)]
    routes += [Route("/{path:path}", read, methods=["POST"])]
    bounded = Middleware(RequestBound, settings=settings(**{"upload_bytes": 3000, "free_disk_bytes": 0, **limits}))
    return TestClient(Starlette(routes=routes, middleware=[Middleware(AnswerHeaders, hub=hub), bounded]))


def directives(policy: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in policy.split(";"))}


@pytest.mark.parametrize("path", ["/", "/parts"])
def test_a_page_runs_its_own_scripts_and_no_others(path: str) -> None:
    answer = app().get(path)
    assert answer.text == PAGE
    found = directives(answer.headers["content-security-policy"])
    assert found["default-src"] == "'none'"
    for script in ("one()", "two()\n"):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in found["script-src"]
    assert found["script-src"].count("sha256") == 2
    assert "'unsafe-inline'" not in found["script-src"]
    assert found["frame-ancestors"] == "'self'"


def test_huggingface_co_may_frame_a_space() -> None:
    policy = app("https://huggingface.co").get("/").headers["content-security-policy"]
    assert directives(policy)["frame-ancestors"] == "'self' https://huggingface.co"


@pytest.mark.parametrize("path", ["/", "/parts", "/x", "/gradio_api/file=a.svg"])
def test_every_answer_is_what_it_says_and_tells_other_websites_no_address(path: str) -> None:
    headers = app().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_a_file_that_is_opened_alone_may_do_nothing() -> None:
    found = directives(app().get("/gradio_api/file=a.svg").headers["content-security-policy"])
    assert found["default-src"] == "'none'"
    assert found["sandbox"] == ""


def test_the_policy_of_a_page_without_scripts_is_whole() -> None:
    assert "sha256" not in page_policy(b"<p>")
    assert directives(page_policy(b"<p>"))["script-src"].startswith("'self'")


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/call", 5000, 200),
        ("/call", 2_000_000, 413),
        ("/gradio_api/upload", 2_000_000, 200),
        ("/inference/x", 2_000_000, 413),
    ],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_body_is_read_only_as_far_as_it_may_be_long(path: str, size: int, status: int, told: bool) -> None:
    content: Any = b"x" * size if told else iter([b"x" * 1000] * (size // 1000))
    assert app().post(path, content=content).status_code == status


def test_an_upload_leaves_as_much_of_the_disk_free_as_has_to_be() -> None:
    full = app(free_disk_bytes=10**18)
    answer = full.post("/gradio_api/upload", content=b"x")
    assert (answer.status_code, "nearly full" in answer.text) == (507, True)
    assert full.post("/call", content=b"x").status_code == 200


def test_a_visitor_uploads_only_so_much_within_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    client = app(public=True, hourly_upload_bytes=5000)

    def send(size: int, cookie: str, address: str) -> int:
        headers = {"Cookie": f"workbench_guest={cookie}", "X-Forwarded-For": address}
        # As browsers send it, and in parts whose length nobody tells.
        content: Any = b"x" * size if size < 4000 else iter([b"x" * 1000] * (size // 1000))
        return client.post("/gradio_api/upload", content=content, headers=headers).status_code

    assert [send(3000, "one", "8.8.4.4"), send(3000, "one", "9.9.9.9"), send(1, "one", "")] == [200, 429, 429]
    assert [send(6000, "two", "1.1.1.1"), send(2000, "three", "8.8.4.4"), send(1, "four", "8.8.4.4")] == [429, 200, 429]
    assert send(3000, "five", "") == 200
    monkeypatch.setattr(bounds, "_HOUR", 0.0)
    assert send(3000, "one", "8.8.4.4") == 200


class _Asked:
    """A request with the cookies given."""

    def __init__(self, **cookies: str) -> None:
        self.cookies = cookies


@pytest.mark.parametrize(
    ("pasting", "asking", "token"),
    [("one", "one", "hf_x"), ("one", "two", ""), ("one", "", ""), ("", "", "hf_x"), ("one", "\u00f6ne", "")],
)
def test_a_pasted_token_is_for_the_browser_that_pasted_it(pasting: str, asking: str, token: str) -> None:
    session: Any = kept("hf_x", _Asked(workbench_guest=pasting))  # type: ignore[arg-type]
    assert kept_token(session, _Asked(workbench_guest=asking)) == token  # type: ignore[arg-type]
    assert kept_token("hf_x", _Asked(workbench_guest=asking)) == ""  # type: ignore[arg-type]
