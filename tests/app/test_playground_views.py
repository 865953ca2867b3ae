"""What the playground draws and links to: every kind of result, hostile text as text, no secret in a link."""

from __future__ import annotations

import asyncio
import csv
import json
import typing
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
import pytest
from gradio_client import Client

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.tasks.spec import Output
from components.tabs.labels import in_labels
from components.tabs.playground.batch import example_rows
from components.tabs.playground.inputs import InputForm, places, summary, typed_table
from components.tabs.playground.link import read_link, write_link
from components.tabs.playground.parameters import typed, written
from components.widgets.outputs import _DRAW, in_words, shown

EVIL = "<script>alert(1)</script>\"'"
BOX = {"xmin": 1, "ymin": 2, "xmax": 30, "ymax": 20}
SPAN = {"entity_group": EVIL, "word": EVIL, "start": 0, "end": 7, "score": 0.5}
POINTS = {"keypoint_image_0": {"x": 1.0, "y": 2.0}, "keypoint_image_1": {"x": 3.0, "y": 4.0}, "score": 0.5}
FILE = {"file": f"/tmp/{EVIL}.png", "name": "a.png"}

RESULTS: dict[str, list[tuple[Any, Any]]] = {
    "labels": [(EVIL, [{"label": EVIL, "score": 0.5}]), (EVIL, [{"label": EVIL, "score": -3.5}])],
    "text": [
        (EVIL, [{"generated_text": EVIL + EVIL}]),
        (EVIL, [{"summary_text": EVIL}]),
        (EVIL, [{"generated_text": [{"role": "user", "content": EVIL}, {"role": EVIL, "content": EVIL}]}]),
    ],
    "spans": [(EVIL, [SPAN, {**SPAN, "start": 3, "end": 9}]), (EVIL, [{**SPAN, "start": None, "end": None}])],
    "answers": [
        ({"question": EVIL, "context": EVIL}, [{"answer": EVIL, "score": 0.5, "start": 0, "end": 4}]),
        ({"image": FILE, "question": EVIL}, [{"answer": EVIL, "score": None}]),
    ],
    "fills": [
        (EVIL, [{"sequence": EVIL, "score": 0.5, "token": 3, "token_str": EVIL}]),
        (EVIL, [[{"sequence": EVIL, "score": 0.5, "token": 3, "token_str": EVIL}]] * 2),
    ],
    "vectors": [(EVIL, [[[0.5, -0.5], [0.0, 1.0]]]), (EVIL, [0.5, 0.25])],
    "scores": [({"source_sentence": EVIL, "sentences": [EVIL, "b"]}, [0.5, 0.9])],
    "boxes": [(FILE, [{"label": EVIL, "score": 0.5, "box": BOX}])],
    "masks": [(FILE, [{"label": EVIL, "score": None, "mask": EVIL}])],
    "image": [(FILE, EVIL)],
    "depth": [(FILE, {"depth": EVIL})],
    "audio": [(EVIL, {"audio": EVIL, "sampling_rate": 16000})],
    "speech": [(FILE, {"text": EVIL, "chunks": [{"timestamp": [0.0, None], "text": EVIL}]})],
    "matches": [([FILE, FILE], [POINTS])],
    "cells": [
        (
            {"query": EVIL, "table": {EVIL: [EVIL, "1"], "b": ["2", "3"]}},
            {"answer": EVIL, "coordinates": [[0, 1]], "cells": [EVIL], "aggregator": "SUM"},
        )
    ],
    "decisions": [
        ({}, {EVIL: {"type": "choice", "choice": EVIL, "probabilities": {EVIL: 0.5}, "legend": {EVIL: EVIL}}}),
        ({}, {EVIL: {"type": "noul", "noul": 0.25}}),
    ],
}


def test_every_kind_of_output_is_drawn_and_tried_here() -> None:
    assert set(typing.get_args(Output)) == set(_DRAW) == set(RESULTS)


@pytest.mark.parametrize(
    ("kind", "inputs", "output"), [(kind, *case) for kind, cases in RESULTS.items() for case in cases]
)
def test_hostile_text_in_a_result_is_shown_as_text(kind: str, inputs: Any, output: Any) -> None:
    spec = next(spec for spec in TASKS.values() if spec.output == kind)
    drawn = shown(spec, inputs, {"task": spec.name, "output": output, "image_sizes": [[64, 48], [64, 48]]})
    assert "<script" not in drawn
    assert "&lt;script" in drawn or kind in ("vectors", "matches")


