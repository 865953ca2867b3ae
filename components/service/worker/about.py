"""What a model is made of, from its configuration alone: built on the meta device, where no weight takes memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import PretrainedConfig, PreTrainedModel

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.building import BUILDING
from components.service.worker.calls import Call
from components.service.worker.fit import LAYERS, read_config

#: No model has more parameters than this; a configuration that says so is a prank.
PARAMETERS = 10**15

_SIZES = {
    "layers": ("num_hidden_layers", "num_layers", "encoder_layers", "depths"),
    "decoder_layers": ("decoder_layers", "num_decoder_layers"),
    "heads": ("num_attention_heads", "encoder_attention_heads", "num_heads"),
    "key_value_heads": ("num_key_value_heads",),
    "hidden": ("hidden_size", "d_model", "embed_dim", "hidden_sizes"),
    "feed_forward": ("intermediate_size", "d_ff", "encoder_ffn_dim", "ffn_dim", "n_inner", "hidden_dim"),
    "vocabulary": ("vocab_size",),
    "context": ("max_position_embeddings", "n_positions", "max_source_positions", "max_target_positions"),
    "image_size": ("image_size",),
    "patch_size": ("patch_size",),
    "experts": ("num_experts", "num_local_experts", "n_routed_experts"),
}
_MANY = re.compile(r"(layers?|depths?|blocks?|stages?|experts)$")
#: Words in a module's path, and the part of the model that they stand for; the first that is found counts.
_SCOPES = (
    ("vision", re.compile(r"vision|visual|image_|pixel")),
    ("audio", re.compile(r"audio|speech|feature_extractor\.conv")),
    ("decoder", re.compile(r"decoder")),
    ("encoder", re.compile(r"encoder")),
    ("text", re.compile(r"text_(model|proj)|language_model")),
)
_LAYER_PARTS = (
    ("normalization", re.compile(r"norm|\.ln|^ln|bn\d?\.")),
    ("cross-attention", re.compile(r"cross_?att|encdecatt|encoder_attn")),
    ("attention", re.compile(r"att(n|ention)|(^|\.)sa\.|temporal_block\.q")),
    ("experts", re.compile(r"expert|moe|router")),
    (
        "feed-forward",
        re.compile(r"mlp|ff|feed_?forward|intermediate|output\.dense|fc\d|fc_|densereludense|lin\d|dense"),
    ),
    ("state space", re.compile(r"mixer|ssm|mamba|conv1d")),
    ("convolution", re.compile(r"conv")),
)
_EMBEDS = re.compile(r"embed|\bwte\b|\bwpe\b|\bshared\b|\btokens?_\b|position|cls_token|patch")
_AROUND = (
    ("Normalization", re.compile(r"norm|\bln_")),
    ("Pooler", re.compile(r"pool")),
    ("Projection", re.compile(r"proj|connector|merger|qformer")),
    ("Convolutions", re.compile(r"conv|stem")),
)
_HEADS = re.compile(
    r"^(lm_head|cls|classifier|score|qa_outputs|vocab_\w+|generator_\w+|[\w]*_classifier|\w+_head|embed_out)\b"
)


def about_model(_call: Call, *, path: str, model: str) -> dict[str, Any]:
    """The sizes that the configuration states, and the parameters of the model's parts, counted.

    Returns:
        `{"architecture", "model_type", "dtype", "sizes": [{"of", "layers", "heads", "hidden", ...}], "parameters",
        "parts": [{"kind", "title", "parameters", "count", "of": [{"name", "parameters"}]}]}`. `sizes` has an entry for
        the model and one for each configuration within it; `parts` come in the order in which data flows. `kind` is
        `embeddings`, `layers` (there are `count`, made `of` these), `head` or `other`.
    """
    config = read_config(Path(path), model)
    dtype = str(config.dtype).removeprefix("torch.") if config.dtype is not None else None
    sizes = list(_sizes(config))
    built = build(config, model)
    parts = _parts(built)
    return {
        "architecture": type(built).__name__,
        "model_type": config.model_type,
        "dtype": dtype,
        "sizes": sizes,
        "parameters": sum(part["parameters"] for part in parts),
        "parts": parts,
    }


def build(config: PretrainedConfig, name: str) -> PreTrainedModel:
    """The model that a configuration describes, on the meta device.

    Raises:
        WorkbenchError: It describes too many layers or parameters, or none that transformers could build.
    """
    _check_layers(config.to_dict(), name)
    with (
        BUILDING,
        blaming(f"transformers cannot build a model from the config.json of {name}. Choose another.", "model"),
        torch.device("meta"),
    ):
        model = _class_of(config)._from_config(config, dtype=torch.float32, attn_implementation="eager")
        model.tie_weights()
    count = sum(parameter.numel() for parameter in model.parameters())
    if count > PARAMETERS:
        raise WorkbenchError(
            f"The config.json of {name} describes {count:,} parameters, more than any model has. Choose another model.",
            field="model",
        )
    return model


def _class_of(config: PretrainedConfig) -> Any:
    """The class that the configuration names if it is one of transformers' models, else the one without a head."""
    names = config.architectures if isinstance(config.architectures, list) else []
    found = getattr(transformers, str(names[0]), None) if names else None
    if isinstance(found, type) and issubclass(found, PreTrainedModel):
        return found
    return transformers.AutoModel._model_mapping[type(config)]


