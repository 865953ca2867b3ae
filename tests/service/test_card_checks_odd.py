"""Cards that are long, random, hostile or oddly keyed are checked quickly, and each finding has its form."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import yaml
from card_samples import card
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.cardrules.reading import Unreadable, read
from components.service.cards.checks import check
from components.service.cards.checks.findings import MOST, MOST_ALIKE
from components.service.cards.edit import edit, line_of

Found = dict[str, Any]


def test_links_to_folders_and_files_are_followed_among_thousands_of_them() -> None:
    files = [f"runs/{n % 100}/step-{n}/model.safetensors" for n in range(20_000)]
    links = [f"[a](runs/{n}) [b](runs/{n}/step-{n}) [c](step-{n})" for n in range(100)]
    started = time.process_time()
    found = check(card("license: mit", "\n\n".join(links)), files=files)
    assert time.process_time() - started < 1.5
    dead = [one["message"] for one in found if "to which this leads" in one["message"]]
    assert dead
    assert all(" no step-" in message for message in dead)


def test_a_bomb_of_aliases_is_refused_quickly() -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    few = ["a0: &a0 [x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 10)]
    started = time.process_time()
    assert "aliases" in check(card("\n".join(levels)))[0]["message"]
    json.dumps(check(card("\n".join(few))))
    assert time.process_time() - started < 2


def test_templates_in_a_card_stay_text() -> None:
    front = 'license: "{{ cycler.__init__.__globals__.os.popen(1) }}"\npipeline_tag: "{% for i in range(9) %}"'
    found = check(card(front, "# {{ 7*7 }}\n\n## {{ 7*7 }}\n"))
    assert any("{{ cycler" in one["message"] for one in found)
    assert not any("49" in one["message"] for one in found)


LONG = ["a", "#", "`", "[", "> ", "---\n", "# \n", "|", "\n", "a: 1\n", "](", "![a](", "[a](b) ", "<img src=", "<a ",
        "license: ", "licensed under ", "languages: en,", "fine-tuned version of ", "pipeline('ner')\n", "```\n",
        "* *"]  # fmt: skip


@pytest.mark.parametrize("place", ["front", "body"])
@pytest.mark.parametrize("filler", LONG)
def test_a_long_card_is_checked_while_one_types(filler: str, place: str) -> None:
    long = filler * (190_000 // len(filler))
    text = card("license: mit", long) if place == "body" else card(f"license: mit\nx: |\n  {long[:95_000]}")
    started = time.process_time()
    found = check(text, files=["a.txt", "b.txt"])
    assert time.process_time() - started < 1.5
    assert len(found) <= MOST + 1
    assert "longer than" in check(text + "x" * 200_000)[0]["message"]


MANY = [
    f"language: [{', '.join(f'l{n}' for n in range(5000))}]",
    f"metrics: [{', '.join(f'acuracy{n}' for n in range(5000))}]",
    "\n".join(f"licenc{n}: mit" for n in range(3000)),
    f"tags: [{', '.join('5' for _ in range(9000))}]",
    "widget:\n" + "\n".join("- {question: a, context: 5}" for _ in range(2000)),
    "extra_gated_fields:\n" + "\n".join(f"  f{n}: txt" for n in range(5000)),
    "model-index:\n- name: a\n  results:\n" + "  - task: {type: ner}\n" * 1500,
]


@pytest.mark.parametrize("front", MANY, ids=[front[:20] for front in MANY])
def test_a_card_with_thousands_of_mistakes_is_told_of_some_quickly(front: str) -> None:
    started = time.process_time()
    found = check(card(f"pipeline_tag: question-answering\n{front}"))
    assert time.process_time() - started < 1.5
    assert len(found) <= MOST + 1
    assert len(found) >= MOST_ALIKE
    assert len(json.dumps(found)) < 400_000


KEYS = st.sampled_from(
    ["license", "licence", "language", "tags", "datasets", "metrics", "widget", "model-index", "base_model",
     "base_model_relation", "co2_eq_emissions", "extra_gated_fields", "inference", "library_name", "pipeline_tag",
     "license_name", "thumbnail", "text", "src", "name", "results", "task", "dataset", "type", "value", "source", "a.b"]
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=8),
        st.sampled_from(["mit", "other", "en", "no", "fill-mask", "peft", "a/b", "accuracy", "finetune", "12 g"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)  # fmt: skip


def sound(found: list[Found]) -> None:
    """Hold findings to their form."""
    assert len(found) <= MOST + 1
    json.dumps(found, allow_nan=False).encode()
    levels = [one["level"] for one in found[:MOST]]
    assert levels == sorted(levels, key=["error", "warning", "info"].index)
    for one in found:
        assert one.keys() == {"level", "line", "field", "message", "fix", "remedy"}
        assert one["line"] >= 1
        assert one["message"]
        assert one["fix"]
        assert len(one["message"]) < 600


@given(values=st.dictionaries(KEYS, VALUES, max_size=5), body=st.text(max_size=80))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_metadata_is_checked(values: dict[str, Any], body: str) -> None:
    sound(check(card(json.dumps(values), body), files=["a"]))


@given(values=st.dictionaries(KEYS, VALUES, max_size=5))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_remedy_can_be_applied_and_ends_its_finding(values: dict[str, Any]) -> None:
    text = card(yaml.safe_dump(values, allow_unicode=True, sort_keys=False).rstrip())
    for finding in check(text):
        if finding["remedy"]:
            after = check(edit(text, finding["remedy"]))
            assert (finding["field"], finding["message"]) not in [(one["field"], one["message"]) for one in after]


ODD_KEYS = [
    "no: 1\nno: 2", "0x10: 1\n0x10: 2", "a.b: 1\na.b: 2", '"": 1\n"": 2', "~: 1\n~: 2", '"a[0]": !!str 5',
    "no: &a x\nyes: *a", "x: {no: !!str 5}", "12:30: !!str 5", "2026-01-01: !!str 5", "on: {<<: {a: 1}}",
    '"q\\"q": {"": !!str 5}', "co2_eq_emissions: {emissions: 1, a.b: 2}", "licence[0]: mit", '"a\\nb": !!str 5',
    "extra_gated_fields: {Your e.mail: textt}", "x:\n- a.b: {c: 1, c: 2}", "&a 5: x\ny: *a", "=: !!str 5",
]  # fmt: skip


@pytest.mark.parametrize("source", ODD_KEYS)
def test_the_field_of_a_finding_is_one_that_can_be_edited(source: str) -> None:
    text = card(source)
    told = [one for one in check(text) if one["field"] not in ("body", "license", "language", "pipeline_tag")]
    assert told
    for finding in told:
        assert line_of(text, finding["field"]) == finding["line"]
        if finding["remedy"]:
            after = check(edit(text, finding["remedy"]))
            assert (finding["field"], finding["message"]) not in [(one["field"], one["message"]) for one in after]


def test_keys_are_texts_as_they_are_written() -> None:
    assert read("no: no\n12:30: [{~: 1}]\n&a 5: x\nb: *a").value == {
        "no": "no", "12:30": [{"~": 1}], "5": "x", "b": 5,
    }  # fmt: skip
    with pytest.raises(Unreadable, match="unsupported tag"):
        read("!!python/name:os.system x: 1")


@given(st.text(alphabet="a-:[]{}&*!|>'\"#? \n\r\t\ufeffé,0.<=~@`%()", max_size=120))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_text_is_checked(text: str) -> None:
    sound(check(text, files=["a"]))
    sound(check(card(text)))
