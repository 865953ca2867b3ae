"""Whether bf16 is faster than fp32 on this machine: measured, not believed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from components.service.runs.hardware import processor
from components.service.runs.store import read_json, write_json

#: bf16 must be this much faster to be worth its fewer digits.
WORTH = 1.15


def choose_precision(asked: str, cache: Path | None) -> dict[str, Any]:
    """`{"dtype": "fp32" or "bf16", "why": sentence, "speedup": fp32 time over bf16 time or None}`.

    Args:
        asked: `fp32`, `bf16` or `auto`.
        cache: File in which measurements are kept by processor and torch version, if any.
    """
    if asked != "auto":
        return {"dtype": asked, "why": f"{asked} was asked for.", "speedup": None}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return {"dtype": "fp32", "why": "This GPU has no bf16.", "speedup": None}
    key = f"{processor(device)} / torch {torch.__version__} / {torch.get_num_threads()} threads"
    known = (read_json(cache) if cache else None) or {}
    if not isinstance(known.get(key), float):
        known[key] = measure(device)
        if cache:
            write_json(cache, known)
    speedup = known[key]
    dtype = "bf16" if speedup >= WORTH else "fp32"
    comparison = f"{speedup:.1f} times as fast as" if speedup >= 1 else f"{1 / speedup:.1f} times slower than"
    return {"dtype": dtype, "why": f"On this machine bf16 was measured {comparison} fp32.", "speedup": speedup}


def measure(device: str) -> float:
    """How many times faster one training step of a small encoder layer is in bf16 than in fp32."""
    layer = torch.nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True, device=device)
    inputs = torch.randn(16, 64, 256, device=device)

    def step(dtype: torch.dtype | None) -> float:
        start = time.perf_counter()
        with torch.autocast(device, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            layer(inputs).float().pow(2).mean().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    times = {dtype: min(step(dtype) for _ in range(5)) for dtype in (None, torch.bfloat16)}
    return times[None] / times[torch.bfloat16]
