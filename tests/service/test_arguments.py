"""The arguments of an endpoint are of the types that it says, outermost; null stands for the default."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from components.api import of_its_type
from components.service.errors import WorkbenchError


def endpoint(
    text: str,
    count: int = 3,
    share: float | None = None,
    on: bool = False,
    more: dict[str, str] | None = None,
    ids: list[int] | str = "",
    any_: Any = None,
) -> None:
    """Arguments of every kind that endpoints have."""


HINTS = {name: one.annotation for name, one in inspect.signature(endpoint, eval_str=True).parameters.items()}
RIGHT = [
    ("text", "a", "a"), ("count", 5, 5), ("count", None, 3), ("share", 1, 1), ("share", 0.5, 0.5),
    ("share", None, None),
    ("on", True, True), ("on", None, False), ("more", {"text": None}, {"text": None}), ("ids", [1], [1]),
    ("ids", "1", "1"), ("any_", [{}], [{}]),
]  # fmt: skip
WRONG = [
    ("text", None, "a text"), ("text", 5, "a text"), ("text", ["a"], "a text"), ("count", "5", "a whole number"),
    ("count", True, "a whole number"), ("count", 1.5, "a whole number"), ("share", "1", "a number or null"),
    ("on", 1, "true or false"), ("more", [], "an object or null"), ("ids", {}, "a list or a text"),
]  # fmt: skip


def checked(name: str, value: Any) -> Any:
    return of_its_type(inspect.signature(endpoint).parameters[name], HINTS[name], value)


@pytest.mark.parametrize(("name", "value", "taken"), RIGHT)
def test_an_argument_of_its_type_is_taken_as_it_is(name: str, value: Any, taken: Any) -> None:
    assert checked(name, value) == taken


@pytest.mark.parametrize(("name", "value", "expected"), WRONG)
def test_an_argument_of_another_type_is_refused_by_its_name(name: str, value: Any, expected: str) -> None:
    with pytest.raises(WorkbenchError, match=f"The argument {name} has to be {expected}, as") as refusal:
        checked(name, value)
    assert refusal.value.field == name
