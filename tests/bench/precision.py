"""What bfloat16 would bring to a pass through a model, by the tokens that the pass has."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.bench.batch import of_minilm_size
from tests.bench.table import Curve, in_turns

LENGTH = 16
SIZES = (16, 128, 1_024, 4_096)
PASSES = 3
NOTE = """A pass of 6 layers, 384 wide, in texts of 16 tokens: 16 tokens are one visitor's text, 4,096 the largest stack
of a batch. `cast` has its weights in float32 and casts them in each pass (autocast). The worker computes in float32, so
that an answer is that of the model's own pipeline, but for large models that answer with scores."""


def curves(rounds: int) -> list[Curve]:
    """Weights in either type, and weights in float32 that are cast in each pass."""
    import torch
    from transformers import AutoModelForSequenceClassification

    half = torch.bfloat16
    with tempfile.TemporaryDirectory() as folder:
        of_minilm_size(Path(folder))
        single = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        short = AutoModelForSequenceClassification.from_pretrained(folder, dtype=half).eval()
        lines: dict[str, list[float]] = {f"{name}, tokens/s": [] for name in ("float32", "bfloat16", "cast")}
        furthest: list[float] = []

        def run(model: Any, ids: Any, cast: bool = False) -> Any:
            with torch.inference_mode(), torch.autocast("cpu", half, enabled=cast):
                return model(ids).logits.float().softmax(-1)

        for size in SIZES:
            ids = torch.randint(5, single.config.vocab_size, (size // LENGTH, LENGTH))
            ways = {
                "float32": lambda ids=ids: run(single, ids),
                "bfloat16": lambda ids=ids: run(short, ids),
                "cast": lambda ids=ids: run(single, ids, cast=True),
            }
            made = [way() for way in ways.values()]
            furthest.append(max(float((made[0] - one).abs().max()) for one in made[1:]))
            for name, seconds in in_turns(PASSES * rounds, **ways).items():
                lines[f"{name}, tokens/s"].append(size / min(seconds))
    lines["scores differ by at most"] = furthest
    return [Curve("Tokens a second in float32 and bfloat16", "tokens of a pass", SIZES, lines, NOTE.replace("\n", " "))]
