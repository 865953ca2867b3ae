"""A public app behind a proxy, which shows it under a path, and with its endpoints as MCP tools."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from gradio_client import Client
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from components.api_examples import EXAMPLES

PREFIX = "/lab/workbench"


@pytest.fixture(scope="module")
def served(start_app: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A public app that says it stands under a path, with its MCP server, where no network and no proxy is."""
    flags = ("--hub", "local", "--host", "0.0.0.0", "--mcp", "--root-path", PREFIX)
    nowhere = dict.fromkeys(("HTTP_PROXY", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    running = start_app(tmp_path_factory.mktemp("served"), *flags, **nowhere, HF_HUB_OFFLINE="1")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def behind(served: Any) -> Iterator[str]:
    """The address of a proxy that shows the app under its path, as nginx would."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path.startswith(PREFIX):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {**self.headers, "X-Forwarded-Host": self.headers["Host"], "X-Forwarded-Proto": "http"}
            address = served.url + (self.path.removeprefix(PREFIX) or "/")
            with httpx.stream(self.command, address, headers=headers, content=body, timeout=60) as answer:
                self.send_response(answer.status_code)
                for name, value in answer.headers.multi_items():
                    if name not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                self.end_headers()
                with suppress(httpx.RemoteProtocolError, BrokenPipeError):  # one of the two has gone
                    for part in answer.iter_raw():
                        self.wfile.write(part)
                        self.wfile.flush()

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}"
        server.shutdown()


def use(app: Any, *calls: tuple[str, dict[str, Any]], token: str = "", tools: str = "") -> tuple[list[Any], list[Any]]:
    """The tools that one caller is told of, and what each of their calls gives."""

    async def talk() -> tuple[list[Any], list[Any]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        address = f"{app.url}/gradio_api/mcp/" + (f"?tools={tools}" if tools else "")
        async with (
            httpx.AsyncClient(headers=headers, timeout=120) as http,
            streamable_http_client(address, http_client=http) as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            listed = (await session.list_tools()).tools
            return listed, [await session.call_tool(*call) for call in calls]

    return asyncio.run(talk())


def told(answer: Any) -> Any:
    """What a tool gave, or the sentence of its refusal."""
    (content,) = answer.content
    assert isinstance(content, TextContent)
    return content.text if answer.isError else json.loads(content.text)


def test_every_endpoint_is_a_tool_that_says_what_its_arguments_are(served: Any) -> None:
    listed, answers = use(
        served, ("tokenize", EXAMPLES["tokenize"]), ("run_task", EXAMPLES["run_task"]), ("run_state", {"run_id": "x"})
    )
    assert [tool.name for tool in listed] == [tool.name for tool in listed if tool.name in EXAMPLES]
    assert len(listed) == len(EXAMPLES)
    for tool in listed:
        assert "Example: {" in tool.description
        assert all(one.get("description") for one in tool.inputSchema["properties"].values()), tool.name
    tokens, result, refused = map(told, answers)
    assert [one["token"] for one in tokens["tokens"]][1:3] == ["i", "love"]
    assert result["output"][0]["label"] == "positive"
    assert "There is no such run of yours" in refused
    few, _ = use(served, tools="tokenize,decode")
    assert [tool.name for tool in few] == ["tokenize", "decode"]


def test_each_caller_acts_with_their_own_token_and_one_without_any_with_nobodys(served: Any) -> None:
    token = (served.home / "hub" / "token").read_text()
    names = [
        told(answer)["name"]
        for given in ("", token, "", token)
        for answer in use(served, ("whoami", {}), token=given)[1]
    ]
    assert names == [None, "me", None, "me"]


def test_behind_a_proxy_every_address_on_the_page_is_the_proxys_and_calls_come_through(behind: str) -> None:
    with httpx.Client(base_url=behind, timeout=60) as http:
        page = http.get("/").raise_for_status()
        config = http.get("/config").raise_for_status().json()
        assets = [part.split('"')[0] for part in page.text.split('src="')[1:]]
        for asset in assets:
            http.get(asset.removeprefix("./")).raise_for_status()
    assert config["root"] == behind
    assert assets
    client = Client(behind, verbose=False)
    assert client.predict(**EXAMPLES["run_task"], api_name="/run_task")["output"][0]["label"] == "positive"
    with pytest.raises(httpx.HTTPStatusError):
        httpx.get(behind.removesuffix(PREFIX)).raise_for_status()
