"""What the tokenizer inspector can be asked, with each answer's shape."""

from __future__ import annotations

from typing import Any

from components.service.engine import Engine
from components.service.hub import Hub, chosen_id
from components.service.settings import Settings
from components.service.tokens.checks import check_text, read_id_rows, read_options
from components.service.visitor import Visitor

_STARTER_MODEL = "starter/sentiment"
_HUB_MODEL = "google-bert/bert-base-cased"


class Tokens:
    """Tokenizes and decodes with the tokenizer of a model.

    Args:
        settings: `inspect_chars`, `window_tokens`.
        hub: Where tokenizers come from.
        engine: Where they are opened.
    """

    def __init__(self, settings: Settings, hub: Hub, engine: Engine) -> None:
        self._settings = settings
        self._hub = hub
        self._engine = engine

    def tokenize(
        self,
        model: str = "",
        text: str = "",
        text_pair: str | None = None,
        options: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Split a text, or a pair of texts, into tokens, and show each stage on the way.

        Args:
            model: A model's id; empty for a default.
            text: The text.
            text_pair: A second text, for models that read two.
            options: `add_special_tokens` (bool, on); `start` (0) and `count` (500, at most `window_tokens`), the
                window of tokens that is told; `price_per_million` (0), the price of a million tokens.
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            - `tokens`: `[{position, id, token, reads, bytes, text, start, end, byte_start, byte_end, special, added,
              unknown, sequence, fit, flags, group}]`. `token` is the raw token; `reads` the characters that it stands
              for, None where its `bytes` (hexadecimal, UTF-8) are only a part of one; `text` its slice of the text
              that `sequence` (0 or 1) names, with offsets in characters and in bytes, None for special tokens that
              were added around. `fit` tells how slice and `reads` fit: `exact`, `trimmed` (but for spaces),
              `partial` (bytes of the character there), `normalized`, `unknown`, `mismatch`; `flags` are
              `mismatch`, `zero_width`, `overlap` (shares characters with a token before); `group` is a place in
              `groups`.
            - `groups`: tokens that only together make one character: `[{first, last, sequence, start, end, text}]`.
            - `start`, `truncated`; `legend`: `[{mark, meaning}]` of the marks that occur (`Ġ`, `##`, `▁` ...).
            - `stages`: `[{name, title, component, note, items, total}]`, places in characters of the text:
              `added_tokens` (items `{text, start, end, special}`), `normalized` (`{text, before, start, end, special,
              changes: [{start, before, after}]}`, the changes
              adding up to both, none where nothing changed), `pre_tokenized` (`{text, start, end,
              special, tokens}`), `model` (`{text, id, word}`, with `replays` beside the items), `post_processed`
              (`{text, id, special}`), `ids` (`{text: "TOKEN ID", token, id, special}`). A Python-backed tokenizer
              has the last three only.
            - `replays`, of the first words: `[{word, algorithm, tokens, agrees, note?}]` and, by algorithm, `bpe`:
              `symbols`, `steps: [{left, right, rank, at, symbols}]`; `wordpiece`: `attempts: [{start, tried,
              tried_total, matched}]`; `unigram`: `paths: [{score, pieces: [{token, score, unknown}]}]`, best first.
            - `matches_encode`, whether the stages end in the tokenizer's own ids; `check`: `{equal, staged, encoded,
              first_difference, note}`.
            - `offsets`: `"tokenizer"` or `"computed"`; `offset_check`, of the window: `{checked, fits: {fit: number},
              mismatch, zero_width, overlap}`.
            - `counts`, of all: `{tokens, special, unknown, characters, bytes, words, tokens_per_word,
              characters_per_token, bytes_per_token, price_per_million, cost}`.
            - `round_trip`, of the first 2,000 characters: `{characters, text, equal, lost, changes: [{start, before,
              after}], total}`.
            - `kind`, `family`, `meaning`, `why`, `tokenizer_class`, `fast`, `vocabulary`, `model_max_length`,
              `special_tokens: {role: token}`, `notes`, `model`, `commit`.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        self._check(text, "text")
        if text_pair not in (None, ""):
            self._check(text_pair, "text_pair")
        known = {"add_special_tokens": True, "start": 0, "count": 500, "price_per_million": 0.0}
        checked = self._window(read_options(options, known))
        arguments = {"text": text, "text_pair": text_pair or None, "options": checked}
        return self._call("tokenize", model, revision, arguments, visitor)

    def decode(
        self,
        model: str = "",
        ids: list[Any] | str = "",
        options: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Turn ids back into text.

        Args:
            model: A model's id; empty for a default.
            ids: A list of ids, a list of such lists, or a text of ids with spaces or commas between.
            options: `skip_special_tokens` and `clean_up_tokenization_spaces` (bool, off).
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            `rows`: for each list `{text, plain, tokens: [{position, id, token, reads, bytes, text, special}],
            truncated, again}`, where `plain` is the text with nothing skipped or cleaned up, and `again` tells
            whether that text is encoded in the same ids: `{equal, tokens, first_difference}`. The first row's entries
            once more beside it; `kind`, `family`, `meaning`, `why`, `tokenizer_class`, `fast`, `vocabulary`,
            `model_max_length`, `special_tokens`, `model`, `commit`.
        """
        checked = read_options(options, {"skip_special_tokens": False, "clean_up_tokenization_spaces": False})
        return self._call("decode", model, revision, {"ids": read_id_rows(ids), "options": checked}, visitor)

    def _call(
        self, name: str, model: str, revision: str | None, arguments: dict[str, Any], visitor: Visitor
    ) -> dict[str, Any]:
        default = _STARTER_MODEL if self._settings.embedded else _HUB_MODEL
        snapshot = self._hub.tokenizer(chosen_id(model, default), revision, visitor=visitor)
        told = self._engine.call(name, {"path": str(snapshot.path), "model": snapshot.id, **arguments})
        return {**told, "model": snapshot.id, "commit": snapshot.commit}

    def _check(self, text: Any, field: str) -> None:
        check_text(text, self._settings.inspect_chars, field)

    def _window(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options with a `count` of at most what is told at once."""
        return {**options, "count": min(options["count"], self._settings.window_tokens)}
