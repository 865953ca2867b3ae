"""The type that a model computes in on a processor: float32, or bfloat16 where that is quicker and costs little.

In bfloat16 a number has three digits. A score that is read off once can bear that. Vectors are kept and computed with
further, and a text that is written token by token could go another way at every near tie: both stay in float32.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from components.service.runs.precision import WORTH, choose_precision
from components.service.settings import Settings

#: Parameters from which an answer takes long enough for speed to be worth a digit.
LARGE = 80_000_000
#: Tasks that read their input once and answer with scores.
TASKS = frozenset(
    (
        "text-classification",
        "token-classification",
        "zero-shot-classification",
        "question-answering",
        "image-classification",
    )
)
#: Types of models whose answers in bfloat16 were held against those in float32.
TRIED = frozenset(
    (
        "albert",
        "bart",
        "beit",
        "bert",
        "camembert",
        "convnext",
        "deberta",
        "deberta-v2",
        "deit",
        "dinov2",
        "distilbert",
        "electra",
        "ernie",
        "modernbert",
        "mpnet",
        "resnet",
        "roberta",
        "swin",
        "vit",
        "xlm-roberta",
    )
)


def told(settings: Settings, task: str, model_type: str, parameters: int) -> str:
    """What visitors are told where a model is to compute in bfloat16; empty where it is float32."""
    if settings.precision == "fp32" or task not in TASKS or model_type not in TRIED:
        return ""
    why = "which this app was started for"
    if settings.precision == "auto":
        if parameters < LARGE or (speedup := _speedup(settings.home)) < WORTH:
            return ""
        why = f"in which this machine was measured {speedup:.1f} times as fast"
    return (
        f"Computed in bfloat16, {why}: scores may differ from those in float32 in their third digit. Started with "
        "WORKBENCH_PRECISION=fp32, the app keeps to float32."
    )


@cache
def _speedup(home: Path) -> float:
    """How many times as fast as float32: measured once in this process, or at another time on this machine."""
    return float(choose_precision("auto", home / "precision.json")["speedup"])
