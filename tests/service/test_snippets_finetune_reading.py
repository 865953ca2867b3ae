"""What a script reads, of files of any form, is what the run reads: the same rows, in the same splits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.service.runs.rows import Rows, choose_rows
from components.service.runs.spec import RunSpec
from components.service.snippets import snippet
from components.service.snippets.finetune import FACTS
from components.service.worker.sources import load
from components.service.worker.tables import Caps

HUB = "https://huggingface.co"
TASK = "text-classification"
ROWS = [("so good, isn't it", "1"), ("NA", "0"), ("très bien", "1"), ("null", "0"), ("fine", "1"), ("bad", "0")]
OBJECTS = [{"text": text, "label": int(label)} for text, label in ROWS]
ASKED = [
    {"context": f"Ada {i} lives in Lyon.", "qas": [{"question": "Where?", "answers": [{"text": "Lyon"}]}]}
    for i in range(5)
]


#: What so few rows do not tell by themselves.
COLUMNS = {
    "question-answering": {role: role for role in ("question", "context", "answers")},
    "summarization": {"text": "text", "target": "target"},
    "translation": {"text": "text", "target": "target"},
    "text-generation": {"text": "text"},
    "fill-mask": {"text": "text"},
}


def lines(between: str, head: str = "text{}label") -> str:
    return "\n".join([head.format(between), *(f"{text}{between}{label}" for text, label in ROWS), ""])


def as_lines(records: list[dict[str, Any]]) -> bytes:
    return "\n".join(map(json.dumps, records)).encode()


#: The files of an upload by name, and the task that they are for.
UPLOADS: dict[str, tuple[dict[str, bytes], str]] = {
    "semicolons": ({"a.csv": lines(";").encode()}, TASK),
    "tabs in a CSV": ({"a.csv": lines("\t").encode()}, TASK),
    "bars in Windows-1252": ({"a.csv": lines("|").encode("cp1252")}, TASK),
    "UTF-16": ({"a.csv": lines(";").encode("utf-16")}, TASK),
    "a mark of the byte order": ({"a.csv": lines(";").encode("utf-8-sig")}, TASK),
    "no header": ({"a.csv": lines(";").partition("\n")[2].encode()}, TASK),
    "spaces and one name twice": ({"a.csv": b" text ;label;label\nso;1;x\nno;0;y\nhm;1;z\nah;0;x\noh;1;y\n"}, TASK),
    "too many cells, too few, none": ({"a.csv": f"{lines(';')}a;1;2\nonly\n\n ;1\nb;\n".encode()}, TASK),
    "a quote that stays open": ({"a.tsv": lines("\t").replace("fine", '"fine').encode()}, TASK),
    "lines in .json": ({"a.json": as_lines(OBJECTS)}, TASK),
    "a list below data": ({"a.json": json.dumps({"data": OBJECTS}).encode()}, TASK),
    "an object of lists": ({"a.json": json.dumps({"text": list("abcdef"), "label": [0, 1] * 3}).encode()}, TASK),
    "articles in lines": ({"a.jsonl": as_lines([{"title": "", "paragraphs": ASKED}])}, "question-answering"),
    "questions in lines of .json": (
        {"a.json": as_lines([{"question": "Where?", "context": f"{i} in Lyon", "answers": "Lyon"} for i in range(9)])},
        "question-answering",
    ),
    "two tables": ({"train.csv": lines(";").encode(), "dev.tsv": lines("\t").encode("cp1252")}, TASK),
    "two tables of one split": ({"1.csv": lines(";").encode(), "2.csv": b"label,text\n0,other\n"}, TASK),
    "lines of unlike columns": (
        {"train.jsonl": as_lines(OBJECTS), "test.jsonl": as_lines([{"label": 1, "text": "a", "more": [1]}])},
        TASK,
    ),
}


def read_by(script: str) -> dict[str, Any]:
    """What a script has read before it makes a model."""
    head, found, _ = script.partition("\ntokenizer = ")
    assert found
    left: dict[str, Any] = {}
    exec(compile(head, "script", "exec"), left)
    return left


def compare(source: dict[str, Any], asked: dict[str, Any], task: str, remedies: tuple[str, ...] = ()) -> Rows:
    """Read a source as a run does, by the script of that run, and hold what both have."""
    spec = RunSpec(task=task, model="a/b", data=asked, validation=2, columns=COLUMNS.get(task, {}), remedies=remedies)
    rows = choose_rows(load(source, Caps()), spec)
    facts = {name: value for name, value in rows.facts().items() if name in FACTS}
    languages = {"prefix": "", "languages": [None, None], "first_token": None, "bleu_tokenizer": "13a"}
    told = {"spec": spec.to_dict(), "labels": rows.labels, **languages, **facts}
    for view in ("finetune", "finetune_loop"):
        left = read_by(snippet(view, told, HUB))
        assert (left["train"], left["validation"]) == (rows.train, rows.validation)
    return rows


@pytest.mark.parametrize("form", UPLOADS)
def test_a_script_reads_an_upload_as_the_run_does(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, task = UPLOADS[form]
    monkeypatch.chdir(tmp_path)
    for name, content in files.items():
        Path(name).write_bytes(content)
    source = {"files": [str(tmp_path / name) for name in files], "names": [*files]}
    compare(source, source if len(files) > 1 else {"file": next(iter(files))}, task)


#: Rows of tasks without labels, of which one comes twice, one is of a wrong encoding, and one is evaluated on.
AILING: dict[str, list[dict[str, Any]]] = {
    "question-answering": [
        {
            "question": f"Where {i}?",
            "context": f"trÃ¨s {i}, in Lyon",
            "answers": {"text": ["Lyon"], "answer_start": [9]},
        }
        for i in range(8)
    ],
    "summarization": [{"text": f"A long trÃ¨s text {i}.", "target": f"Text {i}"} for i in range(8)],
    "translation": [{"text": f"trÃ¨s {i}", "target": f"very {i}"} for i in range(8)],
    "text-generation": [{"text": f"trÃ¨s {i}"} for i in range(8)],
    "fill-mask": [{"text": f"trÃ¨s {i}"} for i in range(8)],
}


@pytest.mark.parametrize("splits", [["train"], ["train", "validation"]], ids=["held out", "given"])
@pytest.mark.parametrize("task", AILING)
def test_a_script_mends_what_the_run_does_where_there_are_no_labels(
    task: str, splits: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = AILING[task]
    monkeypatch.chdir(tmp_path)
    parts = {"train": [*rows, rows[0], rows[6]], "validation": rows[6:]}
    for split in splits:
        Path(f"{split}.jsonl").write_bytes(as_lines(parts[split]))
    names = [f"{split}.jsonl" for split in splits]
    source = {"files": [str(tmp_path / name) for name in names], "names": names}
    read = compare(source, source, task, ("mend_encoding", "drop_duplicates", "drop_leaks"))
    assert read.remedied["mend_encoding"] == len(rows) + 2 + (2 if len(splits) > 1 else 0)
    assert read.remedied["drop_duplicates"] == 2
    assert read.given == (len(splits) > 1)
    assert read.remedied["drop_leaks"] == (2 if read.given else 0)


FOLDERS = {
    "a folder that no card names": ({"en/train.csv": lines(";"), "en/dev.csv": lines(";"), "de/a.csv": "x;y"}, "en"),
    "words for a missing value": ({"train.csv": lines(";"), "dev.csv": lines(";")}, None),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_script_reads_a_data_set_as_the_run_does(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, config = FOLDERS[kind]
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        file = tmp_path / "films" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    named = {"config": config} if config else {}
    compare({"folder": str(tmp_path / "films"), **named}, {"dataset": "films", **named}, TASK)


def test_tables_beside_images_are_read_whatever_their_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    names = [f"{folder}/{i}.png" for folder in ("a", "b", "c") for i in range(4)]
    for number, name in enumerate(names):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), (20 * number, 0, 0)).save(tmp_path / "images" / name)
    told = [{"file_name": f"{i}.png", "mark": i % 2} for i in range(4)]
    (tmp_path / "images/a/metadata.jsonl").write_bytes(as_lines(told))
    (tmp_path / "images/b/metadata.csv").write_text(
        "file_name;mark\n" + "\n".join(f"{i}.png;{i % 2}" for i in range(4))
    )
    pq.write_table(pa.Table.from_pylist(told), tmp_path / "images/c/metadata.parquet")
    names += ["a/metadata.jsonl", "b/metadata.csv", "c/metadata.parquet"]
    monkeypatch.chdir(tmp_path)
    source = {"files": [str(tmp_path / "images" / name) for name in names], "names": names}
    spec = RunSpec(task="image-classification", model="a/b", data=source, columns={"image": "image", "label": "mark"})
    rows = choose_rows(load(source, Caps()), spec)
    facts = {name: value for name, value in rows.facts().items() if name in FACTS}
    script = snippet("finetune", {"spec": spec.to_dict(), "labels": rows.labels, **facts}, HUB)
    left: dict[str, Any] = {}
    exec(compile(script.partition("\nprocessor = ")[0], "script", "exec"), left)
    for mine, own in ((left["train"], rows.train), (left["validation"], rows.validation)):
        assert [row["label"] for row in mine] == [row["label"] for row in own]
        assert [row["image"] for row in mine] == [row["image"] for row in own]


def test_a_script_says_what_is_known_only_once_the_run_has_read_its_data() -> None:
    given = {"task": TASK, "model": "a/b", "labels": ["a", "b"]}
    assert "# A delimiter other than the comma" in snippet("finetune", {**given, "data": {"file": "a.csv"}}, HUB)
    of_folder = snippet("finetune", {**given, "data": {"dataset": "a/c", "config": "en"}}, HUB)
    assert "read it by data_dir" in of_folder
    drawn = {"reading": {"a.csv": {"drawn": 5000}}}
    told = '# The run took 5,000 rows of "a.csv", drawn at random'
    assert told in snippet("finetune", {**given, "data": {"file": "a.csv"}, **drawn}, HUB)
    unlike = {"reading": {"a.csv": {"sep": ";"}, "b.csv": {}}}
    assert "# Not all of its files" in snippet("finetune", {**given, "data": {"dataset": "a/c"}, **unlike}, HUB)
