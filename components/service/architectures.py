"""What a model is, from its configuration alone: the tasks it can do, what it reads, its family, and whether it fits.

`architectures.json` holds what transformers says of each architecture; `worker/architectures.py` writes it. One that is
not in it is judged by the head that ends its name, as in `Bert` + `ForMaskedLM`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from components.service.tasks import TASKS

Config = Mapping[str, Any]

_FILE = Path(__file__).with_name("architectures.json")
#: What a head does, for architectures that are not in the table.
_HEADS = {
    "ForSequenceClassification": ("text-classification", "zero-shot-classification"),
    "ForTokenClassification": ("token-classification",),
    "ForQuestionAnswering": ("question-answering",),
    "ForMaskedLM": ("fill-mask",),
    "ForCausalLM": ("text-generation", "decision"),
    "LMHeadModel": ("text-generation", "decision"),
    "DoubleHeadsModel": ("text-generation", "decision"),
    "ForImageClassification": ("image-classification", "image-feature-extraction"),
    "ForSemanticSegmentation": ("image-segmentation",),
    "ForObjectDetection": ("object-detection",),
    "ForDepthEstimation": ("depth-estimation",),
    "ForVideoClassification": ("video-classification",),
    "ForAudioClassification": ("audio-classification",),
    "ForCTC": ("automatic-speech-recognition",),
}
_DECODING = ("ForCausalLM", "LMHeadModel", "DoubleHeadsModel")
#: What a model has to be given for a task, where that is something else than text.
_INPUT = {
    "audio-classification": "audio",
    "automatic-speech-recognition": "audio",
    "zero-shot-audio-classification": "audio",
    "video-classification": "video",
    **dict.fromkeys(
        (
            "image-classification", "image-feature-extraction", "image-segmentation", "image-text-to-text",
            "image-to-image", "object-detection", "zero-shot-object-detection", "zero-shot-image-classification",
            "depth-estimation", "mask-generation", "keypoint-matching", "visual-question-answering",
        ),
        "image",
    ),
}  # fmt: skip
_INPUT_NAMES = {"text": "text", "image": "pictures", "video": "video", "audio": "sound", "time": "time series"}
#: Without their head, these tasks would be done by one with random weights.
_BY_CHANCE = (
    "text-classification", "zero-shot-classification", "token-classification", "question-answering", "fill-mask",
    "text-generation", "image-classification", "audio-classification", "video-classification",
    "table-question-answering", "document-question-answering",
)  # fmt: skip
_TRANSLATES = re.compile(r"translation(_[A-Za-z]{2,8}_to_[A-Za-z]{2,8})?")
_SENTENCES = ("modules.json", "config_sentence_transformers.json")


@dataclass(frozen=True)
class _Row:
    tasks: tuple[str, ...]
    family: str | None
    reads: tuple[str, ...]


@cache
def _table() -> dict[str, _Row]:
    rows = orjson.loads(_FILE.read_bytes())
    return {
        name: _Row(tuple(row["tasks"]), row["family"], tuple(row["reads"]))
        for row in rows
        for name in row["names"].split()
    }


def architecture_of(config: Config) -> str | None:
    """The name of the model's class, such as `BertForMaskedLM`, where the configuration states it."""
    names = config.get("architectures")
    first = names[0] if isinstance(names, list) and names else None
    return first if isinstance(first, str) else None


def tasks_of(config: Config, files: Collection[str] = ()) -> list[str]:
    """The tasks that a model can be run with, what it was made for first; empty where nothing is known of it.

    Args:
        config: Of the model, as much as is known; `architectures` says most.
        files: Names of the repository's files: `modules.json` marks a model of sentence-transformers.
    """
    name = architecture_of(config)
    if name is None:
        return []
    row = _table().get(name)
    tasks = list(row.tasks) if row else [*next((_HEADS[head] for head in _HEADS if head in name), ())]
    if "zero-shot-classification" in tasks and not _entails(config):
        tasks.remove("zero-shot-classification")
    first = _hint(config, files, tasks)
    return [first, *(task for task in tasks if task != first)] if first else tasks


def task_of(config: Config, files: Collection[str] = ()) -> str | None:
    """The task that a model was made for, as far as its configuration says; None where it does not."""
    return next(iter(tasks_of(config, files)), None)


def family_of(config: Config) -> str | None:
    """`encoder`, `decoder` or `encoder-decoder`; None if the configuration does not say, and for codecs.

    A model that reads pictures or sound and writes text with a language model counts as a decoder, unless the
    language model has both halves.
    """
    name = architecture_of(config)
    inner = config.get("text_config")
    both = config.get("is_encoder_decoder") or (isinstance(inner, Mapping) and inner.get("is_encoder_decoder"))
    row = _table().get(name or "")
    if row is not None:
        return "encoder-decoder" if both and row.family == "decoder" and not _decodes(name) else row.family
    if both:
        return "encoder-decoder"
    if name is None:
        return None
    return "decoder" if _decodes(name) else "encoder"


def reads(config: Config) -> list[str]:
    """What a model is given: `text`, `image`, `video`, `audio`, `time`; empty where that is not known."""
    row = _table().get(architecture_of(config) or "")
    return list(row.reads) if row else []


def misfit(config: Config, task: str, name: str = "This model", files: Collection[str] = ()) -> str | None:
    """Why a model would not do a task, in a sentence that names what it is; None if it may.

    A model of which nothing is known may: the worker has the last word.
    """
    tasks, architecture = tasks_of(config, files), architecture_of(config)
    if task in tasks or architecture is None or (not tasks and architecture not in _table()):
        return None
    kind = "base" if not tasks or tasks[0] in ("feature-extraction", "image-feature-extraction") else tasks[0]
    told = f"{name} is {'an' if kind[0] in 'aeiou' else 'a'} {kind} model ({architecture})"
    given, needed = reads(config), _INPUT.get(task, "text")
    if given and needed not in given:
        return f"{told}: it reads {_listed(given)}, not {_INPUT_NAMES[needed]}, so it cannot do {task}."
    if task == "zero-shot-classification" and tasks[0] == "text-classification":
        return (
            f"{told}: none of its labels is entailment, so it was not trained to judge whether a sentence follows from "
            f"another, and {task} would give chance."
        )
    head = TASKS[task].head if task in TASKS else f"head for {task}"
    return f"{told}: it has no {head}, so {f'{task} would give chance' if task in _BY_CHANCE else 'it cannot do this'}."


def _decodes(name: str | None) -> bool:
    return bool(name) and str(name).endswith(_DECODING)


def _listed(kinds: list[str]) -> str:
    return " and ".join(_INPUT_NAMES[kind] for kind in kinds)


def _entails(config: Config) -> bool:
    """Whether a label is entailment, which zero-shot classification is made from; so it may be where none is known."""
    labels = config.get("id2label")
    if not isinstance(labels, Mapping) or not labels:
        return True
    return any(str(label).lower().startswith("entail") for label in labels.values())


def _hint(config: Config, files: Collection[str], tasks: list[str]) -> str | None:
    """The task that more than the architecture says a model was made for, of those that it can do."""
    if "sentence-similarity" in tasks and any(name in files for name in _SENTENCES):
        return "sentence-similarity"
    stated = config.get("task_specific_params")
    if not isinstance(stated, Mapping):
        return None
    named = {"translation" if _TRANSLATES.fullmatch(str(key)) else str(key) for key in stated}
    return next(iter(named & set(tasks)), None) if len(named) == 1 else None
