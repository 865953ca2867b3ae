"""What an editor on a page loses of a card comes back byte for byte."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.service.cards.line_ends import as_opened

CARDS = (
    "---\r\nlicense: mit\r\n---\r\n\r\n# A\r\ntext\n\n",
    "\ufeff---\nlicense: mit\n---\n# B",
    "a\rb\n",
    "\n\n# x\n\n\n",
    "one line",
    "mixed\r\nends\nin one\rcard\r\n",
)


def edited(card: str) -> str:
    """The card as the page's editor gives it back."""
    return re.sub(r"\r\n|\r", "\n", card.strip())


@pytest.mark.parametrize("card", CARDS)
def test_a_card_that_is_only_looked_at_is_as_it_was(card: str) -> None:
    assert as_opened(edited(card), card) == card


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["", "a", "b: 1", "# x "]), st.sampled_from(["\n", "\r\n", "\r"])), max_size=12)
)
def test_any_card_that_is_only_looked_at_is_as_it_was(lines: list[tuple[str, str]]) -> None:
    card = "".join(line + end for line, end in lines)
    assert as_opened(edited(card), card) == (card if card.strip() else edited(card))


def test_new_lines_end_like_the_first_and_others_as_they_did() -> None:
    card = "---\r\nlicense: mit\r\n---\r\nold\nlast\r\n"
    text = edited(card).replace("license: mit", "license: other\nlicense_name: x")
    assert as_opened(text, card) == "---\r\nlicense: other\r\nlicense_name: x\r\n---\r\nold\nlast\r\n"
