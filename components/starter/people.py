"""Names of nobody: words made of syllables, so that a model learns to find or copy a name that it does not know."""

from __future__ import annotations

import random

from components.starter.grammar import Entry

ONSETS = (*"bcdfghjklmnprstvwyz", "br", "ch", "cl", "dr", "fr", "gr", "kl", "pr", "sh", "st", "sv", "th", "tr")
VOWELS = (*"aeiouaeio", "ai", "ea", "ou", "ie")
CODAS = ("", "", "", "n", "r", "l", "s", "m", "ck", "nd", "th", "x", "tt", "rd")


def coined(source: random.Random) -> str:
    """A made-up name of two or three syllables with a capital."""
    syllables = source.choice((2, 2, 3))
    parts = [source.choice(ONSETS) + source.choice(VOWELS) for _ in range(syllables)]
    return ("".join(parts) + source.choice(CODAS)).capitalize()


#: Lists that a made-up name may stand for.
NAMES = ("first", "last", "city", "company")
THINGS = ("job", "object", "food", "place", "adjective")


def strangers(source: random.Random, sides: int, share: float) -> dict[str, Entry]:
    """Made-up names for a drawing: of each list's first two words, each with the chance `share`."""
    keys = (f"{name}{number}" for name in NAMES for number in ("", 2))
    return {key: ((coined(source),),) * sides for key in keys if source.random() < share}


def strange_things(source: random.Random, sides: int, share: float) -> dict[str, Entry]:
    """The same for things: jobs, objects and foods that do not exist."""
    return {key: ((coined(source).lower(),),) * sides for key in THINGS if source.random() < share}
