"""How many calls each visitor has going on, and each address: nobody takes the places of all others.

A visitor is known by a cookie or a token. Both can be made up anew for each call, so all that come from one address
have only so many calls, too, and so have all callers together who bring neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from components.service.settings import Settings


class Caller(NamedTuple):
    """Who makes a call.

    Attributes:
        owners: Digests of what they can be known by; none for a caller with neither cookie nor token.
        address: Where the call comes from; empty where that is not known.
    """

    owners: frozenset[str]
    address: str


class Shares:
    """Counts calls from when they arrive until they have ended; used from the server's event loop alone.

    Args:
        settings: `visitor_calls`, `address_calls` and `nameless_calls`.
        unfinished: Gives the ids of the calls that wait or are being worked on.
    """

    def __init__(self, settings: Settings, unfinished: Callable[[], Iterable[str]]) -> None:
        self._settings = settings
        self._unfinished = unfinished
        self._calls: dict[str, Caller] = {}
        #: Requests that are calls, or are about to become some.
        self._going: list[Caller] = []

    @contextmanager
    def going(self, caller: Caller) -> Iterator[None]:
        """While this lasts, it counts as a call."""
        self._going.append(caller)
        try:
            yield
        finally:
            self._going.remove(caller)

    def note(self, call: str, caller: Caller) -> None:
        """A call waits or is being worked on from now on, until `unfinished` has it no more."""
        self._calls.setdefault(call, caller)

    def refusal(self, caller: Caller) -> str:
        """Why they may make no further call now; empty where they may."""
        left = set(self._unfinished())
        self._calls = {call: whose for call, whose in self._calls.items() if call in left}
        callers = [*self._calls.values(), *self._going]
        limits = self._settings
        if caller.owners and sum(bool(one.owners & caller.owners) for one in callers) >= limits.visitor_calls:
            return (
                f"You have {limits.visitor_calls} calls going on, as many as one visitor may have. Wait until one has "
                "ended."
            )
        if caller.address and sum(one.address == caller.address for one in callers) >= limits.address_calls:
            return (
                f"Visitors from your address have {limits.address_calls} calls going on, as many as may come from one. "
                "Try again when one has ended."
            )
        if not caller.owners and sum(not one.owners for one in callers) >= limits.nameless_calls:
            return (
                f"Callers without a cookie and a token have {limits.nameless_calls} calls going on, as many as all of "
                "them may have together. Keep the cookie that the page gives, or send a token of the Hub."
            )
        return ""
