"""The data doctor: what it finds, what one click does about it, and that it is then gone."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.runs.checks import REMEDIES
from components.service.settings import Settings
from components.service.visitor import Visitor
from components.service.worker.data import inspect_data

ME = Visitor("machine")
Seen = dict[str, Any]


@pytest.fixture(scope="module")
def reader(tiny_classifier: Path) -> Seen:
    """The tiny classifier's tokenizer, which reads 64 tokens, as a call of the worker names it."""
    return {"path": str(tiny_classifier), "name": "local/classifier", "tokens": 2048}


@pytest.fixture(scope="module")
def writer(tiny_generator: Path) -> Seen:
    """The tiny generator's tokenizer, which reads 128 tokens."""
    return {"path": str(tiny_generator), "name": "local/generator", "tokens": 2048}


def look(folder: Path, splits: dict[str, list[dict[str, Any]]], **more: Any) -> Seen:
    for name, rows in splits.items():
        (folder / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return inspect_data(None, {"folder": str(folder)}, **more)


def told(seen: Seen, said: str) -> Seen:
    """The one finding that says so."""
    found = [problem for problem in seen["problems"] if re.search(said, problem["message"])]
    assert len(found) == 1, [problem["message"] for problem in seen["problems"]]
    return found[0]


GOOD = [{"text": f"film {i} was fine, I think", "label": "good" if i % 2 else "bad"} for i in range(60)]
HELD = [{"text": f"play {i} was fine, I think", "label": "good" if i % 2 else "bad"} for i in range(20)]
AILMENTS: list[tuple[str, dict[str, list[dict[str, Any]]], str, str]] = [
    ("drop_duplicates", {"train": GOOD + GOOD[:3]}, "3 rows repeat", "Leaves out 3 rows of train"),
    ("drop_leaks", {"train": [*GOOD, HELD[1]]}, "1 text of validation also stands in train", "Leaves out 1 row of"),
    (
        "drop_contradictions",
        {"train": [*GOOD, {**GOOD[0], "label": "good"}]},
        "1 text has different labels in different rows: 'film 0",
        "Leaves out all 2 rows",
    ),
    (
        "drop_rare",
        {"train": [*GOOD, {"text": "so so", "label": "neutral"}], "validation": HELD},
        "1 class is rare: neutral \\(1\\)",
        "Leaves out 1 row; the model will not know",
    ),
    (
        "drop_unknown_labels",
        {"validation": [*HELD, {"text": "so so", "label": "neutral"}]},
        "validation has labels that train has not: neutral",
        "Leaves out 1 row of what is evaluated on",
    ),
    (
        "drop_missing",
        {"train": [*GOOD, *({"text": f"odd {i}", "label": "NaN"} for i in range(6))]},
        "6 rows have the label NaN",
        "Leaves out 6 rows without a real label",
    ),
    (
        "mend_encoding",
        {"train": [*GOOD, {"text": "un film trÃ¨s bien", "label": "good"}]},
        "1 row has letters of a wrong encoding: un film trÃ¨s bien",
        "Writes 1 row as",
    ),
]


@pytest.mark.parametrize(("name", "splits", "said", "effect"), AILMENTS)
def test_one_click_does_what_it_says_and_can_be_taken_back(
    tmp_path: Path, name: str, splits: dict[str, list[dict[str, Any]]], said: str, effect: str
) -> None:
    splits = {"train": GOOD, "validation": HELD, **splits}
    before = look(tmp_path, splits)
    remedy = told(before, said)["remedy"]
    assert (remedy["name"], remedy["changes"]) == (name, {"remedies": [name]})
    assert remedy["effect"].startswith(effect)
    after = look(tmp_path, splits, options=remedy["changes"])
    assert not [problem for problem in after["problems"] if re.search(said, problem["message"])]
    undo = next(problem["remedy"] for problem in after["problems"] if (problem["remedy"] or {}).get("label") == "Undo")
    assert (undo["name"], undo["changes"]) == (name, {"remedies": []})
    rows = [seen["split"]["train"] + seen["split"]["validation"] for seen in (before, after)]
    number = int(re.search(r"\d+", remedy["effect"])[0])  # type: ignore[index]
    assert rows[0] - rows[1] == (0 if name == "mend_encoding" else number)
    assert before["split"]["fingerprint"] != after["split"]["fingerprint"]


def test_the_cases_above_are_all_remedies() -> None:
    assert {name for name, *_ in AILMENTS} == set(REMEDIES)


def test_a_second_remedy_keeps_the_first(tmp_path: Path) -> None:
    splits = {"train": [*GOOD, GOOD[0], HELD[0]], "validation": HELD}
    seen = look(tmp_path, splits, options={"remedies": ["drop_leaks"]})
    remedy = told(seen, "1 row repeats")["remedy"]
    assert remedy["changes"] == {"remedies": ["drop_duplicates", "drop_leaks"]}


SETTINGS: list[tuple[str, list[dict[str, Any]], dict[str, Any], str, dict[str, Any]]] = [
    (
        "numbers that could be classes",
        [{"text": f"film {i}", "label": i % 4 / 2} for i in range(60)],
        {},
        "label holds numbers, from 0 to 1.5",
        {"problem": "single"},
    ),
    (
        "classes that could be numbers",
        [{"text": f"film {i}", "label": i} for i in range(60)],
        {"columns": {"text": "text", "label": "label"}, "options": {"problem": "single"}},
        "60 different values in 60 rows",
        {"problem": "regression"},
    ),
    (
        "several labels in one text",
        [{"text": f"film {i}", "label": ["a;b", "b", "a", "b;c"][i % 4]} for i in range(60)],
        {},
        "several labels in one cell: a;b",
        {"problem": "multi"},
    ),
    (
        "a column that is not there",
        GOOD,
        {"columns": {"text": "text", "label": "stars"}},
        "no column 'stars'",
        {"columns": {"text": "text", "label": "label"}},
    ),
    (
        "chats without an answer",
        [{"messages": [{"role": "user", "content": f"hi {i}"}]} for i in range(60)],
        {"task": "text-generation", "options": {"learn": "assistant"}},
        "60 chats have no message of the assistant",
        {"learn": "all"},
    ),
]


@pytest.mark.parametrize(("rows", "more", "said", "changes"), [case[1:] for case in SETTINGS])
def test_a_setting_is_offered_where_it_mends_what_is_wrong(
    tmp_path: Path, rows: list[dict[str, Any]], more: dict[str, Any], said: str, changes: dict[str, Any]
) -> None:
    remedy = told(look(tmp_path, {"train": rows}, **more), said)["remedy"]
    assert (remedy["name"], remedy["changes"]) == ("setting", changes)
    columns = changes.get("columns", more.get("columns"))
    options = {**more.get("options", {}), **{key: value for key, value in changes.items() if key != "columns"}}
    again = look(tmp_path, {"train": rows}, **{**more, "columns": columns, "options": options})
    assert not [problem for problem in again["problems"] if re.search(said, problem["message"])]


def test_what_no_click_can_mend_is_told_with_what_to_do(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"tokens": ["in", f"Paris{i}"], "tags": ["O", "B-LOC"] if i else ["O"]} for i in range(60)
    ]
    found = told(look(tmp_path, {"train": rows}, task="token-classification"), "without a tag for each token")
    assert (found["field"], found["remedy"]) == ("columns.tags", None)
    ann = {"text": ["Ann"], "answer_start": [0]}
    asked: list[dict[str, Any]] = [
        {"question": f"who is {i}?", "context": f"He is nobody {i}", "answers": ann} for i in range(60)
    ]
    asked += [{**one, "answers": {"text": ["nobody"], "answer_start": [6]}} for one in asked]
    found = told(look(tmp_path, {"train": asked}, task="question-answering"), "60 rows are without an answer")
    assert "left out" in found["fix"]
    lost = told(look(tmp_path, {"train": [{**GOOD[0], "text": "un film tr\ufffds bien"}, *GOOD]}), "a letter was lost")
    assert "export the data again as UTF-8" in lost["fix"]


