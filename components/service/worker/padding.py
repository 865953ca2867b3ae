"""Texts of unequal length in one stack: the shorter ones are padded, and what is made of them is cut again.

Whether a model gives a padded text the answer that the text has alone is not taken on trust: the first time, one text
is run alone beside its stack and both are compared. A model that reads the padding is never given any again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers.utils import ModelOutput

from components.service.worker.models import Loaded
from components.service.worker.runners.base import Runner

#: What the model makes for each token, shape (batch, sequence, ...), by task; tasks that are not here are not padded.
#: Of feature extraction only the first output counts, whatever its name.
_PER_TOKEN: dict[str, tuple[str, ...]] = {
    "text-classification": (),
    "zero-shot-classification": (),
    "token-classification": ("logits",),
    "fill-mask": ("logits",),
    "question-answering": ("start_logits", "end_logits"),
    "feature-extraction": (),
}
#: Tensors of shape (1, sequence, ...) that a text may come as. What the model does not read may be filled with any
#: number, since each text gets its own back.
_PADDED = ("input_ids", "attention_mask", "token_type_ids", "special_tokens_mask", "offset_mapping")
#: How far a number may be from that of the text alone, relative and absolute, by the type that is computed in.
_TOLERANCE = {torch.float32: (1e-3, 1e-4), torch.bfloat16: (3e-2, 3e-2), torch.float16: (4e-3, 4e-3)}


def may_pad(one: Runner, chunk: Mapping[str, Any]) -> bool:
    """Whether this text may be padded: the model looks at a mask, and the text consists of tensors known here."""
    tensors = {name: value for name, value in chunk.items() if isinstance(value, torch.Tensor)}
    length = tensors["input_ids"].shape[1] if "input_ids" in tensors else None
    return (
        one.loaded.takes_padding is not False
        and one.spec.name in _PER_TOKEN
        and one.loaded.tokenizer.pad_token_id is not None
        and "attention_mask" in tensors
        and all(name in _PADDED and value.shape[:2] == (1, length) for name, value in tensors.items())
    )


def pad(loaded: Loaded, chunks: list[Any]) -> list[dict[str, Any]]:
    """Chunks with all their tensors as long as those of the longest, shape (1, length, ...)."""
    length = max(chunk["input_ids"].shape[1] for chunk in chunks)
    fill = {"input_ids": loaded.tokenizer.pad_token_id, "token_type_ids": loaded.tokenizer.pad_token_type_id}
    return [
        {
            name: _longer(value, length, fill.get(name, 0)) if isinstance(value, torch.Tensor) else value
            for name, value in chunk.items()
        }
        for chunk in chunks
    ]


def _longer(value: torch.Tensor, length: int, fill: int) -> torch.Tensor:
    shape = (1, length - value.shape[1], *value.shape[2:])
    return torch.cat([value, torch.full(shape, fill, dtype=value.dtype)], dim=1)


def unpad(task: str, outputs: Any, chunk: Mapping[str, Any]) -> Any:
    """Of a padded text's outputs what it has alone; what was only passed through is the text's own again."""
    length = chunk["input_ids"].shape[1]
    if task == "feature-extraction":
        first = next(iter(outputs))
        return type(outputs)(**{first: outputs[first][:, :length]})
    parts = {
        name: chunk[name] if name in chunk else value[:, :length] if name in _PER_TOKEN[task] else value
        for name, value in outputs.items()
    }
    return type(outputs)(**parts) if isinstance(outputs, ModelOutput) else parts


def alike(one: Any, other: Any) -> bool:
    """Whether two outputs of the same text hold the same numbers, but for rounding."""
    pairs = [(one[name], other[name]) for name in one.keys() & other.keys()]
    return all(
        first.shape == second.shape and torch.allclose(first.float(), second.float(), *_tolerance(first.dtype))
        for first, second in pairs
        if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor)
    )


def _tolerance(dtype: torch.dtype) -> tuple[float, float]:
    return _TOLERANCE.get(dtype, _TOLERANCE[torch.float32])
