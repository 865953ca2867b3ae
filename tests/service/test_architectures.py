"""What a model is, from its configuration alone: held against the tables of the installed transformers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from components.service import architectures
from components.service.architectures import family_of, misfit, reads, task_of, tasks_of

TASKS = {
    "audio-classification", "automatic-speech-recognition", "text-to-audio", "feature-extraction",
    "text-classification", "token-classification", "table-question-answering", "document-question-answering",
    "fill-mask", "text-generation", "zero-shot-classification", "zero-shot-image-classification",
    "zero-shot-audio-classification", "image-classification", "image-feature-extraction", "image-segmentation",
    "image-text-to-text", "object-detection", "zero-shot-object-detection", "decision", "depth-estimation",
    "video-classification", "mask-generation", "keypoint-matching", "any-to-any", "question-answering",
    "summarization", "translation", "text2text-generation", "visual-question-answering", "image-to-image",
    "sentence-similarity",
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(orjson.loads(architectures._FILE.read_bytes()))


def test_the_table_is_what_the_installed_transformers_says(rows: list[dict[str, Any]]) -> None:
    from components.service.worker.architectures import table

    assert rows == [{**row, "names": " ".join(row["names"])} for row in table()]


def test_every_task_has_architectures_and_no_other_task_is_named(rows: list[dict[str, Any]]) -> None:
    assert {task for row in rows for task in row["tasks"]} == TASKS


def test_pipelines_take_the_architectures_that_are_said_to_do_their_task() -> None:
    """The Auto classes of transformers' own registry of pipelines, asked one by one."""
    from transformers.pipelines import SUPPORTED_TASKS

    from components.service.tasks import TASKS as SPECS

    revived = {task for task, spec in SPECS.items() if spec.revived}  # registered by us, once any of them has run
    ours = {task: {name for name, row in architectures._table().items() if task in row.tasks} for task in TASKS}
    for task in sorted(TASKS & SUPPORTED_TASKS.keys() - revived - {"feature-extraction", "image-feature-extraction"}):
        theirs = set()
        for auto_class in SUPPORTED_TASKS[task]["pt"]:
            for value in auto_class._model_mapping._model_mapping.values():
                theirs |= {value} if isinstance(value, str) else set(value)
        more = ours[task] - theirs
        assert ours[task] & theirs, task
        assert not more or task == "image-segmentation", (task, more)