def test_contexts_that_are_trained_and_evaluated_on_are_told(tmp_path: Path) -> None:
    def asked(contexts: int, start: int = 0) -> list[dict[str, Any]]:
        none: dict[str, Any] = {"text": [], "answer_start": []}
        return [
            {"question": f"who is {i}?", "context": f"He is nobody {i % contexts}", "answers": none}
            for i in range(start, start + 60)
        ]

    seen = look(tmp_path, {"train": asked(12)}, task="question-answering")
    assert not [problem for problem in seen["problems"] if "context" in problem["message"]]
    assert seen["split"]["how"].startswith("A fifth of the rows, all of a context together, is held out")
    seen = look(tmp_path, {"train": asked(1)}, task="question-answering")
    found = told(seen, "rows are held out singly. 12 questions of validation are about a context in train")
    assert "Add rows about other contexts" in found["fix"]
    assert seen["split"]["how"].startswith("A fifth of the rows is held out")
    seen = look(tmp_path, {"train": asked(12), "validation": asked(12, 60)[:1]}, task="question-answering")
    assert told(seen, "^1 question of validation is about a context in train")["field"] == "columns.context"


def test_labels_are_counted_by_what_they_are(tmp_path: Path) -> None:
    several = [{"text": f"film {i}", "label": ["a", "b"] if i % 2 else []} for i in range(60)]
    seen = look(tmp_path, {"train": several})
    assert (seen["problem"], seen["labels"]) == ("multi", [{"label": "a", "count": 30}, {"label": "b", "count": 30}])
    numbers = [{"text": f"film {i}", "label": i / 10} for i in range(101)]
    seen = look(tmp_path, {"train": numbers})
    assert seen["problem"] == "regression"
    assert seen["labels"][0] == {"label": "0 to 0.5", "count": 5}
    assert sum(one["count"] for one in seen["labels"]) == 101


