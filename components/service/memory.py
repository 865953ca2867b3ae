"""How much memory a model takes here, against how much there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psutil

from components.service.settings import Settings
from components.service.sizes import MB, in_units

#: Bytes of one parameter, at the most: processors compute in float32, whatever the files hold, but for some that are
#: quicker in bfloat16 (`worker.precision`).
ITEM = 4
#: What activations take beside the weights: a share of them, and no less than this.
SHARE, LEAST = 0.2, 64 * MB


@dataclass(frozen=True)
class Memory:
    """What loading a model asks for, in bytes.

    Attributes:
        weights: All parameters in float32.
        at_hand: Memory that is free on this machine, as far as the worker may take it.
        limit: The largest weights allowed.
    """

    weights: int
    at_hand: int
    limit: int

    @property
    def needed(self) -> int:
        """Weights and activations."""
        return self.weights + max(LEAST, int(self.weights * SHARE))

    @property
    def fits(self) -> bool:
        """Whether the model may be loaded, and can be."""
        return self.weights <= self.limit and self.needed <= self.at_hand

    def told(self) -> str:
        """The figures in a sentence, with what to do where it does not fit."""
        figures = f"It needs about {in_units(self.needed)} of memory in float32; {in_units(self.at_hand)} are at hand."
        if self.fits:
            return figures
        if self.weights > self.limit:
            return f"{figures} Models of more than {in_units(self.limit)} are not loaded here: choose a smaller one."
        return f"{figures} Choose a smaller model, or close other programs first."

    def facts(self) -> dict[str, Any]:
        """`{"weights", "needed", "at_hand", "limit", "dtype", "fits", "told"}`."""
        return {
            "weights": self.weights,
            "needed": self.needed,
            "at_hand": self.at_hand,
            "limit": self.limit,
            "dtype": "float32",
            "fits": self.fits,
            "told": self.told(),
        }


def memory_of(parameters: int | None, size: int | None, settings: Settings) -> Memory | None:
    """What a model asks for, from its number of parameters or, where that is not known, the bytes of its files."""
    weights = parameters * ITEM if parameters else size
    return Memory(weights, at_hand(settings), settings.model_bytes) if weights else None


def most_parameters(settings: Settings) -> int:
    """The largest model that fits, in parameters."""
    return int(min(settings.model_bytes, at_hand(settings) / (1 + SHARE)) // ITEM)


def at_hand(settings: Settings) -> int:
    """Memory that a model could take now, in bytes."""
    return int(min(psutil.virtual_memory().available, settings.worker_bytes))
