"""Which repositories are safe and small enough to open, and which of their files are fetched.

Nothing here asks the network: it judges the file list and the JSON files that the Hub returned. Refusals are sentences
for visitors. The dangers behind each rule: pickled weights run code when they are opened; `auto_map` and its kin run
code from the repository; a weight index can point outside the folder; a tokenizer file can be made to fill the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.sizes import MB, in_units

#: A repository file: its path and its size in bytes (`None` where the Hub does not say).
Files = Mapping[str, int | None]

_SHARD = re.compile(r"[\w.-]+\.safetensors")
_TEXT_SUFFIXES = (".json", ".txt", ".model", ".spm", ".jinja", ".tiktoken")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".h5", ".msgpack", ".ot")
_DATA_SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".ndjson", ".parquet")
#: A longer card of a data set is not read, in bytes.
DATA_CARD_BYTES = 1 * MB
#: Endings of image files that can be read.
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif")
#: Tables beside images that say something of each, by the column `file_name`, as `datasets` has it.
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
#: JSON files that describe a data set instead of holding it.
SIDECARS = ("dataset_infos.json", "dataset_info.json", "config.json", "state.json", "metadata.json")
_OTHER_FORMATS = {
    ".gguf": "GGUF, which is made for llama.cpp",
    ".onnx": "ONNX, which is made for other programs",
    ".mlmodel": "Core ML, which is made for other programs",
}
_CODE_KEYS = ("auto_map", "custom_pipelines", "trust_remote_code")
#: These choose among transformers' own implementations, or name a repository whose compiled code is run.
_KERNEL_KEYS = tuple(
    f"{start}{what}_implementation{end}"
    for what in ("attn", "experts")
    for start in ("", "_")
    for end in ("", "_internal")
)


def small_files(files: Files) -> list[str]:
    """The configuration and tokenizer files of a model: top level, its additional chat templates, and how a sentence
    model makes one vector of many."""
    return [
        name
        for name in files
        if name.endswith(_TEXT_SUFFIXES)
        and ("/" not in name or name.startswith("additional_chat_templates/") or name == "1_Pooling/config.json")
    ]


def weight_files(files: Files) -> list[str]:
    """The safetensors files that hold the model: one file, or the shards of `model.safetensors.index.json`."""
    if "model.safetensors" in files:
        return ["model.safetensors"]
    return [name for name in files if re.fullmatch(r"model-\d+-of-\d+\.safetensors", name)]


def data_files(files: Files) -> list[str]:
    """The files with the rows of a data-set repository, in its own order: its tables, or else its images."""
    skip = ("dataset_infos.json", "dataset_info.json", "state.json")
    tables = [name for name in files if name.lower().endswith(_DATA_SUFFIXES) and name.rpartition("/")[2] not in skip]
    return image_files(files) or tables


def is_image(name: str) -> bool:
    """Whether a file is called an image."""
    return name.lower().endswith(IMAGES)


def image_files(files: Iterable[str]) -> list[str]:
    """The images whose folders are a data set, and the metadata beside them; none where other tables hold the rows."""
    described, pictures = [], []
    for name in files:
        base = name.rpartition("/")[2].lower()
        if is_image(name):
            pictures.append(name)
        elif base in METADATA:
            described.append(name)
        elif base.endswith(_DATA_SUFFIXES) and base not in SIDECARS:
            return []
    return [*pictures, *described] if pictures else []


def model_refusals(files: Files, config: Mapping[str, Any] | None, settings: Settings) -> list[str]:
    """Why a model is not opened, from its file list; empty when nothing speaks against it.

    Args:
        files: Files of the repository with their sizes.
        config: The `config` that the Hub reports for it, if it does.
        settings: Limits on count and size.
    """
    reasons = []
    if len(files) > settings.model_files:
        reasons.append(
            f"It holds {len(files):,} files, more than the {settings.model_files} allowed here. "
            "Choose a repository that holds one model only."
        )
    if custom_code(config):
        reasons.append(_CUSTOM_CODE)
    if config and config.get("quantization_config"):
        reasons.append(_QUANTIZED)
    weights = weight_files(files)
    if not weights:
        reasons.append(_no_weights(files))
    size = sum(files[name] or 0 for name in weights)
    if size > settings.model_bytes:
        reasons.append(
            f"Its weights take {in_units(size)}, more than the {in_units(settings.model_bytes)} allowed here. "
            "Choose a smaller model, or start the app on a larger machine of your own."
        )
    reasons += text_refusals(files, settings)
    return reasons


def text_refusals(files: Files, settings: Settings) -> list[str]:
    """Why the configuration and tokenizer files are not fetched: one of them is too large."""
    return [
        f"Its file {name} takes {in_units(size)}, more than the {in_units(settings.json_bytes)} allowed here."
        for name in small_files(files)
        if (size := files[name] or 0) > settings.json_bytes
    ]


def custom_code(config: Any) -> bool:
    """Whether a configuration asks, at any depth, for code from a repository to be run."""
    left = [config]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            if any(_runs_code(key, value) for key, value in one.items()):
                return True
            left += one.values()
        elif isinstance(one, list):
            left += one
    return False


def _runs_code(key: Any, value: Any) -> bool:
    return bool(value) and (key in _CODE_KEYS or (key in _KERNEL_KEYS and "/" in str(value)))


def inside(name: str) -> bool:
    """Whether a file's name, as a Hub tells it, stays within its repository."""
    return not name.startswith("/") and "\\" not in name and ".." not in name.split("/")


