"""LoRA for every task (Hu et al., 2021): the model's weights stay as they are, small matrices beside them are trained.

Both are kept: the matrices as an adapter, which is small, and added to the weights as a model like any other.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from torch import nn
from transformers.pytorch_utils import Conv1D

from components.service.errors import WorkbenchError
from components.service.runs.spec import RunSpec

#: What peft calls the tasks; it has no name for the others.
_TASKS = {
    "text-classification": TaskType.SEQ_CLS,
    "token-classification": TaskType.TOKEN_CLS,
    "question-answering": TaskType.QUESTION_ANS,
    "text-generation": TaskType.CAUSAL_LM,
    "summarization": TaskType.SEQ_2_SEQ_LM,
    "translation": TaskType.SEQ_2_SEQ_LM,
}
#: Tasks whose head is trained whole even where the model came with one that fits.
HEADED = ("text-classification", "token-classification", "question-answering", "image-classification")


def wrap(model: Any, spec: RunSpec, head_names: Sequence[str] = ()) -> PeftModel:
    """The model with an adapter to train and all its own weights frozen.

    Every linear layer gets matrices, not only the queries and values that peft names by default: at the same rate
    those learn less in short runs.

    Call it right after `Family.load`, under the same seed: the adapter's first weights are drawn at random.

    Args:
        model: As `from_pretrained` made it.
        spec: Says how wide the adapter is and what the task is.
        head_names: Modules to train whole beside those of `heads`.

    Raises:
        WorkbenchError: The model has no linear layer that an adapter could go beside.
    """
    whole = sorted({*heads(model, spec.task), *head_names})
    layers = _layers(model, whole)
    if not layers:
        raise WorkbenchError(
            f"A {model.config.model_type} model has no linear layers inside, beside which LoRA puts its matrices. "
            "Train all weights instead: set method to full.",
            field="method",
        )
    config = LoraConfig(
        r=spec.lora_rank,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules="all-linear",
        modules_to_save=whole or None,
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in layers),
        revision=spec.revision,
    )
    with warnings.catch_warnings():
        # peft asks for it under the name that it had before.
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        return get_peft_model(model, config)


def _layers(model: Any, whole: Sequence[str]) -> list[nn.Module]:
    """The linear layers of a model but for the output layer and what is trained whole."""
    output = model.get_output_embeddings()
    return [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
        and module is not output
        and not any(f"{name}.".startswith(f"{other}.") for other in whole)
    ]


def heads(model: Any, task: str) -> list[str]:
    """Modules that are trained whole: the head, for tasks that have one of their own, and any with new weights."""
    names = [name for name, module in model.named_modules() if name and _is_new(module)]
    if task in HEADED and hasattr(model, model.base_model_prefix):
        beside = [(name, one) for name, one in model.named_children() if name != model.base_model_prefix]
        names += [name for name, module in beside if list(module.parameters())]
    return [name for name in dict.fromkeys(names) if not any(name.startswith(f"{other}.") for other in names)]


def _is_new(module: nn.Module) -> bool:
    """Whether no weight of a module was in the files, so that all are random: `from_pretrained` marks what it read."""
    parameters = list(module.parameters())
    return bool(parameters) and not any(getattr(one, "_is_hf_initialized", False) for one in parameters)


def facts(model: PeftModel) -> dict[str, Any]:
    """What is recorded of the adapter: how many weights are trained, and which layers."""
    config = model.peft_config["default"]
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    return {
        "trained_parameters": trained,
        "adapted": sorted({name.rsplit(".", 1)[-1] for name in model.targeted_module_names}),
        "trained_whole": sorted(config.modules_to_save or []),
    }


def save_merged(model: PeftModel, folder: Path, adapter_folder: Path, task: str = "") -> Any:
    """Write the model with the adapter's matrices added to its weights, and the adapter alone.

    The adapter names the model it belongs to as the model's configuration does (`name_or_path`): set that first.

    Args:
        model: As `wrap` made it; it is used up.
        folder: For the merged model, as `from_pretrained` reads it.
        adapter_folder: For `adapter_config.json` and `adapter_model.safetensors`.
        task: The run's task, which the adapter's configuration tells to peft.

    Returns:
        The merged model.
    """
    config = model.peft_config["default"]
    config.base_model_name_or_path = model.config.name_or_path
    config.task_type = _TASKS.get(task)
    # Whether the vocabulary was changed would be asked of the Hub otherwise; nothing here changes it.
    model.save_pretrained(adapter_folder, safe_serialization=True, save_embedding_layers=False)
    # A card that peft makes up; the run has one of its own.
    (adapter_folder / "README.md").unlink()
    merged = model.merge_and_unload(safe_merge=True)
    merged.save_pretrained(folder)
    return merged
