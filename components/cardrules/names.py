"""What people write, as what the Hub's lists have: a licence's full name, a language's name, a word misspelt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache

from components.cardrules.snapshots import snapshot

#: Longest word for which a near one is looked for; the comparison takes time.
LONGEST = 60
_NOISE = re.compile(r"\b(the|licen[sc]e|agreement|version|community)\b|\"[^\"]*\"|\bor\b|\(.*?\)", re.IGNORECASE)
_APART = re.compile(r"[\s_,/-]+")
_VERSION = re.compile(r"\bv(?=\d)|(?<=[a-z])v?(?=\d)")
_LICENCES = {
    "apache": "apache-2.0", "apache 2": "apache-2.0", "apache software 2.0": "apache-2.0", "asl 2.0": "apache-2.0",
    "expat": "mit", "gnu gpl 3": "gpl-3.0", "gpl 3": "gpl-3.0", "gpl 2": "gpl-2.0", "agpl 3": "agpl-3.0",
    "lgpl 3": "lgpl-3.0", "gnu gpl": "gpl", "mpl 2": "mpl-2.0", "cc0": "cc0-1.0", "cc by": "cc-by-4.0",
    "cc by sa": "cc-by-sa-4.0", "cc by nc": "cc-by-nc-4.0", "public domain": "unlicense", "wtf": "wtfpl",
}  # fmt: skip
_TASKS = {
    "sentiment-analysis": "text-classification", "ner": "token-classification", "vqa": "visual-question-answering",
    "text2text-generation": "text-generation", "conversational": "text-generation", "asr":
    "automatic-speech-recognition", "zero-shot": "zero-shot-classification", "embeddings": "feature-extraction",
}  # fmt: skip


def nearest(word: object, choices: Iterable[str], cutoff: float = 0.75) -> str | None:
    """The choice that a word most likely means, if any is near."""
    if not isinstance(word, str) or len(word) > LONGEST:
        return None
    lowered = word.strip().lower().replace("_", "-")
    by_form = {choice.lower().replace("_", "-"): choice for choice in choices}
    close = difflib.get_close_matches(lowered, by_form, 1, cutoff)
    return by_form[close[0]] if close else None


def licence_of(text: str) -> str | None:
    """The identifier of a licence by its identifier or its name, however written."""
    return _licences().get(_form(text)) if len(text) <= 2 * LONGEST else None


def nearest_licence(text: str) -> str | None:
    """The licence that a text most likely means."""
    if found := licence_of(text):
        return found
    close = difflib.get_close_matches(_form(text), _licences(), 1, 0.8) if len(text) <= LONGEST else []
    return _licences()[close[0]] if close else None


def language_of(name: str) -> str | None:
    """The code of a language by its English or its own name; of two codes the shorter."""
    return _languages().get(name.strip().lower())


def task_of(name: str) -> str | None:
    """The task that a name means: itself, the one it is a kind of, or another word for it."""
    tasks = snapshot("tasks")
    lowered = name.strip().lower().replace(" ", "-").replace("_", "-")
    if lowered in tasks.names:
        return lowered
    if lowered.startswith("translation-"):
        return "translation"
    return _TASKS.get(lowered) or tasks.more["subtasks"].get(lowered, {}).get("task")


def _form(text: str) -> str:
    apart = _APART.sub(" ", _NOISE.sub(" ", text.lower().replace("licence", "license")))
    return " ".join(_VERSION.sub(" ", apart).split())


@cache
def _licences() -> dict[str, str]:
    names = snapshot("licenses").names
    forms = {_form(name): key for key, name in names.items()}
    forms |= {_form(key): key for key in names} | {_form(name): key for name, key in _LICENCES.items()}
    return {form: key for form, key in forms.items() if form and key not in ("other", "unknown")}


@cache
def _languages() -> dict[str, str]:
    languages = snapshot("languages")
    found: dict[str, str] = {}
    for code, name in [*languages.names.items(), *languages.more["native"].items()]:
        found.setdefault(name.lower(), code)
    return found
