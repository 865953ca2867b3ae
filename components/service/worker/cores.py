"""The machine's cores, shared among the calls that run side by side."""

from __future__ import annotations

import threading

import torch

#: The threads that torch would compute with.
ALL = torch.get_num_threads()


class Cores:
    """A block in which this thread computes with its share of the cores.

    torch would let each of several calls use all of them, and they would wait for one another's threads more than they
    compute. A share is found when a call begins; torch keeps the number for each thread that asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0

    def __enter__(self) -> None:
        with self._lock:
            self._users += 1
            share = max(1, ALL // self._users)
        torch.set_num_threads(share)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
