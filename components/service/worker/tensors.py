"""Tensors and token ids as plain values that a page can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

#: How much of a tensor is shown: of its last dimension, and of each before it.
SAMPLE_LAST = 64
SAMPLE_OTHER = 4


def describe(tensors: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`{name, shape, dtype, device, sample}` of each tensor of a mapping; `sample` keeps the nesting of the shape."""
    return [
        {
            "name": name,
            "shape": list(tensor.shape),
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "device": str(tensor.device),
            "sample": _sample(tensor),
        }
        for name, tensor in tensors.items()
        if isinstance(tensor, torch.Tensor)
    ]


def _sample(tensor: torch.Tensor) -> Any:
    last = tensor.dim() - 1
    for dimension in range(tensor.dim()):
        most = SAMPLE_LAST if dimension == last else SAMPLE_OTHER
        tensor = tensor.narrow(dimension, 0, min(most, tensor.shape[dimension]))
    return tensor.detach().cpu().tolist()


def token_rows(tokenizer: Any, ids: list[int]) -> list[dict[str, Any]]:
    """`{position, id, token, text, special}` of each id; `text` is what the id alone decodes to."""
    special = set(tokenizer.all_special_ids)
    return [
        {
            "position": position,
            "id": number,
            "token": token,
            "text": tokenizer.decode([number]),
            "special": number in special,
        }
        for position, (number, token) in enumerate(zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True))
    ]
