"""What a text, or a list of token ids, must be before it goes to a model."""

from __future__ import annotations

import re
from typing import Any

from components.service.errors import WorkbenchError


def check_text(text: Any, most_chars: int, field: str) -> str:
    """Return `text`, or raise a `WorkbenchError` for `field`.

    A text may not be empty, nor longer than `most_chars`, nor hold half of a surrogate pair: that is no character,
    and no tokenizer takes it.
    """
    if not isinstance(text, str):
        raise WorkbenchError("A text is needed here, in quotes where it is JSON.", field=field)
    if not text.strip():
        raise WorkbenchError("There is no text yet. Write one, or take an example.", field=field)
    if len(text) > most_chars:
        raise WorkbenchError(
            f"The text has {len(text):,} characters; at most {most_chars:,} are allowed here. Shorten it.",
            field=field,
        )
    check_characters(text, field)
    return text


def check_characters(text: str, field: str) -> None:
    """Raise a `WorkbenchError` where `text` holds half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise WorkbenchError(
            f"Character {error.start + 1} of the text (U+{ord(text[error.start]):04X}) is half of a surrogate pair, "
            "which is no character by itself. Remove it.",
            field=field,
        ) from None


def read_ids(given: Any, most: int) -> list[int]:
    """Token ids, as whole numbers from 0, from a list of them or a text with spaces or commas between them."""
    if isinstance(given, str):
        given = [
            int(part) if part.isdecimal() and len(part) < 20 else part
            for part in re.split(r"[\s,\[\]]+", given)
            if part
        ]
    if not isinstance(given, list) or not given:
        raise WorkbenchError("There are no ids yet. Write some, such as 101, 7592, 102.", field="ids")
    if len(given) > most:
        raise WorkbenchError(f"The list has {len(given):,} ids; at most {most:,} are allowed.", field="ids")
    for place, number in enumerate(given, 1):
        if type(number) is not int or not 0 <= number < 2**53:
            raise WorkbenchError(
                f"An id is a whole number from 0; number {place} of the list is {_shown(number)}.", field="ids"
            )
    return given


def _shown(value: Any) -> str:
    return "far too large" if type(value) is int and value > 0 else repr(str(value)[:40])
