"""Several tokenizers on one text, and two vocabularies side by side."""

from __future__ import annotations

import re
from collections import Counter
from itertools import accumulate, pairwise
from typing import Any

from components.service.worker.calls import Call
from components.service.worker.tokenizing.anatomy import Anatomy, inspecting
from components.service.worker.tokenizing.changes import round_trip
from components.service.worker.tokenizing.encoding import Encoded, encode
from components.service.worker.tokenizing.kinds import describe
from components.service.worker.tokenizing.rows import window_rows
from components.service.worker.tokenizing.tokens import counts_of
from components.service.worker.tokenizing.vocabulary import Vocabulary, script_of, vocabulary_of

#: How much of the text is compared border by border, in characters.
COMPARED_CHARS = 20_000
_LABELLED = re.compile(r"\s*([^\s:][^:\n]{0,30}?)\s*:\s*(.+)")


def compare_tokenizers(
    call: Call, *, tokenizers: list[dict[str, str]], text: str, options: dict[str, Any]
) -> dict[str, Any]:
    """The answer of `Tokens.compare_tokenizers`; `tokenizers` are `{path, model}`."""
    told, borders = [], []
    for place, given in enumerate(tokenizers):
        price = options["prices"][place] if options["prices"] else 0.0
        with inspecting(call, given["path"], given["model"]) as anatomy:
            encoded = encode(anatomy, text, special=options["add_special_tokens"])
            borders.append(_borders(encoded, text[:COMPARED_CHARS]))
            told.append(
                {
                    "model": given["model"],
                    "counts": counts_of(encoded, price),
                    "round_trip": round_trip(anatomy, text),
                    "languages": _languages(anatomy, encoded, text, labelled=options["labelled"]),
                    "tokens": window_rows(encoded, 0, options["count"])[0],
                    "truncated": len(encoded.ids) > options["count"],
                    **describe(anatomy.tokenizer),
                }
            )
    return {"tokenizers": told, **_agreement(text, borders, options["count"])}


def _borders(encoded: Encoded, text: str) -> set[int]:
    """The characters of `text`, the whole one's beginning, before which there is a border between two tokens.

    Some tokenizers give a space to the word after it, some drop it: a border beside spaces counts as one behind them.
    """
    found = set()
    for place in range(len(encoded.ids)):
        span = encoded.span(place)
        if span is None:
            continue
        start = span[0]
        while start < len(text) and text[start].isspace():
            start += 1
        if start >= len(text):
            break
        found.add(start)
    return found - {0}


def _agreement(text: str, borders: list[set[int]], most: int) -> dict[str, Any]:
    """Where the tokenizers draw borders: `segments` between any of them, each with those that begin one there."""
    every = sorted(set().union(*borders))
    differing = [place for place in every if not all(place in own for own in borders)]
    end = min(len(text), COMPARED_CHARS)
    cuts = [0, *every, end]
    segments = [
        {
            "start": start,
            "end": stop,
            "text": text[start:stop],
            "begins": [number for number, own in enumerate(borders) if start in own or start == 0],
        }
        for start, stop in pairwise(cuts)
    ]
    return {
        "segments": segments[:most],
        "borders": {
            "compared_characters": end,
            "total": len(every),
            "agreed": len(every) - len(differing),
            "differing": differing[:most],
        },
    }


def _languages(anatomy: Anatomy, encoded: Encoded, text: str, *, labelled: bool) -> list[dict[str, Any]]:
    """`[{label, words, characters, tokens, unknown, tokens_per_word, tokens_per_character}]`: by the labels that the
    lines of the text begin with, or else by the writing of its words."""
    if labelled:
        return _by_label(anatomy, text)
    spans = [encoded.span(place) for place in range(len(encoded.ids))]
    starts = Counter(span[0] for span in spans if span is not None)
    unknown = Counter(span[0] for place, span in enumerate(spans) if span is not None and encoded.unknown(place))
    before, unread = (
        list(accumulate((counted[place] for place in range(len(text) + 1)), initial=0)) for counted in (starts, unknown)
    )
    found: dict[str, list[int]] = {}
    cursor = 0
    for word in re.finditer(r"\S+", text):
        # A token that begins with the space before a word is of that word.
        tokens, lost = (counted[word.end()] - counted[cursor] for counted in (before, unread))
        cursor = word.end()
        sums = found.setdefault(script_of(word[0]), [0, 0, 0, 0])
        for place, amount in enumerate((1, len(word[0]), tokens, lost)):
            sums[place] += amount
    return [_row(label, *sums) for label, sums in found.items()]