def documents(folder: Path, names: list[str]) -> list[tuple[str, Any]]:
    """The JSON files that can redirect a load, with what they hold: not the tokenizer's, which is large and cannot.

    Raises:
        WorkbenchError: One is no JSON.
    """
    read = []
    for name in names:
        if not name.endswith(".json") or name in ("tokenizer.json", "vocab.json"):
            continue
        try:
            read.append((name, orjson.loads((folder / name).read_bytes())))
        except orjson.JSONDecodeError:
            raise WorkbenchError(
                f"The file {name} of this model is not valid JSON, so it cannot be opened. Choose another model.",
                field="model",
            ) from None
    return read


def json_refusals(documents: Iterable[tuple[str, Any]]) -> list[str]:
    """Why the downloaded JSON files of a model are not opened: custom code, or an index that points elsewhere."""
    reasons = []
    for name, document in documents:
        if custom_code(document):
            reasons.append(_CUSTOM_CODE)
        if name.endswith(".safetensors.index.json"):
            shards = document.get("weight_map", {}) if isinstance(document, dict) else {}
            if not isinstance(shards, dict) or any(not _SHARD.fullmatch(str(shard)) for shard in shards.values()):
                reasons.append(f"Its {name} names weight files outside the repository.")
    return list(dict.fromkeys(reasons))


_CUSTOM_CODE = (
    "It brings code of its own, and code from repositories is never run here. "
    "Choose a model whose architecture is part of transformers."
)

_QUANTIZED = "Its weights are quantized, which is not supported here. Choose the model that it was made from."


def _no_weights(files: Files) -> str:
    if "adapter_model.safetensors" in files:
        return "It holds an adapter only, not a whole model. Choose the base model, or a merged version of it."
    pickles = [name for name in files if name.endswith(_PICKLES)]
    if pickles:
        return (
            f"It has its weights only as {pickles[0]}, a format that can run code when it is opened. "
            "Choose a model, or a revision of it, that has model.safetensors."
        )
    for end, what in _OTHER_FORMATS.items():
        if any(name.endswith(end) for name in files):
            return (
                f"It has its weights only as {what}. Choose a model, or a revision of it, that has model.safetensors."
            )
    return "It holds no weights: there is no model.safetensors in it. Choose a model that has one."
