"""Text that is being written, told token by token with its likelihood, as inference servers tell it."""

from __future__ import annotations

import time
from typing import Any

import torch
from transformers import LogitsProcessor

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.run import facts, runner
from components.service.worker.runners.generate import Generator

_UNFINISHED = "\ufffd"


def stream_tokens(
    call: Call, *, task: str, path: str, model: str, inputs: Any, parameters: dict[str, Any], top: int, seconds: float
) -> None:
    """Emit what `Inference.stream_tokens` yields."""
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    assert isinstance(one, Generator)
    if max(one.parameters.get("num_beams", 1), one.parameters.get("num_return_sequences", 1)) > 1:
        raise WorkbenchError(
            "Tokens are told of one text at a time: set num_beams and num_return_sequences to 1.",
            field="parameters.num_beams",
        )
    begun = time.perf_counter()
    prepared = one.preprocess(inputs)
    prompt_tokens = int(prepared["input_ids"].shape[-1])
    teller = _Teller(call, one, one.begin(prepared), top)
    outputs = one.forward(prepared, watch=teller.tell, processors=[teller.likelihoods])
    told = {"prompt_tokens": prompt_tokens, "output": one.postprocess(outputs)}
    teller.finish({**told, **facts(one, begun, load_seconds)})


class Likelihoods(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """Keeps the logarithms of the probabilities of the step at hand, shape (vocabulary,); changes none."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        self.now = scores[0].float().log_softmax(-1)
        return scores


class _Teller:
    """Tells each token when the next one is there, so that the last one can take along what is left of the text."""

    def __init__(self, call: Call, one: Generator, begin: int, top: int) -> None:
        self._call = call
        self._one = one
        self._begin = begin
        self._top = top
        self._special = set(one.loaded.tokenizer.all_special_ids)
        self._ids: list[int] = []
        self._text = ""
        self._waiting: dict[str, Any] | None = None
        self.likelihoods = Likelihoods()

    def tell(self, ids: torch.Tensor) -> None:
        self._send()
        self._ids = ids[0, self._begin :].tolist()
        text = self._one.decode(self._ids).rstrip(_UNFINISHED)
        likely = self.likelihoods.now
        best = likely.topk(min(self._top, likely.shape[-1]))
        self._waiting = {
            **self._token(self._ids[-1], float(likely[self._ids[-1]])),
            "text": self._added(text),
            "top": [
                {**self._token(number, logprob), "text": self._one.loaded.tokenizer.decode([number])}
                for number, logprob in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            ],
        }

    def finish(self, told: dict[str, Any]) -> None:
        text = self._one.decode(self._ids)
        if self._waiting is not None:
            self._waiting["text"] += self._added(text)
        self._send()
        end = {"done": True, "text": text, "tokens": len(self._ids), "reason": self._reason()}
        self._call.emit({**told, **end})

    def _send(self) -> None:
        if self._waiting is not None and not self._call.cancelled.is_set():
            self._call.emit(self._waiting)

    def _added(self, text: str) -> str:
        """What the text has more than before; nothing where a token has changed what was told already."""
        added = text[len(self._text) :] if text.startswith(self._text) else ""
        self._text = text if text.startswith(self._text) else self._text
        return added

    def _token(self, number: int, logprob: float) -> dict[str, Any]:
        token = self._one.loaded.tokenizer.convert_ids_to_tokens(number)
        # A token that may not be chosen has minus infinity, which JSON has no word for.
        return {"id": number, "token": token, "logprob": max(logprob, -1e4), "special": number in self._special}

    def _reason(self) -> str:
        if self._one.timed_out:
            return "time"
        if self._ids and self._one.ends(self._ids[-1]):
            return "end"
        if any(stop in self._one.decode(self._ids) for stop in self._one.parameters.get("stop") or ()):
            return "stop"
        return "length"
