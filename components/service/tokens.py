"""The tokenizer inspector: any model's tokenizer, from text to tokens and back."""

from __future__ import annotations

from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, chosen_id
from components.service.settings import Settings
from components.service.tasks.texts import check_characters, read_ids
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
        """Split a text, or a pair of texts, into tokens.

        Args:
            model: A model's id; empty for a default.
            text: The text.
            text_pair: A second text, for models that read two.
            options: `add_special_tokens` (bool, on), and `start`, the first token to tell where there are more than
                `window_tokens`.
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            `tokens`: `[{position, id, token, text, start, end, special, unknown, sequence}]`, offsets in characters of
            the text that `sequence` (0 or 1) names, None for special tokens; `start`, `truncated`; `stages`: `[{name,
            title, component, note, items: [{text, id?, token?, start?, end?, special?}], total}]`, the
            last one's `text` being token and id; `matches_encode`, whether
            the stages end in the tokenizer's own ids; `offsets`, `"tokenizer"` or `"computed"`; `counts`: `{tokens,
            special, unknown, characters, bytes, words}`; `kind` and its `meaning`, `tokenizer_class`, `fast`,
            `vocabulary`, `model_max_length`, `notes`, `model`, `commit`.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        self._check(text, "text")
        if text_pair not in (None, ""):
            self._check(text_pair, "text_pair")
        checked = _options(options, {"add_special_tokens": True, "start": 0})
        arguments = {"text": text, "text_pair": text_pair or None, "options": checked}
        return self._call("tokenize", model, revision, arguments, visitor)

    def decode(
        self,
        model: str = "",
        ids: list[int] | str = "",
        options: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Turn ids back into text.

        Args:
            model: A model's id; empty for a default.
            ids: A list of ids, or a text of them with spaces or commas between.
            options: `skip_special_tokens` and `clean_up_tokenization_spaces` (bool, off).
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            `text`; `tokens`: `[{position, id, token, text, special}]`; `truncated`, `kind`, `meaning`,
            `tokenizer_class`, `fast`, `vocabulary`, `model_max_length`, `model`, `commit`.
        """
        checked = _options(options, {"skip_special_tokens": False, "clean_up_tokenization_spaces": False})
        return self._call("decode", model, revision, {"ids": read_ids(ids), "options": checked}, visitor)

    def _call(
        self, name: str, model: str, revision: str | None, arguments: dict[str, Any], visitor: Visitor
    ) -> dict[str, Any]:
        default = _STARTER_MODEL if self._settings.embedded else _HUB_MODEL
        snapshot = self._hub.tokenizer(chosen_id(model, default), revision, visitor=visitor)
        told = self._engine.call(name, {"path": str(snapshot.path), "model": snapshot.id, **arguments})
        return {**told, "model": snapshot.id, "commit": snapshot.commit}

    def _check(self, text: Any, field: str) -> None:
        if not isinstance(text, str) or not text:
            raise WorkbenchError("There is no text yet. Write one, or take an example.", field=field)
        if len(text) > self._settings.inspect_chars:
            raise WorkbenchError(
                f"The text has {len(text):,} characters; at most {self._settings.inspect_chars:,} are allowed here. "
                "Shorten it.",
                field=field,
            )
        check_characters(text, field)


def _options(given: Any, defaults: dict[str, Any]) -> dict[str, Any]:
    """The options with their defaults; each has to be of its default's type."""
    if given is not None and not isinstance(given, dict):
        raise WorkbenchError("Options must be an object of names and values.", field="options")
    options = {name: value for name, value in (given or {}).items() if value is not None}
    for name, value in options.items():
        if name not in defaults:
            raise WorkbenchError(
                f"There is no option {name!r}. Options are {', '.join(defaults)}.", field=f"options.{name}"
            )
        if type(value) is not type(defaults[name]) or (type(value) is int and not 0 <= value < 2**53):
            kind = "true or false" if isinstance(defaults[name], bool) else "a whole number from 0"
            raise WorkbenchError(f"The option {name} must be {kind}.", field=f"options.{name}")
    return defaults | options
