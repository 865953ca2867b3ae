"""Tables as people really have them: what is read, what is guessed, what is told, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.visitor import Visitor
from components.service.worker.columns import label_name, order_labels
from components.service.worker.data import inspect_data
from components.service.worker.sources import load, split_of
from components.service.worker.tables import Caps

ME = Visitor("machine")
ROWS = "".join(f"The {i}th film was {'good' if i % 2 else 'bad'}.,{'pos' if i % 2 else 'neg'}\n" for i in range(60))
GOOD = "text,label\n" + ROWS


def seen(text: str, columns: dict[str, str] | None = None) -> dict[str, Any]:
    return inspect_data(None, {"text": text}, columns)


def messages(found: dict[str, Any], level: str | None = None) -> str:
    return "\n".join(p["message"] + " " + p["fix"] for p in found["problems"] if level in (None, p["level"]))


def test_good_rows_are_described(settings: Settings, hub: Hub, engine: Engine) -> None:
    found = Data(settings, hub, engine).inspect({"text": GOOD}, visitor=ME)
    assert [(c["name"], c["kind"], c["distinct"]) for c in found["columns"]] == [
        ("text", "text", 60),
        ("label", "label", 2),
    ]
    assert found["suggested"] == {"text": "text", "text_pair": None, "label": "label"}
    assert found["splits"] == {"train": 60}
    assert found["rows"][0] == {"text": "The 0th film was bad.", "label": "neg"}
    assert len(found["rows"]) == 20
    assert found["labels"] == [{"label": "neg", "count": 30}, {"label": "pos", "count": 30}]
    assert [p["level"] for p in found["problems"]] == ["info"]
    assert sum(bar["count"] for bar in found["lengths"]["histogram"]) == 60
    assert found["source"] == {"text": GOOD}


RECORDS = [dict(zip(("text", "label"), row.split(","), strict=True)) for row in ROWS.splitlines()]
FORMS = {
    "byte order mark": ("a.csv", b"\xef\xbb\xbf" + GOOD.encode()),
    "windows lines": ("a.csv", GOOD.replace("\n", "\r\n").encode()),
    "old mac lines": ("a.csv", GOOD.replace("\n", "\r").encode()),
    "utf-16": ("a.csv", GOOD.encode("utf-16")),
    "semicolons": ("a.csv", GOOD.replace(",", ";").encode()),
    "tabs": ("a.csv", GOOD.replace(",", "\t").encode()),
    "tsv": ("a.tsv", GOOD.replace(",", "\t").encode()),
    "bars": ("a.csv", GOOD.replace(",", "|").encode()),
    "blank lines": ("a.csv", GOOD.replace("\n", "\n\n").encode()),
    "jsonl": ("a.jsonl", b"\n".join(json.dumps(record).encode() for record in RECORDS)),
    "json list": ("a.json", json.dumps(RECORDS).encode()),
    "json under data": ("a.json", json.dumps({"data": RECORDS}).encode()),
    "json of columns": ("a.json", json.dumps({k: [r[k] for r in RECORDS] for k in ("text", "label")}).encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_same_table_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    name, data = FORMS[form]
    path = tmp_path / "upload"
    path.write_bytes(data)
    table = load({"file": str(path), "name": name}, Caps())["train"]
    assert table.columns == load({"text": GOOD}, Caps())["train"].columns


def test_quoted_newlines_and_delimiters_stay_in_their_cell() -> None:
    table = load({"text": 'text,label\n"one, two\nthree ""four""",a\nplain,b\n'}, Caps())["train"]
    assert table.columns["text"] == ['one, two\nthree "four"', "plain"]


