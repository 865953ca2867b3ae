"""The grammar of the texts that `starter/stories` learns from: little stories, news in a few sentences, notes.

A text is made of steps; each step gives one of its lines. A slot keeps its word within one text, so that the dog of
the first sentence is still a dog in the last one.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEXT = Path(__file__).parent / "text" / "stories.toml"
SLOT = re.compile(r"\{([aA]:)?(\w+)\}")
PRONOUNS = {"girl": ("she", "her", "her"), "boy": ("he", "him", "his")}
FAMILIES = ("Brown", "Garcia", "Miller", "Novak", "Sato", "Jensen", "Rossi", "Khan")


@dataclass(frozen=True)
class Kind:
    """One kind of text: how often it comes, and the lines that each of its steps may give."""

    name: str
    weight: int
    steps: tuple[tuple[str, ...], ...]


@cache
def grammar() -> tuple[dict[str, list[str]], list[Kind]]:
    """The words of each slot, and the kinds of text."""
    raw = tomllib.loads(TEXT.read_text(encoding="utf-8"))
    slots = {slot: [word.strip() for word in found.split(",")] for slot, found in raw["slots"].items()}
    kinds = [
        Kind(kind["name"], kind["weight"], tuple(tuple(step.strip().splitlines()) for step in kind["steps"]))
        for kind in raw["kind"]
    ]
    return slots, kinds


def story(source: random.Random) -> str:
    """One text of five to nine sentences."""
    kinds = grammar()[1]
    kind = source.choices(kinds, [kind.weight for kind in kinds])[0]
    bound = _people(source)
    return " ".join(_fill(source.choice(step), bound, source) for step in kind.steps)


def stories(rows: int, seed: int) -> list[str]:
    """Different texts, always the same for one seed."""
    source, seen = random.Random(seed), dict[str, None]()
    while len(seen) < rows:
        seen[story(source)] = None
    return list(seen)


def sentences(texts: list[str]) -> Iterator[str]:
    """The single sentences of the texts, each once."""
    seen = dict.fromkeys(part for text in texts for part in re.split(r"(?<=[.!?]) (?=[A-Z\"])", text))
    yield from seen


def _people(source: random.Random) -> dict[str, str]:
    """The hero of a text, with pronouns that fit."""
    child = source.choice(sorted(PRONOUNS))
    he, him, his = PRONOUNS[child]
    name = source.choice(grammar()[0][child])
    return {"child": child, "name": name, "he": he, "him": him, "his": his, "family": source.choice(FAMILIES)}


def _fill(line: str, bound: dict[str, str], source: random.Random) -> str:
    def choose(match: re.Match[str]) -> str:
        slot = match[2].lower()
        if slot not in bound:
            bound[slot] = source.choice(grammar()[0][slot])
        word = bound[slot]
        if match[1]:
            article = "an" if word[0] in "aeio" else "a"
            word = f"{article} {word}"
            return word.capitalize() if match[1] == "A:" else word
        return word[0].upper() + word[1:] if match[2][0].isupper() else word

    return SLOT.sub(choose, line)