def test_texts_that_will_be_cut_are_told_with_a_length_that_cuts_none(tmp_path: Path, reader: Seen) -> None:
    rows = [{"text": "film " * (i % 30 + 1), "label": "good" if i % 2 else "bad"} for i in range(300)]
    rows = [{**row, "text": f"{i % 10} {row['text']}"} for i, row in enumerate(rows)]
    seen = look(tmp_path, {"train": rows, "validation": HELD}, model=reader, options={"max_length": 16})
    tokens = seen["tokens"]
    # Each has a number, i % 30 + 1 films, and two special tokens: beyond 16 are those of more than 13 films.
    assert (tokens["limit"], tokens["longest"], tokens["unit"]) == (16, 33, "tokens")
    assert tokens["cut"] == pytest.approx(17 / 30)
    assert sum(bar["count"] for bar in tokens["histogram"]) == tokens["measured"] == tokens["rows"] == 300
    remedy = told(seen, "56.7 % of the texts are longer than 16 tokens")["remedy"]
    assert remedy["changes"] == {"max_length": 40}
    again = look(tmp_path, {"train": rows, "validation": HELD}, model=reader, options=remedy["changes"])
    assert (again["tokens"]["limit"], again["tokens"]["cut"]) == (40, 0)
    longer = [{**row, "text": row["text"] * 3} for row in rows]
    found = told(look(tmp_path, {"train": longer, "validation": HELD}, model=reader), "longer than 64 tokens")
    assert found["remedy"] is None
    assert "reads no more" in found["fix"]