@pytest.mark.parametrize(
    ("output", "heard"),
    [
        ([{"label": "positive", "score": 0.9999}, {"label": "negative", "score": 0.0001}], "there: positive, 99.99 %"),
        ([{"generated_text": "Once"}], "there"),
        ({"answer": "Oslo", "score": 0.5}, "there"),
        ([], "there"),
        (None, "there"),
    ],
)
def test_a_result_is_told_in_words_to_those_who_listen(output: Any, heard: str) -> None:
    assert in_words(output) == f"The result is {heard}"


def test_a_result_with_nothing_in_it_says_so() -> None:
    assert "found nothing" in shown(next(iter(TASKS.values())), "a", {"task": "x", "output": []})


@pytest.mark.parametrize("task", TASKS)
def test_every_input_of_a_task_has_fields_and_every_example_a_few_words(task: str) -> None:
    spec = TASKS[task]
    placed = places(spec)
    assert [one.name for one, _ in placed] == [one.name for one in spec.inputs]
    names = [name for _, names in placed for name in names]
    assert len(set(names)) == len(names)
    assert all(len(names) == (2 if one.several else 1) for one, names in placed)
    assert all(0 < len(summary(spec.example(number).inputs)) <= 90 for number in range(len(spec.examples)))


@pytest.mark.parametrize("task", TASKS)
def test_a_link_brings_back_each_example_of_each_task(task: str) -> None:
    spec = TASKS[task]
    for number in range(len(spec.examples)):
        example = spec.example(number)
        query, left_out = write_link(task, "me/model", example.inputs, dict(example.parameters), "v1")
        linked = read_link(dict(parse_qsl(query)))
        assert left_out == ""
        assert linked is not None
        assert (linked.spec.name, linked.model, linked.revision) == (task, "me/model", "v1")
        assert linked.inputs == example.inputs
        assert linked.parameters == dict(example.parameters)


CHAT = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hello, you"},
    {"role": "user", "content": "Go on"},
]
FILLED = [
    (spec.name, spec.example(number).inputs)
    for spec in TASKS.values()
    for number in range(len(spec.examples))
    if not any(one.kind in ("image", "audio", "video") for one in spec.inputs)
]


@pytest.fixture(scope="module")
def form() -> InputForm:
    async def make() -> InputForm:
        with gr.Blocks():
            return InputForm(TASKS["fill-mask"])

    return asyncio.run(make())  # where no loop runs, gradio makes one, which it never closes


@pytest.mark.parametrize(
    ("task", "inputs"), [*FILLED, ("text-generation", CHAT), ("decision", {"state": [1], "questions": {}})]
)
def test_what_the_form_is_filled_with_is_read_again(form: InputForm, task: str, inputs: Any) -> None:
    filled = form.fill(TASKS[task], inputs)
    assert form.read(TASKS[task], tuple(filled[field] for field in form.fields)) == inputs


SECRETS = [
    "hf_abcdefghijklmnop",
    "my key is sk-proj-abcdefghijklmnop1234",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "AKIAIOSFODNN7EXAMPLE",
    "-----BEGIN RSA PRIVATE KEY-----",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
    "password: hunter2",
    "API_KEY=abc",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", ["inputs", "parameters"])
def test_a_link_holds_nothing_that_looks_like_a_secret(secret: str, place: str) -> None:
    inputs = f"Please read {secret} aloud" if place == "inputs" else "harmless"
    parameters = {"stop": [secret]} if place == "parameters" else {}
    query, left_out = write_link("text-generation", "me/model", inputs, parameters, None)
    assert "secret" in left_out
    assert dict(parse_qsl(query)) == {"task": "text-generation", "model": "me/model"}


@pytest.mark.parametrize(
    "text", ["The token was accepted", "a secret garden", "Tokens: how many?", "My password is bad"]
)
def test_ordinary_words_about_secrets_stay_in_a_link(text: str) -> None:
    query, left_out = write_link("text-generation", "me/model", text, {}, None)
    assert left_out == ""
    assert json.loads(dict(parse_qsl(query))["inputs"]) == text


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"task": "no-such-task"},
        {"task": "text-generation", "inputs": "{not json"},
        {"task": "text-generation", "parameters": "[1]"},
        {"task": "text-generation", "parameters": "[" * 100_000},
        {"task": "text-generation", "inputs": '"\\ud800"'},
        {"task": "image-classification", "inputs": '{"sample": "../../../README.md"}'},
        {"task": "image-classification", "inputs": '{"sample": ["cat.png"]}'},
        {"task": "keypoint-matching", "inputs": '[{"sample": "/etc/passwd"}, null]'},
        {"task": "visual-question-answering", "inputs": '{"image": {"sample": "make_pictures.py"}}'},
        {"task": "sentence-similarity", "inputs": '{"sentences": {"a": 1}}'},
        {"task": "sentence-similarity", "inputs": '{"sentences": [1, 2]}'},
        {"task": "table-question-answering", "inputs": '{"table": [[1]]}'},
        {"task": "table-question-answering", "inputs": '{"table": {"a": ["1"], "b": []}}'},
        {"task": "table-question-answering", "inputs": '{"table": {}}'},
    ],
)
def test_a_link_that_was_tampered_with_opens_the_plain_page(query: dict[str, str]) -> None:
    assert read_link(query) is None


