"""What happens before the model of a fast tokenizer: added tokens are cut out, the rest is normalized and split.

The library does this inside one call; here each step is called by itself, in its order: added tokens that are looked
for in the text as it is, then the normalizer, then added tokens that are looked for in what it made, then the
pre-tokenizer. Places are characters of the original text throughout.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tokenizers import AddedToken, PreTokenizedString, Regex, Tokenizer, models, pre_tokenizers

from components.service.worker.tokenizing.alignment import Span

_EACH_CHARACTER = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")


@dataclass(frozen=True)
class Piece:
    """A part of a text.

    Attributes:
        text: Its characters, at this stage.
        spans: For each of them, the characters of the original text that it comes from.
        start, end: The characters of the original text that the part covers.
        added: The added token that it is, or None.
    """

    text: str
    spans: list[Span]
    start: int
    end: int
    added: str | None = None


class Sections:
    """The steps before the model of one fast tokenizer.

    Args:
        tokenizer: A fast tokenizer of transformers.
    """

    def __init__(self, tokenizer: Any) -> None:
        backend = tokenizer.backend_tokenizer
        self._normalizer, self._pre_tokenizer = backend.normalizer, backend.pre_tokenizer
        # Tokens that the tokenizer is told to read as plain text are not cut out.
        plain = backend.encode_special_tokens or getattr(tokenizer, "split_special_tokens", False)
        added = [token for token in tokenizer.added_tokens_decoder.values() if not (plain and token.special)]
        self._raw, _ = _finder([token for token in added if not token.normalized], None)
        self._normal, self._names = _finder([token for token in added if token.normalized], self._normalizer)
        self._later = _not_first(self._pre_tokenizer)

    def added(self, text: str) -> list[Piece]:
        """The text cut at the added tokens that are looked for before the normalizer."""
        spans = [(place, place + 1) for place in range(len(text))]
        return list(_cut(Piece(text, spans, 0, len(text)), self._raw, {}))

    def normalized(self, piece: Piece) -> list[Piece]:
        """A piece after the normalizer, cut at the added tokens that are looked for only then."""
        if piece.added is not None:
            return [piece]
        if self._normalizer is None:
            return list(_cut(piece, self._normal, self._names))
        whole = PreTokenizedString(piece.text)
        whole.normalize(self._normalizer.normalize)
        _EACH_CHARACTER.pre_tokenize(whole)
        splits = whole.get_splits("original", "char")
        spans = [(piece.start + start, piece.start + end) for _, (start, end), _ in splits]
        normal = Piece("".join(split[0] for split in splits), spans, piece.start, piece.end)
        return list(_cut(normal, self._normal, self._names))

    def words(self, piece: Piece) -> list[tuple[str, int, int]]:
        """A normalized piece after the pre-tokenizer: words with the characters of the text that they cover."""
        if piece.added is not None:
            return [(piece.text, piece.start, piece.end)]
        if self._pre_tokenizer is None:
            return [(piece.text, piece.start, piece.end)] if piece.text else []
        pre_tokenizer = self._pre_tokenizer if piece.start == 0 else self._later
        whole = PreTokenizedString(piece.text)
        pre_tokenizer.pre_tokenize(whole)
        return [(word, *_reach(piece, start, end)) for word, (start, end), _ in whole.get_splits("original", "char")]


def _reach(piece: Piece, start: int, end: int) -> Span:
    """The characters of the original text under a range of the piece's own."""
    if start >= end:
        place = piece.spans[start][0] if start < len(piece.spans) else piece.end
        return place, place
    return piece.spans[start][0], piece.spans[end - 1][1]


def _finder(tokens: list[AddedToken], normalizer: Any) -> tuple[Tokenizer | None, dict[str, str]]:
    """A tokenizer that knows nothing but added tokens, which thus finds them by the library's own rules; and, for
    those that it knows in normalized form, what they are called."""
    if not tokens:
        return None, {}
    finder, names, known = Tokenizer(models.BPE()), {}, []
    for token in tokens:
        content = normalizer.normalize_str(token.content) if normalizer is not None else token.content
        names[content] = token.content
        borders = {"single_word": token.single_word, "lstrip": token.lstrip, "rstrip": token.rstrip}
        known.append(AddedToken(content, normalized=False, **borders))
    finder.add_tokens(known)
    return finder, names


def _cut(piece: Piece, finder: Tokenizer | None, names: dict[str, str]) -> Iterator[Piece]:
    """A piece cut at what the finder finds in it."""
    cursor = 0
    if finder is not None:
        found = finder.encode(piece.text, add_special_tokens=False)
        for number, (start, end) in zip(found.ids, found.offsets, strict=True):
            content = finder.id_to_token(number) or ""
            if start > cursor:
                yield _part(piece, cursor, start)
            yield _part(piece, start, end, names.get(content, content))
            cursor = end
    if cursor < len(piece.text):
        yield _part(piece, cursor, len(piece.text))


def _part(piece: Piece, start: int, end: int, added: str | None = None) -> Piece:
    return Piece(piece.text[start:end], piece.spans[start:end], *_reach(piece, start, end), added)


def _not_first(pre_tokenizer: Any) -> Any:
    """The pre-tokenizer for what is not at the beginning: some mark only that (`prepend_scheme: first`)."""
    if pre_tokenizer is None:
        return None
    state = pre_tokenizer.__getstate__()
    if b'"prepend_scheme":"first"' not in state:
        return pre_tokenizer
    later = copy.deepcopy(pre_tokenizer)
    later.__setstate__(state.replace(b'"prepend_scheme":"first"', b'"prepend_scheme":"never"'))
    return later