def parquet(path: Path, columns: dict[str, Any], names: list[str] | None = None) -> Path:
    table = pa.table(columns)
    if names:
        features = {"label": {"names": names, "_type": "ClassLabel"}, "text": {"dtype": "string"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return path


def test_a_file_of_windows_1252_is_read_as_that_and_told(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(("text,label\n" + "très bien – “oui”,pos\npas terrible,neg\n" * 30).encode("cp1252"))
    found = inspect_data(None, {"file": str(path), "name": "mine.csv"})
    assert found["rows"][0]["text"] == "très bien – “oui”"
    assert "(see line 2), so it was read as Windows-1252" in messages(found, "warning")


def test_a_tab_separated_file_may_hold_quotes_that_are_never_closed(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text('text\tlabel\n"oh dear\tbad\nfine\tgood\n')
    table = load({"file": str(path), "name": "mine.tsv"}, Caps())["train"]
    assert table.columns == {"text": ['"oh dear', "fine"], "label": ["bad", "good"]}


def test_a_text_of_many_lines_is_no_open_quote() -> None:
    poem = "\n".join(f"line {i}, and on it goes, and on" for i in range(20))
    assert "quote" not in messages(seen(f'text,label\n"{poem}",a\nshort,b\n'))


def test_many_labels_over_few_rows_are_still_found() -> None:
    lines = [f"I would like to know about thing {i},intent {i % 30}" for i in range(60)]
    found = seen("\n".join(["query,what", *lines]))
    assert found["suggested"] == {"text": "query", "text_pair": None, "label": "what"}
    assert [p["level"] for p in found["problems"] if p["level"] == "error"] == []


def test_class_names_of_parquet_are_kept(tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "a.parquet", {"text": ["a b", "c d", "e f"] * 20, "label": [0, 1, -1] * 20}, ["no", "yes"]
    )
    found = inspect_data(None, {"file": str(path), "name": "a.parquet"})
    assert found["labels"] == [{"label": "no", "count": 20}, {"label": "yes", "count": 20}]
    assert "20 rows have no label" in messages(found)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", "a"], ["a", "b"]),
        ([1, 0], ["0", "1"]),
        ([2.0, 10.0], ["2", "10"]),
        ([True, False], ["False", "True"]),
        (["10", "9"], ["9", "10"]),
    ],
)
def test_labels_of_any_type_get_names(tmp_path: Path, values: list[Any], names: list[str]) -> None:
    path = parquet(tmp_path / "a.parquet", {"text": [f"row number {i}" for i in range(40)], "label": values * 20})
    found = inspect_data(None, {"file": str(path), "name": "a.parquet"})
    assert [entry["label"] for entry in found["labels"]] == names


DECLARED = """---
configs:
- config_name: default
  data_files:
  - split: train
    path: y.csv
  - split: test
    path: [z.csv]
---
"""
OUTSIDE = """---
configs:
- data_files: [{split: train, path: ../../../etc/passwd}, {split: test, path: train.csv}]
---
"""
NAMED = """---
dataset_info:
  features:
  - name: label
    dtype:
      class_label:
        names:
          '0': bad
          '1': good
---
"""
FOLDERS: list[tuple[dict[str, str], dict[str, int]]] = [
    ({"train.csv": GOOD, "validation.csv": GOOD, "test.csv": GOOD}, {"train": 60, "validation": 60, "test": 60}),
    ({"data/sst-train.csv": GOOD, "data/sst-dev.csv": GOOD}, {"train": 60, "validation": 60}),
    ({"train-00000-of-2.csv": GOOD, "train-00001-of-2.csv": GOOD}, {"train": 120}),
    ({"reviews.csv": GOOD}, {"train": 60}),
    ({"data/val/a.csv": GOOD, "data/training/a.csv": GOOD}, {"train": 60, "validation": 60}),
    ({"train.csv": GOOD, "dataset_infos.json": "{}", "notes.json": "[1]"}, {"train": 60}),
    (
        {"x.csv": GOOD, "y.csv": GOOD, "z.csv": GOOD, "README.md": DECLARED},
        {"train": 60, "test": 60},
    ),
    ({"x.csv": GOOD, "README.md": "---\nconfigs:\n- config_name: a\n  data_files: '*.csv'\n---\n"}, {"train": 60}),
    ({"train.csv": GOOD, "README.md": "---\nconfigs: 3\n: [\n---\n"}, {"train": 60}),
    ({"train.csv": GOOD, "README.md": OUTSIDE}, {"test": 60}),
]


@pytest.mark.parametrize(("files", "splits"), FOLDERS)
def test_the_splits_of_a_data_set_are_found(tmp_path: Path, files: dict[str, str], splits: dict[str, int]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert {name: len(table) for name, table in load({"folder": str(tmp_path)}, Caps()).items()} == splits


def test_class_names_of_the_readme_are_kept(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text,label\n" + "some words,0\nother words,1\n" * 20)
    (tmp_path / "README.md").write_text(NAMED)
    assert load({"folder": str(tmp_path)}, Caps())["train"].names == {"label": ["bad", "good"]}
    found = inspect_data(None, {"folder": str(tmp_path)})
    assert found["labels"] == [{"label": "bad", "count": 20}, {"label": "good", "count": 20}]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("a/dev.csv", "validation"),
        ("retrained.csv", None),
        ("latest.csv", None),
        ("x_val_1.csv", "validation"),
        ("test/a.csv", "test"),
    ],
)
def test_a_file_name_says_its_split(name: str, split: str | None) -> None:
    assert split_of(name) == split


TOLD: list[tuple[str, dict[str, str], str, str]] = [
    ("text,label\n" + ",pos\n" * 3 + ROWS, {}, "warning", "3 rows have no text"),
    ("text,label\nlonely words here,\n" + ROWS, {}, "warning", "1 row has no label"),
    (GOOD + ROWS[: ROWS.index("\n") + 1], {}, "warning", "1 row repeats"),
    (GOOD + "The 1th film was good.,neg\n", {}, "warning", "different labels"),
    ("text,label\n" + ROWS.replace("pos", "neg"), {}, "error", "one label"),
    (GOOD + "so so it was,neutral\n", {}, "warning", "rare: neutral \\(1\\)"),
    (GOOD, {"label": "stars"}, "error", "Choose one of: text, label"),
    (GOOD, {"text": "body"}, "error", "Choose one of: text, label"),
    (GOOD, {"label": "text", "text": "label"}, "error", "different values"),
    ("label\n" + "a\nb\n" * 30, {"label": "label"}, "error", "looks like text"),
    ("text\n" + "some words in a row\nand others too\n" * 5, {}, "error", "looks like a label"),
    ("text,label\nshort one,a\nother one,b\n", {}, "warning", "only 2 rows"),
    ("text,label\nshort one,a\nother one,b\nthree,cells,here\n", {}, "warning", "1 row has more cells .* was left out"),
    ("text,label\na b,a\nc d,b\na,b,c\nd,e,f\n", {}, "warning", "2 rows have more cells .* were left out"),
    ("text,label\nshort one,a\n", {}, "warning", "There is only 1 row with text"),
    ("text,label\nshort one,a\nother one\nthird one,b\n", {}, "warning", "1 row has fewer cells"),
    ('text,label\n"a b,x\n' + "c d,y\n" * 20 + 'e f",x\n' + "g h,y\n" * 5, {}, "warning", "Look at line 2: a quote"),
    (
        "text,label\n" + "".join(f"row {i},c{i % 45}\n" for i in range(60)),
        {"label": "label"},
        "warning",
        "45 different",
    ),
    ("text,text\nshort one,a\nother one,b\n", {}, "warning", "one name"),
    (ROWS, {}, "warning", "first row looks like data"),
]


@pytest.mark.parametrize(("text", "columns", "level", "said"), TOLD)
def test_what_is_wrong_with_rows_is_told_with_what_to_do(
    text: str, columns: dict[str, str], level: str, said: str
) -> None:
    found = seen(text, columns)
    assert re.search(said, messages(found, level)), messages(found)
    assert all(problem["fix"] and problem["field"] for problem in found["problems"])


def test_rows_of_validation_that_are_in_train_are_told(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(GOOD)
    (tmp_path / "test.csv").write_text("text,label\nThe 1th film was good.,pos\nnew words,odd\n")
    told = messages(inspect_data(None, {"folder": str(tmp_path)}))
    assert "1 text of test also stands in train" in told
    assert "test has labels that train has not: odd" in told
    assert "no validation split" in told


REFUSED: list[tuple[str, bytes, str]] = [
    ("a.csv", b"", "empty"),
    ("a.csv", b"text,label\n", "no rows"),
    ("a.csv", b"text,label\ncaf\x81,x\n", "Line 2 of a.csv is not UTF-8"),
    ("a.csv", "text,label\né è ü,x\n".encode() + b"caf\xe9,x\n", "Line 3 of a.csv is not UTF-8"),
    ("a.csv", b"text,label\n\x01\x02\xe9,x\n", "Line 2 of a.csv is not UTF-8"),
    ("a.csv", b'text,label\nfine,a\n"oh dear,b\nand so,a\nand on,b\n', "Line 3 of a.csv opens a quote"),
    ("a.csv", b'text,label\r\nfine,a\r\nlast,"b', "Line 3 of a.csv opens a quote"),
    (
        "a.csv",
        b"text,label\nfine,a\n" + b"x" * 2001 + b",b\n",
        "row that begins in line 3 of a.csv .* 2,000 characters",
    ),
    ("a.csv", b"text,label\na\0b,x\n", "NUL"),
    ("a.csv", GOOD.encode("utf-16-le"), "UTF-16 without the mark"),
    ("a.csv", GOOD.encode("utf-16-be"), "UTF-16 without the mark"),
    ("a.csv", b"text,label\n" + b"x" * 3000 + b",a\n", "characters|limit"),
    ("a.csv", ",".join(f"c{i}" for i in range(30)).encode() + b"\n" + b"," * 29 + b"\n", "30 columns"),
    ("a.csv", b"x" * 100_001, "limit"),
    ("a.xlsx", b"PK\x03\x04", "CSV, TSV, JSONL"),
    ("a.zip", b"PK\x03\x04", "CSV, TSV, JSONL"),
    ("a.py", b"print(1)", "CSV, TSV, JSONL"),
    ("a.jsonl", b'{"text": "a"}\n{"text": \n', "Line 2 of a.jsonl is not JSON from character 10 on. Each line"),
    ("a.jsonl", b'{"text": "a", "label": NaN}\n', "NaN is not JSON"),
    ("a.jsonl", b"[1, 2]\n", "not an object"),
    ("a.json", b"3", "list of objects"),
    ("a.json", b"[" * 5000, "JSON"),
    ("a.parquet", b"PAR1 this is not parquet PAR1", "not a whole Parquet"),
    ("a.parquet", b"", "not a whole Parquet"),
]


@pytest.mark.parametrize(("name", "data", "said"), REFUSED)
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path: Path, name: str, data: bytes, said: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(data)
    with pytest.raises(WorkbenchError, match=said) as told:
        load({"file": str(path), "name": name}, Caps(bytes=100_000, cell=2000, columns=20))
    assert str(tmp_path) not in told.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text,label\n", "^The pasted text holds no rows"),
        ('text,label\nfine,a\n"oh dear,b\n', "^Line 3 of the pasted text opens a quote"),
        ("text,label\n" + "x" * 3000 + ",a\n", "of the pasted text .* 2,000"),
    ],
)
def test_pasted_rows_that_cannot_be_read_are_refused_in_sentences(text: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        load({"text": text}, Caps(cell=2000))


def test_rows_above_the_limit_are_drawn_from_all_of_the_file() -> None:
    table = load({"text": GOOD}, Caps(rows=20))["train"]
    assert len(table) == 20
    assert set(table.columns["label"]) == {"neg", "pos"}
    assert "drawn at random" in table.findings[0]["message"]


def test_a_parquet_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = parquet(tmp_path / "bomb.parquet", {"text": ["x" * 1000] * 100_000})
    assert path.stat().st_size < 1_000_000
    with pytest.raises(WorkbenchError, match="too large once unpacked"):
        load({"file": str(path), "name": "bomb.parquet"}, Caps(bytes=1_000_000, rows=1000))


@pytest.mark.parametrize(
    "source",
    [
        None,
        {},
        [],
        "a/b",
        {"dataset": "a/b", "text": "x"},
        {"path": "/etc/passwd"},
        {"text": ""},
        {"text": 3},
        {"file": "/no/such"},
        {"dataset": ""},
        {"dataset": "../x"},
    ],
)
def test_a_source_that_is_none_is_refused(settings: Settings, hub: Hub, engine: Engine, source: Any) -> None:
    with pytest.raises(WorkbenchError):
        Data(settings, hub, engine).inspect(source, visitor=ME)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([f"some text number {i}" for i in range(30)], "text"),
        ([f"id-{i}" for i in range(30)], "other"),
        ([str(i / 7) for i in range(30)], "number"),
        ([str(i) for i in range(30)], "number"),
        (["0", "1"] * 15, "label"),
        (["yes", "no"] * 15, "label"),
        ([True, False] * 15, "label"),
        ([[1], [2]] * 15, "labels"),
        ([None] * 30, "other"),
    ],
)
def test_a_column_is_what_it_holds(tmp_path: Path, values: list[Any], kind: str) -> None:
    path = parquet(tmp_path / "a.parquet", {"column": values})
    found = inspect_data(None, {"file": str(path), "name": "a.parquet"})
    assert found["columns"][0]["kind"] == kind


