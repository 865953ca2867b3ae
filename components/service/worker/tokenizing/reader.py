"""What the raw tokens of a vocabulary stand for: `Ġ`, `▁`, `##`, `</w>` and byte pieces, read as bytes and characters.

How a vocabulary spells its tokens is told by the decoder of its tokenizer, which is what turns them back into text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from components.service.worker.tokenizing.kinds import sentencepiece

BYTE_PIECE = re.compile(r"<0x([0-9A-F]{2})>")
#: A mark is one where more than one entry in so many has it.
_MANY = 100


def _byte_letters() -> dict[str, int]:
    """The letter that stands for each byte in a byte-level vocabulary: printable ones for themselves, the others
    shifted beyond Latin-1 in order (GPT-2's encoding)."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = [byte for byte in range(256) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(shifted)}


BYTE_LETTERS = _byte_letters()


class Reader:
    """Reads raw tokens of one tokenizer.

    Args:
        tokenizer: A tokenizer of transformers.
        unit: `"byte"` where each token of a Python-backed tokenizer is a byte, `"character"` where it is a character.

    Attributes:
        byte_level: Each letter of a raw token stands for a byte.
        byte_pieces: Tokens such as `<0xE2>` stand for one byte.
        space: The mark that stands for a space (`▁`), or an empty text.
        prefix: The mark of a piece that continues a word (`##`), or an empty text.
        suffix: The mark of a piece that ends a word (`</w>`), or an empty text.
        joiner: The mark of a piece that the next one continues (`@@`), or an empty text.
    """

    def __init__(self, tokenizer: Any, unit: str = "") -> None:
        self.unit = unit
        self.byte_level = self.byte_pieces = False
        self.space = self.prefix = self.suffix = self.joiner = ""
        self._added = {token.content for token in tokenizer.added_tokens_decoder.values()}
        if tokenizer.is_fast:
            backend = tokenizer.backend_tokenizer
            for part in [*components(backend.decoder), *components(backend.pre_tokenizer)]:
                self._learn(part)
            self.prefix = self.prefix or getattr(backend.model, "continuing_subword_prefix", None) or ""
            self.suffix = self.suffix or getattr(backend.model, "end_of_word_suffix", None) or ""
            self.byte_pieces = self.byte_pieces or getattr(backend.model, "byte_fallback", False)
        elif sentencepiece(tokenizer):
            self.space, self.byte_pieces = "▁", True
        else:
            self.space = getattr(tokenizer, "word_delimiter_token", None) or ""
            self._learn_from(() if unit else tokenizer.get_vocab())

    def _learn(self, part: dict[str, Any]) -> None:
        kind = part["type"]
        if kind == "ByteLevel":
            self.byte_level = True
        elif kind == "ByteFallback":
            self.byte_pieces = True
        elif kind == "Metaspace":
            self.space = part["replacement"]
        elif kind == "Replace" and part.get("content") == " " and "String" in part["pattern"]:
            self.space = part["pattern"]["String"]
        elif kind == "WordPiece":
            self.prefix = part["prefix"]
        elif kind == "BPEDecoder":
            self.suffix = part["suffix"]

    def _learn_from(self, vocabulary: Collection[str]) -> None:
        """Learn the marks of a tokenizer that is written in Python: many of its entries bear them."""
        many = len(vocabulary) / _MANY
        self.prefix = "##" if sum(1 for token in vocabulary if token.startswith("##")) > many else ""
        self.joiner = "@@" if sum(1 for token in vocabulary if token.endswith("@@")) > many else ""

    @property
    def marks(self) -> tuple[Any, ...]:
        """How the vocabulary writes its tokens: two that are alike in this can be compared as they are written."""
        return (self.unit, self.byte_level, self.byte_pieces, self.space, self.prefix, self.suffix, self.joiner)

    def read(self, token: str) -> bytes:
        """The bytes, in UTF-8, that a raw token stands for; they may be only a part of a character."""
        if token in self._added and token != self.space and not (self.byte_pieces and BYTE_PIECE.fullmatch(token)):
            return token.encode("utf-8", "surrogatepass")
        if self.unit == "byte":
            return bytes([ord(token)]) if len(token) == 1 and ord(token) < 256 else token.encode()
        if self.byte_pieces and (piece := BYTE_PIECE.fullmatch(token)):
            return bytes([int(piece[1], 16)])
        if self.byte_level and all(letter in BYTE_LETTERS for letter in token):
            return bytes(BYTE_LETTERS[letter] for letter in token)
        if self.prefix:
            token = token.removeprefix(self.prefix)
        if self.suffix and token.endswith(self.suffix):
            token = token.removesuffix(self.suffix)
        if self.joiner:
            token = token.removesuffix(self.joiner)
        return (token.replace(self.space, " ") if self.space else token).encode("utf-8", "surrogatepass")

    def text(self, token: str) -> str | None:
        """The characters that a raw token stands for, or None where its bytes are no whole characters."""
        try:
            return self.read(token).decode()
        except UnicodeDecodeError:
            return None

    def legend(self, tokens: list[str]) -> list[dict[str, str]]:
        """The marks that occur in `tokens` and what each means: `[{mark, meaning}]`."""
        own = "\n".join(token for token in tokens if token not in self._added)
        return [{"mark": mark, "meaning": meaning} for mark, meaning in self._marks() if mark in own]

    def _marks(self) -> Iterator[tuple[str, str]]:
        if self.byte_level:
            yield "Ġ", "A space: it belongs to the word after it."
            yield "Ċ", "A line break."
            yield "ĉ", "A tab."
            for letter in "ÂÃâðä":
                yield letter, "Stands for one byte, with which characters beyond ASCII begin; it is no letter here."
        if self.space:
            yield self.space, "A space, or the beginning of the text."
        if self.prefix:
            yield self.prefix, "This piece continues the word to its left."
        if self.suffix:
            yield self.suffix, "This piece ends a word."
        if self.joiner:
            yield self.joiner, "The next piece continues this one."
        if self.byte_pieces:
            yield "<0x", "One byte of a character that the vocabulary does not have, in hexadecimal."


def components(component: Any) -> list[dict[str, Any]]:
    """The settings of a component of a fast tokenizer, or of each that it is a sequence of."""
    if component is None:
        return []
    return list(_flat(json.loads(component.__getstate__())))


def _flat(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if state.get("type") != "Sequence":
        yield state
        return
    for part in next((value for value in state.values() if isinstance(value, list)), []):
        yield from _flat(part)
