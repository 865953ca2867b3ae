"""LoRA in a script: small matrices beside the weights, and heads that are trained whole (see `runs/lora.py`)."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call
from components.service.snippets.finetune.recipe import Plan

#: Tasks whose head is trained whole.
HEADED = ("text-classification", "token-classification", "question-answering", "image-classification")
IMPORTS = ["from peft import LoraConfig, get_peft_model"]


def wrapping(plan: Plan) -> str:
    """Makes `model` one with an adapter; nothing where all weights are trained."""
    if not plan.lora:
        return ""
    settings = {name: plan.spec[f"lora_{name}"] for name in ("alpha", "dropout")}
    whole: dict[str, Any] = {"modules_to_save": Name("head")} if plan.task in HEADED else {}
    config = call(
        "LoraConfig",
        r=plan.spec["lora_rank"],
        **{f"lora_{name}": value for name, value in settings.items()},
        target_modules="all-linear",
        **whole,
    )
    return f"{_HEAD if whole else ''}model = get_peft_model(model, {config})"


def saving(plan: Plan) -> str:
    """What the trained model is, ready to be saved."""
    return "model.merge_and_unload()" if plan.lora else "model"


_HEAD = """inner = model.base_model_prefix
head = [name for name, part in model.named_children() if name != inner and list(part.parameters())]
"""
