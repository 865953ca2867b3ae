"""French sentences with their English translations, and French opinions on food, from `text/french.toml`."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator

from components.starter import people, reviews
from components.starter.grammar import Grammar

SEED = 20260
#: What people try first: no row has these sentences.
NEVER = frozenset({"ce cours est produit par hugging face.", "le camembert est délicieux :)"})

_VOWEL = "[aeiouyhàâéèêëîïôœAEIOUÉÈÊ]"
_CONTRACTIONS = (
    (re.compile(rf"\b([Cc])e (?={_VOWEL})"), r"\1et "),
    (re.compile(rf"\b([MmTtSs])a (?={_VOWEL})"), r"\1on "),
    (re.compile(rf"\b([Cc])ette (?={_VOWEL})"), r"\1ette "),
    (re.compile(rf"\b([Ll])[ea] (?={_VOWEL})"), r"\1'"),
    (re.compile(rf"\b([Jj]|[Qq]u|[DdNn])e (?={_VOWEL})"), r"\1'"),
    (re.compile(r"\bde le "), "du "),
    (re.compile(r"\bde les "), "des "),
    (re.compile(rf"\bdu (?={_VOWEL})"), "de l'"),
)


def french(text: str) -> str:
    """A drawn French side as it is written: elided, contracted, with a capital."""
    for pattern, written in _CONTRACTIONS:
        text = pattern.sub(written, text)
    return text[0].upper() + text[1:]


def pairs(rows: int, seed: int = SEED) -> list[tuple[str, str]]:
    """French sentences with their translations. Fixed phrases come more than once, so that they are learned too."""
    draws = _draws(random.Random(seed))
    return [next(draws) for _ in range(rows)]


def unseen(rows: int, seen: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Different sentences that `seen` does not have, to measure on."""
    known = {first for first, _ in seen}
    fresh = dict.fromkeys(pair for pair in pairs(4 * rows, SEED + 2) if pair[0] not in known)
    return list(fresh)[:rows]


def food(rows: int) -> list[str]:
    """Opinions on food, which end with an emoticon more often than not. A few may be twice in it."""
    source, grammar = random.Random(SEED + 1), Grammar("french")
    found = (french(grammar.draw("taste", source)[0]) for _ in range(rows))
    return [text for text in found if text.lower() not in NEVER]


def _draws(source: random.Random) -> Iterator[tuple[str, str]]:
    grammar = Grammar("french")
    while True:
        names = ("name", "name2", "maker", "city") if source.random() < 0.3 else ()
        drawn = grammar.draw("sentence", source, {name: 2 * ((people.coined(source),),) for name in names})
        # Some people leave out the full stop.
        cut = -1 if drawn[0].endswith(".") and source.random() < 0.1 else None
        first, second = (side[:cut] for side in (drawn[0], drawn[-1]))
        if drawn[0].lower() not in NEVER:
            yield french(first), reviews.finish(second)
