"""The widget examples of a card: whether they fit its task."""

from __future__ import annotations

import re
from typing import Any

from components.cardrules.keys import WIDGETS
from components.service.cards.checks.card import Card
from components.service.cards.checks.findings import Findings, put, rename, shown

#: Most examples that are looked at.
EXAMPLES = 200
_MASK = re.compile(r"[<\[]/?\|?\w*mask\w*\|?[>\]]|<extra_id_0>|\[gMASK\]", re.IGNORECASE)
#: Other names that people give to what an example needs.
_OTHER_NAMES = {
    "text": ("question", "query", "input", "inputs", "prompt", "sentence"),
    "context": ("passage", "document"),
    "candidate_labels": ("labels", "candidate_label", "classes"),
    "src": ("url", "image", "audio", "file", "path", "text"),
    "source_sentence": ("source", "sentence", "text"),
}
#: What each part of an example must be.
_TYPES: dict[str, tuple[type, str]] = {
    "text": (str, "a text"),
    "context": (str, "a text"),
    "src": (str, "the address or path of a file"),
    "source_sentence": (str, "a text"),
    "sentences": (list, "a list of texts"),
    "candidate_labels": (str, "one text, the labels with commas between them"),
    "messages": (list, "a list of {role, content}"),
    "table": (dict, "columns with lists of values"),
    "structured_data": (dict, "columns with lists of values"),
}


def check_widgets(card: Card, found: Findings) -> None:
    """Look over the widget examples."""
    examples = card.values.get("widget")
    task = card.values.get("pipeline_tag")
    shapes = WIDGETS.get(task, ()) if isinstance(task, str) else ()
    for number, example in enumerate(examples[:EXAMPLES] if isinstance(examples, list) else []):
        if isinstance(example, dict):
            path = f"widget[{number}]"
            _check_shape(example, path, str(task), shapes, card, found)
            _check_types(example, path, card, found)
            if task == "fill-mask":
                _check_mask(example, path, card, found)


def _check_shape(
    example: dict[str, Any], path: str, task: str, shapes: tuple[tuple[str, ...], ...], card: Card, found: Findings
) -> None:
    if not shapes or any(all(part in example for part in shape) for shape in shapes):
        return
    missing = [part for part in shapes[0] if part not in example]
    changes = []
    for part in missing:
        other = next((name for name in _OTHER_NAMES.get(part, ()) if name in example and name not in shapes[0]), None)
        if other and isinstance(example[other], _TYPES[part][0]) and not (part == "src" and " " in example[other]):
            changes.append(rename(f"{path}.{other}", part))
    wanted = " or ".join(" and ".join(shape) for shape in shapes)
    message = f"The example does not fit {task}, which needs {wanted}."
    remedy = changes if len(changes) == len(missing) else None
    found.tell("warning", card.line(path), path, message, f"Add {' and '.join(missing)}.", remedy)


def _check_types(example: dict[str, Any], path: str, card: Card, found: Findings) -> None:
    for part, (kind, said) in _TYPES.items():
        value = example.get(part)
        if part not in example or isinstance(value, kind):
            continue
        at = f"{path}.{part}"
        remedy = None
        if part == "candidate_labels" and isinstance(value, list) and all(isinstance(one, str) for one in value):
            remedy = [put(at, ", ".join(value))]
        elif kind is str and isinstance(value, int | float):
            remedy = [put(at, str(value))]
        elif part == "sentences" and isinstance(value, str):
            remedy = [put(at, [value])]
        found.tell("warning", card.line(at), at, f"{part} of an example must be {said}.", f"Write {said}.", remedy)


def _check_mask(example: dict[str, Any], path: str, card: Card, found: Findings) -> None:
    text, mask = example.get("text"), card.values.get("mask_token")
    if not isinstance(text, str):
        return
    there = mask in text if isinstance(mask, str) and mask else bool(_MASK.search(text[:20_000]))
    if not there:
        message = f"The example has no mask to fill in: {shown(text)}"
        fix = f"Put {shown(mask or '[MASK]')} where a word is to be guessed."
        found.tell("warning", card.line(f"{path}.text"), f"{path}.text", message, fix)
