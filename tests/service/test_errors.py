"""What a visitor may be told, whatever it quotes."""

from __future__ import annotations

import pytest

from components.service.errors import WorkbenchError
from components.service.hub import checked_id

#: What somebody gave, and how a sentence quotes it.
QUOTED = [
    ("hf_" + "aB3" * 12, "[token]"),
    ("me/hf_" + "aB3" * 12, "me/[token]"),
    ("hf_internal_testing", "hf_internal_testing"),
    ("me/hf_" + "a" * 12, "me/hf_" + "a" * 12),
    ("\ud800", "?"),
]


@pytest.mark.parametrize(("given", "quoted"), QUOTED)
def test_a_token_in_the_wrong_field_is_not_quoted(given: str, quoted: str) -> None:
    told = WorkbenchError(f"There is no {given}.", field=given)
    assert told.message == str(told) == f"There is no {quoted}."
    assert told.field == quoted


@pytest.mark.parametrize(("field", "said"), [("dataset", "a data set id.*imdb"), ("model", "a model id.*distilgpt2")])
def test_what_is_no_id_is_told_with_one_of_its_kind(field: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        checked_id("no id at all", field)
