"""How a text was written: what the model held for likely at each step, and what became of it."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from transformers import StoppingCriteria

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.run import facts, runner
from components.service.worker.runners.generate import Generator
from components.service.worker.tensors import token_rows

_ALTERNATIVES = 10


def generation_steps(
    call: Call,
    *,
    task: str,
    path: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
    forced: list[list[int]],
    seconds: float,
) -> dict[str, Any]:
    """`{steps, text, reason, prompt_tokens}` and the facts of `run_task`.

    Args:
        forced: Steps, in order, each with the token to take there in place of the one that was chosen; the steps
            before come out as they were, since the same seed draws the same tokens.
    """
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    assert isinstance(one, Generator)
    begun = time.perf_counter()
    walk = _Walk(one, one.preprocess(inputs))
    most = one.parameters["max_new_tokens"]
    shown = min(most, call.settings.shown_steps)
    if one.own().get("num_beams", 1) > 1:
        one.note(f"{model} itself searches with several beams; the steps follow one text, which may be another.")
    for step, number in forced:
        if step >= shown:
            raise WorkbenchError(f"There is no step {step}: {shown} are shown, counted from 0.", field="forced")
        walk.go(step + 1)
        walk.take(step, number)
    walk.go(shown)
    if len(walk.ids) == shown < most and not walk.ended:
        one.note(f"The first {shown:,} steps are shown; the text itself may go on to {most:,} tokens.")
    return {
        "steps": walk.steps,
        "text": one.before(inputs) + one.decode(walk.ids),
        "reason": "end" if walk.ended else "time" if one.timed_out else "length",
        "prompt_tokens": walk.prompt_tokens,
        **facts(one, begun, load_seconds),
    }


class Until(StoppingCriteria):  # type: ignore[misc]  # transformers is not typed
    """Stops at a length, in tokens, which the rest of `generate` knows nothing of."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:  # noqa: ARG002
        stop = input_ids.shape[-1] >= self._length
        return torch.full((input_ids.shape[0],), stop, device=input_ids.device, dtype=torch.bool)


class _Walk:
    """Writes a text in stretches, each from the tokens that there are, and keeps a row for each step."""

    def __init__(self, one: Generator, prepared: Any) -> None:
        self._one = one
        device = one.loaded.model.device
        given = one.for_generate(prepared)
        self._given = {name: _moved(value, device) for name, value in given.items()}
        self._begin = one.begin(prepared)
        self._decodes = bool(one.loaded.model.config.is_encoder_decoder)
        self._start: torch.Tensor | None = None if self._decodes else self._given["input_ids"]
        self.prompt_tokens = int(prepared["input_ids"].shape[-1])
        self.ids: list[int] = []
        self.steps: list[dict[str, Any]] = []
        self._stopped = False
        self._last: tuple[torch.Tensor, torch.Tensor]

    @property
    def ended(self) -> bool:
        """Whether the last token is one that ends a text, or a stop text was met."""
        return bool(self.ids) and (self._one.ends(self.ids[-1]) or self._stopped)

    def go(self, target: int) -> None:
        """Write until there are `target` tokens, or the text ends, or the time is up."""
        if len(self.ids) >= target or self.ended or self._one.timed_out:
            return
        with self._one.stopping() as bounds:
            bounds["stopping_criteria"].append(Until(self._begin + target))
            made = self._one.loaded.model.generate(
                **self._arguments(), **bounds, return_dict_in_generate=True, output_scores=True, output_logits=True
            )
        if self._one.call.cancelled.is_set():
            raise WorkbenchError("This was stopped.", kind="busy")
        if self._start is None:
            self._start = made.sequences[:, : self._begin]
        new = made.sequences[0, self._begin + len(self.ids) :].tolist()
        for number, logits, scores in zip(new, made.logits, made.scores, strict=True):
            self._last = (logits[0], scores[0])
            self.steps.append(self._row(len(self.ids), number, *self._last))
            self.ids.append(number)
        self._stopped = len(self.ids) < target and not self._one.timed_out

    def take(self, step: int, number: int) -> None:
        """Put another token in the place of the last one, which is at `step`."""
        if len(self.ids) != step + 1:
            raise WorkbenchError(
                f"The text ends after {len(self.ids)} tokens, so there is no step {step} where another could be taken.",
                field="forced",
            )
        if number >= len(self._last[0]):
            raise WorkbenchError(
                f"There is no token {number}: the vocabulary has {len(self._last[0]):,}.", field="forced"
            )
        self.ids[step] = number
        self.steps[step] = self._row(step, number, *self._last)
        self._stopped = False

    def _arguments(self) -> dict[str, Any]:
        """What `generate` takes to go on from the tokens that there are."""
        used = dict(self._given)
        used["max_new_tokens"] -= len(self.ids)
        if used.get("min_new_tokens"):
            used["min_new_tokens"] = max(0, used["min_new_tokens"] - len(self.ids))
        if self._start is None:
            return used
        so_far = torch.cat([self._start, torch.tensor([self.ids], dtype=torch.long, device=self._start.device)], dim=-1)
        if self._decodes:
            return {**used, "decoder_input_ids": so_far}
        mask = used.get("attention_mask")
        if mask is not None:
            used["attention_mask"] = torch.cat([mask, mask.new_ones((1, len(self.ids)))], dim=-1)
        return {**used, "input_ids": so_far}

    def _row(self, position: int, number: int, logits: torch.Tensor, scores: torch.Tensor) -> dict[str, Any]:
        logarithms = logits.float().log_softmax(-1)
        before, after = logarithms.exp(), scores.float().softmax(-1)
        best = before.topk(min(_ALTERNATIVES, before.shape[-1])).indices.tolist()
        named = token_rows(self._one.loaded.tokenizer, [number, *best])
        rows = [
            {key: row[key] for key in ("id", "token", "text", "special")}
            | {"probability": before[row["id"]].item(), "after": after[row["id"]].item()}
            for row in named
        ]
        surprise = torch.where(before > 0, before * logarithms, 0.0)
        return {
            "position": position,
            "chosen": {
                **rows[0],
                "logprob": _finite(logarithms[number].item()),
                "rank": int((before > before[number]).sum()) + 1,
            },
            "alternatives": rows[1:],
            "entropy": -surprise.sum().item() / math.log(2),
        }


def _moved(value: Any, device: torch.device) -> Any:
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
