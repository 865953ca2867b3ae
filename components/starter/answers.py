"""Facts with questions about them, each answered by a part of the text, from `text/answers.toml`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from components.starter import people, reviews
from components.starter.grammar import Grammar

SEED = 20260


@dataclass(frozen=True)
class Asked:
    """A question, the text it is about, and where in its characters the answer begins and ends."""

    question: str
    context: str
    start: int
    end: int

    @property
    def answer(self) -> str:
        """The words of the answer."""
        return self.context[self.start : self.end]


def asked(rows: int, seed: int = SEED) -> list[Asked]:
    """Different questions on texts of one to four facts; four names in ten are made up."""
    found: dict[Asked, None] = {}
    for item in _asked(random.Random(seed)):
        found[item] = None
        if len(found) == rows:
            break
    return list(found)


def _asked(source: random.Random) -> Iterator[Asked]:
    grammar = Grammar("people", "answers")
    while True:
        facts = [_fact(grammar, "me" if source.random() < 0.35 else "fact", source)]
        facts += [_fact(grammar, "fact", source) for _ in range(source.choice((0, 0, 1, 1, 2, 3)))]
        # Two facts about the same meeting would leave open which of them is asked for.
        facts = list({tuple(fact[0].split()[:2]): fact for fact in facts}.values())
        source.shuffle(facts)
        texts = [reviews.finish(fact[0]) for fact in facts]
        context = " ".join(texts)
        for place in range(len(facts)):
            question, answer = source.choice(facts[place][1:]).split(" > ")
            inside = texts[place].lower().find(answer.lower())
            start = sum(len(text) + 1 for text in texts[:place]) + inside
            if inside >= 0:
                yield Asked(_put(question, source), context, start, start + len(answer))


def _fact(grammar: Grammar, kind: str, source: random.Random) -> tuple[str, ...]:
    names, things = people.strangers(source, grammar.sides, 0.4), people.strange_things(source, grammar.sides, 0.15)
    return grammar.draw(kind, source, names | things)


def _put(question: str, source: random.Random) -> str:
    """As people type it: with or without a capital and a question mark."""
    chance = source.random()
    if chance < 0.1:
        return question.rstrip("?")
    return question if chance < 0.2 else question[0].upper() + question[1:]
