"""What a visitor may ask of a tokenizer: options by name and type, texts, and lists of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters, read_ids

#: Each option with its default, or with the values that it may have, the default first.
Options = Mapping[str, Any]

TOKENIZE: Options = {"add_special_tokens": True, "start": 0, "count": 500, "price_per_million": 0.0}
DECODE: Options = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}
COLLATE: Options = {
    "padding": ("longest", "max_length", "do_not_pad"),
    "padding_side": ("", "left", "right"),
    "pad_to_multiple_of": 0,
    "truncation": ("do_not_truncate", "longest_first", "only_first", "only_second"),
    "truncation_side": ("", "left", "right"),
    "max_length": 0,
    "stride": 0,
    "return_overflowing_tokens": False,
    "add_special_tokens": True,
    "pad_with": ("", "eos"),
}
SEARCH: Options = {
    "mode": ("contains", "prefix", "suffix", "exact", "regex", "id"),
    "ignore_case": False,
    "script": "",
    "min_length": 0,
    "max_length": 0,
    "only": ("", "special", "added", "unused", "bytes"),
    "sort": ("id", "token", "length"),
    "descending": False,
    "start": 0,
    "count": 100,
}
CHAT: Options = {
    "add_generation_prompt": False,
    "template": "",
    "tools": [],
    "documents": [],
    "start": 0,
    "count": 500,
}
COMPARE_VOCABULARIES: Options = {"start": 0, "count": 100}
COMPARE: Options = {"add_special_tokens": False, "labelled": False, "prices": [], "count": 300}


#: The largest whole number that an option may be: tokenizers count in 32 bits.
_LARGEST = 2**31 - 1


def read_options(given: Any, known: Options) -> dict[str, Any]:
    """The options with their defaults. Each has to be of its default's type, or one of its values.

    Raises:
        WorkbenchError: With the field `options.NAME`.
    """
    if given is not None and not isinstance(given, dict):
        raise WorkbenchError("Options must be an object of names and values.", field="options")
    options = {name: value for name, value in (given or {}).items() if value is not None}
    for name, value in options.items():
        if name not in known:
            raise WorkbenchError(
                f"There is no option {str(name)[:40]!r}. Options are {', '.join(known)}.",
                field=f"options.{str(name)[:40]}",
            )
        if not _fits(value, known[name]):
            large = type(value) is int and type(known[name]) is int and value > _LARGEST
            why = (
                f"at most {_LARGEST:,}; this is too large"
                if large
                else f"{_expected(known[name])}, not {_short(value)}"
            )
            raise WorkbenchError(f"The option {name} must be {why}.", field=f"options.{name}")
        if isinstance(value, str):
            check_characters(value, f"options.{name}")
    defaults = {name: default[0] if isinstance(default, tuple) else default for name, default in known.items()}
    return defaults | {
        name: float(value) if isinstance(defaults[name], float) else value for name, value in options.items()
    }


def _fits(value: Any, known: Any) -> bool:
    if isinstance(known, tuple):
        return any(type(value) is type(one) and value == one for one in known)
    if isinstance(known, float):
        return type(value) in (int, float) and 0 <= value <= 1e12 and math.isfinite(value)
    return type(value) is type(known) and (type(value) is not int or 0 <= value <= _LARGEST)


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, float) else repr(str(value)[:40])
    return text[:40]


def _expected(known: Any) -> str:
    if isinstance(known, tuple):
        return f"one of {', '.join(repr(one) for one in known)}"
    kinds = {
        bool: "true or false",
        int: "a whole number from 0",
        float: "a number from 0 to 1,000,000,000,000",
        str: "a text",
        list: "a list",
    }
    return kinds[type(known)]


def check_text(text: Any, most: int, field: str) -> None:
    """Raise a `WorkbenchError` where `text` is none, empty, too long, or has half of a surrogate pair."""
    if not isinstance(text, str) or not text:
        raise WorkbenchError("There is no text yet. Write one, or take an example.", field=field)
    if len(text) > most:
        raise WorkbenchError(
            f"The text has {len(text):,} characters; at most {most:,} are allowed here. Shorten it.", field=field
        )
    check_characters(text, field)


def read_id_rows(ids: Any, most: int) -> list[list[int]]:
    """One list of ids, or several, as several."""
    if isinstance(ids, list) and ids and all(isinstance(row, list) for row in ids):
        if len(ids) > _MOST_ROWS:
            raise WorkbenchError(f"There are {len(ids):,} lists of ids; at most {_MOST_ROWS} are allowed.", field="ids")
        rows = [read_ids(row, most) for row in ids]
        if sum(map(len, rows)) > most:
            raise WorkbenchError(f"The lists have more than {most:,} ids together. Decode fewer at once.", field="ids")
        return rows
    return [read_ids(ids, most)]


_MOST_ROWS = 256
_DEEPEST = 16


def read_texts(given: Any, most: int, most_characters: int) -> list[list[str]]:
    """Texts, or pairs of texts, each as a list of one or of two.

    Raises:
        WorkbenchError: There are none, too many, too long ones, or texts and pairs together.
    """
    if not isinstance(given, list) or not given:
        raise WorkbenchError("There are no texts yet. Write some, or take the example.", field="texts")
    if len(given) > most:
        raise WorkbenchError(f"There are {len(given):,} texts; at most {most:,} are allowed at once.", field="texts")
    rows = [row if isinstance(row, list) else [row] for row in given]
    for place, row in enumerate(rows, 1):
        if len(row) not in (1, 2) or not all(isinstance(text, str) for text in row):
            raise WorkbenchError(f"Number {place} of the texts is neither a text nor a pair of texts.", field="texts")
        if len(row) != len(rows[0]):
            raise WorkbenchError(
                f"Number {place} of the texts is a {_shape(row)}, number 1 a {_shape(rows[0])}: a batch has either "
                "texts or pairs.",
                field="texts",
            )
        for text in row:
            check_characters(text, "texts")
    characters = sum(len(text) for row in rows for text in row)
    if characters > most_characters:
        raise WorkbenchError(
            f"The texts have {characters:,} characters together; at most {most_characters:,} are allowed here.",
            field="texts",
        )
    return rows


def _shape(row: list[str]) -> str:
    return "pair" if len(row) == 2 else "single text"


def check_batch_size(rows: list[list[str]], options: Options, most: int) -> None:
    """Raise a `WorkbenchError` where padding, or windows that overlap, would make more than `most` cells."""
    length, stride = options["max_length"], options["stride"]
    multiple = options["pad_to_multiple_of"]
    if multiple > 4096:
        raise WorkbenchError("Padding is to a multiple of at most 4,096.", field="options.pad_to_multiple_of")
    if options["padding"] != "do_not_pad" and len(rows) * max(length, multiple) > most:
        raise WorkbenchError(
            f"{len(rows):,} texts of {max(length, multiple):,} tokens are more than the {most:,} cells that are "
            "shown here. Choose a smaller max_length.",
            field="options.max_length",
        )
    if options["return_overflowing_tokens"] and length:
        windows = sum(len(text) for row in rows for text in row) // max(1, length - stride) + len(rows)
        if windows * length > 4 * most:
            raise WorkbenchError(
                f"Windows of {length:,} tokens that share {stride:,} make far more than {most:,} cells of these texts. "
                "Choose a smaller stride, or shorter texts.",
                field="options.stride",
            )


def read_messages(given: Any, most: int, most_characters: int) -> list[dict[str, Any]]:
    """The messages of a conversation, each an object with a role."""
    if not isinstance(given, list) or not given:
        raise WorkbenchError(
            'There are no messages yet. Write some, such as [{"role": "user", "content": "Hello"}].', field="messages"
        )
    if len(given) > most:
        raise WorkbenchError(f"There are {len(given):,} messages; at most {most:,} are allowed.", field="messages")
    for place, message in enumerate(given, 1):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str) or not message["role"]:
            raise WorkbenchError(
                f'Message {place} has no role. A message is {{"role": "user", "content": "..."}}.', field="messages"
            )
        if not isinstance(message.get("content", ""), str | list | None):
            raise WorkbenchError(f"The content of message {place} is no text.", field="messages")
    check_json(given, most_characters, "messages")
    return given


def check_json(value: Any, most_characters: int, field: str) -> None:
    """Raise a `WorkbenchError` where a JSON value is too deep or too large, or holds what is no character."""
    left = most_characters
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        if depth > _DEEPEST:
            raise WorkbenchError(f"The {field} are nested too deeply: {_DEEPEST} levels are allowed.", field=field)
        if isinstance(part, dict):
            waiting += [(one, depth + 1) for pair in part.items() for one in pair]
        elif isinstance(part, list):
            waiting += [(one, depth + 1) for one in part]
        elif isinstance(part, str):
            check_characters(part, field)
        elif not isinstance(part, bool | int | float | None) or (type(part) is int and abs(part) >= 2**63):
            raise WorkbenchError(f"The {field} hold a value that is not plain JSON.", field=field)
        left -= len(part) + 1 if isinstance(part, str) else 1
        if left < 0:
            raise WorkbenchError(
                f"The {field} have more than {most_characters:,} characters together. Shorten them.", field=field
            )


def read_query(query: Any) -> str:
    """What a vocabulary is searched for; empty for all of it."""
    if not isinstance(query, str | int | None) or isinstance(query, bool):
        raise WorkbenchError("What to search for has to be a text.", field="query")
    text = "" if query is None else str(query)[:400]
    if len(text) > 200:
        raise WorkbenchError("What to search for may have at most 200 characters.", field="query")
    check_characters(text, "query")
    return text


def read_models(given: Any, least: int, most: int) -> list[str]:
    """Ids of models to compare."""
    if not isinstance(given, list) or not least <= len(given) <= most:
        raise WorkbenchError(f"Choose {least} to {most} models to compare.", field="models")
    return given


def read_prices(options: Options, models: int) -> list[float]:
    """One price for each model, or none."""
    prices = options["prices"]
    if prices and (len(prices) != models or not all(_fits(price, 0.0) for price in prices)):
        raise WorkbenchError("Give one price, a number from 0, for each model.", field="options.prices")
    return [float(price) for price in prices]
