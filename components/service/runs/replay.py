"""The same batches after a resume inside an epoch as without it, also where making a batch draws random numbers.

The data loader makes each batch one step ahead. So a checkpoint is written when the next batch exists already, and the
random state has moved on: made again, as the masks of fill-mask are, that batch would be another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

Batch = dict[str, Any]


class Replay:
    """A collator that can be told its first batch, and the random state that it left behind.

    Attributes:
        last: The last batch, if making it has drawn random numbers.
        resuming: Whether the random state is to be set once more, to `state`, before the first step.
        state: The random state after the last batch.
    """

    def __init__(self, collator: Callable[[list[Any]], Batch]) -> None:
        self.collator = collator
        self.last: Batch | None = None
        self.resuming = False
        self.state = torch.get_rng_state()
        self._first: tuple[Batch, torch.Tensor] | None = None

    def __call__(self, examples: list[Any]) -> Batch:
        """A batch of tensors from examples."""
        if self._first is not None:
            (batch, state), self._first = self._first, None
            torch.set_rng_state(state)
            self.last, self.state = batch, state
            return batch
        before = torch.get_rng_state()
        batch = self.collator(examples)
        self.state = torch.get_rng_state()
        self.last = None if torch.equal(before, self.state) else batch
        return batch

    def resume(self, batch: Batch, state: torch.Tensor) -> None:
        """Give this batch first, and go on from this random state."""
        self._first, self.resuming = (batch, state), True
