"""Results that nobody fetches are dropped after a while.

Gradio keeps the messages of two thousand sessions until somebody reads them, however large they are: a caller who asks
for many large results and reads none would fill the memory.
"""

from __future__ import annotations

import time

from gradio.queueing import Queue

#: How long a result is kept that nobody has begun to read, in seconds.
KEPT = 120.0
#: A session that has left more results than these unread loses them at once.
MOST = 64


class Unread:
    """Watches the results that wait for their readers; used from the server's event loop alone."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._since: dict[str, float] = {}

    def sweep(self, kept: float = KEPT) -> None:
        """Drop what has not been read for so many seconds since it was seen first."""
        now, known = time.monotonic(), self._queue.event_ids_to_events
        pending, messages = self._queue.pending_event_ids_session, self._queue.pending_messages_per_session
        # Gradio remembers sessions that have read all, far more than the others, and this runs before each call.
        left = {session: calls for session, calls in pending.items() if calls}
        ended = {session: {call for call in calls if call not in known} for session, calls in left.items()}
        resting = (session for session, calls in left.items() if calls == ended[session])
        self._since = {session: self._since.get(session, now) for session in resting}
        for session, since in self._since.items():
            if now - since >= kept:
                messages.pop(session, None)
                pending.pop(session, None)
        for session, calls in ended.items():
            if len(calls) > MOST and session in pending:
                # Others of its calls go on, whose results need a place to be put.
                pending[session] -= calls
                while session in messages and not messages[session].empty():
                    messages[session].get_nowait()
