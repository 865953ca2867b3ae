"""Writes `architectures.json`: what each architecture of the installed transformers can do, for the web process.

`python -m components.service.worker.architectures` writes it anew, to be run after an upgrade of transformers.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import transformers
from transformers import GenerationMixin
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.utils import DummyObject

FILE = Path(__file__).parents[1] / "architectures.json"

#: The tables of transformers whose classes each task runs; where a class is in several, the first task is what it is
#: for. What removed pipelines did is in the table of their Auto class.
TABLES: dict[str, tuple[str, ...]] = {
    "text-classification": ("SEQUENCE_CLASSIFICATION",),
    "zero-shot-classification": ("SEQUENCE_CLASSIFICATION",),
    "token-classification": ("TOKEN_CLASSIFICATION",),
    "table-question-answering": ("TABLE_QUESTION_ANSWERING",),
    "document-question-answering": ("DOCUMENT_QUESTION_ANSWERING",),
    "question-answering": ("QUESTION_ANSWERING",),
    "image-classification": ("IMAGE_CLASSIFICATION",),
    "zero-shot-image-classification": ("ZERO_SHOT_IMAGE_CLASSIFICATION",),
    "zero-shot-object-detection": ("ZERO_SHOT_OBJECT_DETECTION",),
    "object-detection": ("OBJECT_DETECTION",),
    "image-segmentation": (
        "IMAGE_SEGMENTATION",
        "SEMANTIC_SEGMENTATION",
        "INSTANCE_SEGMENTATION",
        "UNIVERSAL_SEGMENTATION",
    ),
    "mask-generation": ("MASK_GENERATION",),
    "depth-estimation": ("DEPTH_ESTIMATION",),
    "keypoint-matching": ("KEYPOINT_MATCHING",),
    "image-to-image": ("IMAGE_TO_IMAGE",),
    "video-classification": ("VIDEO_CLASSIFICATION",),
    "audio-classification": ("AUDIO_CLASSIFICATION",),
    "text2text-generation": ("SEQ_TO_SEQ_CAUSAL_LM",),
    "summarization": ("SEQ_TO_SEQ_CAUSAL_LM",),
    "translation": ("SEQ_TO_SEQ_CAUSAL_LM",),
    "fill-mask": ("MASKED_LM",),
    "image-text-to-text": ("IMAGE_TEXT_TO_TEXT",),
    "visual-question-answering": ("VISUAL_QUESTION_ANSWERING",),
    "text-to-audio": ("TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM"),
    "automatic-speech-recognition": ("CTC", "TDT", "SPEECH_SEQ_2_SEQ"),
    "text-generation": ("CAUSAL_LM",),
    "any-to-any": ("MULTIMODAL_LM",),
    "decision": ("DECISION", "IMAGE_TEXT_TO_TEXT", "CAUSAL_LM"),
}
_SEQ2SEQ = ("text2text-generation", "summarization", "translation")
#: What models of a type are for among the tasks that they can run.
_MADE_FOR = {
    **dict.fromkeys(("marian", "m2m_100", "nllb-moe", "fsmt"), "translation"),
    **dict.fromkeys(("pegasus", "pegasus_x", "bigbird_pegasus"), "summarization"),
    **dict.fromkeys(("qwen2_5_omni", "qwen3_omni_moe"), "any-to-any"),
}
#: Tables hold some for another reason than the task: what these write is no transcript.
_NOT_FOR = {("DiaForConditionalGeneration", "automatic-speech-recognition")} | {
    ("Pop2PianoForConditionalGeneration", "automatic-speech-recognition")
}
#: Where neither a configuration's class nor a table says what family a type of model belongs to.
_FAMILIES: dict[str, str | None] = {
    **dict.fromkeys(("timesfm", "timesfm2_5", "decision_transformer", "imagegpt", "pi0"), "decoder"),
    **dict.fromkeys(("diffusion_gemma", "audioflamingo3", "musicflamingo"), "decoder"),
    **dict.fromkeys(("lw_detr", "rf_detr", "maskformer", "mask2former", "oneformer", "blip"), "encoder-decoder"),
    **dict.fromkeys(("encoder-decoder", "vision-encoder-decoder", "speech-encoder-decoder"), "encoder-decoder"),
    **dict.fromkeys(("musicgen", "musicgen_melody"), "encoder-decoder"),
    # Codecs and vocoders.
    **dict.fromkeys(("dac", "encodec", "mimi", "neucodec", "univnet", "xcodec", "xcodec2", "vits"), None),
}
_ONE_WAY = ("ForCausalLM", "LMHeadModel", "ModelWithLMHead", "Decoder", "DecoderModel")
_READS = {"pixel_values": ["image"], "input_values": ["audio"], "input_features": ["audio"]}
_ORDER = ("text", "image", "video", "audio", "time")


def table() -> list[dict[str, Any]]:
    """Rows of `{"tasks", "family", "reads", "names"}`, each for all the architectures that are alike in this."""
    kinds, types = _known()
    alike: dict[str, list[str]] = defaultdict(list)
    for name in sorted(types):
        row = _row(name, kinds[name], types[name])
        alike[json.dumps(row)].append(name)
    return [{**json.loads(row), "names": names} for row, names in sorted(alike.items())]


def write(file: Path = FILE) -> None:
    """Write the table, a row a line."""
    rows = ",\n".join(json.dumps({**row, "names": " ".join(row["names"])}) for row in table())
    file.write_text(f"[\n{rows}\n]\n", encoding="utf-8")


def _known() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """For each architecture, the tables that hold it, and the model types that it is made from."""
    kinds: dict[str, set[str]] = defaultdict(set)
    types: dict[str, set[str]] = defaultdict(set)
    for kind, names in vars(modeling_auto).items():
        if kind.startswith("MODEL") and kind.endswith("MAPPING_NAMES"):
            for model_type, value in names.items():
                for name in value if isinstance(value, (tuple, list)) else (value,):
                    kinds[name].add(kind.removesuffix("_MAPPING_NAMES").removeprefix("MODEL").removeprefix("_FOR_"))
                    types[name].add(model_type)
    return kinds, types


def _row(name: str, kinds: set[str], types: set[str]) -> dict[str, Any]:
    family, reads = _family(name, kinds, types), _reads(name, kinds)
    tasks = [task for task, tables in TABLES.items() if kinds & set(tables) and (name, task) not in _NOT_FOR]
    if "audio" in reads:
        tasks = [task for task in tasks if task not in _SEQ2SEQ]
    if "clap" in types:
        tasks.append("zero-shot-audio-classification")
    if reads == ["text"] and "text-to-audio" not in tasks and (family != "encoder-decoder" or "" in kinds):
        tasks += ["feature-extraction", "sentence-similarity"]
    if (reads == ["image"] and "keypoint-matching" not in tasks) or "IMAGE" in kinds:
        tasks.append("image-feature-extraction")
    first = next((_MADE_FOR[one] for one in types if one in _MADE_FOR), None)
    tasks.sort(key=lambda task: task != first)
    return {"tasks": tasks, "family": family, "reads": reads}


def _reads(name: str, kinds: Iterable[str] = ()) -> list[str]:
    """What a model is given. Its class says it, and where it only inherits "text", the name of its first input does."""
    model = getattr(transformers, name, None)
    if model is None or isinstance(model, DummyObject):
        return []
    stated = model.input_modalities
    reads = [stated] if isinstance(stated, str) else sorted(stated, key=_ORDER.index)
    if reads == ["text"]:
        return _READS.get(model.main_input_name, reads)
    return ["text"] if {"MASKED_LM", "SEQUENCE_CLASSIFICATION"} & set(kinds) and reads == ["image"] else reads


def _family(name: str, kinds: set[str], types: set[str]) -> str | None:
    known = [_FAMILIES[one] for one in types if one in _FAMILIES]
    if "MASKED_LM" not in kinds and "EncoderDecoder" not in name and name.endswith(_ONE_WAY):
        return "decoder"
    if name.endswith(("Encoder", "EncoderModel", "ForCTC", "Backbone")) or "ZERO_SHOT_IMAGE_CLASSIFICATION" in kinds:
        return "encoder"
    if known or "Tokenizer" in name:
        return known[0] if known else None
    if any(getattr(CONFIG_MAPPING[one], "is_encoder_decoder", False) for one in types):
        return "encoder-decoder"
    return "decoder" if _writes(name, types) else "encoder"


def _writes(name: str, types: Iterable[str]) -> bool:
    """Whether a model, or the one with a head around it, generates from left to right."""
    if not set(_reads(name)) - {"image", "video"}:
        return False
    names = (
        table.get(one)
        for table in (
            modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
            modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
            modeling_auto.MODEL_FOR_TEXT_TO_WAVEFORM_MAPPING_NAMES,
        )
        for one in set(types) - modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES.keys()
    )
    found = [getattr(transformers, str(one), None) for one in names]
    return any(isinstance(one, type) and issubclass(one, GenerationMixin) for one in found)


if __name__ == "__main__":
    write()