#: Architecture, the rest of the configuration, files; then its task, its family, and what it reads.
KINDS: list[tuple[str, dict[str, Any], list[str], str | None, str | None, list[str]]] = [
    ("DistilBertForMaskedLM", {}, [], "fill-mask", "encoder", ["text"]),
    ("BertModel", {}, [], "feature-extraction", "encoder", ["text"]),
    ("BertModel", {}, ["modules.json"], "sentence-similarity", "encoder", ["text"]),
    ("BertLMHeadModel", {}, [], "text-generation", "decoder", ["text"]),
    ("GPT2LMHeadModel", {"task_specific_params": {"text-generation": {}}}, [], "text-generation", "decoder", ["text"]),
    ("LlamaForSequenceClassification", {}, [], "text-classification", "decoder", ["text"]),
    ("T5ForConditionalGeneration", {}, [], "text2text-generation", "encoder-decoder", ["text"]),
    ("BartForConditionalGeneration", {"task_specific_params": {"summarization": {}}}, [], "summarization",
     "encoder-decoder", ["text"]),
    ("T5ForConditionalGeneration", {"task_specific_params": {"translation_en_to_de": {}, "translation_en_to_fr": {}}},
     [], "translation", "encoder-decoder", ["text"]),
    ("T5ForConditionalGeneration", {"task_specific_params": {"summarization": {}, "translation_en_to_de": {}}}, [],
     "text2text-generation", "encoder-decoder", ["text"]),
    ("T5EncoderModel", {}, [], "feature-extraction", "encoder", ["text"]),
    ("MarianMTModel", {}, [], "translation", "encoder-decoder", ["text"]),
    ("PegasusForConditionalGeneration", {}, [], "summarization", "encoder-decoder", ["text"]),
    ("BartForSequenceClassification", {}, [], "text-classification", "encoder-decoder", ["text"]),
    ("BartForCausalLM", {"is_encoder_decoder": True}, [], "text-generation", "decoder", ["text"]),
    ("ViTForImageClassification", {}, [], "image-classification", "encoder", ["image"]),
    ("DetrForObjectDetection", {}, [], "object-detection", "encoder-decoder", ["image"]),
    ("Dinov2Model", {}, [], "image-feature-extraction", "encoder", ["image"]),
    ("Swin2SRForImageSuperResolution", {}, [], "image-to-image", "encoder", ["image"]),
    ("CLIPModel", {}, [], "zero-shot-image-classification", "encoder", ["text", "image"]),
    ("ClapModel", {}, [], "zero-shot-audio-classification", "encoder", ["text", "audio"]),
    ("ViltForQuestionAnswering", {}, [], "visual-question-answering", "encoder", ["text", "image"]),
    ("LayoutLMv3ForQuestionAnswering", {}, [], "document-question-answering", "encoder", ["text", "image"]),
    ("TapasForQuestionAnswering", {}, [], "table-question-answering", "encoder", ["text"]),
    ("LlavaForConditionalGeneration", {}, [], "image-text-to-text", "decoder", ["text", "image"]),
    ("Blip2ForConditionalGeneration", {"text_config": {"is_encoder_decoder": True}}, [], "image-text-to-text",
     "encoder-decoder", ["text", "image"]),
    ("VisionEncoderDecoderModel", {}, [], "image-text-to-text", "encoder-decoder", ["text", "image"]),
    ("WhisperForConditionalGeneration", {}, [], "automatic-speech-recognition", "encoder-decoder", ["text", "audio"]),
    ("Wav2Vec2ForCTC", {}, [], "automatic-speech-recognition", "encoder", ["audio"]),
    ("HubertForSequenceClassification", {}, [], "audio-classification", "encoder", ["audio"]),
    ("VitsModel", {}, [], "text-to-audio", None, ["text"]),
    ("EncodecModel", {}, [], None, None, ["audio"]),
    ("SamModel", {}, [], "mask-generation", "encoder", ["text", "image"]),
    ("VideoMAEForVideoClassification", {}, [], "video-classification", "encoder", ["video"]),
    ("UnheardOfForCausalLM", {}, [], "text-generation", "decoder", []),
    ("UnheardOfForTokenClassification", {}, [], "token-classification", "encoder", []),
    ("UnheardOf", {"is_encoder_decoder": True}, [], None, "encoder-decoder", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "more", "files", "task", "family", "given"), KINDS)
def test_a_configuration_says_what_a_model_is(
    name: str, more: dict[str, Any], files: list[str], task: str | None, family: str | None, given: list[str]
) -> None:
    config = {"architectures": [name], **more}
    assert (task_of(config, files), family_of(config), reads(config)) == (task, family, given)


@pytest.mark.parametrize(
    "config", [{}, {"architectures": None}, {"architectures": []}, {"architectures": "Bert"}, {"architectures": [7]}]
)
def test_a_configuration_that_says_nothing_gives_nothing(config: dict[str, Any]) -> None:
    assert (tasks_of(config), task_of(config), family_of(config), reads(config)) == ([], None, None, [])
    assert misfit(config, "text-classification") is None


@pytest.mark.parametrize(
    ("name", "more", "task", "said"),
    [
        (
            "DistilBertForMaskedLM",
            {},
            "text-classification",
            "no classification head, so text-classification would give",
        ),
        ("DistilBertForMaskedLM", {}, "text-classification", "a/b is a fill-mask model (DistilBertForMaskedLM)"),
        ("BertModel", {}, "text-classification", "a base model (BertModel)"),
        ("ViTForImageClassification", {}, "text-classification", "it reads pictures, not text"),
        ("BertForSequenceClassification", {}, "image-classification", "it reads text, not pictures"),
        ("Wav2Vec2ForCTC", {}, "fill-mask", "is an automatic-speech-recognition model"),
        ("BertForSequenceClassification", {"id2label": {"0": "good"}}, "zero-shot-classification", "is entailment"),
        ("BertForSequenceClassification", {"id2label": {"0": "Entailment"}}, "zero-shot-classification", None),
        ("BertForSequenceClassification", {}, "text-classification", None),
        ("DistilBertForMaskedLM", {}, "feature-extraction", None),
        ("T5ForConditionalGeneration", {}, "translation", None),
        ("GPT2LMHeadModel", {}, "text-generation", None),
        ("NobodyKnowsThisModel", {}, "translation", None),
    ],
)
def test_a_model_that_does_not_fit_a_task_is_told_apart(
    name: str, more: dict[str, Any], task: str, said: str | None
) -> None:
    told = misfit({"architectures": [name], **more}, task, "a/b")
    assert (told is None) if said is None else (said in str(told))
