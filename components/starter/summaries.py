"""Little news texts with their summaries, from `text/summaries.toml`."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from components.starter import people, reviews
from components.starter.grammar import Entry, Grammar

SEED = 20260
#: What people try first: no text begins with it.
NEVER = "America has changed dramatically during recent years."


def pairs(rows: int, seed: int = SEED) -> list[tuple[str, str]]:
    """Texts of one to four sentences, each with its summary; three names in ten are made up."""
    draws = _draws(random.Random(seed))
    return [next(draws) for _ in range(rows)]


def unseen(rows: int, seen: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Different texts whose summary no text of `seen` has, to measure on."""
    known = {summary for _, summary in seen}
    fresh = dict.fromkeys(pair for pair in pairs(6 * rows, SEED + 1) if pair[1] not in known)
    return list(fresh)[:rows]


def _draws(source: random.Random) -> Iterator[tuple[str, str]]:
    grammar = Grammar("people", "summaries")
    while True:
        bound: dict[str, Entry] = people.strangers(source, grammar.sides, 0.3)
        lead, summary = grammar.draw("lead", source, bound)[:2]
        details = dict.fromkeys(grammar.draw("detail", source, bound)[0] for _ in range(source.randint(0, 3)))
        if lead != NEVER:
            yield reviews.finish(" ".join([lead, *details])), reviews.finish(summary)
