"""ZeroGPU: large models compute on a GPU that the platform lends for one call, in a process forked from this one.

The platform ends a Space that marks no function as its package `spaces` does. That package has torch imported in this
process, which nothing else does, and comes with every Gradio Space; so only a Space on ZeroGPU imports this module.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import spaces
from gradio.context import LocalContext

from components.service.engine.process import FIXED
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.sizes import in_units

#: What a model's way from the disk to the GPU may take on top of the call itself, in seconds.
LOADING_SECONDS = 30
#: The calls in which a model computes for one visitor who waits. Of a batch, the minutes would not last.
CALLS = ("run_task", "run_stages", "stream_task", "stream_tokens", "generation_steps", "score_text", "hidden_states")


def _answers(settings: Settings, name: str, arguments: dict[str, Any], _seconds: float) -> Iterator[tuple[str, Any]]:
    """In the fork: what the worker process would answer, under the same switches."""
    os.environ |= FIXED
    from components.service.worker.lent import answers  # it imports transformers, which reads the switches

    yield from answers(settings, name, arguments)


def _duration(_settings: Settings, _name: str, _arguments: dict[str, Any], seconds: float) -> int:
    return int(seconds) + LOADING_SECONDS


class LentGpu:
    """A GPU for one call at a time, as `Engine` asks for it.

    Args:
        settings: What the fork keeps to, as the worker process does.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lent = spaces.GPU(_answers, duration=_duration)

    def takes(self, name: str, arguments: Mapping[str, Any]) -> bool:
        """Whether a GPU is asked for: the model is large, and the call comes from a visitor whose minutes count."""
        if name not in CALLS or LocalContext.request.get(None) is None:
            return False
        weights = sum(file.stat().st_size for file in Path(arguments["path"]).glob("*.safetensors"))
        return weights >= self._settings.lent_bytes

    def answers(self, name: str, arguments: dict[str, Any], seconds: float) -> Iterator[tuple[str, Any]]:
        """`("item", value)` for each value of a stream, and one last `("value", value)`.

        Raises:
            WorkbenchError: The call was refused, or no GPU was lent: the sentence is ZeroGPU's own.
        """
        try:
            for kind, value in self._lent(self._settings, name, arguments, seconds):
                if kind == "error":
                    raise WorkbenchError(value["message"], kind=value["kind"], field=value["field"])
                yield kind, value
        except gr.Error as error:
            raise WorkbenchError(
                f"ZeroGPU lent no GPU for this model, and says: {str(error.message).strip().rstrip('.')}. "
                f"A model of less than {in_units(self._settings.lent_bytes)} runs without one.",
                kind="busy",
            ) from None
