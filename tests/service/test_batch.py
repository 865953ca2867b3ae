"""Many rows at once: the same answers as one by one, errors in their rows, metrics held to figures made by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from task_checks import near

from components.service.batch import Batch, table
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.tasks import TASKS
from components.service.tasks.media import sample
from components.service.visitor import Visitor

CLASSIFY, GENERATE = "text-classification", "text-generation"
CLASSIFIER, GENERATOR = "local/classifier", "local/generator"
TEXTS = ["I love this film", "I hate this so much!", "warm", "It is awful, dull and far too long. " * 12, "simple"] * 9


@pytest.fixture(scope="module")
def batch(settings: Settings, hub: Hub, engine: Engine, tiny_classifier: Path, tiny_generator: Path) -> Batch:
    return Batch(settings, hub, engine, Data(settings, hub, engine))


@pytest.fixture(scope="module")
def run(batch: Batch, visitor: Visitor) -> Callable[..., dict[str, Any]]:
    return lambda *args, **named: batch.run_batch(*args, **named, visitor=visitor)


@pytest.fixture(scope="module")
def one_by_one(inference: Inference, visitor: Visitor) -> Callable[..., list[Any]]:
    def call(task: str, model: str, rows: list[Any], parameters: dict[str, Any]) -> list[Any]:
        return [inference.run_task(task, model, row, parameters, visitor=visitor)["output"] for row in rows]

    return call


@pytest.mark.parametrize("parameters", [{}, {"top_k": 1}, {"function_to_apply": "none"}])
def test_a_batch_gives_what_calls_one_by_one_give(
    run: Callable[..., Any], one_by_one: Callable[..., Any], parameters: dict[str, Any]
) -> None:
    result = run(CLASSIFY, CLASSIFIER, TEXTS, parameters)
    assert [row["input"] for row in result["rows"]] == TEXTS
    assert [row["output"] for row in result["rows"]] == near(one_by_one(CLASSIFY, CLASSIFIER, TEXTS, parameters))
    assert result["throughput"]["rows"] == len(TEXTS)
    assert result["stopped"] is None
    assert "at most 64" in " ".join(result["facts"]["notes"])


CAT = {"sample": "cat.png"}
ASKED = [{"question": "Who said?", "context": text} for text in ("said the fox. " * 40, "I love this", "I love that")]
STACKS: list[tuple[str, str, list[Any], dict[str, Any]]] = [
    ("token-classification", "text_models:tagger", TEXTS[:8], {"aggregation_strategy": "simple"}),
    ("token-classification", "text_models:tagger", TEXTS[:4], {"stride": 8}),
    ("fill-mask", "text_models:masked", ["I [MASK] this", "warm [MASK]", "I hate [MASK]", "no mask", "[MASK]"], {}),
    ("zero-shot-classification", "text_models:entailer", TEXTS[:4], {"candidate_labels": ["warm", "awful", "dull"]}),
    ("feature-extraction", "text_models:encoder", TEXTS[:3] + TEXTS[:2], {}),
    ("feature-extraction", "text_models:encoder", TEXTS[:8], {"pooling": "mean", "normalize": True}),
    ("question-answering", "text_models:reader", ASKED * 2, {"top_k": 2}),
    ("question-answering", "text_models:reader", [{**ASKED[0], "question": "said the small fox " * 8}, ASKED[0]], {}),
    ("image-classification", "vision_models:image_classifier", [CAT, {"sample": "street.png"}, CAT], {"top_k": 2}),
    ("image-feature-extraction", "vision_models:image_encoder", [CAT, {"sample": "street.png"}, "oops"], {}),
]


@pytest.mark.parametrize(("task", "model", "rows", "parameters"), STACKS)
def test_stacked_inputs_of_each_task_keep_apart(
    run: Callable[..., Any], inference: Inference, visitor: Visitor, models_folder: Path, task: str, model: str,
    rows: list[Any], parameters: dict[str, Any],
) -> None:  # fmt: skip
    module, _, build = model.partition(":")
    name = f"batch-{build}"
    if not (models_folder / name).exists():
        getattr(import_module(module), build)(models_folder / name)

    def alone(row: Any) -> dict[str, Any]:
        try:
            return {"output": inference.run_task(task, f"local/{name}", row, parameters, visitor=visitor)["output"]}
        except WorkbenchError as error:
            return {"error": error.message}

    result = run(task, f"local/{name}", rows, parameters)["rows"]
    got = [{key: row[key] for key in ("output", "error") if key in row} for row in result]
    assert got == near([alone(row) for row in rows])


@pytest.mark.parametrize(("task", "model"), dict.fromkeys((task, model) for task, model, *_ in STACKS))
def test_inputs_of_one_shape_go_through_the_model_once(
    settings: Settings, tmp_path: Path, task: str, model: str
) -> None:
    from components.service.worker.calls import Call
    from components.service.worker.models import Models
    from components.service.worker.run import runner
    from components.service.worker.stacking import Row, run_rows

    module, _, build = model.partition(":")
    getattr(import_module(module), build)(tmp_path)
    _, _, rows, parameters = next(row for row in STACKS if row[0] == task)
    call = Call(settings, Models(settings, lambda _: None), lambda _: None)
    one, _ = runner(call, task, str(tmp_path), "tiny", parameters, 60.0)
    calls: list[int] = []
    one.loaded.model.register_forward_hook(lambda *_: calls.append(1))
    item = {"path": str(sample("cat.png"))} if isinstance(rows[0], dict) and "sample" in rows[0] else rows[0]
    done = list(run_rows([Row(one, number, item) for number in range(5)]))
    assert [row.error for row in done] == [None] * 5
    together = len(calls)
    calls.clear()
    one.run(item)
    assert together <= len(calls)


def test_rows_that_are_generated_are_run_one_after_another(
    run: Callable[..., Any], one_by_one: Callable[..., Any]
) -> None:
    rows = ["Once upon a time", "I love"]
    result = run(GENERATE, GENERATOR, rows, {"max_new_tokens": 5})
    assert [row["output"] for row in result["rows"]] == one_by_one(GENERATE, GENERATOR, rows, {"max_new_tokens": 5})


def test_pairs_of_texts_are_rows_too(run: Callable[..., Any], one_by_one: Callable[..., Any]) -> None:
    rows = [{"text": "I love", "text_pair": "the fox"}, "simple", {"text": "said the fox", "text_pair": "simple"}]
    result = run(CLASSIFY, CLASSIFIER, rows)
    assert [row["output"] for row in result["rows"]] == near(one_by_one(CLASSIFY, CLASSIFIER, rows, {}))


def test_an_error_stays_in_its_row(run: Callable[..., Any]) -> None:
    rows = ["I love", "", 7, None, "x" * 200_000, {"text": "a", "url": "http://127.0.0.1"}, "warm"]
    told = [row.get("error", "") for row in run(CLASSIFY, CLASSIFIER, rows)["rows"]]
    assert [bool(one) for one in told] == [False, True, True, True, True, True, False]
    assert "no text yet" in told[1]
    assert "200,000 characters" in told[4]


def test_a_text_without_spaces_stays_as_it_was_in_its_row(run: Callable[..., Any]) -> None:
    row, *_ = run(CLASSIFY, CLASSIFIER, ["我爱这部电影" * 300])["rows"]
    assert row["input"] == "我爱这部电影" * 300


def test_a_row_that_the_model_cannot_take_leaves_the_others(run: Callable[..., Any]) -> None:
    rows = run(GENERATE, GENERATOR, ["Once", "a" * 400, "I"], {"max_new_tokens": 2})["rows"]
    assert [set(row) - {"input", "seconds"} for row in rows] == [{"output"}, {"error"}, {"output"}]
    assert "Shorten the prompt" in rows[1]["error"]


# Where rows come from


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> dict[str, str]:
    """The rows as a file of the kind that its name says."""
    import pandas

    frame = pandas.DataFrame(rows)
    path = folder / name
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        frame.to_csv(path, index=False)
    return {"file": str(path), "name": name}


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet"])
def test_a_file_gives_the_same_as_its_rows(run: Callable[..., Any], tmp_path: Path, name: str) -> None:
    rows = [{"id": i, "sentence": text, "gold": "positive"} for i, text in enumerate(TEXTS[:5])]
    result = run(CLASSIFY, CLASSIFIER, write(tmp_path, name, rows), {}, "gold")
    whole = run(CLASSIFY, CLASSIFIER, TEXTS[:5], {}, ["positive"] * 5)
    assert [row["output"] for row in result["rows"]] == near([row["output"] for row in whole["rows"]])
    assert [row["gold"] for row in result["rows"]] == ["positive"] * 5
    assert result["metrics"] == whole["metrics"]
    assert "text from sentence" in " ".join(result["facts"]["notes"])


@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        ({"text": "I love this\n\n  \nI hate, this\n"}, ["I love this", "I hate, this"]),
        ({"text": "text\nI love this\nwarm"}, ["I love this", "warm"]),
        (
            {"text": "\ufeffText\r\nI love it, really\r\nwarm\u2028and long"},
            ["I love it, really", "warm\u2028and long"],
        ),
        ({"text": 'text\n"I love it, really"\nwarm'}, ["I love it, really", "warm"]),
        ({"text": "\ufefftext,label\nI love this,positive\n"}, ["I love this"]),
        ({"text": "text,label\nI love this,positive\n"}, ["I love this"]),
        ({"text": "a,b\nI love this,what a film\n", "columns": {"text": "b"}}, ["what a film"]),
        (
            {"text": "text,text_pair\nI love,the fox\nwarm,\n"},
            [{"text": "I love", "text_pair": "the fox"}, "warm"],
        ),
    ],
)
def test_pasted_text_is_lines_or_a_table(run: Callable[..., Any], source: dict[str, Any], inputs: list[Any]) -> None:
    assert [row["input"] for row in run(CLASSIFY, CLASSIFIER, source)["rows"]] == inputs


def test_a_table_cannot_name_a_file_of_this_machine() -> None:
    from components.service.tasks.spec import InputSpec
    from components.service.worker.batch_rows import _value

    image = InputSpec("image", "Image", "image")
    assert _value(image, {"file": "/etc/passwd"}) == ""
    assert _value(image, {"path": "/etc/passwd", "bytes": b"\x89PNG"}) == "iVBORw=="
    assert _value(image, {"sample": "cat.png"}) == {"sample": "cat.png"}


@pytest.mark.parametrize(
    ("rows", "gold", "field", "words"),
    [
        (None, None, "rows", "Rows are a list"),
        ("I love", None, "rows", "Rows are a list"),
        ([], None, "rows", "1 to"),
        (["a"] * 10_001, None, "rows", "here are 10,001"),
        (["\ud800"], None, "rows", "half of a character"),
        ([10**400], None, "rows", "JSON values"),
        ({}, None, "rows", "give exactly one"),
        ({"text": ""}, None, "rows", "no data yet"),
        ({"text": "text\n"}, None, "rows", "holds no rows"),
        ({"file": "/nowhere", "name": "a.csv"}, None, "rows", "no longer there"),
        ({"text": "text\na", "columns": [1]}, None, "columns", "an object"),
        ({"text": "a,b\n1,2\n", "columns": {"text": "c"}}, None, "rows", "no column 'c'"),
        ({"text": "a,b\n1,2\n3,4\n"}, "b", "rows", "No column is the text"),
        ({"text": "text,label\na,b\n"}, "gold", "gold", "no column 'gold'"),
        (["a", "b"], ["x"], "gold", "1 gold answers for 2 rows"),
        (["a"], "label", "gold", "a list with one for each row"),
        (["a"], 7, "gold", "a list, or the name"),
        (["a"], ["\ud800"], "gold", "half of a character"),
    ],
)
def test_rows_that_cannot_be_read_are_told_with_their_field(
    run: Callable[..., Any], rows: Any, gold: Any, field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(CLASSIFY, CLASSIFIER, rows, {}, gold)
    assert caught.value.field == field
    assert words in caught.value.message


# Metrics


def test_labels_are_scored_by_name_case_and_number(run: Callable[..., Any]) -> None:
    rows = TEXTS[:4]
    said = [row["output"][0]["label"] for row in run(CLASSIFY, CLASSIFIER, rows)["rows"]]
    numbers = {"negative": 0, "neutral": "1", "positive": 2.0}
    right = [said[0], said[1].upper(), numbers[said[2]], None]
    metrics = run(CLASSIFY, CLASSIFIER, rows, {}, right)["metrics"]
    assert (metrics["rows"], metrics["accuracy"], metrics["f1"]) == (3, 1.0, 1.0)
    wrong = run(CLASSIFY, CLASSIFIER, rows, {}, [said[0], "joyful", said[2], said[3]])["metrics"]
    assert wrong["accuracy"] == 0.75
    assert wrong["accuracy_low"] < 0.75 < wrong["accuracy_high"]
    assert "no label joyful" in wrong["note"]
    assert sum(map(sum, wrong["confusion"])) == 4
    assert wrong["confusion"][wrong["labels"].index("joyful")][wrong["labels"].index(said[1])] == 1


SPANS = [{"entity_group": "PER", "start": 0, "end": 3, "word": "Ada", "score": 0.9}]
SCORES: list[tuple[str, list[tuple[Any, Any]], dict[str, Any]]] = [
    ("spans", [(SPANS, [{"start": 0, "end": 3, "label": "PER"}])], {"precision": 1.0, "recall": 1.0, "f1": 1.0}),
    ("spans", [(SPANS, '[{"start": 0, "end": 3, "label": "LOC"}]')], {"precision": 0.0, "recall": 0.0, "f1": 0.0}),
    ("spans", [(SPANS, [{"start": 0, "end": 3, "label": "PER"}, {"start": 5, "end": 9, "label": "LOC"}])],
     {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}),
    ("spans", [(SPANS, [{"start": [0], "end": {}, "label": "PER"}])], {}),
    ("answers", [({"answer": "the Brooklyn bridge."}, "Brooklyn Bridge")], {"exact_match": 1.0, "f1": 1.0}),
    ("answers", [([{"answer": "in Brooklyn"}], ["Queens", "Brooklyn"])],
     {"exact_match": 0.0, "f1": pytest.approx(2 / 3)}),
    ("answers", [({"answer": ""}, {"text": [], "answer_start": []})], {"exact_match": 1.0, "f1": 1.0}),
    ("text", [([{"generated_text": "one "}], "one"), ([{"summary_text": "two"}], "Two")], {"exact_match": 0.5}),
    ("fills", [([{"token_str": "a"}, {"token_str": " b"}], "b")], {"accuracy": 0.0, "found": 1.0}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "pairs", "expected"), SCORES)
def test_metrics_are_those_made_by_hand(kind: Any, pairs: list[tuple[Any, Any]], expected: dict[str, Any]) -> None:
    from components.service.worker.scoring import score

    found = score(replace(TASKS[CLASSIFY], output=kind), [], pairs)
    assert {name: value for name, value in found.items() if name not in ("rows", "note")} == expected


def test_a_model_of_one_label_is_scored_as_a_regression() -> None:
    from components.service.worker.scoring import score

    pairs = [([{"label": "LABEL_0", "score": value}], gold) for value, gold in ((1.0, 2.0), (2.0, "4.0"), (3.0, None))]
    found = score(TASKS[CLASSIFY], ["LABEL_0"], pairs)
    assert (found["mse"], found["mae"], found["pearson"]) == (2.5, 1.5, pytest.approx(1))


def test_a_row_whose_gold_label_is_empty_does_not_count() -> None:
    from components.service.worker.scoring import score

    said = [{"label": "good", "score": 1.0}]
    found = score(TASKS[CLASSIFY], ["good", "bad"], [(said, gold) for gold in ("good", "bad", "", " ", {})])
    assert (found["rows"], found["accuracy"], found["labels"]) == (2, 0.5, ["good", "bad"])
    assert score(TASKS[CLASSIFY], ["good", "bad"], [(said, "")])["rows"] == 0


def test_what_has_no_metric_says_so() -> None:
    from components.service.worker.scoring import score

    found = score(replace(TASKS[CLASSIFY], output="vectors"), [], [([[0.1]], "x")])
    assert "no metric" in found["note"]


# Followed, stopped, bounded


def test_progress_is_told_and_ends_with_all_rows(batch: Batch, visitor: Visitor) -> None:
    items = list(batch.stream_batch(GENERATE, GENERATOR, ["Once upon"] * 6, {"max_new_tokens": 60}, visitor=visitor))
    assert items[0]["total"] == 6
    assert [item["done"] for item in items[1:-1]] == sorted(item["done"] for item in items[1:-1])
    numbers = [number for item in items[1:-1] for number, _ in item["rows"]]
    assert sorted(numbers) == list(range(6))
    assert items[-1]["finished"]


def test_closing_a_batch_stops_it(batch: Batch, visitor: Visitor, run: Callable[..., Any]) -> None:
    for _ in range(4):  # more than run side by side
        stream = batch.stream_batch(GENERATE, GENERATOR, ["Once"] * 2000, {"max_new_tokens": 100}, visitor=visitor)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
    assert run(CLASSIFY, CLASSIFIER, ["I love"])["rows"][0]["output"]


def test_what_is_done_when_the_time_is_up_is_returned(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, run: Callable[..., Any]
) -> None:
    run(GENERATE, GENERATOR, ["Once"], {"max_new_tokens": 1})
    hurried = replace(settings, batch_seconds=2.0)
    slow = Batch(hurried, hub, engine, Data(hurried, hub, engine))
    result = slow.run_batch(GENERATE, GENERATOR, ["Once upon"] * 3000, {"max_new_tokens": 100}, visitor=visitor)
    assert result["stopped"] == "time"
    assert len(result["rows"]) == 3000
    assert "output" in result["rows"][0]
    assert "time for one batch was up" in result["rows"][-1]["error"]


def test_results_that_are_too_large_end_the_batch(
    settings: Settings, hub: Hub, visitor: Visitor, tiny_classifier: Path
) -> None:
    from components.service.worker.batch import run_batch
    from components.service.worker.calls import Call
    from components.service.worker.models import Models

    tight = replace(settings, batch_bytes=1500)
    call = Call(tight, Models(tight, lambda _: None), lambda _: None)
    items = list(
        run_batch(
            call, task=CLASSIFY, path=str(tiny_classifier), model="tiny", source={"rows": TEXTS}, gold=None,
            parameters={}, caps={}, seconds=60,
        )
    )  # fmt: skip
    assert items[-1]["stopped"] == "size"
    errors = [row["error"] for item in items[1:-1] for _, row in item["rows"] if "error" in row]
    assert 0 < len(errors) < len(TEXTS)


# Taken along


def test_a_saved_table_holds_the_rows_and_no_formula(run: Callable[..., Any]) -> None:
    rows = ["=1+1", "+1", "-1", "@a", 'I love, "this"\nfilm', ""]
    result = run(CLASSIFY, CLASSIFIER, rows, {}, ["-neutral", None, None, None, None, None])
    read = list(csv.DictReader(io.StringIO(table(result))))
    assert [row["text"] for row in read] == ["'=1+1", "'+1", "'-1", "'@a", 'I love, "this"\nfilm', ""]
    assert read[0]["gold"] == "'-neutral"
    assert read[0]["answer"] == result["rows"][0]["output"][0]["label"]
    assert json.loads(read[0]["output"]) == result["rows"][0]["output"]
    assert "no text yet" in read[5]["error"]
    assert [json.loads(line) for line in table(result, "jsonl").splitlines()] == result["rows"]
    with pytest.raises(WorkbenchError, match="csv or jsonl"):
        table(result, "xlsx")
