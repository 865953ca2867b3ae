"""From tables to rows: cells by role, labels of every type, remedies that do what they say, splits that are fair."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.service.errors import WorkbenchError
from components.service.runs.cells import labels_value, messages_value, number_value, tags_value, tokens_value
from components.service.runs.checks import REMEDIES
from components.service.runs.remedies import REMEDY, labels_of
from components.service.runs.rows import Rows, choose_rows
from components.service.runs.spec import RunSpec
from components.service.runs.tasks import TRAIN_TASKS
from components.service.runs.values import Picture
from components.service.worker.data import inspect_data
from components.service.worker.sources import load
from components.service.worker.tables import Caps, Table


def spec(task: str = "text-classification", **settings: Any) -> RunSpec:
    return RunSpec(task, "a/model", {"text": "-"}, **settings)


def chosen(table: dict[str, list[Any]], task: str = "text-classification", **settings: Any) -> Rows:
    names = settings.pop("names", {})
    return choose_rows({"train": Table(table, names)}, spec(task, **settings))


TEXTS = [f"the {i}th film was long" for i in range(40)]
LABELS: list[tuple[str, list[Any], dict[str, Any], str, list[str], set[Any]]] = [
    ("names", ["pos", "neg"] * 20, {}, "single", ["neg", "pos"], {"pos", "neg"}),
    ("whole numbers", [0, 1, 2, 10] * 10, {}, "single", ["0", "1", "2", "10"], {"0", "1", "2", "10"}),
    ("whole numbers as floats", [1.0, 2.0] * 20, {}, "single", ["1", "2"], {"1", "2"}),
    ("truth values", [True, False] * 20, {}, "single", ["False", "True"], {"True", "False"}),
    ("indices of named classes", [1, 0] * 20, {"names": ["no", "yes"]}, "single", ["no", "yes"], {"no", "yes"}),
    ("their indices as texts", ["1", "0"] * 20, {"names": ["no", "yes"]}, "single", ["no", "yes"], {"no", "yes"}),
    ("numbers", [i / 7 for i in range(40)], {}, "regression", [], {i / 7 for i in range(40)}),
    ("numbers as texts", [f"{i}.5" for i in range(40)], {}, "regression", [], {i + 0.5 for i in range(40)}),
    ("many whole numbers", [i * 3 for i in range(40)], {}, "regression", [], {float(i * 3) for i in range(40)}),
    ("few of them", [i % 5 for i in range(40)], {"problem": "regression"}, "regression", [], {0.0, 1.0, 2.0, 3.0, 4.0}),
    ("lists", [["a"], ["b", "a"], [], ["c"]] * 10, {}, "multi", ["a", "b", "c"], {("a",), ("b", "a"), (), ("c",)}),
    ("lists as JSON", ['["a"]', '["a", "b"]'] * 20, {}, "multi", ["a", "b"], {("a",), ("a", "b")}),
    ("lists as Python", ["['a']", "['a', 'b']"] * 20, {}, "multi", ["a", "b"], {("a",), ("a", "b")}),
    ("lists of indices", [[0], [0, 1]] * 20, {"names": ["x", "y"]}, "multi", ["x", "y"], {("x",), ("x", "y")}),
    ("texts with bars", ["a|b", "b"] * 20, {"problem": "multi"}, "multi", ["a", "b"], {("a", "b"), ("b",)}),
    ("numbers as classes", [0.5, 1.5] * 20, {"problem": "single"}, "single", ["0.5", "1.5"], {"0.5", "1.5"}),
]


@pytest.mark.parametrize(("values", "more", "problem", "labels", "held"), [case[1:] for case in LABELS])
def test_labels_of_every_type_are_what_they_are(
    values: list[Any], more: dict[str, Any], problem: str, labels: list[str], held: set[Any]
) -> None:
    names = {"label": more["names"]} if "names" in more else {}
    asked = {key: value for key, value in more.items() if key != "names"}
    rows = chosen({"text": TEXTS, "label": values}, names=names, columns={"text": "text", "label": "label"}, **asked)
    assert (rows.problem, rows.labels) == (problem, labels)
    found = [row["label"] for row in [*rows.train, *rows.validation]]
    assert {tuple(one) if isinstance(one, list) else one for one in found} == held
    assert len(found) == 40


@pytest.mark.parametrize(
    ("convert", "cell", "value"),
    [
        (number_value, "3.5", 3.5),
        (number_value, "nan", None),
        (number_value, float("inf"), None),
        (number_value, "three", None),
        (number_value, 10**400, None),
        (labels_value, None, None),
        (labels_value, "a; b ,a", ["a", "b"]),
        (labels_value, [3, True], ["3", "True"]),
        (labels_value, {"a": 1}, None),
        (tokens_value, "EU rejects call", ["EU", "rejects", "call"]),
        (tokens_value, '["EU", "1"]', ["EU", "1"]),
        (tokens_value, [], None),
        (tokens_value, ["a", None], None),
        (tokens_value, "{[1]: 2}", ["{[1]:", "2}"]),
        (labels_value, "[('", ["[('"]),
        (tokens_value, 3, None),
        (messages_value, [{"from": "human", "value": "hi"}], [{"role": "user", "content": "hi"}]),
        (messages_value, '[{"role": "user", "content": "hi"}]', [{"role": "user", "content": "hi"}]),
        (
            messages_value,
            [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
            [{"role": "user", "content": "hi"}],
        ),
        (messages_value, [{"role": "user"}], None),
        (messages_value, ["hi"], None),
        (messages_value, "[" * 10_000, None),
    ],
)  # fmt: skip
def test_a_cell_becomes_what_its_role_holds_or_nothing(convert: Any, cell: Any, value: Any) -> None:
    assert convert(cell) == value


@pytest.mark.parametrize(
    ("cell", "names", "tags"),
    [
        (["O", "B-LOC"], [], ["O", "B-LOC"]),
        ([0, 1], ["O", "B-LOC"], ["O", "B-LOC"]),
        ("O B-LOC", [], ["O", "B-LOC"]),
        (["O"], [], None),
        ([0, 7], ["O", "B-LOC"], None),
        (None, [], None),
    ],
)
def test_every_token_has_a_tag_or_the_row_is_not_used(cell: Any, names: list[str], tags: Any) -> None:
    assert tags_value(cell, ["in", "Paris"], names) == tags


ANSWER = {"text": ["Paris"], "answer_start": [3]}
CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
TASKS: list[tuple[str, dict[str, list[Any]], dict[str, str], dict[str, Any]]] = [
    (
        "token-classification",
        {"id": ["x"], "tokens": [["in", "Paris"]], "pos_tags": [["IN", "NNP"]], "ner_tags": [["O", "B-LOC"]]},
        {"tokens": "tokens", "tags": "ner_tags"},
        {"tokens": ["in", "Paris"], "tags": ["O", "B-LOC"]},
    ),
    (
        "question-answering",
        {"id": ["x"], "title": ["some title"], "context": ["in Paris it rains"], "question": ["where?"],
         "answers": [ANSWER]},
        {"question": "question", "context": "context", "answers": "answers"},
        {"question": "where?", "context": "in Paris it rains", "answers": ANSWER},
    ),
    (
        "text-generation",
        {"id": ["x"], "messages": [CHAT]},
        {"messages": "messages"},
        {"messages": CHAT},
    ),
    ("text-generation", {"story": ["once upon a time"]}, {"text": "story"}, {"text": "once upon a time"}),
    ("fill-mask", {"n": [3], "text": ["once upon a time"]}, {"text": "text"}, {"text": "once upon a time"}),
    (
        "summarization",
        {"highlights": ["it rains"], "article": ["it rains in Paris all day long"], "id": ["x"]},
        {"text": "article", "target": "highlights"},
        {"text": "it rains in Paris all day long", "target": "it rains"},
    ),
    (
        "summarization",
        {"document": ["it rains in Paris all day long"], "summary": ["cat"]},
        {"text": "document", "target": "summary"},
        {"text": "it rains in Paris all day long", "target": "cat"},
    ),
    (
        "summarization",
        {"article": ["it rains in Paris all day long"], "note": ["it rains"], "target": ["cat"]},
        {"text": "article", "target": "note"},
        {"text": "it rains in Paris all day long", "target": "it rains"},
    ),
    (
        "translation",
        {"translation.en": ["it rains"], "translation.fr": ["il pleut"]},
        {"text": "translation.en", "target": "translation.fr"},
        {"text": "it rains", "target": "il pleut"},
    ),
    (
        "translation",
        {"target": ["il pleut"], "source": ["it rains"]},
        {"text": "source", "target": "target"},
        {"text": "it rains", "target": "il pleut"},
    ),
    (
        "image-classification",
        {"img": [Picture(b"png")], "label": ["cat"]},
        {"image": "img", "label": "label"},
        {"image": b"png", "label": "cat"},
    ),
    (
        "text-classification",
        {"premise": ["it rains"], "hypothesis": ["it is wet"], "label": [1]},
        {"text": "premise", "text_pair": "hypothesis", "label": "label"},
        {"text": "it rains", "text_pair": "it is wet", "label": "1"},
    ),
]  # fmt: skip


def _varied(value: Any, i: int) -> Any:
    """The value with another text in it for each row, where what it is bears that."""
    if isinstance(value, Picture):
        return Picture(value.data + bytes([i]))
    if isinstance(value, str) and value not in ("cat", "x"):
        return f"{value} and {i} so on, number {i * i}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [{**one, "content": f"{one['content']} {i}"} for one in value]
    if isinstance(value, list) and value and value[0] == "in":
        return [*value[:1], f"Paris{i}"]
    return f"x{i}" if value == "x" else "dog" if value == "cat" and i % 2 else (value + i % 3 if value == 1 else value)


@pytest.mark.parametrize(("task", "columns", "guessed", "row"), TASKS)
def test_the_columns_of_every_task_are_guessed_and_read(
    task: str, columns: dict[str, list[Any]], guessed: dict[str, str], row: dict[str, Any]
) -> None:
    table = {name: values + [_varied(values[0], i) for i in range(1, 30)] for name, values in columns.items()}
    rows = chosen(table, task)
    assert rows.columns == guessed
    assert row in [*rows.train, *rows.validation]
    assert len(rows.train) + len(rows.validation) == 30


def test_lists_of_answers_are_known_though_some_are_empty() -> None:
    told = [[{"text": "nobody", "answer_start": 6}] if i % 2 else [] for i in range(40)]
    texts = {"query": [f"who is {i}?" for i in range(40)], "passage": [f"He is nobody {i}" for i in range(40)]}
    rows = chosen({**texts, "solution": told}, "question-answering")
    assert rows.columns == {"question": "query", "context": "passage", "answers": "solution"}
    assert sum(not row["answers"]["text"] for row in [*rows.train, *rows.validation]) == 20


@pytest.mark.parametrize(
    ("task", "columns", "field"),
    [
        ("text-classification", {"text": TEXTS}, "columns.label"),
        ("token-classification", {"tokens": [["a"]]}, "columns.tags"),
        ("question-answering", {"question": TEXTS}, "columns.context"),
        ("text-generation", {"n": [1, 2]}, "columns.text"),
        ("image-classification", {"label": ["a", "b"] * 20}, "columns.image"),
        ("text-classification", {"text": TEXTS, "label": ["a"] * 40}, "columns.label"),
        ("text-classification", {"text": ["a b", "c d"], "label": [None, "x"]}, "data"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_with_the_field(task: str, columns: dict[str, Any], field: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        chosen(columns, task)
    assert refused.value.field == field


def test_all_rows_cannot_be_held_out() -> None:
    with pytest.raises(WorkbenchError, match="40 rows cannot be held out of 40") as refused:
        chosen({"text": TEXTS, "label": ["a", "b"] * 20}, validation=40)
    assert refused.value.field == "validation"


def test_questions_about_one_context_stay_together_unless_it_is_the_only_one() -> None:
    asked = {"question": [f"who is {i}?" for i in range(60)], "answers": [{"text": [], "answer_start": []}] * 60}
    several = chosen({**asked, "context": [f"He is {i // 5}" for i in range(60)]}, "question-answering")
    train, held = ({row["context"] for row in part} for part in (several.train, several.validation))
    assert not train & held
    assert len(several.validation) == 10
    assert "shared_contexts" not in several.facts()
    one = chosen({**asked, "context": ["He is nobody"] * 60}, "question-answering")
    assert len(one.validation) == 12
    assert one.facts()["shared_contexts"] == {"validation": 12}


def splits() -> dict[str, Table]:
    """Data with one of each ailment."""
    train = [(f"film {i} was fine, I think", "good" if i % 2 else "bad") for i in range(40)]
    train += [("film 1 was fine, I think", "good")] * 2
    train += [("so so", "good"), ("so so", "bad"), ("odd one", "odd"), ("what", "nan"), ("trÃ¨s bien", "good")]
    held = [("film 2 was fine, I think", "bad"), ("new one", "good"), ("newer one", "bad"), ("strange", "alien")]
    tables = {"train": train, "validation": held}
    return {name: Table({"text": [t for t, _ in rows], "label": [v for _, v in rows]}) for name, rows in tables.items()}


EFFECTS = {
    "mend_encoding": (47, 4, 1, ["alien", "bad", "good", "nan", "odd"]),
    "drop_missing": (46, 4, 1, ["alien", "bad", "good", "odd"]),
    "drop_duplicates": (45, 4, 2, ["alien", "bad", "good", "nan", "odd"]),
    "drop_contradictions": (45, 4, 2, ["alien", "bad", "good", "nan", "odd"]),
    "drop_leaks": (46, 4, 1, ["alien", "bad", "good", "nan", "odd"]),
    "drop_rare": (45, 4, 2, ["alien", "bad", "good"]),
    "drop_unknown_labels": (47, 3, 1, ["bad", "good", "nan", "odd"]),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_each_remedy_does_one_thing_and_it_is_recorded(name: str) -> None:
    rows = choose_rows(splits(), spec(remedies=(name,)))
    train, held, changed, labels = EFFECTS[name]
    assert (len(rows.train), len(rows.validation), rows.labels) == (train, held, labels)
    facts = rows.facts()
    assert facts["remedied"] == {name: changed}
    assert facts["data_fingerprint"] != choose_rows(splits(), spec()).fingerprint()
    before = choose_rows(splits(), spec())
    kept = rows.validation == before.validation
    assert (facts["evaluation_fingerprint"] == before.facts()["evaluation_fingerprint"]) is kept


def test_all_remedies_together_leave_sound_rows() -> None:
    assert tuple(REMEDY) == REMEDIES
    rows = choose_rows(splits(), spec(remedies=REMEDIES))
    assert rows.labels == ["bad", "good"]
    assert "très bien" in [row["text"] for row in rows.train]
    assert len({row["text"] for row in rows.train}) == len(rows.train) == 40
    assert not {row["text"] for row in rows.train} & {row["text"] for row in rows.validation}
    assert rows.facts()["label_counts"] == {"train": {"bad": 19, "good": 21}, "validation": {"bad": 2, "good": 1}}


def test_a_rare_label_among_several_is_taken_out_of_the_lists() -> None:
    labels = [["common"] + (["rare"] if i < 3 else ["other"]) for i in range(40)]
    rows = chosen({"text": TEXTS, "label": labels}, remedies=("drop_rare",))
    assert rows.labels == ["common", "other"]
    assert rows.remedied == {"drop_rare": 3}
    assert len(rows.train) + len(rows.validation) == 40


def test_an_answer_is_found_again_when_its_context_is_mended() -> None:
    context = ["Le café est trÃ¨s bon Ã  Paris, et tout le monde le sait"] * 30
    answers = [{"text": ["trÃ¨s bon"], "answer_start": [12]}] * 30
    questions = [f"{i}?" for i in range(30)]
    columns = {"question": questions, "context": context, "answers": answers}
    rows = chosen(columns, "question-answering", remedies=("mend_encoding",))
    row = rows.train[0]
    start = row["answers"]["answer_start"][0]
    assert row["answers"]["text"] == ["très bon"] == [row["context"][start : start + 8]]


def test_the_fingerprint_seen_before_is_that_of_the_run(tmp_path: Path) -> None:
    lines = [json.dumps({"text": text, "label": i % 3 / 2}) for i, text in enumerate(TEXTS)]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(lines))
    source = {"file": str(file), "name": "rows.jsonl"}
    for options in ({}, {"seed": 3}, {"validation": 7}, {"problem": "single"}, {"remedies": ["drop_rare"]}):
        seen = inspect_data(None, source, options=options)["split"]
        asked = {**options, "remedies": tuple(options.get("remedies", ()))}
        run = choose_rows(load(source, Caps()), spec(**asked)).facts()
        assert seen["fingerprint"] == run["data_fingerprint"]
        assert (seen["train"], seen["validation"]) == (run["rows"]["train"], run["rows"]["validation"])


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=False),
    st.sampled_from(["a", "b", "nan", "a b", "a;b", "O", "[1]", "trÃ¨s", "", "[", '{"role": 1}', "a film, it is"]),
    st.text(max_size=5),
    st.lists(st.sampled_from(["a", "b", "O", "B-LOC", 1, None, 0.5]), max_size=3),
    st.lists(st.dictionaries(st.sampled_from(["role", "content", "text", "from"]), st.text(max_size=3)), max_size=2),
    st.fixed_dictionaries({"text": st.lists(st.just("a")), "answer_start": st.lists(st.integers(-2, 9), max_size=2)}),
    st.dictionaries(st.sampled_from(["en", "fr"]), st.text(max_size=3)),
    st.sampled_from(["data:image/png;base64,AAAA", "data:image/png;base64,A"]),
)  # fmt: skip
NAMES = st.sampled_from(
    ["text", "label", "tokens", "tags", "question", "context", "answers", "messages", "target", "image", "id"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(NAMES, st.lists(CELLS, min_size=12, max_size=12), min_size=1, max_size=4),
    st.sampled_from(sorted(TRAIN_TASKS)),
    st.sampled_from(["auto", "single", "multi", "regression"]),
    st.lists(st.sampled_from(REMEDIES), unique=True),
    st.sampled_from([0.2, 0.5, 2, 5]),
)
def test_any_table_is_either_trained_on_or_refused_in_words(
    table: dict[str, list[Any]], task: str, problem: str, remedies: list[str], validation: float
) -> None:
    lines = [json.dumps({name: values[i] for name, values in table.items()}) for i in range(12)]
    options = {"problem": problem, "remedies": remedies, "validation": validation}
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(lines))
        file.flush()
        source = {"file": file.name, "name": "rows.jsonl"}
        try:
            tables = load(source, Caps())
        except WorkbenchError:
            return  # nothing but empty rows
        seen = inspect_data(None, source, task=task, options=options)
    json.dumps(seen, allow_nan=False)
    errors = [found for found in seen["problems"] if found["level"] == "error"]
    assert all(found["message"] and found["fix"] and found["field"] for found in seen["problems"])
    asked = spec(task, **{**options, "remedies": tuple(remedies)})
    if seen["split"] is None:
        assert errors
        with pytest.raises(WorkbenchError):
            choose_rows(tables, asked)
        return
    rows = choose_rows(tables, asked)
    assert seen["split"]["fingerprint"] == rows.fingerprint()
    assert rows.train
    assert rows.validation
    named = {label for row in [*rows.train, *rows.validation, *rows.test] for label in labels_of(row)}
    assert named <= set(rows.labels)


def test_names_of_tags_in_parquet_and_in_a_readme_are_known(tmp_path: Path) -> None:
    tags = {"feature": {"names": ["O", "B-LOC"], "_type": "ClassLabel"}, "_type": "List"}
    features = json.dumps({"info": {"features": {"tokens": {"_type": "List"}, "ner_tags": tags}}})
    table = pa.table({"tokens": [["in", f"Paris{i}"] for i in range(30)], "ner_tags": [[0, 1]] * 30})
    pq.write_table(table.replace_schema_metadata({"huggingface": features}), tmp_path / "a.parquet")
    found = inspect_data(None, {"file": str(tmp_path / "a.parquet"), "name": "a.parquet"}, task="token-classification")
    assert found["labels"] == [{"label": "O", "count": 30}, {"label": "B-LOC", "count": 30}]
    folder = tmp_path / "set"
    folder.mkdir()
    pq.write_table(table, folder / "train.parquet")
    names = {"sequence": {"class_label": {"names": {"0": "O", "1": "B-LOC"}}}, "name": "ner_tags"}
    (folder / "README.md").write_text(f"---\n{json.dumps({'dataset_info': {'features': [names]}})}\n---\n")
    found = inspect_data(None, {"folder": str(folder)}, task="token-classification")
    assert [entry["label"] for entry in found["labels"]] == ["O", "B-LOC"]