def test_texts_smaller_than_a_block_are_told_with_a_block_that_fits(tmp_path: Path, writer: Seen) -> None:
    rows = [{"text": f"once upon a time there was number {i}"} for i in range(8)]
    seen = look(tmp_path, {"train": rows}, task="text-generation", model=writer)
    totals = seen["tokens"]["total"]
    assert totals["validation"] < 128
    remedy = told(seen, "validation has .* tokens, fewer than one block of 128")["remedy"]
    block = remedy["changes"]["max_length"]
    assert totals["validation"] // 2 >= block > totals["validation"] // 8
    again = look(tmp_path, {"train": rows}, task="text-generation", model=writer, options=remedy["changes"])
    assert again["tokens"]["limit"] == block
    assert not [problem for problem in again["problems"] if "block" in problem["message"]]


def test_rows_are_shown_as_the_model_reads_them(tmp_path: Path, reader: Seen, writer: Seen) -> None:
    pairs = [{"premise": f"film {i}", "hypothesis": "a film", "label": i % 2} for i in range(60)]
    shown = look(tmp_path, {"train": pairs, "validation": pairs[:9]}, model=reader)["preview"]
    assert len(shown) == 5
    assert shown[0]["raw"] == {"text": "film 0", "text_pair": "a film", "label": "0"}
    assert shown[0]["tokens"] == ["[CLS]", "film", "[UNK]", "[SEP]", "a", "film", "[SEP]"]
    assert shown[0]["labels"] is None
    words = [{"tokens": ["film", f"London{i}"], "tags": ["O", "B-LOC"]} for i in range(60)]
    shown = look(tmp_path, {"train": words, "validation": words[:9]}, model=reader, task="token-classification")[
        "preview"
    ]
    assert shown[0]["labels"][:3] == [None, "O", "B-LOC"]
    assert set(shown[0]["labels"][3:]) == {None}
    texts = [{"text": f"once upon a time {i}"} for i in range(60)]
    shown = look(tmp_path, {"train": texts, "validation": texts[:9]}, model=writer, task="text-generation")["preview"]
    assert "".join(shown[0]["tokens"]).startswith("onceĠuponĠaĠtimeĠ0<|endoftext|>once")
    assert shown[0]["raw"]["text"].startswith("once upon a time 0<|endoftext|>once")
    places = {"text": ["a film"], "answer_start": [6]}
    asked = [{"question": f"what is {i}?", "context": "It is a film.", "answers": places} for i in range(60)]
    shown = look(tmp_path, {"train": asked, "validation": asked[:9]}, model=reader, task="question-answering")[
        "preview"
    ]
    marked = [token for token, label in zip(shown[0]["tokens"], shown[0]["labels"], strict=True) if label == "answer"]
    assert marked == ["a", "film"]


def test_a_model_that_cannot_be_trained_on_this_is_told(tmp_path: Path, writer: Seen) -> None:
    texts = [{"text": f"once upon a time {i}"} for i in range(60)]
    seen = look(tmp_path, {"train": texts}, model=writer, task="fill-mask")
    assert told(seen, "has no mask token")["level"] == "error"
    chats = [{"messages": [{"role": "user", "content": f"hi {i}"}]} for i in range(60)]
    for old in tmp_path.glob("*.jsonl"):
        old.unlink()
    seen = look(tmp_path, {"train": chats}, model=writer, task="text-generation")
    assert told(seen, "has no chat template")["field"] == "model"


def pictures() -> list[dict[str, Any]]:
    from PIL import Image

    rows = []
    for i in range(10):
        file = io.BytesIO()
        Image.new("RGB", (300, 200), (20 * i, 0, 0)).save(file, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
        rows.append({"image": url, "label": "dark" if i < 5 else "red"})
    return rows


def test_an_image_that_cannot_be_opened_is_told_once_and_by_its_row(tmp_path: Path) -> None:
    rows = pictures()
    rows[3]["image"] = f"data:image/png;base64,{base64.b64encode(b'no picture').decode()}"
    seen = look(tmp_path, {"train": rows}, task="image-classification")
    assert told(seen, "image")["message"].startswith("1 image is left out: row 4.")
    rows[5]["image"] = None
    seen = look(tmp_path, {"train": rows}, task="image-classification")
    assert told(seen, "1 image is left out")
    assert told(seen, "without")["message"] == "1 row is without an image in image."


def test_images_are_shown_small(tmp_path: Path) -> None:
    from PIL import Image

    rows = pictures()
    seen = look(tmp_path, {"train": rows}, task="image-classification")
    assert seen["suggested"] == {"image": "image", "label": "label"}
    shown = seen["preview"][0]["raw"]["image"]
    assert seen["rows"][0]["image"].startswith("data:image/jpeg;base64,")
    image = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2])))
    assert image.size == (96, 64)
    assert seen["split"]["train"] == 8