def _by_label(anatomy: Anatomy, text: str) -> list[dict[str, Any]]:
    found: dict[str, list[int]] = {}
    for line in text.splitlines():
        label, content = match.groups() if (match := _LABELLED.fullmatch(line)) else ("", line.strip())
        if content:
            encoded = encode(anatomy, content, special=False)
            lost = sum(1 for place in range(len(encoded.ids)) if encoded.unknown(place))
            sums = found.setdefault(label, [0, 0, 0, 0])
            for place, amount in enumerate((len(content.split()), len(content), len(encoded.ids), lost)):
                sums[place] += amount
    return [_row(label, *sums) for label, sums in found.items()]


def _row(label: str, words: int, characters: int, tokens: int, unknown: int) -> dict[str, Any]:
    return {
        "label": label,
        "words": words,
        "characters": characters,
        "tokens": tokens,
        "unknown": unknown,
        "tokens_per_word": round(tokens / words, 4) if words else None,
        "tokens_per_character": round(tokens / characters, 4) if characters else None,
    }


def compare_vocabularies(
    call: Call, *, tokenizers: list[dict[str, str]], query: str, options: dict[str, Any]
) -> dict[str, Any]:
    """The answer of `Tokens.compare_vocabularies`; `tokenizers` are two of `{path, model}`."""
    both = [_open(call, given) for given in tokenizers]
    alike = both[0][0].reader.marks == both[1][0].reader.marks
    first, second = (_keyed(vocabulary, alike=alike, query=query) for _, vocabulary in both)
    shared = first.keys() & second.keys()
    here, there = both[0][1], both[1][1]
    same_id = sum(1 for key in shared if here.ids[first[key]] == there.ids[second[key]])
    start, end = options["start"], options["start"] + options["count"]

    def told(vocabulary: Vocabulary, places: list[int]) -> dict[str, Any]:
        return {"total": len(places), "entries": [_brief(vocabulary, place) for place in places[start:end]]}

    return {
        "vocabularies": [
            {
                "model": given["model"],
                "entries": len(vocabulary.ids),
                "scripts": dict(Counter(vocabulary.scripts).most_common()),
                **describe(anatomy.tokenizer),
            }
            for given, (anatomy, vocabulary) in zip(tokenizers, both, strict=True)
        ],
        "matched_by": "token" if alike else "text",
        "shared": {
            **told(here, sorted(first[key] for key in shared)),
            "same_id": same_id,
            "share_of_first": round(len(shared) / len(first), 4) if first else None,
            "share_of_second": round(len(shared) / len(second), 4) if second else None,
        },
        "only_first": told(here, sorted(first[key] for key in first.keys() - shared)),
        "only_second": told(there, sorted(second[key] for key in second.keys() - shared)),
    }


def _open(call: Call, given: dict[str, str]) -> tuple[Anatomy, Vocabulary]:
    with inspecting(call, given["path"], given["model"]) as anatomy:
        return anatomy, vocabulary_of(anatomy)


def _keyed(vocabulary: Vocabulary, *, alike: bool, query: str) -> dict[str, int]:
    """What is compared -> place of its first entry: the raw token where both write theirs alike, else what it reads as
    without a space before it, since vocabularies mark the beginning of a word in different ways."""
    keyed: dict[str, int] = {}
    for place, (token, reads) in enumerate(zip(vocabulary.tokens, vocabulary.reads, strict=True)):
        if query and query not in (token if reads is None else reads):
            continue
        plain = token if alike or reads is None else reads.removeprefix(" ") or reads
        keyed.setdefault(plain, place)
    return keyed


def _brief(vocabulary: Vocabulary, place: int) -> dict[str, Any]:
    entry = vocabulary.entry(place)
    return {name: entry[name] for name in ("id", "token", "reads", "script")}
