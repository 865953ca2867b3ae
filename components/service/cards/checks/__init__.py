"""What is wrong with a card, found without a network: each finding with its line, its field, and how to mend it."""

from __future__ import annotations

from collections.abc import Collection

from components.service.cards.checks.agreement import check_agreement, read_text
from components.service.cards.checks.card import Card
from components.service.cards.checks.expected import ASK, PLACEHOLDERS, REPO_PLACEHOLDER
from components.service.cards.checks.fields import check_fields
from components.service.cards.checks.findings import Findings, Problem
from components.service.cards.checks.markdown import check_markdown
from components.service.cards.checks.metadata import check_metadata
from components.service.cards.checks.results import check_results
from components.service.cards.checks.widgets import check_widgets
from components.service.cards.document import CARD_BYTES

__all__ = ["ASK", "PLACEHOLDERS", "REPO_PLACEHOLDER", "Problem", "check"]


def check(text: str, *, files: Collection[str] | None = None) -> list[Problem]:
    """Look a card over.

    Args:
        text: The card.
        files: The paths of the files in its repository, if they are known: links to others are dead.

    Returns:
        `[{level, line, field, message, fix, remedy}]`, errors first, then by line, bounded in number. Level is error,
        warning or info; line counts from 1; field is the path in the metadata, `body` or `card`; remedy is a list of
        changes that mends it, as `edit` takes them, or `None`.
    """
    found = Findings()
    if len(text.encode("utf-8", "replace")) > CARD_BYTES:
        fix = "Move long tables or logs into files of their own."
        found.tell("error", 1, "card", f"The card is longer than {CARD_BYTES:,} bytes.", fix)
        return found.listed()
    card = Card(text, files)
    said = read_text(card)
    check_metadata(card, said, found)
    check_fields(card, found)
    check_results(card, found)
    check_widgets(card, found)
    check_agreement(card, said, found)
    check_markdown(card, found)
    return found.listed()
