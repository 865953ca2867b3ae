"""How the model of a fast tokenizer cuts one word, step by step: merges, longest matches, or the likeliest path.

The tokens themselves are always the library's; what is replayed here explains them, and says so where it does not
arrive at the same.

Methods: BPE as in Sennrich et al. 2016, WordPiece as in Schuster and Nakajima 2012 (longest match first), Unigram as
in Kudo 2018 (Viterbi, and the best few paths).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import nlargest
from itertools import pairwise
from typing import Any

from components.service.worker.tokenizing.anatomy import Anatomy
from components.service.worker.tokenizing.rows import printable

#: Longest word that is replayed, in characters; most symbols that are told after each merge.
LONGEST_WORD = 256
_MOST_SYMBOLS = 48
_PATHS = 4
_MOST_TRIED = 24
#: How far below the worst piece the library rates an unknown character.
_UNKNOWN_PENALTY = 10.0

Path = tuple[float, tuple[tuple[str, float, bool], ...]]


def replay(anatomy: Anatomy, word: str) -> dict[str, Any]:
    """How `word`, as the pre-tokenizer gives it, becomes tokens.

    Returns:
        `{word, algorithm, tokens, agrees, ...}`, `agrees` being whether the replay ends in the model's tokens:

        - `bpe`: `symbols` to begin with, `steps`: `[{left, right, rank, at, symbols}]`, `symbols` after the merge
          being None where they are many.
        - `wordpiece`: `attempts`: `[{start, tried, tried_total, matched}]`.
        - `unigram`: `paths`: `[{score, pieces: [{token, score, unknown}]}]`, the best first.
        - `word`: nothing more.

        A word that is too long has `note`, its beginning alone, and neither tokens nor steps.
    """
    kind = type(anatomy.model).__name__
    if len(word) > LONGEST_WORD:
        note = f"This word has {len(word):,} characters; only words of up to {LONGEST_WORD} are shown step by step."
        beginning = printable(word[:LONGEST_WORD])
        return {"word": beginning, "algorithm": _NAMES[kind], "tokens": [], "agrees": None, "note": note}
    tokens = [token.value for token in anatomy.model.tokenize(word)]
    told = {"word": printable(word), "algorithm": _NAMES[kind], "tokens": [printable(token) for token in tokens]}
    shown, reached = _REPLAYS[kind](anatomy, word)
    return {**told, **shown, "agrees": reached == tokens}


# BPE


def _bpe(anatomy: Anatomy, word: str) -> tuple[dict[str, Any], list[str]]:
    model, ranks = anatomy.model, anatomy.ranks
    if model.ignore_merges and model.token_to_id(word) is not None:
        note = "The whole word is in the vocabulary, and this tokenizer then takes it as it is, without merging."
        return {"symbols": [printable(word)], "steps": [], "note": note}, [word]
    symbols = _symbols(anatomy, word)
    told: dict[str, Any] = {"symbols": [printable(symbol) for symbol in symbols], "steps": []}
    prefix = model.continuing_subword_prefix or ""
    while len(symbols) > 1:
        rank, at = min((ranks.get(pair, len(ranks)), place) for place, pair in enumerate(pairwise(symbols)))
        if rank == len(ranks):
            break
        left, right = symbols[at : at + 2]
        symbols[at : at + 2] = [left + right.removeprefix(prefix)]
        after = list(symbols) if len(told["symbols"]) <= _MOST_SYMBOLS else None
        told["steps"].append({"left": left, "right": right, "rank": rank, "at": at, "symbols": after})
    if model.dropout:
        told["note"] = f"This tokenizer leaves out each merge with probability {model.dropout:g}: it varies by chance."
    return told, symbols


def _symbols(anatomy: Anatomy, word: str) -> list[str]:
    """What merging begins with: the characters, or the bytes or the unknown token of those that have no entry."""
    model = anatomy.model
    symbols: list[str] = []
    fusing = False
    for place, letter in enumerate(word):
        symbol = (model.continuing_subword_prefix or "") * (place > 0) + letter
        symbol += (model.end_of_word_suffix or "") * (place == len(word) - 1)
        octets = [f"<0x{byte:02X}>" for byte in symbol.encode()]
        known = model.token_to_id(symbol) is not None
        if known:
            symbols.append(symbol)
        elif model.byte_fallback and all(model.token_to_id(octet) is not None for octet in octets):
            symbols += octets
            known = True
        elif model.unk_token and not (fusing and model.fuse_unk):
            symbols.append(model.unk_token)
        fusing = not known
    return symbols


# WordPiece


def _wordpiece(anatomy: Anatomy, word: str) -> tuple[dict[str, Any], list[str]]:
    model = anatomy.model
    attempts: list[dict[str, Any]] = []
    tokens, start = [], 0
    if len(word) > model.max_input_chars_per_word:
        note = f"Words of more than {model.max_input_chars_per_word} characters are the unknown token as a whole."
        return {"attempts": attempts, "note": note}, [model.unk_token]
    while start < len(word):
        mark = model.continuing_subword_prefix if start else ""
        tried = []
        matched = None
        for end in range(len(word), start, -1):
            if model.token_to_id(mark + word[start:end]) is not None:
                matched = mark + word[start:end]
                break
            tried.append(mark + word[start:end])
        attempt = {"start": start, "tried": tried[:_MOST_TRIED], "tried_total": len(tried), "matched": matched}
        attempts.append(attempt)
        if matched is None:
            note = "No piece of the vocabulary matches here, so the whole word is the unknown token."
            return {"attempts": attempts, "note": note}, [model.unk_token]
        tokens.append(matched)
        start = end
    return {"attempts": attempts}, tokens


# Unigram


def _unigram(anatomy: Anatomy, word: str) -> tuple[dict[str, Any], list[str]]:
    paths = _best_paths(anatomy, word)
    told = [
        {
            "score": round(score, 4),
            "pieces": [
                {"token": printable(piece), "score": round(one, 4), "unknown": unknown} for piece, one, unknown in way
            ],
        }
        for score, way in paths
    ]
    return {"paths": told}, list(_spelled(anatomy, paths[0][1])) if paths else []


def _best_paths(anatomy: Anatomy, word: str) -> list[Path]:
    """The ways with the highest sum of scores to cut a word into pieces; a character without a piece is unknown."""
    scores, unknown = anatomy.scores, anatomy.lowest_score - _UNKNOWN_PENALTY
    best: list[list[Path]] = [[(0.0, ())]]
    for end in range(1, len(word) + 1):
        reached: list[Path] = []
        for start in range(end):
            piece = word[start:end]
            lost = piece not in scores and end - start == 1
            if piece not in scores and not lost:
                continue
            score = unknown if lost else scores[piece]
            reached += [(before + score, (*way, (piece, score, lost))) for before, way in best[start]]
        best.append(nlargest(_PATHS, reached, key=lambda path: path[0]))
    return best[-1]


def _spelled(anatomy: Anatomy, way: tuple[tuple[str, float, bool], ...]) -> Iterator[str]:
    """The tokens of a path, as the library writes them: unknown characters next to each other as one, or as bytes."""
    fused = ""
    for piece, _, unknown in (*way, ("", 0.0, False)):
        if unknown:
            fused += piece
            continue
        if fused:
            octets = [f"<0x{byte:02X}>" for byte in fused.encode()]
            spelled = anatomy.byte_fallback and all(octet in anatomy.scores for octet in octets)
            yield from octets if spelled else [fused]
        fused = ""
        if piece:
            yield piece


# Words


def _word(anatomy: Anatomy, word: str) -> tuple[dict[str, Any], list[str]]:
    known = anatomy.model.token_to_id(word) is not None
    unknown = [anatomy.model.unk_token] if anatomy.model.unk_token else []
    return {}, [word] if known else unknown


_REPLAYS: dict[str, Callable[[Anatomy, str], tuple[dict[str, Any], list[str]]]] = {
    "BPE": _bpe,
    "WordPiece": _wordpiece,
    "Unigram": _unigram,
    "WordLevel": _word,
}
_NAMES = {"BPE": "bpe", "WordPiece": "wordpiece", "Unigram": "unigram", "WordLevel": "word"}
