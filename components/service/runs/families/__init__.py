"""How each task is trained: one file a family of tasks, one small interface."""

from __future__ import annotations

from importlib import import_module

from .base import Family

_FAMILIES = {
    "text-classification": ("classification", "TextClassification"),
    "text-generation": ("language", "TextGeneration"),
    "fill-mask": ("language", "FillMask"),
}


def family(task: str) -> Family:
    """The family of a task; a key of `spec.COLUMNS`."""
    module, name = _FAMILIES[task]
    made: Family = getattr(import_module(f"{__name__}.{module}"), name)()
    return made
