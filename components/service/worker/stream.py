"""Text that is being written, told token by token."""

from __future__ import annotations

import time
from typing import Any

import torch

from components.service.worker.calls import Call
from components.service.worker.run import facts, runner
from components.service.worker.runners.generate import Generator

_UNFINISHED = "\ufffd"


def stream_task(
    call: Call, *, task: str, path: str, model: str, inputs: Any, parameters: dict[str, Any], seconds: float
) -> None:
    """Emit `{text, new_text, tokens, seconds, first_token_seconds, tokens_per_second, done}` after each token.

    `text` is all there is so far, the prompt before it where the task's output has it too; of a chat it is the answer.
    The last item has `done` set and holds besides the output and the facts that `run_task` returns, and `reason`,
    why it ended: `"end"` (the model's end token or a stop text), `"length"`, `"time"`.
    """
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    assert isinstance(one, Generator)
    if one.parameters.get("num_beams", 1) > 1:
        one.note("Beam search follows several texts at once: what is told before its end is the best so far.")
    prepared = one.preprocess(inputs)
    teller = _Teller(call, one, one.before(inputs), one.begin(prepared))
    outputs = one.forward(prepared, watch=teller.tell)
    output = one.postprocess(outputs)
    teller.finish(output, facts(one, teller.begun, load_seconds))


class _Teller:
    """Tells the text so far after each step. A piece of a character that is not whole yet is held back."""

    def __init__(self, call: Call, one: Generator, before: str, begin: int) -> None:
        self._call = call
        self._one = one
        self._before = before
        self._begin = begin
        self._text = ""
        self._new: list[int] = []
        self._first: float | None = None
        self.begun = time.perf_counter()

    def tell(self, ids: torch.Tensor) -> None:
        self._new = ids[0, self._begin :].tolist()
        if self._first is None:
            self._first = time.perf_counter() - self.begun
        text = self._one.decode(self._new).rstrip(_UNFINISHED)
        if not self._call.cancelled.is_set():
            self._call.emit({**self._item(text), "done": False})

    def finish(self, output: Any, told: dict[str, Any]) -> None:
        whole = output[0][self._one.key]
        if isinstance(whole, list):  # of a chat, where the last message is the model's
            content = whole[-1].get("content")
            whole = content if isinstance(content, str) else self._before + self._text
        item = self._item(whole.removeprefix(self._before))
        self._call.emit({**item, **told, "text": whole, "output": output, "reason": self._reason(), "done": True})

    def _item(self, text: str) -> dict[str, Any]:
        seconds = time.perf_counter() - self.begun
        added = text.removeprefix(self._text) if text.startswith(self._text) else ""
        self._text = text
        return {
            "text": self._before + text,
            "new_text": added,
            "tokens": len(self._new),
            "seconds": seconds,
            "first_token_seconds": self._first,
            "tokens_per_second": len(self._new) / seconds if seconds else None,
        }

    def _reason(self) -> str:
        if self._one.timed_out:
            return "time"
        if self._new and self._one.ends(self._new[-1]):
            return "end"
        return "length" if len(self._new) >= self._one.parameters["max_new_tokens"] else "end"