def _check_layers(config: Any, name: str, key: str = "") -> None:
    """Each layer costs time and memory before a single weight is there, in whichever part of the model it is."""
    if isinstance(config, dict):
        for inner, value in config.items():
            _check_layers(value, name, str(inner))
    elif isinstance(config, list):
        for value in config:
            _check_layers(value, name, key)
    elif isinstance(config, int) and config > LAYERS and _MANY.search(key):
        raise WorkbenchError(
            f"The config.json of {name} describes {config:,} of {key}, more than the {LAYERS:,} allowed here. "
            "Choose another model.",
            field="model",
        )


def _sizes(config: PretrainedConfig) -> Iterator[dict[str, Any]]:
    """What a configuration states, and each configuration within it that states something."""
    inner = [(key.removesuffix("_config"), getattr(config, key, None)) for key in config.sub_configs]
    for name, one in [("", config), *inner]:
        if isinstance(one, PretrainedConfig):
            stated = {size: _first(one, names) for size, names in _SIZES.items()}
            if any(value is not None for value in stated.values()):
                yield {"of": name, **{size: value for size, value in stated.items() if value is not None}}


def _first(config: PretrainedConfig, names: tuple[str, ...]) -> int | list[int] | None:
    for name in names:
        value = getattr(config, name, None)
        if isinstance(value, tuple):
            value = list(value)
        whole = value if isinstance(value, list) else [value]
        if whole and len(whole) <= 32 and all(isinstance(one, int) and not isinstance(one, bool) for one in whole):
            return value
    return None


def _parts(model: PreTrainedModel) -> list[dict[str, Any]]:
    """The model's parts in the order in which its parameters stand; a parameter that is shared counts once."""
    base = f"{model.base_model_prefix}." if hasattr(model, model.base_model_prefix or " ") else ""
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    layers: dict[tuple[str, str], set[str]] = {}
    for name, parameter in model.named_parameters():
        kind, title, number, inner = _place(name, base, model)
        part = parts.setdefault((kind, title), {"kind": kind, "title": title, "parameters": 0, "count": 1, "of": {}})
        part["parameters"] += parameter.numel()
        if inner:
            part["of"][inner] = part["of"].get(inner, 0) + parameter.numel()
            layers.setdefault((kind, title), set()).add(number)
            part["count"] = len(layers[kind, title])
    found = [
        {**part, "of": [{"name": name, "parameters": number} for name, number in part["of"].items()]}
        for part in parts.values()
    ]
    if _shares_embeddings(model) and not any(part["kind"] == "head" for part in found):
        found.append({"kind": "head", "title": "Head, with the weights of the embeddings", **_NOTHING})
    return found


_NOTHING: dict[str, Any] = {"parameters": 0, "count": 1, "of": []}


def _shares_embeddings(model: PreTrainedModel) -> bool:
    outputs = model.get_output_embeddings()
    if outputs is None:
        return False
    return any(outputs.weight is module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding))


def _place(name: str, base: str, model: PreTrainedModel) -> tuple[str, str, str, str]:
    """Where a parameter belongs: kind and title of the part, and in layers the layer and what of it."""
    if (base and not name.startswith(base)) or (not base and _HEADS.match(name)):
        return "head", "Head", "", ""
    words = name.split(".")
    place = next((i for i, word in enumerate(words) if word.isdigit()), None)
    path = name.lower()
    if place is not None and isinstance(model.get_submodule(".".join(words[:place])), torch.nn.ModuleList):
        inner = ".".join(words[place + 1 :]).lower()
        of = next((part for part, pattern in _LAYER_PARTS if pattern.search(inner)), "other")
        stack = ".".join(words[:place])
        return "layers", _titled(stack.lower(), "layers", words[place - 1]), f"{stack}.{words[place]}", of
    if _EMBEDS.search(path):
        return "embeddings", _titled(path, "embeddings", ""), "", ""
    for title, pattern in _AROUND:
        if pattern.search(path):
            return "other", _titled(path, title.lower(), ""), "", ""
    return "other", "Other", "", ""


def _titled(path: str, what: str, last: str) -> str:
    """`Vision encoder layers`: what the path says of where something stands, before what it is."""
    scopes = [scope for scope, pattern in _SCOPES if pattern.search(path)]
    words: list[str] = [scope for scope in ("vision", "audio", "text") if scope in scopes]
    words += [scope for scope in ("encoder", "decoder") if scope in scopes][-1:]
    if "conv" in last:
        words.append("convolution")
    return " ".join([*words, what]).capitalize()
