"""What kind of tokenizer one is, and why such a kind exists, in words for learners."""

from __future__ import annotations

from typing import Any

_UNLIMITED = 10**9

_WORD = (
    "Words are easy to read, but there are millions of them: the vocabulary grows very large, and a word that was not "
    "seen in training has no id."
)
_SUBWORD = (
    "Pieces of words keep the vocabulary small, keep frequent words whole, and still spell every rare word from "
    "known parts."
)
_BYTES = (
    "Every text is bytes, so 256 of them are enough for every language and emoji: nothing is ever unknown. Characters "
    "beyond ASCII take more than one."
)

#: kind -> (family, what it does, why one does so)
KINDS: dict[str, tuple[str, str, str]] = {
    "WordPiece": ("subword", "Words are cut into the longest pieces of the vocabulary, from the left.", _SUBWORD),
    "Unigram": (
        "subword",
        "Of all ways to cut a text, the likeliest by the pieces' probabilities is taken.",
        _SUBWORD,
    ),
    "word": ("word", "Each word is one token; a word that is not in the vocabulary is unknown.", _WORD),
    "BPE": ("subword", "Characters are merged into pieces, in the order that was learned.", _SUBWORD),
    "BPE with byte fallback": (
        "subword",
        "Characters are merged into pieces, in the order that was learned. "
        "A character that is not in the vocabulary is written as bytes.",
        _SUBWORD,
    ),
    "byte-level BPE": (
        "byte-level subword",
        "Bytes are merged into pieces, in the order that was learned: nothing is unknown.",
        f"{_SUBWORD} {_BYTES}",
    ),
    "byte": (
        "byte",
        "Each byte of the text (in UTF-8) is one token.",
        f"{_BYTES} Nothing has to be learned, but texts become very long.",
    ),
    "character": (
        "character",
        "Each character is one token.",
        "There are few characters and no unknown words, but texts become long, and a character alone means little.",
    ),
    "SentencePiece": (
        "subword",
        "The SentencePiece library cuts the text into pieces that it learned, spaces included.",
        f"{_SUBWORD} It needs no rule where words end, so it suits languages that are written without spaces.",
    ),
    "written in Python": (
        "its own",
        "This tokenizer follows rules of its own.",
        "Some languages and some data need rules that no general kind has.",
    ),
}

_FAST = {"WordPiece": "WordPiece", "Unigram": "Unigram", "WordLevel": "word"}


def describe(tokenizer: Any) -> dict[str, Any]:
    """What a tokenizer is.

    Returns:
        `kind`, `family` (word, character, subword, byte ...), `meaning` (what it does), `why` (what that is good
        for), `tokenizer_class`, `fast`, `vocabulary` (one more than the largest id), `model_max_length` (tokens, or
        None), `special_tokens` (`{role: token}`).
    """
    limit = tokenizer.model_max_length
    kind = kind_of(tokenizer)
    family, meaning, why = KINDS[kind]
    return {
        "kind": kind,
        "family": family,
        "meaning": meaning,
        "why": why,
        "tokenizer_class": type(tokenizer).__name__,
        "fast": bool(tokenizer.is_fast),
        "vocabulary": vocabulary_size(tokenizer),
        "model_max_length": limit if limit < _UNLIMITED else None,
        "special_tokens": {role: str(token) for role, token in tokenizer.special_tokens_map.items() if token},
    }


def kind_of(tokenizer: Any) -> str:
    """A name of `KINDS`."""
    if not tokenizer.is_fast:
        return _python_kind(tokenizer)
    backend = tokenizer.backend_tokenizer
    model = type(backend.model).__name__
    if model != "BPE":
        return _FAST[model]
    if "ByteLevel" in f"{backend.pre_tokenizer}{backend.decoder}":
        return "byte-level BPE"
    return "BPE with byte fallback" if backend.model.byte_fallback else "BPE"


def sentencepiece(tokenizer: Any) -> bool:
    """Whether a Python-backed tokenizer leaves the cutting to the SentencePiece library (Marian has two models)."""
    return hasattr(tokenizer, "sp_model") or hasattr(tokenizer, "spm_source")


def _python_kind(tokenizer: Any) -> str:
    if sentencepiece(tokenizer):
        return "SentencePiece"
    word = "hello☃"
    pieces = tokenizer.tokenize(word)
    if pieces == list(word):
        return "character"
    return "byte" if pieces == [chr(byte) for byte in word.encode()] else "written in Python"


def vocabulary_size(tokenizer: Any) -> int:
    """One more than the largest id."""
    size: int = max(tokenizer.vocab_size, *(number + 1 for number in tokenizer.added_tokens_decoder), 0)
    return size
