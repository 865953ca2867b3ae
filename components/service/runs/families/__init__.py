"""How each task is trained: one file a family of tasks, one small interface."""

from __future__ import annotations

from importlib import import_module

from components.service.runs.families.base import Family
from components.service.runs.spec import RunSpec

_FAMILIES = {
    "text-classification": ("classification", "TextClassification"),
    "token-classification": ("tokens", "TokenClassification"),
    "question-answering": ("question_answering", "QuestionAnswering"),
    "summarization": ("writing", "Summarization"),
    "translation": ("writing", "Translation"),
    "image-classification": ("pictures", "ImageClassification"),
    "text-generation": ("language", "TextGeneration"),
    "fill-mask": ("language", "FillMask"),
}


def family(spec: RunSpec) -> Family:
    """The family that trains what a spec asks for."""
    module, name = _FAMILIES[spec.task]
    made: Family = getattr(import_module(f"{__name__}.{module}"), name)(spec)
    return made
