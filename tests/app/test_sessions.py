"""Sessions are light: a copy of the page is not made for each, and what each holds stays its own."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import gradio as gr
import httpx
import psutil
import pytest

from components.web.sessions import Session

CALLS, MEGABYTES = 30, 25


@pytest.fixture(scope="module")
def page() -> gr.Blocks:
    async def make() -> gr.Blocks:
        with gr.Blocks() as made:
            for number in range(4):
                gr.Textbox(f"text {number}", label=str(number))
            gr.State({"kept": 1})
        return made

    return asyncio.run(make())  # where no loop runs, gradio makes one, which it never closes


def test_a_session_keeps_nothing_of_what_its_components_take_and_show(page: gr.Blocks) -> None:
    session = Session(page)
    for key, block in list(page.default_config.blocks.items()):
        session._update_value_in_config(key, "shown")
        session._update_config(key)
        session[key] = "kept" if block.stateful else gr.Textbox("changed", render=False)
    assert "shown" not in str(vars(session))
    assert list(session.components) == []
    assert "kept" in session.state_data.values()


def test_a_session_shares_the_page_s_blocks_and_calls(page: gr.Blocks) -> None:
    session = Session(page)
    key = next(iter(page.default_config.blocks))
    session[key] = gr.Textbox("another", render=False)
    assert page.default_config.blocks[key].value == "text 0"
    assert session[key].value == "another"
    assert session.blocks_config.fns is page.default_config.fns
    assert len(session.blocks_config.blocks.maps[0]) == 1


def test_what_changes_in_one_session_is_unseen_in_another(page: gr.Blocks) -> None:
    one, other = Session(page), Session(page)
    blocks = page.default_config.blocks.items()
    text, state = (next(key for key, one in blocks if isinstance(one, kind)) for kind in (gr.Textbox, gr.State))
    one[text], one[state] = gr.Textbox("secret", render=False), {"kept": "secret"}
    assert (one[text].value, one[state]) == ("secret", {"kept": "secret"})
    for session in (other, Session(page)):
        assert session[text].value == "text 0"
        assert session[state] == {"kept": 1}


def test_calls_that_name_no_session_leave_little_memory_behind(app: Any) -> None:
    def call() -> None:
        place = f"{app.url}/gradio_api/call/list_metrics"
        event = httpx.post(place, json={"data": []}).json()["event_id"]
        assert "event: complete" in httpx.get(f"{place}/{event}", timeout=60).text

    for _ in range(5):
        call()
    web = psutil.Process(app.process.pid)
    before = web.memory_info().rss
    for _ in range(CALLS):
        call()
    assert (web.memory_info().rss - before) / 1e6 < MEGABYTES


def test_what_is_sent_in_ever_new_sessions_leaves_little_memory_behind(app: Any) -> None:
    config = httpx.get(f"{app.url}/config").json()
    texts = {one["id"] for one in config["components"] if one["type"] == "textbox"}
    # An event of the page with a text among its inputs, and as little else as there is.
    events = [one for one in config["dependencies"] if texts & set(one["inputs"]) and one["queue"] is not False]
    event = min(events, key=lambda one: len(texts & set(one["inputs"])))
    web, long = psutil.Process(app.process.pid), "x" * 1_000_000

    def send(number: int) -> None:
        values = [long if name in texts else None for name in event["inputs"]]
        body = {"data": values, "fn_index": event["id"], "session_hash": f"new-{number}-{os.getpid()}"}
        httpx.post(f"{app.url}/gradio_api/queue/join", json=body, timeout=60).raise_for_status()
        told = httpx.get(f"{app.url}/gradio_api/queue/data?session_hash={body['session_hash']}", timeout=60).text
        assert "process_completed" in told

    for number in range(10):
        send(number)
    before = web.memory_info().rss
    for number in range(10, 50):
        send(number)
    assert (web.memory_info().rss - before) / 1e6 < MEGABYTES
