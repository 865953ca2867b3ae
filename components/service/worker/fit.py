"""Judged before any weight is loaded: does a model have the head that a task needs, and is it as large as it says?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import safe_open
from transformers import AutoConfig, PretrainedConfig
from transformers.models.auto import modeling_auto

from components.service.errors import WorkbenchError
from components.service.sizes import in_units
from components.service.tasks import TASKS, TaskSpec
from components.service.worker.blame import blaming
from components.service.worker.building import BUILDING

#: Which table of transformers names the classes of which kind of model; the first that holds a class counts.
_KINDS = {
    "text-classification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "text-generation": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "fill-mask": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "token-classification": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "question-answering": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "table-question-answering": "MODEL_FOR_TABLE_QUESTION_ANSWERING_MAPPING_NAMES",
    "text-to-text (encoder-decoder)": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "multiple-choice": "MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES",
    "image-classification": "MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES",
    "object-detection": "MODEL_FOR_OBJECT_DETECTION_MAPPING_NAMES",
    "zero-shot-object-detection": "MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES",
    "image-segmentation": "MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES",
    "depth-estimation": "MODEL_FOR_DEPTH_ESTIMATION_MAPPING_NAMES",
    "mask-generation": "MODEL_FOR_MASK_GENERATION_MAPPING_NAMES",
    "keypoint-matching": "MODEL_FOR_KEYPOINT_MATCHING_MAPPING_NAMES",
    "image-to-image": "MODEL_FOR_IMAGE_TO_IMAGE_MAPPING_NAMES",
    "image-text-to-text": "MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES",
    "automatic-speech-recognition": "MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES",
    "base": "MODEL_MAPPING_NAMES",
    "pre-training": "MODEL_FOR_PRETRAINING_MAPPING_NAMES",
}


#: Loads a model without any head, from the files of one that has a head too.
BARE = "AutoModel"
#: Most layers that a model may have: each costs time and memory before a single weight is there.
LAYERS = 1000
#: Parameters that a new head may have, besides half of the whole model.
NEW_HEAD = 10_000_000


def check_start(path: Path, name: str, auto_class: str, most_bytes: int) -> None:
    """Refuse a model that training cannot start from: as `check_size`, in float32, with a head that may be new."""
    held, _ = stored(path, name)
    config = read_config(path, name)
    if type(config) not in getattr(transformers, auto_class)._model_mapping:
        raise WorkbenchError(
            f"{name} is a {config.model_type} model, which transformers cannot load as {auto_class}, so it cannot be "
            "trained for this task. Choose another model.",
            field="model",
        )
    check_size(config, auto_class, held, 4, most_bytes, name, new_head=True)


def read_config(path: Path, name: str) -> PretrainedConfig:
    """The model's configuration, from `config.json`."""
    if not (path / "config.json").is_file():
        raise WorkbenchError(
            f"{name} has no config.json, so transformers cannot tell what model it is. Choose another one.",
            field="model",
        )
    with blaming(
        f"The config.json of {name} is broken, or of a model type that the installed transformers "
        f"({transformers.__version__}) does not know. Choose another model.",
        field="model",
    ):
        return AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)


def check_head(config: PretrainedConfig, spec: TaskSpec, name: str) -> str:
    """The Auto class that loads the model with the head for the task.

    Raises:
        WorkbenchError: It has no such head: transformers would give it one with random weights.
    """
    if getattr(config, "quantization_config", None) is not None:
        raise WorkbenchError(
            f"The weights of {name} are quantized, which is not supported here. Choose the model it was made from.",
            field="model",
        )
    architectures = list(getattr(config, "architectures", None) or [])
    mappings = {one: getattr(transformers, one)._model_mapping for one in spec.auto_classes}
    for auto_class, mapping in mappings.items():
        if any(architecture in _names(mapping._model_mapping) for architecture in architectures):
            return auto_class
    for auto_class, mapping in mappings.items():
        # The model without a head is in every model; and where nothing is said of a head, it is seen when it is loaded.
        if (auto_class == BARE or not architectures) and type(config) in mapping:
            return auto_class
    kind = _kind(architectures)
    article = "an" if kind[0] in "aeiou" else "a"
    known = f", or run it with {kind}" if kind in TASKS else ""
    raise WorkbenchError(
        f"{name} is {article} {kind} model{_in_brackets(architectures)}: it has no {spec.head}. "
        f"Choose a {spec.name} model{known}.",
        field="model",
    )


