"""Widget examples: real outputs, in the shapes that the Hub's pages show, and nothing else of the card changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from huggingface_hub import ModelCard

from components.service.cards import metadata
from components.service.cards.examples import widget_example, with_example
from components.service.errors import WorkbenchError

LABELS = [{"label": "positive", "score": 0.987654}, {"label": "negative", "score": 0.012346}]


@pytest.mark.parametrize(
    ("task", "inputs", "parameters", "output", "example"),
    [
        (
            "text-classification",
            "I love it",
            {},
            LABELS,
            {
                "text": "I love it",
                "output": [{"label": "positive", "score": 0.9877}, {"label": "negative", "score": 0.0123}],
            },
        ),
        (
            "text-classification",
            {"text": "A", "text_pair": "B"},
            {},
            LABELS[:1],
            {"text": "A B", "output": [{"label": "positive", "score": 0.9877}]},
        ),
        (
            "text-generation",
            "Once",
            {},
            [{"generated_text": "Once upon"}],
            {"text": "Once", "output": {"text": "Once upon"}},
        ),
        (
            "text-generation",
            [{"role": "user", "content": "Hello"}],
            {},
            [{"generated_text": "Hello to you"}],
            {"messages": [{"role": "user", "content": "Hello"}], "output": {"text": "Hello to you"}},
        ),
    ],
)
def test_an_example_has_the_shape_that_the_hub_shows(
    task: str, inputs: Any, parameters: dict[str, Any], output: Any, example: dict[str, Any]
) -> None:
    assert widget_example(task, inputs, parameters, output) == example


@pytest.mark.parametrize(
    "card",
    [
        "# No metadata\n",
        "---\nlicense: mit  # as it is\n---\n\n# Card\n",
        "---\nwidget:\nlicense: mit\n---\n# Card\n",
        "---\nwidget:\n- text: one\nlicense: mit\n---\n# Card\n",
        "---\nlicense: mit\nwidget:\n    - text: one\n      output:\n          text: two\n---\n# Card\n",
        "---\nwidget:\n  - text: one  # the first\n\nlanguage: no\n---\n# Card\n",
        "---\nwidget: []\n---\n",
    ],
)
def test_an_example_is_added_and_nothing_else_changes(card: str) -> None:
    example = {"text": 'It\'s "quoted": yes', "output": [{"label": "a", "score": 0.5}]}
    made = with_example(card, example)
    before, after = metadata(card), metadata(made)
    assert after["widget"] == [*(before.get("widget") or []), example]
    assert {key: value for key, value in after.items() if key != "widget"} == {
        key: value for key, value in before.items() if key != "widget"
    }
    kept = [line for line in card.splitlines() if line.strip() and not re.fullmatch(r"widget:( \[\])?", line)]
    lines = iter(made.splitlines())
    assert all(line in lines for line in kept), "every line is there still, in its order"
    assert ModelCard(made, ignore_metadata_errors=True).data.to_dict()["widget"] == after["widget"]


def test_an_example_goes_into_a_list_in_one_line() -> None:
    made = with_example("---\nwidget: [{text: b}] # one\n---\n", {"text": "a, b"})
    assert made == '---\nwidget: [{text: b}, {text: "a, b"}] # one\n---\n'


@pytest.mark.parametrize(
    ("card", "words"),
    [
        ("---\nwidget: 3\n---\n", "must be a list"),
        ("---\nwidget:\n- text: a\n---\n", "already"),
        ("---\nlicense: [\n---\n", "Mend line"),
    ],
)
def test_a_card_that_cannot_take_an_example_says_why(card: str, words: str) -> None:
    with pytest.raises(WorkbenchError, match=words):
        with_example(card, {"text": "a"})


@pytest.mark.parametrize(
    "output",
    [
        [{"label": "good", "score": None}], [{"label": "good"}], [{"label": "good", "score": 1}, None],
        [{"token_str": "a", "score": "much"}], {"answer": "Ada", "score": []}, [{"label": "good", "score": 10**400}],
    ],
)  # fmt: skip
def test_what_no_model_gave_is_no_output_of_an_example(output: Any) -> None:
    with pytest.raises(WorkbenchError, match="no output of text classification") as told:
        widget_example("text-classification", "I love it", {}, output)
    assert told.value.field == "output"
