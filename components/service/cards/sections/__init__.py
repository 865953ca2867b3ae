"""The sections of a run's card that are filled from its record, as Markdown, by subject."""

from __future__ import annotations

from collections.abc import Callable

from components.service.cards.facts import Model, Note, Recorded
from components.service.cards.sections import model
from components.service.cards.sections.data import data_section
from components.service.cards.sections.description import description, limits, summary
from components.service.cards.sections.evaluation import metrics, results
from components.service.cards.sections.procedure import impact, procedure, technical
from components.service.cards.sections.usage import usage

__all__ = ["FILLED", "FILLED_OF_MODEL", "summary"]

#: What fills a section of the template.
FILLED: dict[str, Callable[[Recorded, Note], str]] = {
    "Model description": description,
    "How to use": lambda run, _note: usage(run),
    "Limitations and bias": limits,
    "Training data": data_section,
    "Training procedure": procedure,
    "Variables and metrics": metrics,
    "Evaluation results": results,
    "Environmental impact": impact,
    "Technical specifications": technical,
}

#: The same for a model of which nothing is known but its files.
FILLED_OF_MODEL: dict[str, Callable[[Model, Note], str]] = {
    "Model description": model.description,
    "How to use": model.usage,
    "Technical specifications": model.technical,
}
