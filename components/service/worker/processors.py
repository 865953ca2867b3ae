"""What turns inputs into tensors: a model's tokenizer, and its processors of images, sounds and videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming

#: The pipelines' own names of the parts, the Auto class of each, and the files that say that a model has it.
_PARTS = {
    "image_processor": ("AutoImageProcessor", ("preprocessor_config.json", "processor_config.json")),
    "video_processor": (
        "AutoVideoProcessor",
        ("video_preprocessor_config.json", "preprocessor_config.json", "processor_config.json"),
    ),
    "feature_extractor": ("AutoFeatureExtractor", ("preprocessor_config.json", "processor_config.json")),
    "processor": ("AutoProcessor", ("processor_config.json", "preprocessor_config.json")),
}
_TITLES = {
    "image_processor": "an image processor",
    "video_processor": "a video processor",
    "feature_extractor": "a feature extractor",
    "processor": "a processor",
}


def load_parts(path: Path, name: str, pipeline_class: type) -> dict[str, Any]:
    """The parts that a pipeline class takes beside the model, by its own `_load_...` flags: True needs the part,
    None takes it where the model has it, False leaves it.

    Raises:
        WorkbenchError: A part that is needed is missing or broken.
    """
    parts: dict[str, Any] = {}
    wanted = pipeline_class._load_tokenizer  # type: ignore[attr-defined]
    if wanted or (wanted is None and _has_tokenizer(path)):
        parts["tokenizer"] = load_tokenizer(path, name)
    for part, (auto_class, files) in _PARTS.items():
        wanted = getattr(pipeline_class, f"_load_{part}", False)
        if wanted is False or (wanted is None and not _declares(path, part)):
            continue
        if wanted and not any((path / file).is_file() for file in files):
            raise WorkbenchError(
                f"{name} has no {files[0]}, so there is nothing that prepares inputs for it. Choose another model.",
                field="model",
            )
        parts[part] = _load(path, name, part, auto_class)
    return parts


def _load(path: Path, name: str, part: str, auto_class: str) -> Any:
    with blaming(
        f"{name} needs {_TITLES[part]} that could not be loaded: its files are broken, or of a kind that the installed "
        f"transformers ({transformers.__version__}) or its optional packages do not know. Choose another model.",
        field="model",
    ):
        return getattr(transformers, auto_class).from_pretrained(path, local_files_only=True, trust_remote_code=False)


def _declares(path: Path, part: str) -> bool:
    """Whether the model's files say that it has a part; older ones call an image processor a feature extractor."""
    if part == "processor" and _json(path / "config.json").get("model_type") in PROCESSOR_MAPPING_NAMES:
        return True
    if part == "video_processor" and (path / "video_preprocessor_config.json").is_file():
        return True
    together, alone = _json(path / "processor_config.json"), _json(path / "preprocessor_config.json")
    if part in together or (part == "processor" and "processor_class" in {**together, **alone}):
        return True
    kind = str(alone.get("feature_extractor_type", ""))
    older = (
        hasattr(transformers, kind.replace("FeatureExtractor", "ImageProcessor"))
        and "image_processor_type" not in alone
    )
    if part == "feature_extractor":
        return bool(kind) and not older
    return f"{part}_type" in alone or (part == "image_processor" and bool(kind) and older)


def _json(file: Path) -> dict[str, Any]:
    """An object in a model's file; empty where there is none, or it is broken, which its loading tells in words."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_tokenizer(path: Path) -> bool:
    return any((path / file).is_file() for file in ("tokenizer.json", "tokenizer_config.json", "vocab.json"))


def _has_words(path: Path) -> bool:
    return _has_tokenizer(path) or any(file.suffix in {".txt", ".model", ".spm"} for file in path.iterdir())


def load_tokenizer(path: Path, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer in a folder, fast where there is one.

    Raises:
        WorkbenchError: There is none. transformers would make up one with an empty vocabulary.
    """
    missing = WorkbenchError(
        f"{name} has no tokenizer: none of the files that hold one is there. Choose a model that has one, "
        "such as the model that it was made from.",
        field="model",
    )
    if not any(file.suffix in {".json", ".txt", ".model", ".spm"} for file in path.iterdir()):
        raise missing
    if (path / "preprocessor_config.json").is_file() and not _has_words(path):
        raise WorkbenchError(
            f"{name} has no tokenizer: it reads images or sounds, not text. Choose a model of text.", field="model"
        )
    with blaming(
        f"The tokenizer of {name} could not be loaded: its files are missing, broken, or of a kind that the "
        f"installed transformers ({transformers.__version__}) does not know. Choose another model.",
        field="model",
    ):
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    needed = {"tokenizer.json", *tokenizer.vocab_files_names.values()}
    if tokenizer.vocab_files_names and not any((path / file).is_file() for file in needed):
        raise missing
    return tokenizer
