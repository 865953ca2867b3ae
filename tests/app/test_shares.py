"""How many calls a visitor, an address and all callers without a name may have: by cookie, by token, by neither."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from components.service.settings import Settings
from components.web.addresses import address_of
from components.web.belongings import Belongings, Files
from components.web.shares import Shares

JOIN = "/gradio_api/queue/join"
HOME, WORK = "8.8.4.4", "2a00:1450:4001:830::200e"


class Gate:
    """Calls of an app: those of the queue go on until they are ended here, those of the Inference API while `open` is
    not set."""

    def __init__(self, folder: Path) -> None:
        self.going: list[str] = []
        self.open = anyio.Event()
        numbers = itertools.count()

        async def join(_request: Request) -> JSONResponse:
            self.going.append(f"event-{next(numbers)}")
            await anyio.lowlevel.checkpoint()
            return JSONResponse({"event_id": self.going[-1]})

        async def infer(_request: Request) -> JSONResponse:
            await self.open.wait()
            return JSONResponse([])

        routes = [Route("/inference/{task}/{model:path}", infer, methods=["POST"])]
        routes += [Route(path, join, methods=["POST"]) for path in (JOIN, "/gradio_api/call/{name}")]
        routes += [Route("/gradio_api/call/v2/{name}", join, methods=["POST"])]
        limits = Settings(home=folder, cache=folder, visitor_calls=3, address_calls=4, nameless_calls=2)
        self.app = Belongings(Starlette(routes=routes), Files(folder), Shares(limits, lambda: self.going))

    async def ask(self, path: str = JOIN, token: str = "", address: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"X-Forwarded-For": f"1.1.1.1, {address}"} if address else {}
        transport = httpx.ASGITransport(self.app, client=("10.0.0.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://app", headers=headers) as one:
            return await one.post(path, json={"data": []})

    async def statuses(self, *asked: dict[str, str]) -> list[int]:
        return [(await self.ask(**one)).status_code for one in asked]


@pytest.fixture
def story(tmp_path: Path) -> Callable[[Callable[[Gate], Awaitable[None]]], None]:
    def told(tell: Callable[[Gate], Awaitable[None]]) -> None:
        async def begin() -> None:
            await tell(Gate(tmp_path))

        anyio.run(begin)

    return told


@pytest.mark.parametrize("path", ["/gradio_api/call/run_task", "/gradio_api/call/v2/run_task", JOIN])
def test_a_greedy_visitor_is_refused_in_a_sentence_and_others_are_not(path: str, story: Any) -> None:
    async def tell(gate: Gate) -> None:
        greedy, modest = {"path": path, "token": "greedy"}, {"path": path, "token": "modest"}
        assert await gate.statuses(*[greedy] * 5, modest) == [200, 200, 200, 503, 503, 200]
        refusal = (await gate.ask(**greedy)).json()["detail"]
        assert "3 calls" in refusal
        assert "Wait" in refusal
        gate.going.remove("event-1")
        assert await gate.statuses(greedy, greedy, {"path": path}, {"path": path}, {"path": path}, modest) == [
            200, 503, 200, 200, 503, 200
        ]  # fmt: skip
        assert "all of them may have together" in (await gate.ask(path)).json()["detail"]

    story(tell)


def test_who_makes_up_a_new_token_for_each_call_has_no_more_than_their_address(story: Any) -> None:
    async def tell(gate: Gate) -> None:
        made_up = [{"token": f"token-{number}", "address": HOME} for number in range(6)]
        assert await gate.statuses(*made_up) == [200] * 4 + [503] * 2
        assert "from your address" in (await gate.ask(token="another", address=HOME)).json()["detail"]
        assert await gate.statuses({"token": "another", "address": WORK}, {"token": "another"}) == [200, 200]
        gate.going.clear()
        assert await gate.statuses(*made_up) == [200] * 4 + [503] * 2

    story(tell)


def test_calls_that_come_at_once_are_counted_before_they_are_in_the_queue(story: Any) -> None:
    async def tell(gate: Gate) -> None:
        found: list[int] = []

        async def ask() -> None:
            found.append((await gate.ask(token="greedy")).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(ask)
        assert found.count(200) == len(gate.going) == 3

    story(tell)


def test_a_call_of_the_inference_api_counts_while_it_is_answered(story: Any) -> None:
    async def tell(gate: Gate) -> None:
        path, found = "/inference/text-classification/a/b", []

        async def ask() -> None:
            found.append((await gate.ask(path, "greedy")).status_code)

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
            while len(found) < 2:
                await anyio.lowlevel.checkpoint()
            assert found == [503, 503]
            refused = await gate.ask(token="greedy")
            assert (refused.status_code, (await gate.ask(token="modest")).status_code) == (503, 200)
            assert refused.json()["error_type"] == "overloaded"
            gate.open.set()
        assert found.count(200) == 3
        assert (await gate.ask(token="greedy")).status_code == 200

    story(tell)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("8.8.8.8", [], "8.8.8.8"),
        ("8.8.8.8", ["9.9.9.9"], "8.8.8.8"),  # whoever reaches the app itself is believed nothing
        ("10.1.2.3", ["9.9.9.9"], "9.9.9.9"),
        ("10.1.2.3", ["1.1.1.1, 9.9.9.9"], "9.9.9.9"),  # the caller wrote the first, the proxy the last
        ("10.1.2.3", ["1.1.1.1", "9.9.9.9, 10.0.0.1"], "9.9.9.9"),
        ("2a00:1450:4001:830::/64", [], "2a00:1450:4001:830::/64"),
        ("127.0.0.1", ["9.9.9.9:4711"], "9.9.9.9"),
        ("127.0.0.1", ["2a00:1450:4001:830::200e"], "2a00:1450:4001:830::/64"),
        ("127.0.0.1", ["[2a00:1450:4001:830:1::1]:80"], "2a00:1450:4001:830::/64"),
        ("::ffff:8.8.8.8", [], "8.8.8.8"),
        ("127.0.0.1", [], ""),
        ("192.168.0.7", ["10.0.0.1, fe80::1, ::1"], ""),
        (None, ["", ",", "a, b:c, 1.2.3, 999.1.1.1, [::"], ""),
    ],
)
def test_the_address_of_a_caller_is_the_last_one_of_the_internet(
    peer: str | None, forwarded: list[str], address: str
) -> None:
    assert address_of(peer, forwarded) == address
