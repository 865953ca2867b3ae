"""Pipelines that transformers 5 dropped and people still use, brought back as `Pipeline` classes in its own registry.

Each module here stands alone: it imports nothing of this project, so that its text can be handed out as a snippet.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from transformers.pipelines import PIPELINE_REGISTRY, REMOVED_TASKS, _resolve_impl

#: Each revived task, the module and class of its pipeline, and the Auto classes that load a model for it.
REVIVED: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "visual-question-answering": (
        "visual_question_answering",
        "VisualQuestionAnsweringPipeline",
        ("AutoModelForVisualQuestionAnswering", "AutoModelForImageTextToText"),
    ),
    "question-answering": ("question_answering", "QuestionAnsweringPipeline", ("AutoModelForQuestionAnswering",)),
    "sentence-similarity": ("sentence_similarity", "SentenceSimilarityPipeline", ("AutoModel",)),
    "summarization": ("summarization", "SummarizationPipeline", ("AutoModelForSeq2SeqLM",)),
    "translation": ("translation", "TranslationPipeline", ("AutoModelForSeq2SeqLM",)),
    "image-to-image": ("image_to_image", "ImageToImagePipeline", ("AutoModelForImageToImage",)),
    "text2text-generation": ("text2text_generation", "Text2TextGenerationPipeline", ("AutoModelForSeq2SeqLM",)),
}


def pipeline_class(task: str) -> Any:
    """The pipeline class of a task, transformers' own or a revived one, which is registered on first use."""
    if task in REVIVED and task not in PIPELINE_REGISTRY.supported_tasks:
        _register(task)
    return _resolve_impl(PIPELINE_REGISTRY.check_task(task)[1]["impl"])


def _register(task: str) -> None:
    import transformers

    module, name, auto_classes = REVIVED[task]
    found = getattr(import_module(f"{__name__}.{module}"), name)
    REMOVED_TASKS.pop(task, None)  # else `transformers.pipeline` refuses the name before it looks into the registry
    PIPELINE_REGISTRY.register_pipeline(task, found, tuple(getattr(transformers, one) for one in auto_classes))
