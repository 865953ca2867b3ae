"""The grammar of `starter/reviews`: short English opinions, each labelled positive or negative.

A template is filled with words of the label's polarity (`{adjective}`), of the opposite one (`{!adjective}`) and of one
domain. One template in six, and some words of the rarer half of each list, are held out: only the test split (and the
unlabelled text for pre-training) may use them, so the test score also measures what was never labelled.
"""

from __future__ import annotations

import csv
import random
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TEXT = Path(__file__).parent / "text"
LABELS = ("negative", "positive")
SIZES = {"train": 6000, "validation": 2000, "test": 2000}
SEED = 20260

#: Sentences that people try first; the model has to get them right without having seen them.
NEVER = frozenset({"i've been waiting for a huggingface course my whole life", "i hate this so much"})

POLARITY = {"positive": "good", "negative": "bad"}
OPPOSITE = {"good": "bad", "bad": "good"}
SLOT = re.compile(r"\{(!?)(\w+)\}")
VOWEL_SOUND = re.compile(r"\b([Aa]) (?=[aeioué](?!ne\b|uro)|hono|hones|hour)(?!u[ns][aeiou]|useful|unique)")
HELD_TEMPLATE, HELD_WORD = 6, 4

Words = dict[str, dict[str, list[str]]]


@dataclass(frozen=True)
class Review:
    """One sentence, its label, and whether a held-out template or word is in it."""

    text: str
    label: str
    held_out: bool


@cache
def words() -> tuple[Words, Words]:
    """The word lists by group (`good`, `bad`, `neutral`) and by domain (`film`, `food` ...)."""
    raw = tomllib.loads((TEXT / "opinions.toml").read_text(encoding="utf-8"))
    domains = raw.pop("domain")
    return _split(raw), _split(domains)


def _split(groups: dict[str, dict[str, str]]) -> Words:
    return {
        group: {kind: [" ".join(word.split()) for word in text.split(",")] for kind, text in lists.items()}
        for group, lists in groups.items()
    }


@cache
def templates(part: str) -> list[str]:
    """The templates of one part: `both`, `positive`, `negative` or `context`."""
    raw = tomllib.loads((TEXT / "review_templates.toml").read_text(encoding="utf-8"))
    return [line for line in raw[part].splitlines() if line]


def held_out_words(group: str, kind: str) -> frozenset[str]:
    """The words of a polarity list that labelled training text never uses."""
    found = words()[0][group][kind]
    return frozenset(found[len(found) // 2 :: HELD_WORD])


class Grammar:
    """Draws reviews. With `everything`, held-out templates and words are drawn too."""

    def __init__(self, seed: int, *, everything: bool) -> None:
        self.random = random.Random(seed)
        self.everything = everything

    def review(self) -> Review:
        """One more review; about half of all are positive."""
        label = self.random.choice(LABELS)
        pool = [*((t, i) for i, t in enumerate(templates("both"))), *((t, i) for i, t in enumerate(templates(label)))]
        if not self.everything:
            pool = [(template, index) for template, index in pool if index % HELD_TEMPLATE != HELD_TEMPLATE - 1]
        template, index = self.random.choice(pool)
        domain = self.random.choice(sorted(words()[1]))
        text, unseen = self.fill(template, POLARITY[label], domain)
        held_out = unseen or index % HELD_TEMPLATE == HELD_TEMPLATE - 1
        chance = self.random.random()
        if chance < 0.08:
            text = f"{self.context(domain)} {text}"
        elif chance < 0.12:
            text = f"{text} {self.context(domain)}"
        elif chance < 0.24:
            more, unseen = self.fill(self.random.choice(templates("both")[:5]), POLARITY[label], domain)
            text, held_out = f"{text} {more}", held_out or unseen
        return Review(text, label, held_out)

    def context(self, domain: str) -> str:
        """A neutral sentence."""
        return self.fill(self.random.choice(templates("context")), "neutral", domain)[0]

    def fill(self, template: str, group: str, domain: str) -> tuple[str, bool]:
        """The sentence, and whether a held-out word is in it."""
        unseen, used = False, set[str]()

        def choose(match: re.Match[str]) -> str:
            nonlocal unseen
            negated, kind = bool(match[1]), match[2]
            word, held = self.word(OPPOSITE[group] if negated else group, kind, domain, used)
            used.add(word)
            unseen = unseen or held
            return word

        return finish(SLOT.sub(choose, template)), unseen

    def word(self, group: str, kind: str, domain: str, used: set[str]) -> tuple[str, bool]:
        """A word for a slot that is not yet in the sentence, and whether it is a held-out one."""
        general, domains = words()
        if kind in domains[domain]:
            pool, held = domains[domain][kind], frozenset[str]()
        elif kind in general["neutral"]:
            pool, held = general["neutral"][kind], frozenset[str]()
        elif kind == "adjective" and self.random.random() < 0.15:
            pool, held = domains[domain][group], frozenset[str]()
        else:
            pool, held = general[group][kind], held_out_words(group, kind)
        choices = [word for word in pool if word not in used and (self.everything or word not in held)]
        # The lists begin with the commonest words: prefer those, as people do.
        word = choices[int(len(choices) * self.random.random() ** 1.3)]
        return word, word in held


def finish(text: str) -> str:
    """The filled template as a sentence: "a" or "an", a capital at the beginning of each sentence."""
    text = VOWEL_SOUND.sub(r"\1n ", text)
    return re.sub(r"(^|[.!?] )([a-z])", lambda match: match[1] + match[2].upper(), text)


def plain(text: str) -> str:
    """A text without case and punctuation at the end, to compare sentences by."""
    return text.lower().rstrip(".!? ")


def reviews() -> dict[str, list[Review]]:
    """The three splits, always the same; no sentence is in two of them, or twice in one.

    Half of the test split has a held-out template or word in it, the other half is like the training text.
    """
    seen = set(NEVER)
    ordinary = distinct(Grammar(SEED, everything=False), seen)
    splits = {name: [next(ordinary) for _ in range(SIZES[name])] for name in ("train", "validation")}
    half = SIZES["test"] // 2
    unseen = (review for review in distinct(Grammar(SEED + 1, everything=True), seen) if review.held_out)
    test = [next(unseen) for _ in range(half)] + [next(ordinary) for _ in range(SIZES["test"] - half)]
    random.Random(SEED).shuffle(test)
    return {**splits, "test": test}


def distinct(grammar: Grammar, seen: set[str]) -> Iterator[Review]:
    """Reviews whose text was not `seen` before; each is added to it."""
    while True:
        review = grammar.review()
        if plain(review.text) not in seen:
            seen.add(plain(review.text))
            yield review


def write(folder: Path) -> None:
    """Write the splits as `train.csv`, `validation.csv` and `test.csv`."""
    for name, rows in reviews().items():
        write_split(rows, folder / f"{name}.csv")


def write_split(rows: Iterable[Review], file: Path) -> None:
    """Write reviews as a table with the columns text and label."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened, lineterminator="\n")
        table.writerow(["text", "label"])
        table.writerows([row.text, row.label] for row in rows)
