"""Text generation, told token by token."""

from __future__ import annotations

import time
from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.run import facts, runner
from components.service.worker.runners.generate import Generator

_UNFINISHED = "\ufffd"


def stream_task(
    call: Call, *, task: str, path: str, model: str, inputs: str, parameters: dict[str, Any], seconds: float
) -> None:
    """Emit `{text, new_text, tokens, seconds, first_token_seconds, tokens_per_second, done}` after each token.

    The last item has `done` set and holds besides the output and the facts that `run_task` returns, and `reason`,
    why it ended: `"end"` (the model's end token or a stop text), `"length"`, `"time"`.
    """
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    assert isinstance(one, Generator)
    if max(one.parameters.get("num_beams", 1), one.parameters.get("num_return_sequences", 1)) > 1:
        raise WorkbenchError(
            "One continuation can be followed at a time: set num_beams and num_return_sequences to 1, or run "
            "without streaming.",
            field="parameters.num_beams",
        )
    teller = _Teller(call, one, inputs)
    prepared = one.preprocess(inputs)
    teller.start(prepared["input_ids"].shape[-1])
    outputs = one.forward(prepared, watch=teller.tell)
    output = one.postprocess(outputs)
    teller.finish(output, facts(one, teller.begun, load_seconds))


class _Teller:
    """Tells the text so far after each step. A piece of a character that is not whole yet is held back."""

    def __init__(self, call: Call, one: Generator, prompt: str) -> None:
        self._call = call
        self._one = one
        self._prefix = prompt if one.parameters["return_full_text"] else ""
        self._text = ""
        self._tokens = 0
        self._first: float | None = None
        self.begun = 0.0

    def start(self, prompt_tokens: int) -> None:
        self._prompt_tokens = prompt_tokens
        self.begun = time.perf_counter()

    def tell(self, ids: torch.Tensor) -> None:
        new = ids[0, self._prompt_tokens :].tolist()
        if self._first is None:
            self._first = time.perf_counter() - self.begun
        self._tokens = len(new)
        text = self._one.loaded.tokenizer.decode(new, skip_special_tokens=True).rstrip(_UNFINISHED)
        if not self._call.cancelled.is_set():
            self._call.emit({**self._item(text), "done": False})

    def finish(self, output: Any, told: dict[str, Any]) -> None:
        whole = output[0]["generated_text"]
        item = self._item(whole.removeprefix(self._prefix))
        self._call.emit({**item, **told, "text": whole, "output": output, "reason": self._reason(), "done": True})

    def _item(self, text: str) -> dict[str, Any]:
        seconds = time.perf_counter() - self.begun
        added = text.removeprefix(self._text) if text.startswith(self._text) else ""
        self._text = text
        return {
            "text": self._prefix + text,
            "new_text": added,
            "tokens": self._tokens,
            "seconds": seconds,
            "first_token_seconds": self._first,
            "tokens_per_second": self._tokens / seconds if seconds else None,
        }

    def _reason(self) -> str:
        if self._one.timed_out:
            return "time"
        return "length" if self._tokens >= self._one.parameters["max_new_tokens"] else "end"
