"""What a tokenizer makes of a text or a pair: ids, masks, and where a window of its tokens lies in the text.

All ids of a long text are taken, but offsets and token strings only of the tokens that are told: making Python values
of all of them costs as much as tokenizing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from components.service.worker.tokenizing.alignment import Span, align
from components.service.worker.tokenizing.anatomy import Anatomy


@dataclass
class Encoded:
    """A text, or a pair of texts, as the tokenizer's own call encodes it.

    Attributes:
        anatomy: Of the tokenizer.
        texts: The text and the second text, empty where there is none.
        ids: All ids.
        special_mask: 1 for each token that the tokenizer put around the texts, 0 for those of the texts.
        rust: The encoding in the Rust library, of a fast tokenizer.
    """

    anatomy: Anatomy
    texts: tuple[str, str]
    ids: list[int]
    special_mask: list[int]
    rust: Any

    @property
    def offsets(self) -> str:
        """Who says where tokens lie: `"tokenizer"`, or `"computed"`."""
        return "computed" if self.rust is None else "tokenizer"

    def sequence(self, place: int) -> int | None:
        """Which text the token at `place` is of: 0 or 1, None for one that was put around them."""
        if self.special_mask[place]:
            return None
        if self.rust is None:
            return int(place >= self._second)
        found: int | None = self.rust.token_to_sequence(place)
        return found

    def span(self, place: int) -> Span | None:
        """The characters of its text that the token at `place` stands for."""
        if self.special_mask[place]:
            return None
        if self.rust is None:
            return self._computed[place]
        found: Span | None = self.rust.token_to_chars(place)
        if found is None or found[1] <= self._shortest:
            return found
        # Marks that are written as bytes push the library's own offsets beyond the end of the text.
        most = len(self.texts[self.sequence(place) or 0])
        return min(found[0], most), min(found[1], most)

    def unknown(self, place: int) -> bool:
        """Whether the token at `place` stands for something else than its own name, which somebody may have typed."""
        number = self.ids[place]
        if number not in self.anatomy.unknown_ids or self.special_mask[place]:
            return False
        if number not in self._named:
            return True
        span = self.span(place)
        return span is None or self.texts[self.sequence(place) or 0][slice(*span)].strip() != self._named[number]

    @cached_property
    def _shortest(self) -> int:
        return min(len(text) for text in self.texts if text or text is self.texts[0])

    @cached_property
    def _named(self) -> dict[int, str]:
        """Ids of unknown tokens whose names occur in the texts, and the names."""
        names = {number: self.anatomy.tokenizer.convert_ids_to_tokens(number) for number in self.anatomy.unknown_ids}
        return {number: name for number, name in names.items() if any(name in text for text in self.texts)}

    @cached_property
    def _content(self) -> list[int]:
        return [place for place, mask in enumerate(self.special_mask) if not mask]

    @cached_property
    def _second(self) -> int:
        """Where the second text's tokens begin, in a Python-backed tokenizer, which does not say."""
        if not self.texts[1]:
            return len(self.ids)
        first = len(self.anatomy.tokenizer(self.texts[0], add_special_tokens=False)["input_ids"])
        return self._content[first] if first < len(self._content) else len(self.ids)

    @cached_property
    def _computed(self) -> list[Span | None]:
        spans: list[Span | None] = [None] * len(self.ids)
        for sequence, text in enumerate(self.texts):
            places = [place for place in self._content if int(place >= self._second) == sequence]
            if places:
                for place, span in zip(places, self._align(text, [self.ids[place] for place in places]), strict=True):
                    spans[place] = span
        return spans

    def _align(self, text: str, ids: list[int]) -> list[Span | None]:
        tokenizer, reader = self.anatomy.tokenizer, self.anatomy.reader
        pieces = [reader.read(token) for token in tokenizer.convert_ids_to_tokens(ids)]

        def decode(start: int, end: int) -> str:
            text: str = tokenizer.decode(ids[start:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
            return text

        return align(text, pieces, decode)


def encode(anatomy: Anatomy, text: str, text_pair: str | None = None, *, special: bool = True) -> Encoded:
    """The tokenizer's own call on a text or a pair, with or without the special tokens around it."""
    encoded = anatomy.tokenizer(text, text_pair, add_special_tokens=special, return_special_tokens_mask=True)
    rust = encoded.encodings[0] if encoded.is_fast else None
    return Encoded(anatomy, (text, text_pair or ""), encoded["input_ids"], special_mask(encoded), rust)


def special_mask(encoded: Mapping[str, Any]) -> list[int]:
    """1 for each token that was put around the text: ByT5 tells of one more where the text ends in its last token."""
    mask: list[int] = encoded["special_tokens_mask"]
    return mask[: len(encoded["input_ids"])]
