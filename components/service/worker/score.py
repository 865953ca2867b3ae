"""How likely a text is to a model: its loss, token by token."""

from __future__ import annotations

import math
import time
from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.worker.calls import Call
from components.service.worker.run import TIME_SHARE, facts
from components.service.worker.runners.base import Runner
from components.service.worker.tensors import token_rows

#: Positions whose probabilities are worked out at once: each takes memory for the whole vocabulary.
_POSITIONS = 64
#: Copies of the text, each with another token masked, that go through the model at once.
_MASKED = 16


def score_text(call: Call, *, task: str, path: str, model: str, text: str, seconds: float) -> dict[str, Any]:
    """`{kind, tokens, loss, perplexity, scored}` and the facts of `run_task`; the loss, in nats, is the mean over the
    `scored` tokens."""
    one, load_seconds = reader(call, task, path, model, seconds)
    begun = time.perf_counter()
    with one.loaded.lock:
        ids = list(one.loaded.tokenizer(text)["input_ids"])
    one.note_unknown(ids)
    ids = _cut(one, ids)
    rows = token_rows(one.loaded.tokenizer, ids)
    masked = task == "fill-mask"
    logits_of = _masked(one, ids) if masked else _causal(one, ids)
    for position, logits in logits_of:
        rows[position] |= _score(one, ids[position], logits)
    losses = [row["loss"] for row in rows if "loss" in row]
    if not losses:
        raise WorkbenchError("This text has no token that can be scored. Use a longer one.", field="text")
    loss = sum(losses) / len(losses)
    return {
        "kind": "masked" if masked else "causal",
        "tokens": rows,
        "loss": loss,
        "perplexity": math.exp(loss) if loss < 700 else None,
        "scored": len(losses),
        **facts(one, begun, load_seconds),
    }


def reader(call: Call, task: str, path: str, model: str, seconds: float) -> tuple[Runner, float]:
    """A model with the head for `task` and what every call needs around it; nothing of the task itself is run."""
    until = time.monotonic() + TIME_SHARE * seconds
    loaded, load_seconds = call.models.load(path, TASKS[task], model)
    if loaded.tokenizer is None:
        raise WorkbenchError(f"{model} reads no text. Choose a model that does.", field="model")
    return Runner(call, loaded, {}, until), load_seconds


def _cut(one: Runner, ids: list[int]) -> list[int]:
    limits = [limit for limit in (one.context, one.call.settings.scored_tokens) if limit is not None]
    if len(ids) <= min(limits):
        return ids
    one.note(f"The text has {len(ids):,} tokens; the first {min(limits):,} were scored.")
    return ids[: min(limits)]


def _causal(one: Runner, ids: list[int]) -> Any:
    """Each position after the first, with the logits that the model gives it from what stands before it."""
    if len(ids) < 2:
        raise WorkbenchError(
            "The first token has nothing before it that could foretell it, so a text of one token has no loss. "
            "Use a longer one.",
            field="text",
        )
    model = one.loaded.model
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids], device=model.device)).logits[0].cpu()
    one.note("The first token has no loss: nothing stands before it that could foretell it.")
    for start in range(1, len(ids), _POSITIONS):
        one.check_time()
        stretch = range(start, min(start + _POSITIONS, len(ids)))
        yield from ((position, logits[position - 1]) for position in stretch)


def _masked(one: Runner, ids: list[int]) -> Any:
    """Each position that holds no special token, with the logits that the model gives it when it alone is masked."""
    tokenizer, model = one.loaded.tokenizer, one.loaded.model
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    places = [position for position, number in enumerate(ids) if number not in special]
    one.note("Each token is masked in turn and foretold from all the others, so its loss is no causal model's loss.")
    for start in range(0, len(places), _MASKED):
        one.check_time()
        part = places[start : start + _MASKED]
        batch = torch.tensor([ids] * len(part), device=model.device)
        batch[range(len(part)), part] = tokenizer.mask_token_id
        with torch.no_grad():
            logits = model(input_ids=batch, attention_mask=torch.ones_like(batch)).logits
        yield from ((position, logits[row, position].cpu()) for row, position in enumerate(part))


def _score(one: Runner, number: int, logits: torch.Tensor) -> dict[str, Any]:
    one.check_finite(logits)
    logarithms = logits.float().log_softmax(-1)
    best = int(logarithms.argmax())
    row = token_rows(one.loaded.tokenizer, [best])[0]
    return {
        "loss": -logarithms[number].item(),
        "logprob": logarithms[number].item(),
        "probability": logarithms[number].exp().item(),
        "rank": int((logarithms > logarithms[number]).sum()) + 1,
        "best": {name: row[name] for name in ("id", "token", "text")} | {"probability": logarithms[best].exp().item()},
    }
