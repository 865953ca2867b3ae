"""Sentences with the people, organizations and places in them, tagged word by word, from `text/names.toml`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from components.starter import people, reviews
from components.starter.grammar import Grammar

SEED = 20260
KINDS = ("PER", "ORG", "LOC")
LABELS = ("O", *(f"{part}-{kind}" for kind in KINDS for part in "BI"))
ENTITY = re.compile(r"\[([A-Z]{3}) ([^\]]+)\]")
#: An article is no part of a name: it goes outside.
ARTICLE = re.compile(r"(\[[A-Z]{3} )the ")
WORD = re.compile(r"\w+|[^\w\s]")
#: What people try first: no text has this sentence, and the lists have none of its names.
NEVER = "My name is Sylvain and I work at Hugging Face in Brooklyn."


@dataclass(frozen=True)
class Tagged:
    """A text's words, and the ids of their labels (a label is `LABELS[id]`)."""

    words: tuple[str, ...]
    tags: tuple[int, ...]


def texts(rows: int, seed: int = SEED) -> list[Tagged]:
    """Different texts of one to three sentences; three names in ten are made up."""
    found: dict[Tagged, None] = {}
    for text in _marked(random.Random(seed)):
        found[tagged(text)] = None
        if len(found) == rows:
            break
    return list(found)


def tagged(marked: str) -> Tagged:
    """A text whose entities are in brackets, `[PER Ada Lovelace] lives.`, as words and tags."""
    words: list[str] = []
    tags: list[int] = []
    # Odd pieces of the split are a kind and its text, even ones lie between two entities.
    pieces = ENTITY.split(marked)
    for index in range(0, len(pieces), 3):
        for kind, piece in ((None, pieces[index]), *zip(pieces[index + 1 :][:1], pieces[index + 2 :][:1], strict=True)):
            found = WORD.findall(piece)
            words += found
            tags += [LABELS.index(f"{'I' if place else 'B'}-{kind}") if kind else 0 for place in range(len(found))]
    return Tagged(tuple(words), tuple(tags))


def _marked(source: random.Random) -> Iterator[str]:
    grammar = Grammar("people", "names")
    opinions = [row.text for row in reviews.reviews()["train"]]
    while True:
        parts = []
        for _ in range(source.choice((1, 1, 1, 2, 3))):
            chance = source.random()
            if chance < 0.05:
                parts.append(source.choice(opinions))
                continue
            line = grammar.draw("none" if chance < 0.15 else "sentence", source, people.strangers(source, 1, 0.3))[0]
            # Nothing at the end tells a sentence from a heading.
            parts.append(line[:-1] if source.random() < 0.15 else line)
        yield reviews.finish(ARTICLE.sub(r"the \1", " ".join(parts)))
