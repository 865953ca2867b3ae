"""Sessions are light: a copy of the page is not made for each, and what each holds stays its own."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
import httpx
import psutil
import pytest
from gradio.state_holder import SessionState

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


def test_a_session_copies_nothing_of_the_page_until_something_changes(page: gr.Blocks) -> None:
    session = Session(page)
    assert not session.config_values
    session._update_value_in_config(next(iter(session.blocks_config.blocks)), "changed")
    assert len(session.config_values) == 1


def test_a_session_shares_the_page_s_blocks_and_calls(page: gr.Blocks) -> None:
    session = Session(page)
    key = next(iter(page.default_config.blocks))
    session[key] = gr.Textbox("another", render=False)
    assert page.default_config.blocks[key].value == "text 0"
    assert session[key].value == "another"
    assert session.blocks_config.fns is page.default_config.fns
    assert len(session.blocks_config.blocks.maps[0]) == 1


def test_a_session_tells_the_same_of_every_component_as_one_of_gradio(page: gr.Blocks) -> None:
    ours, theirs = Session(page), SessionState(page)
    assert list(ours.components) == list(theirs.components)
    for session in (ours, theirs):
        key = sorted(session.blocks_config.blocks)[2]
        session._update_value_in_config(key, "changed")
        session[key] = gr.Textbox("another", label="new", render=False)
    assert [{**one, "id": 0} for one in ours.components] == [{**one, "id": 0} for one in theirs.components]


def test_what_changes_in_one_session_is_unseen_in_another(page: gr.Blocks) -> None:
    one, other = Session(page), Session(page)
    one._update_value_in_config(next(iter(one.blocks_config.blocks)), "secret")
    assert "secret" in str(list(one.components))
    assert "secret" not in str(list(other.components))
    assert "secret" not in str(list(Session(page).components))


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
