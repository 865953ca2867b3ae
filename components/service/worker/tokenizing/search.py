"""Searching a vocabulary, and how one of its entries came to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.tokenizing.anatomy import Anatomy, inspecting
from components.service.worker.tokenizing.kinds import describe
from components.service.worker.tokenizing.reader import BYTE_LETTERS
from components.service.worker.tokenizing.replay import LONGEST_WORD, replay
from components.service.worker.tokenizing.rows import printable
from components.service.worker.tokenizing.vocabulary import Vocabulary, vocabulary_of

_NEIGHBOURS = 3
_DESCENDANTS = 20
_MERGES = 100
#: Most characters of a query of which it is told that they are written as bytes.
_SPELLED = 4


def search_vocabulary(call: Call, *, path: str, model: str, query: str, options: dict[str, Any]) -> dict[str, Any]:
    """The answer of `Tokens.search_vocabulary`."""
    with inspecting(call, path, model) as anatomy:
        vocabulary = vocabulary_of(anatomy)
        found = _sorted(vocabulary, _filtered(vocabulary, _matching(vocabulary, query, options), options), options)
        window = found[options["start"] : options["start"] + options["count"]]
        entries = [vocabulary.entry(place) for place in window]
        exact = options["mode"] in ("id", "exact") or len(found) == 1
        notes = [] if options["mode"] == "id" else _spelled(anatomy, vocabulary, query)
        detail = _detail(anatomy, vocabulary, window[0]) if exact and window else None
        described = describe(anatomy.tokenizer)
    return {
        "entries": entries,
        "total": len(found),
        "start": options["start"],
        "detail": detail,
        "notes": notes,
        "facts": vocabulary.facts,
        **described,
    }


def _matching(vocabulary: Vocabulary, query: str, options: dict[str, Any]) -> Iterable[int]:
    """Places of the entries that the query matches, by what they read as or by their raw token."""
    if not query:
        return range(len(vocabulary.ids))
    if options["mode"] == "id":
        return _by_id(vocabulary, query)
    if options["mode"] == "regex":
        return _by_regex(vocabulary, query, options["ignore_case"])
    tests: dict[str, Callable[[str, str], bool]] = {
        "contains": str.__contains__,
        "prefix": str.startswith,
        "suffix": str.endswith,
        "exact": str.__eq__,
    }
    test = tests[options["mode"]]

    def folded(text: str) -> str:
        return text.casefold() if options["ignore_case"] else text

    wanted = folded(query)
    return [
        place
        for place, (token, reads) in enumerate(zip(vocabulary.tokens, vocabulary.reads, strict=True))
        if test(folded(token), wanted)
        or (reads is not None and (test(folded(reads), wanted) or test(folded(reads.lstrip(" ")), wanted)))
    ]


def _spelled(anatomy: Anatomy, vocabulary: Vocabulary, query: str) -> list[str]:
    """Which characters of the query are no entry, but bytes: their letters in raw tokens stand for something else."""
    if not (anatomy.reader.byte_level or anatomy.reader.byte_pieces):
        return []
    whole = set(vocabulary.reads)
    notes: list[str] = []
    for letter in dict.fromkeys(letter for letter in query if not letter.isascii()):
        tokens = [printable(token) for token in anatomy.tokenizer.tokenize(letter)]
        if letter in whole or len(tokens) < 2 or len(notes) == _SPELLED:
            continue
        note = f"No entry is “{letter}”: it is written as {len(tokens)} tokens, {' '.join(tokens)}, one for each part "
        note += f"of its bytes ({letter.encode().hex(' ')})."
        if anatomy.reader.byte_level and letter in BYTE_LETTERS:
            note += f" In a raw token the letter {letter} stands for the byte {BYTE_LETTERS[letter]:02x} alone."
        notes.append(note)
    return notes


def _by_id(vocabulary: Vocabulary, query: str) -> list[int]:
    if not query.strip().isdecimal():
        raise WorkbenchError(f"An id is a whole number from 0, not {query[:40]!r}.", field="query")
    place = vocabulary.places.get(int(query))
    return [] if place is None else [place]


def _by_regex(vocabulary: Vocabulary, query: str, ignore_case: bool) -> list[int]:
    """Both what an entry reads as and its raw token are searched, whose marks (`^Ġ`) a pattern may name.

    RE2 searches in time linear in the text whatever the pattern is, and bounds the memory of a pattern: it has no
    look-around and no references back, which would need backtracking.
    """
    both = zip(vocabulary.tokens, vocabulary.reads, strict=True)
    texts = [printable(token if reads is None else reads) for token, reads in both]
    try:
        hits = pc.or_(
            pc.match_substring_regex(pa.array(texts), query, ignore_case=ignore_case),
            pc.match_substring_regex(pa.array(map(printable, vocabulary.tokens)), query, ignore_case=ignore_case),
        )
    except pa.ArrowInvalid as error:
        why = str(error).partition("Invalid regular expression: ")[2][:200] or "it cannot be read"
        raise WorkbenchError(
            f"This regular expression does not work here: {why}. It has to be one that RE2 knows, without look-around "
            "and references back.",
            field="query",
        ) from None
    places: list[int] = pc.indices_nonzero(hits).to_pylist()
    return places


def _filtered(vocabulary: Vocabulary, places: Iterable[int], options: dict[str, Any]) -> list[int]:
    script, only = options["script"].casefold(), options["only"]
    shortest, longest = options["min_length"], options["max_length"] or 10**9
    tests: list[Callable[[int], bool]] = []
    if script:
        tests.append(lambda place: vocabulary.scripts[place].casefold() == script)
    if options["min_length"] or options["max_length"]:
        tests.append(lambda place: shortest <= len(vocabulary.reads[place] or "") <= longest)
    if only:
        kinds: dict[str, Callable[[int], bool]] = {
            "special": lambda place: vocabulary.scripts[place] == "Special",
            "added": lambda place: vocabulary.ids[place] in vocabulary.added,
            "unused": vocabulary.unused,
            "bytes": lambda place: vocabulary.reads[place] is None,
        }
        tests.append(kinds[only])
    return [place for place in places if all(test(place) for test in tests)]


def _sorted(vocabulary: Vocabulary, places: list[int], options: dict[str, Any]) -> list[int]:
    keys: dict[str, Callable[[int], Any]] = {
        "id": lambda place: place,
        "token": lambda place: vocabulary.reads[place] or vocabulary.tokens[place],
        "length": lambda place: len(vocabulary.reads[place] or ""),
    }
    return sorted(places, key=keys[options["sort"]], reverse=options["descending"])


def _detail(anatomy: Anatomy, vocabulary: Vocabulary, place: int) -> dict[str, Any]:
    """How an entry came to be, what it is a part of, and the entries next to it.

    Returns:
        `{token, id, origin, note, merges: [{left, right, rank, made}], descendants: [{token, id}],
        descendants_total, score, otherwise, neighbours: [{id, token, reads}]}`; `merges` in the order in which they
        build the entry up, `score` and `otherwise` (the next best pieces) of a Unigram only.
    """
    token, number = vocabulary.tokens[place], vocabulary.ids[place]
    near = range(max(0, place - _NEIGHBOURS), min(len(vocabulary.ids), place + _NEIGHBOURS + 1))
    told: dict[str, Any] = {
        "token": printable(token),
        "id": number,
        "merges": [],
        "descendants": [],
        "descendants_total": 0,
        "score": None,
        "otherwise": None,
        "neighbours": [
            {"id": vocabulary.ids[one], "token": printable(vocabulary.tokens[one]), "reads": vocabulary.reads[one]}
            for one in near
        ],
    }
    kind = type(anatomy.model).__name__
    if number in vocabulary.added:
        origin, note = "added", "It was added by hand: it is found in a text before anything else, and never split."
    elif kind == "BPE":
        origin, note, more = _merged(anatomy, token)
        told |= more
    elif kind == "Unigram":
        origin, note = "unigram", "It stayed when the least useful pieces were removed; its score is a log-probability."
        told |= _rivals(anatomy, token)
    else:
        origin, note = "listed", "This kind of vocabulary keeps no history: an entry is in its list or is not."
    return {**told, "origin": origin, "note": note}


def _merged(anatomy: Anatomy, token: str) -> tuple[str, str, dict[str, Any]]:
    descendants = [made for made, (left, right, _) in anatomy.made_by.items() if token in (left, right)]
    told = {
        "descendants": [
            {"token": printable(made), "id": anatomy.model.token_to_id(made)} for made in descendants[:_DESCENDANTS]
        ],
        "descendants_total": len(descendants),
    }
    if token not in anatomy.made_by:
        return "base", "It is of the base alphabet that merging began with.", told
    order: list[dict[str, Any]] = []
    waiting = [token]
    while waiting and len(order) < _MERGES:
        made = waiting.pop()
        if made in anatomy.made_by:
            left, right, rank = anatomy.made_by[made]
            order.append({"left": printable(left), "right": printable(right), "rank": rank, "made": printable(made)})
            waiting += [left, right]
    rank = anatomy.made_by[token][2]
    note = f"It was made by merge {rank + 1:,} of {len(anatomy.ranks):,}: pairs that were frequent were merged early."
    return "merge", note, {**told, "merges": order[::-1]}


def _rivals(anatomy: Anatomy, token: str) -> dict[str, Any]:
    told: dict[str, Any] = {"score": anatomy.scores.get(token)}
    if len(token) <= LONGEST_WORD:
        paths = replay(anatomy, token)["paths"]
        others = (path for path in paths if [piece["token"] for piece in path["pieces"]] != [token])
        told["otherwise"] = next(others, None)
    return told