@pytest.mark.parametrize(
    ("header", "suggested"),
    [
        ("sentence1,sentence2,label,idx", {"text": "sentence1", "text_pair": "sentence2", "label": "label"}),
        ("id,premise,hypothesis,label", {"text": "premise", "text_pair": "hypothesis", "label": "label"}),
        ("Review,Other,Stars,n", {"text": "Review", "text_pair": None, "label": "Stars"}),
    ],
)
def test_the_columns_are_guessed_by_name_and_content(header: str, suggested: dict[str, str | None]) -> None:
    names = header.split(",")
    kinds = {
        "label": lambda i: i % 2,
        "Stars": lambda i: i % 5,
        "idx": lambda i: i,
        "id": lambda i: f"x{i}",
        "n": lambda i: i,
    }
    lines = [",".join(str(kinds.get(n, lambda i, n=n: f"{n} words {i} here")(i)) for n in names) for i in range(60)]
    assert seen("\n".join([header, *lines]))["suggested"] == suggested


def test_label_names_have_an_order_that_does_not_depend_on_the_rows() -> None:
    assert order_labels({"10", "9", "-1"}) == ["-1", "9", "10"]
    assert order_labels({"b", "a", "10"}) == ["10", "a", "b"]
    assert label_name(1, ["no", "yes"]) == "yes"
    assert label_name(7, ["no", "yes"]) is None
    assert label_name(" pos ") == "pos"