def test_a_look_by_the_service_takes_the_settings_of_a_run(
    settings: Settings, hub: Hub, engine: Engine, tiny_classifier: Path
) -> None:
    text = "text,label\n" + "".join(f"film number {i} was long,{'ab'[i % 2]}\n" for i in range(60))
    data = Data(settings, hub, engine)
    options = {"validation": 10, "seed": 3}
    seen = data.inspect({"text": text}, {"text": "text"}, None, "local/classifier", None, options, visitor=ME)
    assert seen["split"]["how"] == "10 rows, spread over the labels, are held out, drawn with seed 3."
    assert (seen["split"]["train"], seen["split"]["validation"]) == (50, 10)
    assert seen["tokens"]["limit"] == 64
    assert [role["role"] for role in seen["roles"]] == ["text", "text_pair", "label"]


def uploaded(folder: Path, files: dict[str, list[dict[str, Any]]], **more: Any) -> Seen:
    """A look at files that are uploaded together, one for each split."""
    paths = [folder / f"{number}.jsonl" for number in range(len(files))]
    for path, rows in zip(paths, files.values(), strict=True):
        path.write_text("\n".join(json.dumps(row) for row in rows))
    names = [f"{split}-rows.jsonl" for split in files]
    return inspect_data(None, {"files": [str(path) for path in paths], "names": names, "splits": [*files]}, **more)


def test_files_to_evaluate_and_to_test_on_are_looked_at_with_the_one_to_train_on(tmp_path: Path) -> None:
    files = {"train": [*GOOD, HELD[1]], "validation": HELD[:10], "test": HELD[10:]}
    seen = uploaded(tmp_path, files)
    assert told(seen, "1 text of validation also stands in train")["remedy"]["name"] == "drop_leaks"
    assert seen["split"]["how"] == "The data has a validation split of its own."
    assert [seen["split"][name] for name in files] == [61, 10, 10]
    other = uploaded(tmp_path, {**files, "validation": HELD[:9]})
    assert other["split"]["fingerprint"] != seen["split"]["fingerprint"]


def test_rows_to_evaluate_on_that_cannot_be_used_are_not_passed_over(tmp_path: Path) -> None:
    unlike = [{"text": row["text"], "mark": row["label"]} for row in HELD]
    seen = uploaded(tmp_path, {"train": GOOD, "validation": unlike})
    assert told(seen, "have no column label, which train has")["level"] == "error"
    seen = uploaded(tmp_path, {"train": GOOD, "validation": HELD, "test": unlike})
    assert told(seen, "test has no column label, which train has")["level"] == "warning"
    assert seen["split"]["test"] == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"task": "chess"}, "task"),
        ({"options": {"remedies": ["pray"]}}, "remedies"),
        ({"options": {"validation": 2.5}}, "validation"),
        ({"options": {"nothing": 1}}, "nothing"),
        ({"options": [1]}, "options"),
        ({"columns": {"tags": "text"}}, "columns.tags"),
        ({"task": 3}, "task"),
    ],
)
def test_settings_that_are_not_right_are_refused_before_a_look(
    settings: Settings, hub: Hub, engine: Engine, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(WorkbenchError) as refused:
        Data(settings, hub, engine).inspect({"text": "text,label\na b,c\nd e,f\n"}, visitor=ME, **arguments)
    assert refused.value.field == field
