"""Whether bf16 is faster than fp32 on this machine: measured, not believed.

Other work on the machine makes some steps slower, and it comes and goes. So the two take turns, the quickest step of
each counts, and what is found is kept only where the first half of the rounds tells the same as the second.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from components.service.runs.hardware import processor
from components.service.runs.store import read_json, write_json

#: bf16 must be this much faster to be worth its fewer digits.
WORTH = 1.15
#: Smaller models are trained in fp32 on a processor: each step casts all weights, and has little to compute with them.
SMALL = 5_000_000
#: Rounds of one step each, and how far the halves of them may be apart to be kept.
ROUNDS, APART = 10, 1.15


@dataclass(frozen=True)
class Measured:
    """How many times faster bf16 is than fp32, and whether all rounds say so."""

    speedup: float
    steady: bool


def choose_precision(asked: str, cache: Path | None, parameters: int = SMALL) -> dict[str, Any]:
    """`{"dtype": "fp32" or "bf16", "why": sentence, "speedup": fp32 time over bf16 time or None}`.

    Args:
        asked: `fp32`, `bf16` or `auto`.
        cache: File in which steady measurements are kept by processor, torch version and threads, if any.
        parameters: How many the model has.
    """
    if asked != "auto":
        return {"dtype": asked, "why": f"{asked} was asked for.", "speedup": None}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return {"dtype": "fp32", "why": "This GPU has no bf16.", "speedup": None}
    if device == "cpu" and parameters < SMALL:
        why = "In a model of this size, casting to bf16 takes longer than computing in it saves."
        return {"dtype": "fp32", "why": why, "speedup": None}
    key = f"{processor(device)} / torch {torch.__version__} / {torch.get_num_threads()} threads"
    measured = kept(cache, key)
    if measured is None:
        measured = measure(device)
        keep(cache, key, measured)
    speedup = measured.speedup
    dtype = "bf16" if speedup >= WORTH else "fp32"
    comparison = f"{speedup:.1f} times as fast as" if speedup >= 1 else f"{1 / speedup:.1f} times slower than"
    why = f"On this machine bf16 was measured {comparison} fp32."
    if not measured.steady:
        why += " Other work disturbed the measurement, so the next run measures again."
    return {"dtype": dtype, "why": why, "speedup": speedup}


def kept(cache: Path | None, key: str) -> Measured | None:
    """What was found earlier, if anything was."""
    known = read_json(cache) if cache else None
    found = known.get(key) if isinstance(known, dict) else None
    speedup = found.get("speedup") if isinstance(found, dict) else None
    return Measured(speedup, steady=True) if isinstance(speedup, float) else None


def keep(cache: Path | None, key: str, measured: Measured) -> None:
    """Keep a measurement that is worth it; beside it stay those of other processors that the folder is used on."""
    if cache and measured.steady:
        known = read_json(cache)
        others = known if isinstance(known, dict) else {}
        with suppress(OSError):  # the disk takes no more: it is measured again
            write_json(cache, {**others, key: {"speedup": measured.speedup, "rounds": ROUNDS}})


def measure(device: str) -> Measured:
    """Compare training steps of a small encoder layer in both types, in turns."""
    layer = torch.nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True, device=device)
    inputs = torch.randn(16, 64, 256, device=device)

    def step(dtype: torch.dtype | None) -> float:
        start = time.perf_counter()
        with torch.autocast(device, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            layer(inputs).float().pow(2).mean().backward()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    # The first step of each also makes its kernels ready.
    rounds = [(step(None), step(torch.bfloat16)) for _ in range(1 + ROUNDS)][1:]
    return compared(rounds)


def compared(rounds: Sequence[tuple[float, float]]) -> Measured:
    """What rounds of (fp32, bf16) seconds say, by the quickest step of each type."""
    half = len(rounds) // 2
    first, second, all_of_them = (_ratio(some) for some in (rounds[:half], rounds[half:], rounds))
    agree = max(first, second) <= APART * min(first, second) and (first >= WORTH) == (second >= WORTH)
    return Measured(all_of_them, steady=agree)


def _ratio(rounds: Sequence[tuple[float, float]]) -> float:
    return min(plain for plain, _ in rounds) / min(short for _, short in rounds)
