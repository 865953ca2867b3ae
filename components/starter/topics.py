"""Texts with hypotheses on what they are about, entailed or not, from `text/topics.toml`; and opinions, good or bad."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache

from components.starter import people, reviews
from components.starter.grammar import TEXT, Entry, Grammar

SEED = 20260
LABELS = ("not_entailment", "entailment")
#: The first is the pipeline's own; half of all hypotheses have it.
TEMPLATES = (
    "This example is {}.",
    "This text is about {}.",
    "This is about {}.",
    "The topic is {}.",
    "This example is about {}.",
    "{}",
)
#: What the labels of an opinion may be called.
OPINIONS = {"positive": ("positive", "good", "praise"), "negative": ("negative", "bad", "a complaint")}
#: What people try first: no text is this sentence.
NEVER = frozenset({"This is a course about the Transformers library"})

Pair = tuple[str, str, int]


@cache
def topics() -> dict[str, dict[str, list[str]]]:
    """By topic: its `names`, and its `nouns` and `acts`."""
    raw = tomllib.loads((TEXT / "topics.toml").read_text(encoding="utf-8"))["topic"]
    return {
        topic: {kind: [" ".join(word.split()) for word in text.split(",")] for kind, text in lists.items()}
        for topic, lists in raw.items()
    }


def pairs(rows: int, seed: int = SEED) -> list[Pair]:
    """Premise, hypothesis, and the id of their label; half of them are entailed."""
    source = random.Random(seed)
    draws = _pairs(source)
    return [next(draws) for _ in range(rows)]


def statements(rows: int, seed: int) -> list[str]:
    """Texts, each followed by something true about it."""
    return [f"{text} {said}" for text, said, label in pairs(3 * rows, seed) if LABELS[label] == "entailment"][:rows]


def groups(rows: int, seed: int) -> list[tuple[str, int]]:
    """Texts, and statements that name a topic alone, each with the number of its topic."""
    source, names = random.Random(seed), sorted(topics())
    found = [(text, names.index(topic)) for text, topic in texts(rows * 3 // 4, seed)]
    while len(found) < rows:
        topic = source.choice(names)
        name = source.choice(topics()[topic]["names"])
        found.append((source.choice(TEMPLATES).format(name), names.index(topic)))
    source.shuffle(found)
    return found


def texts(rows: int, seed: int) -> list[tuple[str, str]]:
    """Texts with the one topic that they are about."""
    source, grammar = random.Random(seed), Grammar("topics")
    found = []
    while len(found) < rows:
        topic = source.choice(sorted(topics()))
        text, others = _text(topic, grammar, source)
        if not others:
            found.append((text, topic))
    return found


def _pairs(source: random.Random) -> Iterator[Pair]:
    grammar, names = Grammar("topics"), sorted(topics())
    opinions = reviews.reviews()["train"]
    while True:
        entailed = source.random() < 0.5
        if source.random() < 0.12:
            review = source.choice(opinions)
            said = review.label if entailed else next(label for label in OPINIONS if label != review.label)
            text, name = review.text, source.choice(OPINIONS[said])
        else:
            topic = source.choice(names)
            text, others = _text(topic, grammar, source)
            about = topic if entailed else source.choice([other for other in names if other not in {topic, *others}])
            # The first name of a topic is its usual one.
            known = topics()[about]["names"]
            name = known[0] if source.random() < 0.5 else source.choice(known)
        template = TEMPLATES[0] if source.random() < 0.5 else source.choice(TEMPLATES)
        if text.rstrip(".") not in NEVER:
            yield text, template.format(name), int(entailed)


def _text(topic: str, grammar: Grammar, source: random.Random) -> tuple[str, set[str]]:
    """A text about a topic, and the other topics that words of it belong to as well."""
    lists = topics()[topic]
    nouns, acts = source.sample(lists["nouns"], 3), source.sample(lists["acts"], 2)
    anything = nouns[2] if source.random() < 0.4 else people.coined(source)
    words = dict(zip(("noun", "noun2", "any", "act", "act2"), (*nouns[:2], anything, *acts), strict=True))
    bound: dict[str, Entry] = {key: ((word,),) for key, word in words.items()}
    text = " ".join(
        reviews.finish(grammar.draw("noun" if source.random() < 0.65 else "act", source, bound)[0])
        for _ in range(source.choice((1, 1, 1, 2)))
    )
    if source.random() < 0.3:
        text = text.rstrip(".")
    return text, {other for noun in nouns for other in _belongs(noun)} - {topic}


@cache
def _belongs(noun: str) -> frozenset[str]:
    return frozenset(topic for topic, lists in topics().items() if noun in lists["nouns"])


def choices(topic: str, count: int, source: random.Random) -> Sequence[str]:
    """The usual name of a topic among those of others, in any order."""
    others = source.sample([lists["names"][0] for name, lists in topics().items() if name != topic], count - 1)
    names = [topics()[topic]["names"][0], *others]
    source.shuffle(names)
    return names
