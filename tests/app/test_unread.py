"""Results that nobody reads are dropped, and no others."""

from __future__ import annotations

from asyncio import Queue
from types import SimpleNamespace
from typing import Any

import pytest

from components.web.unread import MOST, Unread


@pytest.fixture
def queue() -> Any:
    """What a queue keeps: `ended` has a result to be read, `going` one beside a call that goes on, `read` none."""
    kept = SimpleNamespace(
        event_ids_to_events={"c": object()},
        pending_event_ids_session={"ended": {"a"}, "going": {"b", "c"}, "read": set()},
        pending_messages_per_session={name: Queue() for name in ("ended", "going", "read")},
    )
    for name in ("ended", "going"):
        kept.pending_messages_per_session[name].put_nowait("a result")
    return kept


def test_a_result_that_nobody_reads_is_dropped_after_a_while(queue: Any) -> None:
    unread = Unread(queue)
    unread.sweep()
    assert set(queue.pending_messages_per_session) == {"ended", "going", "read"}
    unread.sweep(kept=0.0)
    assert set(queue.pending_messages_per_session) == set(queue.pending_event_ids_session) == {"going", "read"}
    assert not queue.pending_messages_per_session["going"].empty()


def test_a_session_that_reads_nothing_loses_what_it_has_left_and_its_calls_go_on(queue: Any) -> None:
    queue.pending_event_ids_session["going"] |= {f"left-{number}" for number in range(MOST)}
    Unread(queue).sweep()
    assert queue.pending_event_ids_session["going"] == {"c"}
    assert queue.pending_messages_per_session["going"].empty()
    assert not queue.pending_messages_per_session["ended"].empty()
