"""The unlabelled text that models are pre-trained on, and how it is cut to fit their blocks."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from components.starter import reviews, stories

#: Blocks that may be open at once while sentences are laid into them.
OPEN = 300
EMOTICONS = {"positive": ":)", "negative": ":("}

Count = Callable[[Sequence[str]], list[int]]


def opinions(rows: int) -> dict[str, list[str]]:
    """Sentences of the whole review grammar by label, none of which is in a split of `starter/reviews`.

    Most of them end with an emoticon, as such sentences do where people write them; who has to guess it learns to read
    the sentence (distant supervision, Go et al. 2009). None follows a word or form that only the test split has.
    """
    seen = {reviews.plain(row.text) for split in reviews.reviews().values() for row in split} | reviews.NEVER
    source = reviews.distinct(reviews.Grammar(reviews.SEED + 2, everything=True), seen)
    found: dict[str, list[str]] = {label: [] for label in reviews.LABELS}
    draw = random.Random(reviews.SEED)
    for _ in range(rows):
        review = next(source)
        smile = draw.random() < 0.9 and not review.held_out
        found[review.label].append(f"{review.text} {EMOTICONS[review.label]}" if smile else review.text)
    return found


def tales(rows: int) -> list[str]:
    """Little stories and news."""
    return stories.stories(rows, seed=reviews.SEED)


def blocks(groups: Sequence[Sequence[str]], room: int, count: Count) -> list[str]:
    """Texts of exactly `room` tokens, each of whole sentences of one group, in an order drawn once.

    A masked language model that is given such blocks always sees a sentence from its beginning, and sentences that
    belong together. No label is in them, but who has to guess a masked word learns which words keep company.
    """
    found = [text for group in groups for text in _fit(group, count(group), room)]
    random.Random(reviews.SEED).shuffle(found)
    return found


def _fit(sentences: Sequence[str], lengths: Sequence[int], room: int) -> Iterator[str]:
    """Best fit: a sentence closes the block that it fills to the last token, or goes into the emptiest one."""
    places: list[tuple[int, list[str]]] = []
    for sentence, length in zip(sentences, lengths, strict=True):
        place = next((i for i, (left, _) in enumerate(places) if left == length), None)
        if place is None and len(places) >= OPEN // 3:
            fitting = [i for i, (left, _) in enumerate(places) if left >= length + 4]
            place = max(fitting, key=lambda i: places[i][0], default=None)
        if place is None:
            if length <= room and len(places) < OPEN:
                places.append((room - length, [sentence]))
            continue
        left, texts = places[place]
        texts.append(sentence)
        places[place] = (left - length, texts)
        if left == length:
            yield " ".join(texts)
            del places[place]


def write(texts: Sequence[str], folder: Path, held: int) -> None:
    """Write a data set with the column text: the last `held` texts are its validation split."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", texts[:-held]), ("validation", texts[-held:])):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["text"])
            table.writerows([text] for text in part)