def check_mask(tokenizer: Any, name: str) -> None:
    """Refuse a tokenizer without a mask token, which fill-mask cannot do without."""
    if tokenizer.mask_token_id is None:
        raise WorkbenchError(
            f"The tokenizer of {name} has no mask token, so there is nothing to write where a word is to be found. "
            "Choose a fill-mask model.",
            field="model",
        )


def unused(key: str, auto_class: str) -> bool:
    """Whether a weight may be missing, since nothing asks for it: the pooler on top of a model without a head."""
    return auto_class == BARE and "pooler." in key


def _in_brackets(architectures: list[str]) -> str:
    return f" ({architectures[0]})" if architectures else ""


def _kind(architectures: list[str]) -> str:
    for kind, table in _KINDS.items():
        if any(architecture in _names(getattr(modeling_auto, table)) for architecture in architectures):
            return kind
    return "different"


def _names(mapping: Any) -> set[str]:
    """The class names in one of transformers' tables, whose values are names or tuples of them."""
    return {name for value in mapping.values() for name in (value if isinstance(value, (tuple, list)) else (value,))}


def stored(path: Path, name: str) -> tuple[int, str]:
    """How many numbers the safetensors files hold, and the type of most of them (`F32`, `BF16` ...)."""
    files = sorted(path.glob("*.safetensors"))
    if not files:
        raise WorkbenchError(
            f"{name} has no weights in safetensors, the only format that is loaded here. Choose another model.",
            field="model",
        )
    counts: dict[str, int] = {}
    with blaming(f"A weight file of {name} is broken. Choose another model or revision.", field="model"):
        for file in files:
            with safe_open(file, framework="pt") as tensors:
                for key in tensors.keys():  # noqa: SIM118 - not a dict
                    tensor = tensors.get_slice(key)
                    size = 1
                    for length in tensor.get_shape():
                        size *= length
                    counts[tensor.get_dtype()] = counts.get(tensor.get_dtype(), 0) + size
    return sum(counts.values()), max(counts, key=lambda dtype: counts[dtype])


def check_size(
    config: PretrainedConfig,
    auto_class: str,
    held: int,
    itemsize: int,
    most_bytes: int,
    name: str,
    *,
    new_head: bool = False,
) -> int:
    """Bytes that the model will take, from its configuration on the meta device, where nothing is allocated.

    Args:
        auto_class: Name of the transformers Auto class that makes it.
        held: How many numbers its weight files hold.
        itemsize: Bytes of one parameter once loaded.
        most_bytes: The largest model allowed.
        new_head: Whether weights may be missing, because training will begin with new ones in their place.

    Raises:
        WorkbenchError: It is too large, or its configuration describes far more than its files hold.
    """
    layers = getattr(config, "num_hidden_layers", 0)
    if isinstance(layers, int) and layers > LAYERS:
        raise WorkbenchError(
            f"The config.json of {name} describes {layers:,} layers, more than the {LAYERS:,} allowed here. "
            "Choose another model.",
            field="model",
        )
    with (
        BUILDING,
        blaming(f"transformers cannot build a model from the config.json of {name}. Choose another.", "model"),
        torch.device("meta"),
    ):
        model = getattr(transformers, auto_class).from_config(config)
        model.tie_weights()
    count: int = sum(one.numel() for key, one in model.named_parameters() if not unused(key, auto_class))
    # What cannot be learned, such as sinusoidal positions, is computed and need not be in the files.
    computed = sum(one.numel() for one in model.parameters() if not one.requires_grad)
    if count - computed - held > (0.5 * count + NEW_HEAD if new_head else 0.01 * count):
        raise WorkbenchError(
            f"The config.json of {name} describes {count:,} parameters, but its files hold only {held:,}. "
            "The rest would be random. Choose another model.",
            field="model",
        )
    if count * itemsize > most_bytes:
        raise WorkbenchError(
            f"{name} needs {in_units(count * itemsize)} ({count:,} parameters), more than the "
            f"{in_units(most_bytes)} that a model may take here. Choose a smaller one.",
            kind="memory",
            field="model",
        )
    return count * itemsize
