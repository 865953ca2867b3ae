"""The vocabulary as a table: what each entry reads as, which writing it is of, and what was kept free."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cached_property, lru_cache
from typing import Any

from components.service.worker.tokenizing.anatomy import Anatomy
from components.service.worker.tokenizing.kinds import vocabulary_size
from components.service.worker.tokenizing.reader import BYTE_PIECE
from components.service.worker.tokenizing.rows import printable

#: Names that model makers give to entries which they keep free.
_UNUSED = re.compile(r"[\[<]\|?_?(?:unused|reserved|placeholder|dummy)[\w ]*\|?[\]>]", re.IGNORECASE)

#: Where the name of a script ends in the name of a character: `OLD ITALIC LETTER A`, `LATIN SMALL LETTER A`.
_AFTER_SCRIPT = re.compile(
    r"[ -](?:SMALL|CAPITAL|LETTER|SYLLABLE|SYLLABICS|VOWEL|SIGN|IDEOGRAPH|CHARACTER|LIGATURE|HIEROGLYPH|MODIFIER|"
    r"HIRAGANA|PROLONGED|UNIFIED|COMPATIBILITY|RADICAL|CHOSEONG|JUNGSEONG|JONGSEONG|ORDINAL|VOICED|ITERATION)\b.*"
)
_WIDTHS = re.compile(r"^(?:HALFWIDTH|FULLWIDTH) ")
_SCRIPTS = {
    "ANGSTROM": "Latin",
    "CJK": "Han",
    "FEMININE": "Latin",
    "IDEOGRAPHIC": "Han",
    "KELVIN": "Latin",
    "MASCULINE": "Latin",
    "MATHEMATICAL": "Symbols",
    "MICRO": "Greek",
    "MODIFIER": "Symbols",
    "UNNAMED": "Other",
}
_CLASSES = {"N": "Digits", "P": "Punctuation", "S": "Symbols", "Z": "Spaces", "C": "Controls", "M": "Marks"}


class Vocabulary:
    """All entries of one tokenizer, ordered by id.

    Attributes:
        ids, tokens: Each entry's id and raw token.
        reads: What each reads as, None where its bytes are no whole characters.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        tokenizer = anatomy.tokenizer
        if anatomy.kind == "character":  # every code point is an entry
            named = {token: number for number, token in enumerate(map(chr, range(tokenizer.vocab_size)))}
        else:
            named = tokenizer.get_vocab()
        entries = sorted(named.items(), key=lambda entry: entry[1])
        self.ids = [number for _, number in entries]
        self.tokens = [token for token, _ in entries]
        self.reads = [anatomy.reader.text(token) for token in self.tokens]
        self.added = frozenset(tokenizer.added_tokens_decoder)

    @cached_property
    def scripts(self) -> list[str]:
        """The writing of each entry: a script by its name in Unicode, or Digits, Punctuation, Bytes, Special ..."""
        special = self._anatomy.special_ids
        return [
            "Special" if number in special else "Bytes" if reads is None else script_of(reads)
            for number, reads in zip(self.ids, self.reads, strict=True)
        ]

    @cached_property
    def places(self) -> dict[int, int]:
        """Id -> place in the lists."""
        return {number: place for place, number in enumerate(self.ids)}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """Of the whole vocabulary: `{entries, size, holes, special, added, unused, scripts, lengths}`; `holes` are ids
        below the largest that no token has, `lengths` characters -> entries, 16 for 16 and more."""
        size = vocabulary_size(self._anatomy.tokenizer)
        lengths = Counter(min(16, len(reads)) for reads in self.reads if reads is not None)
        return {
            "entries": len(self.ids),
            "size": size,
            "holes": size - len(self.ids),
            "special": len(self._anatomy.special_ids),
            "added": len(self.added),
            "unused": sum(1 for place in range(len(self.ids)) if self.unused(place)),
            "scripts": dict(Counter(self.scripts).most_common()),
            "lengths": {str(length): lengths[length] for length in sorted(lengths)},
        }

    def unused(self, place: int) -> bool:
        """Whether the entry's name says that it was kept free."""
        return _UNUSED.fullmatch(self.tokens[place]) is not None

    def entry(self, place: int) -> dict[str, Any]:
        """One entry as `{id, token, reads, bytes, length, script, special, added, unused, reachable}`; `length` in
        characters, `reachable` whether the tokenizer gives it for its own text (None where that cannot be asked)."""
        number, token, reads = self.ids[place], self.tokens[place], self.reads[place]
        return {
            "id": number,
            "token": printable(token),
            "reads": reads,
            "bytes": self._anatomy.reader.read(token).hex(" "),
            "length": None if reads is None else len(reads),
            "script": self.scripts[place],
            "special": number in self._anatomy.special_ids,
            "added": number in self.added,
            "unused": self.unused(place),
            "reachable": self._reachable(number, token, reads),
        }

    def _reachable(self, number: int, token: str, reads: str | None) -> bool | None:
        """Added tokens are looked for first, so they are; a part of a word or of a character is never asked for by
        itself."""
        if number in self.added:
            return True
        model, whole = self._anatomy.model, self._whole(token, reads)
        return None if model is None or whole is None else [found.id for found in model.tokenize(whole)] == [number]

    def _whole(self, token: str, reads: str | None) -> str | None:
        """The word that a raw token alone would be all of; None for a part of a word or of a character."""
        reader = self._anatomy.reader
        if reader.byte_pieces and BYTE_PIECE.fullmatch(token):
            return reads
        if (reader.prefix and token.startswith(reader.prefix)) or not token.endswith(reader.suffix):
            return None
        return token.removesuffix(reader.suffix)


@lru_cache(maxsize=4)
def vocabulary_of(anatomy: Anatomy) -> Vocabulary:
    """The vocabulary of a tokenizer; those of the last few are kept."""
    return Vocabulary(anatomy)


def script_of(text: str) -> str:
    """The writing of a text's first letter, or what its first character is where it has no letter."""
    for letter in text:
        if letter.isalpha():
            return _script(letter)
    stripped = text.strip() or text
    return _CLASSES.get(unicodedata.category(stripped[0])[0], "Symbols") if stripped else "Empty"


@lru_cache(maxsize=65_536)
def _script(letter: str) -> str:
    name = _AFTER_SCRIPT.sub("", _WIDTHS.sub("", unicodedata.name(letter, "UNNAMED")))
    first = name.split()[0]
    return _SCRIPTS.get(first, name.title() if _AFTER_SCRIPT.search(unicodedata.name(letter, "")) else first.title())
