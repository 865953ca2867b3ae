"""What a text must be before it goes to a model."""

from __future__ import annotations

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
