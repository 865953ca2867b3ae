"""Tensors, pictures and token ids as plain values that a page can show."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from typing import Any

import numpy
import torch
from PIL import Image

#: How much of a tensor is shown: of its last dimension, and of each before it.
SAMPLE_LAST = 64
SAMPLE_OTHER = 4


def describe(tensors: Any) -> list[dict[str, Any]]:
    """`{name, shape, dtype, device, sample, range}` of each tensor in nested mappings and lists.

    `sample` keeps the nesting of the shape; `range` is `{min, max, mean}` of a tensor of numbers, None of an empty one.
    """
    return [
        {
            "name": name,
            "shape": list(tensor.shape),
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "device": str(tensor.device),
            "sample": plain(_sample(tensor)),
            "range": _range(tensor),
        }
        for name, tensor in flatten(tensors).items()
    ]


def flatten(values: Any, prefix: str = "") -> dict[str, torch.Tensor]:
    """Every tensor in nested mappings, lists and tuples, by its path (`past_key_values.0`); arrays count as tensors."""
    if isinstance(values, numpy.ndarray) and values.dtype.kind in "biuf":
        values = torch.from_numpy(values)
    if isinstance(values, torch.Tensor):
        return {prefix or "tensor": values}
    items: Any = ()
    if isinstance(values, Mapping):
        items = values.items()
    elif isinstance(values, (list, tuple)):
        items = enumerate(values)
    found: dict[str, torch.Tensor] = {}
    for name, value in items:
        found |= flatten(value, f"{prefix}.{name}" if prefix else str(name))
    return found


def plain(value: Any) -> Any:
    """A pipeline's output as JSON: tensors and arrays as nested lists, pictures as PNG in base64."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, torch.Tensor):
        return plain(value.detach().cpu().float().numpy() if value.is_floating_point() else value.cpu().numpy())
    if isinstance(value, numpy.ndarray):
        return plain(value.tolist())
    if isinstance(value, numpy.generic):
        return plain(value.item())
    if isinstance(value, Image.Image):
        return png(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None  # JSON has no word for it
    return value


def png(image: Image.Image) -> str:
    """A picture as PNG in base64."""
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return base64.b64encode(sink.getvalue()).decode()


def _range(tensor: torch.Tensor) -> dict[str, float] | None:
    if not tensor.numel() or tensor.is_complex() or tensor.dtype == torch.bool:
        return None
    numbers = tensor.detach().double()
    low, high, mean = numbers.min().item(), numbers.max().item(), numbers.mean().item()
    return {"min": plain(low), "max": plain(high), "mean": plain(mean)}


def _sample(tensor: torch.Tensor) -> Any:
    last = tensor.dim() - 1
    for dimension in range(tensor.dim()):
        most = SAMPLE_LAST if dimension == last else SAMPLE_OTHER
        tensor = tensor.narrow(dimension, 0, min(most, tensor.shape[dimension]))
    return tensor.detach().cpu().tolist()


def token_rows(tokenizer: Any, ids: list[int], attention: list[int] | None = None) -> list[dict[str, Any]]:
    """`{position, id, token, text, special, attention}` of each id; `text` is what the id alone decodes to."""
    special = set(tokenizer.all_special_ids)
    return [
        {
            "position": position,
            "id": number,
            "token": token,
            "text": tokenizer.decode([number]),
            "special": number in special,
            **({"attention": attention[position]} if attention is not None else {}),
        }
        for position, (number, token) in enumerate(zip(ids, tokenizer.convert_ids_to_tokens(ids), strict=True))
    ]
