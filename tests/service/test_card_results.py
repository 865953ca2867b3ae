"""Results go from a card into a table and back, and to `.eval_results`, and nothing is merged or lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cards import run_state

from components.service.cards.checks import check
from components.service.cards.document import metadata
from components.service.cards.draft import draft_run
from components.service.cards.edit import edit
from components.service.cards.eval_results import from_file, to_files
from components.service.cards.results import check_rows, read_rows, row_changes
from components.service.errors import WorkbenchError

TEXT = """---
license: mit  # as agreed
model-index:
- name: A
  results:
  - task: {type: text-classification, name: Sentiment}
    dataset: {type: me/reviews, name: Reviews, config: plain, split: test, args: {n: 5}}
    metrics:
    - {type: f1, value: 0.5, name: F1, args: {average: macro}, verified: false}
    - {type: accuracy, value: 0.75}
  - task: {type: text-classification}
    dataset: {type: me/reviews, name: Reviews two}
    metrics:
    - {type: f1, value: 0.25}
    source: {name: Board, url: "https://example.com"}
- name: B
  results:
  - task: {type: text-classification}
    dataset: {type: me/reviews, name: Reviews}
    metrics:
    - {type: f1, value: "20.0 ± 1.2"}
---
# Films
"""


def put(text: str, rows: list[dict[str, Any]]) -> str:
    return edit(text, row_changes(text, rows))


def shown(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(repr(sorted((key, value) for key, value in row.items() if key != "field")) for row in rows)


def new(**changes: Any) -> dict[str, Any]:
    row = {"task": "fill-mask", "dataset": "a/b", "dataset_name": "B", "metric": "perplexity", "value": 3.5}
    return {**row, **changes}


def test_each_metric_of_a_card_is_a_row_of_its_own() -> None:
    rows = read_rows(TEXT)
    assert [row["value"] for row in rows] == [0.5, 0.75, 0.25, "20.0 ± 1.2"]
    assert [row["dataset_name"] for row in rows] == ["Reviews", "Reviews", "Reviews two", "Reviews"]
    assert rows[0]["field"] == "model-index[0].results[0].metrics[0]"
    assert (rows[2]["source"], rows[2]["source_name"]) == ("https://example.com", "Board")


def test_rows_that_come_back_as_they_are_change_nothing() -> None:
    for text in (TEXT, draft_run(run_state(), "me/films").text, "# Nothing\n"):
        assert row_changes(text, read_rows(text)) == []


def test_one_value_changes_alone() -> None:
    rows = read_rows(TEXT)
    rows[1]["value"] = 0.8
    assert put(TEXT, rows) == TEXT.replace("0.75", "0.8")


def test_a_row_of_another_split_gets_a_result_of_its_own_with_what_the_form_does_not_show() -> None:
    rows = read_rows(TEXT)
    rows[0]["split"] = "validation"
    text = put(TEXT, rows)
    assert shown(read_rows(text)) == shown(rows)
    results = metadata(text)["model-index"][0]["results"]
    assert results[0] == {
        "task": {"type": "text-classification", "name": "Sentiment"},
        "dataset": {"type": "me/reviews", "name": "Reviews", "config": "plain", "split": "test", "args": {"n": 5}},
        "metrics": [{"type": "accuracy", "value": 0.75}],
    }
    assert results[2]["dataset"]["args"] == {"n": 5}
    assert results[2]["metrics"] == [
        {"type": "f1", "value": 0.5, "name": "F1", "args": {"average": "macro"}, "verified": False}
    ]


def test_what_all_rows_of_a_result_have_otherwise_changes_in_its_place() -> None:
    rows = read_rows(TEXT)
    for row in rows[:2]:
        row["revision"] = "ab" * 20
    text = put(TEXT, rows)
    assert metadata(text)["model-index"][0]["results"][0]["dataset"]["revision"] == "ab" * 20
    assert len(metadata(text)["model-index"][0]["results"]) == 2


def test_new_rows_join_their_result_or_make_one_and_a_card_without_results_gets_its_title() -> None:
    rows = read_rows(TEXT)
    text = put(TEXT, [*rows, {**rows[1], "field": None, "metric": "recall", "value": 0.1}, new(), new(metric="mse")])
    results = metadata(text)["model-index"][0]["results"]
    assert [len(result["metrics"]) for result in results] == [3, 1, 2]
    bare = put("---\nlicense: mit\n---\n# Films\n", [new(), new(split="test")])
    assert metadata(bare)["model-index"][0]["name"] == "Films"
    assert len(metadata(bare)["model-index"][0]["results"]) == 2
    assert [problem for problem in check(bare) if problem["level"] == "error"] == []


def test_rows_that_go_take_their_result_along_and_the_last_one_all() -> None:
    rows = read_rows(TEXT)
    assert [row["value"] for row in read_rows(put(TEXT, rows[1:3]))] == [0.75, 0.25]
    assert "model-index" not in metadata(put(TEXT, []))
    odd = TEXT.replace("- name: B", "- more\n- name: B")
    assert metadata(put(odd, []))["model-index"][1] == "more"


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "task": st.sampled_from(["fill-mask", "translation"]),
            "dataset": st.sampled_from(["a/b", "me/reviews"]),
            "dataset_name": st.sampled_from(["B", "Reviews"]) | _TEXTS,
            "metric": st.sampled_from(["f1", "bleu"]) | _TEXTS,
            "value": st.integers(-5, 5) | st.floats(-1e6, 1e6) | _TEXTS,
        },
        optional={
            "config": _TEXTS,
            "split": st.sampled_from(["test", "dev"]) | _TEXTS,
            "name": _TEXTS,
            "revision": _TEXTS,
            "task_name": _TEXTS,
            "source": st.just("https://example.com"),
        },
    ),
    max_size=6,
)


@given(_ROWS, _ROWS, st.data())
@settings(max_examples=30, deadline=None)
def test_any_table_comes_back_from_a_card_as_it_was_put_there(first: Any, second: Any, data: Any) -> None:
    text = put(TEXT, [*read_rows(TEXT), *first])
    rows = read_rows(text)
    kept = [row for row in rows if data.draw(st.booleans())]
    for row in kept:
        if second and data.draw(st.booleans()):
            row |= {"source": None, "source_name": None, **second[0]}
    wanted = [*kept, *second]
    after = put(text, wanted)
    assert shown(read_rows(after)) == shown(check_rows(wanted))
    assert row_changes(after, read_rows(after)) == []
    assert "license: mit  # as agreed\n" in after


@given(_ROWS)
@settings(max_examples=60, deadline=None)
def test_any_table_comes_back_from_eval_results_as_it_was_put_there(rows: Any) -> None:
    made = to_files(rows)
    entries = [entry for file in made["files"] for entry in yaml.safe_load(file["text"])]
    assert len(parse_eval_result_entries(entries)) + len(made["left_out"]) == len(rows)
    back = [row for file in made["files"] for row in from_file(file["text"])]
    assert shown(check_rows(back)) == shown([row for row in check_rows(rows) if row["split"] != "train"])


def test_the_files_of_a_run_are_those_of_its_test_split() -> None:
    state = run_state()
    state["results"]["test"] = state["results"]["final"]
    made = to_files(read_rows(draft_run(state, "me/films").text))
    assert [file["path"] for file in made["files"]] == [".eval_results/starter--reviews.yaml"]
    first = yaml.safe_load(made["files"][0]["text"])[0]
    assert first["dataset"] == {"id": "starter/reviews", "task_id": "default", "revision": "ab" * 20}
    assert first["value"] == 0.9
    assert first["notes"].startswith("metric: accuracy; name: Accuracy; split: test; task: text-classification")
    assert [one["row"] for one in made["left_out"]] == [2, 3]


def test_what_others_wrote_is_read_and_what_it_does_not_say_is_left_open() -> None:
    (row,) = from_file(
        "- dataset: {id: cais/hle, task_id: hard}\n  value: 20.9\n  notes: no-tools\n  date: 2026-01-01\n"
    )
    assert (row["dataset"], row["config"], row["value"]) == ("cais/hle", "hard", 20.9)
    assert (row["task"], row["metric"]) == (None, None)


@pytest.mark.parametrize(
    "text",
    [5, None, "", "a", "[]", "- 5", "- dataset: {id: a/b}\n  value: 1", "- dataset: {id: a/b, task_id: x}", "a: [",
     "- &a [*a]", "!!python/object/apply:os.system [ls]", "x" * 200_000, "\ud800",
     "- {dataset: {id: a/b, task_id: x}, value: 1, source: {name: y}}", "- {dataset: 5, value: 1}"],
)  # fmt: skip
def test_a_file_that_holds_no_results_is_refused(text: Any) -> None:
    with pytest.raises(WorkbenchError):
        from_file(text)


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        (5, "rows"), (None, "rows"), ([5], "rows[0]"), ([{"odd": 1}], "rows[0]"), ([{}], "rows[0].task"),
        ([new(value=None)], "rows[0].value"), ([new(value=True)], "rows[0].value"), ([new(value=[])], "rows[0].value"),
        ([new(value=float("nan"))], "rows[0].value"), ([new(metric=5)], "rows[0].metric"),
        ([new(split="x" * 600)], "rows[0].split"), ([new(name="\ud800")], "rows[0].name"),
        ([new(source_name="A")], "rows[0].source"), ([new(field="model-index[9]")], "rows[0].field"),
        ([new()] * 600, "rows"),
    ],
)  # fmt: skip
def test_rows_that_are_none_are_refused_with_their_place(rows: Any, field: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        row_changes(TEXT, rows)
    assert refused.value.field == field


def test_two_rows_for_one_metric_are_refused() -> None:
    rows = read_rows(TEXT)
    with pytest.raises(WorkbenchError, match="another state"):
        row_changes(TEXT, [rows[0], rows[0]])
