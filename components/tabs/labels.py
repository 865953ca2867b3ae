"""How the page calls what the service calls by names of Python: the fields of errors, and the parameters of tasks."""

from __future__ import annotations

import re

from components.service.tasks import TASKS


def label(name: str) -> str:
    """A parameter's name as a label."""
    if name == "stop":
        return "Stop texts"
    return name.replace("_", " ").capitalize()


#: Names that cannot be taken for words of a sentence.
_NAMES = sorted({one.name for spec in TASKS.values() for one in spec.parameters if "_" in one.name}, reverse=True)
_NAMED = re.compile(rf"\b(?:{'|'.join(_NAMES)})\b")


def in_labels(sentence: str) -> str:
    """A sentence of the service with the labels of the form in place of the parameters' names."""
    return _NAMED.sub(lambda found: label(found[0]), sentence)


def title_of(field: str) -> str:
    """The title over an error about a field: a parameter or an option by its own label; empty where it has none."""
    part, _, name = field.partition(".")
    if name and part in ("parameters", "options", "inputs"):
        return f"{label(name)}."
    return _FIELD_TITLES.get(field, "")


#: How the page calls the fields that errors name.
_FIELD_TITLES = {
    "model": "Model.",
    "task": "Task.",
    "inputs": "Input.",
    "text": "Text.",
    "revision": "Revision.",
    "data": "Data.",
    "columns": "Columns.",
    "columns.text": "Text column.",
    "columns.label": "Label column.",
    "epochs": "Epochs.",
    "batch_size": "Batch size.",
    "learning_rate": "Learning rate.",
    "seed": "Seed.",
    "repo": "Repository.",
    "ids": "Ids.",
    "texts": "Texts.",
    "messages": "Messages.",
    "query": "Search.",
    "rows": "Rows.",
    "gold": "Gold answers.",
    "models": "Models.",
    "labels": "Labels.",
    "widget": "Examples.",
}
