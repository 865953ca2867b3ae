"""What the tokenizer inspector can be asked, with each answer's shape."""

from __future__ import annotations

from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot, chosen_id
from components.service.settings import Settings
from components.service.tokens.checks import (
    CHAT,
    COLLATE,
    COMPARE,
    COMPARE_VOCABULARIES,
    DECODE,
    SEARCH,
    TOKENIZE,
    check_batch_size,
    check_json,
    check_text,
    read_id_rows,
    read_messages,
    read_models,
    read_options,
    read_prices,
    read_query,
    read_texts,
)
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
              unknown, sequence, fit, flags, group, before, after}]`. `token` is the raw token; `reads` the characters
              that it stands for, None where its `bytes` (hexadecimal, UTF-8) are only a part of one; `text` its slice
              of the text that `sequence` (0 or 1) names, with offsets in characters and in bytes, None for special
              tokens that were added around. `fit` tells how slice and `reads` fit: `exact`, `trimmed` (but for spaces),
              `partial` (bytes of the character there), `normalized`, `unknown`, `mark` (stands for a space that is not
              in the text, and is placed on the next character), `mismatch`. `flags` are `mismatch` (for the last two
              fits), `zero_width`, `overlap` (shares characters with a token before). `group` is a place in `groups`;
              `before` and `after` are characters that the tokenizer drops there, `after` only behind the last token of
              a text.
            - `groups`: tokens that only together make one character: `[{first, last, sequence, start, end, text}]`.
            - `start`, `truncated`; `legend`: `[{mark, meaning}]` of the marks that occur (`Ġ`, `##`, `▁` ...).
            - `stages`: `[{name, title, component, note, items, total}]`, places in characters of the text:
              `added_tokens` (items `{text, start, end, special}`), `normalized` (`{text, before, start, end, special,
              changes: [{start, before, after}]}`, the changes adding up to both, none where nothing changed),
              `pre_tokenized` (`{text, start, end, special, tokens}`), `model` (`{text, id, word}`, with `replays`
              beside the items), `post_processed` (`{text, id, special}`), `ids` (`{text: "TOKEN ID", token, id,
              special}`). A Python-backed tokenizer has the last three only.
            - `replays`, of the first words: `[{word, algorithm, tokens, agrees, note?}]` and, by algorithm, `bpe`:
              `symbols`, `steps: [{left, right, rank, at, symbols}]`, the latter None where they are many; `wordpiece`:
              `attempts: [{start, tried, tried_total, matched}]`; `unigram`: `paths: [{score, pieces: [{token, score,
              unknown}]}]`, best first. `agrees`: the replay ends in the tokens; None where the word is too long.
            - `matches_encode`, whether the stages end in the tokenizer's own ids; `check`: `{equal, staged, encoded,
              first_difference, note}`.
            - `offsets`: `"tokenizer"` or `"computed"`; `offset_check`, of the window: `{checked, fits: {fit: number},
              mismatch, zero_width, overlap}`.
            - `counts`, of all: `{tokens, special, special_in_text, unknown, characters, bytes, words, tokens_per_word,
              characters_per_token, bytes_per_token, price_per_million, cost}`; `special` tokens were put around the
              texts, those `special_in_text` are written in them; `words` are what has spaces around it.
            - `round_trip`, of the first 2,000 characters: `{characters, text, equal, lost, changes: [{start, before,
              after, cause}], total, causes: {cause: number}, runs: [{start, before, after}]}`; a `cause` is `special`
              (written in the text, and skipped in decoding), `unknown`, `spacing`, `normalizer`, or None where it is
              not sure (an empty name in `causes`); the `runs` add up to both texts.
            - `kind`, `family`, `meaning`, `why`, `tokenizer_class`, `fast`, `vocabulary`, `model_max_length`,
              `special_tokens: {role: token}`, `notes`, `model`, `commit`.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        self._check(text, "text")
        if text_pair not in (None, ""):
            self._check(text_pair, "text_pair")
        checked = self._window(read_options(options, TOKENIZE))
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
            whether `text` is encoded in the same ids: `{equal, tokens, ids, first_difference, left_out}`, the number
            and the first of the ids that it is encoded in, and how many special tokens were left out of it. The first
            row's entries once more beside it; `kind`, `family`, `meaning`, `why`, `tokenizer_class`, `fast`,
            `vocabulary`, `model_max_length`, `special_tokens`, `model`, `commit`.
        """
        checked = read_options(options, DECODE)
        return self._call(
            "decode", model, revision, {"ids": read_id_rows(ids, self._settings.token_ids), "options": checked}, visitor
        )

    def collate(
        self,
        model: str = "",
        texts: list[Any] | None = None,
        options: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Make a batch of several texts, or pairs of texts, as a model reads it.

        Args:
            model: A model's id; empty for a default.
            texts: Texts, or pairs of texts as lists of two.
            options: `padding` (`"longest"`, `"max_length"`, `"do_not_pad"`), `padding_side` and `truncation_side`
                (`"left"`, `"right"`, empty for the tokenizer's own), `pad_to_multiple_of` (0: none), `truncation`
                (`"do_not_truncate"`, `"longest_first"`, `"only_first"`, `"only_second"`), `max_length` (0: the
                tokenizer's own), `stride` (0) and `return_overflowing_tokens` (off), which makes further rows of what
                is cut off, `add_special_tokens` (on), `pad_with` (`"eos"` lets the end-of-text token stand in where
                there is no padding token).
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            - `rows`: `[{sample, window, tokens, ids, attention_mask, token_type_ids, special_tokens_mask, padding,
              hidden}]`: which text the row is of and which window of it, lists of one length (`token_type_ids` None
              where the model has none), the number of padding tokens, and how many cells are not told; `truncated`
              where rows or cells are left out.
            - `lengths` of the rows in tokens; `shape`, `[rows, tokens]`, None where there is no tensor; `tensors`:
              `[{name, shape, dtype, meaning}]`.
            - `error`: None, or why there is no tensor: `{type, message, why, remedy}`, the library's own exception and
              words, and the options that mend it.
            - `pad`: `{token, id, side, borrowed}` or None; `counts`: `{texts, rows, cells, padding, padding_share,
              cut}`; `notes`; `kind` and the other entries on the tokenizer as in `tokenize`; `model`, `commit`.
        """
        checked = read_options(options, COLLATE)
        rows = read_texts(texts, self._settings.texts, self._settings.text_chars)
        if checked["truncation"] == "only_second" and len(rows[0]) == 1:
            raise WorkbenchError(
                "There is no second text to cut. Give pairs of texts, or choose another truncation.",
                field="options.truncation",
            )
        check_batch_size(rows, checked, self._settings.batch_cells)
        return self._call("collate", model, revision, {"texts": rows, "options": checked}, visitor)

    def render_chat(
        self,
        model: str = "",
        messages: list[dict[str, Any]] | None = None,
        options: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Render messages by a chat template, and tokenize what comes of it.

        Args:
            model: A model's id; empty for a default.
            messages: `[{"role": "user", "content": "..."}]`, and whatever else the template reads.
            options: `add_generation_prompt` (off); `template`, the name of one of the tokenizer's templates or Jinja
                text of your own; `tools` and `documents`, lists of objects; `start` (0) and `count` (500), the window
                of tokens.
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            - `rendered`; `segments`: `[{start, end, text, part, role, message}]`, without gaps, `part` being
              `content`, `template` or `prompt`, `message` the number of the message; `generation_prompt`.
            - `tokens` as in `tokenize`, each with `segment`, `role` and `learned` besides; `start`, `truncated`,
              `groups`. These are the ids that the model is meant to read: nothing is put around them.
            - `assistant_mask`: `{source, tokens, spans}`: what a fine-tune on the assistant's words learns, by the
              template's own `generation` blocks (`"template"`) or, without any, by the contents of the assistant's
              messages (`"computed"`); number of tokens, ranges of characters.
            - `findings`: `[{level, code, message, fix}]`, codes `double_bos`, `no_bos`, `no_eos`, `other_eos`,
              `control_token`, `no_generation_prompt`, `unused_tools`, `unused_documents`, `parts_as_text`.
            - `counts`: `{tokens, characters, messages}`; `template`, its text; `templates`, names of the tokenizer's;
              `kind` and the other entries on the tokenizer as in `tokenize`; `model`, `commit`.

        Raises:
            WorkbenchError: The model has no template, or the template refuses, fails, or takes too long.
        """
        checked = self._window(read_options(options, CHAT))
        said = read_messages(messages, self._settings.messages, self._settings.text_chars)
        for name in ("tools", "documents"):
            if not all(isinstance(one, dict) for one in checked[name]):
                raise WorkbenchError(f"The {name} must be a list of objects.", field=f"options.{name}")
            check_json(checked[name], self._settings.text_chars, f"options.{name}")
        check_json(checked["template"], self._settings.text_chars, "options.template")
        arguments = {"messages": said, "options": checked}
        seconds = min(self._settings.template_seconds, self._settings.call_seconds)
        try:
            return self._call("render_chat", model, revision, arguments, visitor, seconds=seconds)
        except WorkbenchError as error:
            if error.kind != "timeout":
                raise
            raise WorkbenchError(
                f"The chat template took longer than {seconds:g} seconds and was stopped: it may never come to an end. "
                "Choose another model, or mend the template.",
                kind="timeout",
                field="options.template" if checked["template"] else "model",
            ) from None

    def search_vocabulary(
        self,
        model: str = "",
        query: str = "",
        options: dict[str, Any] | None = None,
        revision: str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Search a vocabulary, and see how an entry of it came to be.

        Args:
            model: A model's id; empty for a default.
            query: What to search for; empty for all entries.
            options: `mode` (`"contains"`, `"prefix"`, `"suffix"`, `"exact"`, `"regex"` in the syntax of RE2, `"id"`),
                `ignore_case` (off), `script` (such as `"Latin"` or `"Digits"`), `min_length` and `max_length` in
                characters (0: any), `only` (`"special"`, `"added"`, `"unused"`, `"bytes"`: parts of characters),
                `sort` (`"id"`, `"token"`, `"length"`), `descending` (off), `start` (0) and `count` (100).
            revision: A branch, tag or commit; empty for the newest.
            visitor: Whose rights count.

        Returns:
            - `entries`: `[{id, token, reads, bytes, length, script, special, added, unused, reachable}]`, `total`,
              `start`. Texts are matched against the raw token, what it reads as, and that without spaces before it;
              regular expressions against the first two. `notes`: characters of the query that are several tokens.
            - `detail`, of the first entry where it is the only one or was asked for by `id` or `exact`, else None:
              `{token, id, origin, note, merges: [{left, right, rank, made}], descendants: [{token, id}],
              descendants_total, score, otherwise, neighbours: [{id, token, reads}]}`, `origin` being `added`, `base`,
              `merge`, `unigram` or `listed`, the merges in the order in which they build the entry up, `otherwise`
              the next best pieces of a Unigram's entry: `{score, pieces: [{token, score, unknown}]}`.
            - `facts`: `{entries, size, holes, special, added, unused, scripts: {script: number}, lengths: {characters:
              number}}` (16 stands for 16 and more); `kind` and the other entries on the tokenizer as in `tokenize`;
              `model`, `commit`.
        """
        checked = self._window(read_options(options, SEARCH))
        wanted = read_query(query)
        if checked["mode"] == "id" and not wanted.strip():
            raise WorkbenchError("Write the id to look up, such as 42.", field="query")
        return self._call("search_vocabulary", model, revision, {"query": wanted, "options": checked}, visitor)

    def compare_vocabularies(
        self,
        models: list[str] | None = None,
        query: str = "",
        options: dict[str, Any] | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Compare the vocabularies of two models.

        Args:
            models: Two ids.
            query: Count only entries that hold this text; empty for all.
            options: `start` (0) and `count` (100), the window of each list.
            visitor: Whose rights count.

        Returns:
            `vocabularies`: two of `{model, commit, entries, scripts, kind ...}`; `matched_by`: `"token"` where both
            write their tokens alike, else `"text"`, without a space before it; `shared`: `{total, entries: [{id,
            token, reads, script}], same_id, share_of_first, share_of_second}`, entries of the first; `only_first`,
            `only_second`: `{total, entries}`.
        """
        checked = self._window(read_options(options, COMPARE_VOCABULARIES))
        arguments = {"query": read_query(query), "options": checked}
        return self._compare("compare_vocabularies", "vocabularies", read_models(models, 2, 2), arguments, visitor)

    def compare_tokenizers(
        self,
        models: list[str] | None = None,
        text: str = "",
        options: dict[str, Any] | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Compare up to four tokenizers on one text.

        Args:
            models: Ids of one to four models.
            text: The text.
            options: `add_special_tokens` (off); `labelled` (off): lines begin with a label, such as `fr: Bonjour`, by
                which tokens a word are counted instead of by writing; `prices`, of a million tokens, one for each
                model; `count` (300), most tokens and segments that are told of each.
            visitor: Whose rights count.

        Returns:
            - `tokenizers`: `[{model, commit, counts, round_trip, languages, tokens, truncated, kind ...}]`, `counts`,
              `round_trip` and `tokens` as in `tokenize`; `languages`: `[{label, words, characters, tokens,
              unknown, tokens_per_word, tokens_per_character}]`, the label being a writing (`Latin`, `Han`, `Digits`
              ...) or the line's own.
            - `segments`: `[{start, end, text, begins}]`, the text between any two borders, `begins` the numbers of
              the tokenizers that begin a token there; `borders`: `{compared_characters, total, agreed, differing}`,
              `differing` the characters before which not all of them have a border.
        """
        checked = self._window(read_options(options, COMPARE))
        chosen = read_models(models, 1, 4)
        checked["prices"] = read_prices(checked, len(chosen))
        self._check(text, "text")
        if checked["labelled"] and text.count("\n") > 1000:
            raise WorkbenchError("At most 1,000 labelled lines are allowed. Send fewer.", field="text")
        return self._compare("compare_tokenizers", "tokenizers", chosen, {"text": text, "options": checked}, visitor)

    def _call(
        self,
        name: str,
        model: str,
        revision: str | None,
        arguments: dict[str, Any],
        visitor: Visitor,
        *,
        seconds: float | None = None,
    ) -> dict[str, Any]:
        snapshot = self._snapshot(model, revision, visitor)
        given = {"path": str(snapshot.path), "model": snapshot.id, **arguments}
        told = self._engine.call(name, given, seconds=seconds, visitor=visitor)
        return {**told, "model": snapshot.id, "commit": snapshot.commit}

    def _compare(
        self, name: str, key: str, models: list[str], arguments: dict[str, Any], visitor: Visitor
    ) -> dict[str, Any]:
        """A call on several models; each entry of `key` gets its commit."""
        snapshots = [self._snapshot(model, None, visitor) for model in models]
        given = [{"path": str(snapshot.path), "model": snapshot.id} for snapshot in snapshots]
        told = self._engine.call(name, {"tokenizers": given, **arguments}, visitor=visitor)
        for entry, snapshot in zip(told[key], snapshots, strict=True):
            entry["commit"] = snapshot.commit
        return dict(told)

    def _snapshot(self, model: str, revision: str | None, visitor: Visitor) -> Snapshot:
        default = _STARTER_MODEL if self._settings.embedded else _HUB_MODEL
        return self._hub.tokenizer(chosen_id(model, default), revision, visitor=visitor)

    def _check(self, text: Any, field: str) -> None:
        check_text(text, self._settings.inspect_chars, field)

    def _window(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options with a `count` of at most what is told at once."""
        return {**options, "count": min(options["count"], self._settings.window_tokens)}
