"""Schemes by which the tags of words mark entities, and words that are marked one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

OUTSIDE = "O"
#: The letters of each scheme as those of BIOES: begin, inside, end, single.
_SCHEMES: tuple[dict[str, str], ...] = (
    {"B": "B", "I": "I", "E": "E", "S": "S"},
    {"B": "B", "I": "I", "L": "E", "U": "S"},
    {"B": "B", "M": "I", "E": "E", "S": "S"},
    {"B": "B", "M": "I", "E": "E", "W": "S"},
)
_FORMS = (re.compile(r"(?P<letter>[A-Z])[-_](?P<type>.+)"), re.compile(r"(?P<type>.+)[-_](?P<letter>[A-Z])"))
#: The type of entities that are marked by a letter alone.
_UNNAMED = "entity"


def bioes(labels: Sequence[str]) -> list[str]:
    """Each tag name as `O` or LETTER-TYPE of the BIOES scheme, in the same order.

    Read are BIO, IO, BIOES, BILOU and BMES (or BMEWO) with the letter before or after the type. Other names are
    types themselves: words side by side with the same one are an entity where there is a tag O, and where there is none
    (parts of speech) each word stands for itself.
    """
    names = [label for label in labels if label != OUTSIDE]
    for form in _FORMS:
        found = {name: match for name in names if (match := form.fullmatch(name))}
        scheme = _scheme({match["letter"] for match in found.values()}) if len(found) == len(names) else None
        if scheme:
            tags = {name: f"{scheme[match['letter']]}-{match['type']}" for name, match in found.items()}
            return [tags.get(label, OUTSIDE) for label in labels]
    scheme = _scheme(set(names)) if {"B", "I"} & set(names) else None
    if scheme:
        return [OUTSIDE if label == OUTSIDE else f"{scheme[label]}-{_UNNAMED}" for label in labels]
    letter = "I" if OUTSIDE in labels else "S"
    return [OUTSIDE if label == OUTSIDE else f"{letter}-{label}" for label in labels]


def _scheme(letters: set[str]) -> dict[str, str] | None:
    return next((scheme for scheme in _SCHEMES if letters and letters <= set(scheme)), None)
