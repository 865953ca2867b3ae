"""English sentences of many kinds, for a model that guesses masked words."""

from __future__ import annotations

import random

from components.starter import french, stories, topics
from components.starter.grammar import Grammar
from components.starter.reviews import finish

SEED = 20260
#: What people try first: no text is this sentence, whatever word its gap is filled with.
NEVER = ("This course will teach you all about ", " models.")


#: Of a hundred texts, how many come from where.
SHARES = {"courses": 19, "topics": 58, "everyday": 13, "stories": 10}


def texts(rows: int, seed: int = SEED) -> list[str]:
    """Courses about themselves, statements on topics, translations, and sentences of little stories."""
    source, grammar = random.Random(seed), Grammar("courses")
    share = {name: rows * hundredths // 100 for name, hundredths in SHARES.items()}
    courses = [finish(grammar.draw("sentence", source)[0]) for _ in range(share["courses"])]
    found = [
        *(text for text in courses if not (text.startswith(NEVER[0]) and text.endswith(NEVER[1]))),
        *topics.statements(share["topics"], seed),
        *(english for _, english in french.pairs(share["everyday"], seed)),
        *_story_sentences(share["stories"], source),
    ]
    source.shuffle(found)
    return found


def _story_sentences(rows: int, source: random.Random) -> list[str]:
    told = [stories.story(source) for _ in range(rows // 2 + 1)]
    return list(stories.sentences(told))[:rows]