@pytest.mark.parametrize(
    ("task", "value"),
    [
        ("text-generation", {"stop": 5, "top_p": 0.5}),
        ("text-generation", {"stop": [1], "top_p": 0.5}),
        ("text-generation", {"stop": ["\ud800"], "top_p": 0.5}),
        ("text-generation", {"do_sample": "yes", "top_p": 0.5}),
        ("text-classification", {"function_to_apply": "softmin", "top_k": 2}),
        ("text-classification", {"function_to_apply": {}, "top_k": 2}),
    ],
)
def test_a_link_leaves_out_parameters_that_their_fields_cannot_hold(task: str, value: dict[str, Any]) -> None:
    linked = read_link({"task": task, "parameters": json.dumps(value)})
    assert linked is not None
    assert list(linked.parameters) == list(value)[1:]


VALUES = [
    ("stop", ["\n"]), ("stop", ["one", "two words"]), ("stop", [" a", "b, c"]), ("stop", ["[1]"]),
    ("top_p", 0.123456789), ("top_p", 1), ("temperature", "warm"), ("seed", 2**32 - 1), ("do_sample", True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_parameter_that_is_written_into_its_field_is_read_again_as_it_was(name: str, value: Any) -> None:
    spec = next(one for one in TASKS["text-generation"].parameters if one.name == name)
    assert typed(spec, written(spec, value)) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a line with the names"),
        ("City,People", "a line with the names"),
        ("City,People\nParis", "as many cells"),
        ("City,City\nParis,Rome", "a name of its own"),
        ('City\n"' + "a" * 200_000, "more than 131,072 characters"),
    ],
)
def test_a_table_that_cannot_be_one_is_told(text: str, words: str) -> None:
    csv.field_size_limit(131_072)  # as the app has it: the worker's reader, which other tests call here, has its own
    with pytest.raises(WorkbenchError, match=words) as caught:
        typed_table(text)
    assert caught.value.field == "inputs"


def test_a_table_may_have_one_column_and_tabs() -> None:
    assert typed_table("City\nParis\n\nRome\n") == {"City": ["Paris", "Rome"]}
    assert typed_table("City\tPeople\nParis\t2,1") == {"City": ["Paris"], "People": ["2,1"]}


def test_a_link_with_a_file_or_a_long_text_says_what_it_leaves_out() -> None:
    assert "too long" in write_link("text-generation", "m/m", "word " * 5000, {}, None)[1]
    query, left_out = write_link("text-generation", "m/m", {"file": "/tmp/x.png", "name": "x.png"}, {}, None)
    assert "file" in left_out
    assert "x.png" not in query


@pytest.mark.parametrize(
    ("sentence", "read"),
    [
        ("The parameter max_new_tokens must be from 1 to 200.", "The parameter Max new tokens must be from 1 to 200."),
        ("temperature, top_k had no effect: do_sample is off.", "temperature, Top k had no effect: Do sample is off."),
        ("my_top_k and top_kings are no parameters.", "my_top_k and top_kings are no parameters."),
    ],
)
def test_a_sentence_calls_parameters_as_the_form_does(sentence: str, read: str) -> None:
    assert in_labels(sentence) == read


PASTED = [spec.name for spec in TASKS.values() if spec.starter_model and example_rows(spec)]


def test_the_rows_that_a_batch_begins_with_fit_their_task(client: Client) -> None:
    assert {"text-classification", "fill-mask", "question-answering", "translation"} <= set(PASTED)
    for task in PASTED:
        rows, example = example_rows(TASKS[task]), TASKS[task].example()
        made = client.predict(task, "", {"text": rows}, dict(example.parameters), api_name="/run_batch")
        assert made["rows"], task
        assert [row["error"] for row in made["rows"] if "error" in row] == [], task


def test_examples_are_told_in_words() -> None:
    told = [summary(spec.example(number).inputs) for spec in TASKS.values() for number in range(len(spec.examples))]
    assert all(told)
    assert [one for one in told if any(mark in one for mark in "[]{}") and "[MASK]" not in one] == []
