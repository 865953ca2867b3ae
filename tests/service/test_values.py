"""Cells that are more than text, and images as rows: what is read, what is told, what is refused."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from components.service import policy
from components.service.contents import Contents
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.manage import Manager
from components.service.runs.values import (
    Picture,
    answers_value,
    digest,
    image_value,
    is_answers,
    language_of,
    target_value,
)
from components.service.settings import Settings
from components.service.visitor import Visitor
from components.service.worker.doctor.first_rows import first_rows
from components.service.worker.sources import load
from components.service.worker.tables import Caps, Table

CONTEXT = "The cat sat. The cat slept."
ME = Visitor("machine")


def picture(colour: str = "red", size: tuple[int, int] = (8, 6), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


# Answers and targets


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ({"text": ["cat"], "answer_start": [4]}, (["cat"], [4])),
        ({"text": "cat", "answer_start": 17}, (["cat"], [17])),
        ({"text": ["cat", "slept"], "answer_start": [17, 21]}, (["cat", "slept"], [17, 21])),
        ([{"text": "cat", "answer_start": 4}], (["cat"], [4])),
        ('{"text": ["cat"], "answer_start": [17]}', (["cat"], [17])),
        ("{'text': ['cat'], 'answer_start': [17]}", (["cat"], [17])),
        ("{'text': array(['cat'], dtype=object), 'answer_start': array([17], dtype=int32)}", (["cat"], [17])),
        ("{'text': array([], dtype=object), 'answer_start': array([], dtype=int64)}", ([], [])),
        ({"text": ["cat"], "answer_start": [18]}, (["cat"], [17])),
        ({"text": ["cat"], "answer_start": [-3]}, (["cat"], [4])),
        ({"text": ["cat"]}, (["cat"], [4])),
        ({"text": ["dog", "cat"], "answer_start": [0, 4]}, (["cat"], [4])),
        ("slept", (["slept"], [21])),
        (["slept", "cat"], (["slept", "cat"], [21, 4])),
        ({"text": [], "answer_start": []}, ([], [])),
        ("[]", ([], [])),
        ([], ([], [])),
        ({"text": ["dog"], "answer_start": [4]}, None),
        ({"text": [7], "answer_start": [4]}, None),
        ({"answer": "cat"}, None),
        ({"text": [" "], "answer_start": [3]}, None),
        ("{broken", None),
        ("[cat]", None),
        (None, None),
        (4, None),
    ],
)
def test_answers_are_read_in_every_form_and_found_in_their_context(cell: Any, found: Any) -> None:
    value = answers_value(cell, CONTEXT)
    assert value == (None if found is None else {"text": found[0], "answer_start": found[1]})
    assert answers_value(cell, None) is None


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 20), st.integers(-70, 70))
def test_an_answer_stands_where_it_is_said_to(context: str, start: int, length: int, wrong: int) -> None:
    text = context[start : start + length]
    value = answers_value({"text": [text], "answer_start": [start + wrong]}, context)
    if not text.strip():
        assert value is None
    else:
        assert value is not None
        (place,) = value["answer_start"]
        assert context[place : place + len(text)] == text


def test_answers_are_known_by_their_form() -> None:
    assert all(map(is_answers, ({"text": [], "answer_start": []}, '[{"text": "a", "answer_start": 1}]')))
    assert not any(map(is_answers, ({"text": "a"}, "a", None, [], ["a"], {"en": "a"})))


@pytest.mark.parametrize(
    ("cell", "target"), [("a", "a"), (["a", "b"], "a\nb"), (7, "7"), (" ", None), (None, None), ({"a": 1}, None)]
)
def test_a_target_is_a_text_or_its_lines(cell: Any, target: str | None) -> None:
    assert target_value(cell) == target


def test_the_name_of_a_column_may_tell_its_language() -> None:
    told = {"translation.en": "en", "fr": "fr", "text_fr_XX": "fr_XX", "text_fr-FR": "fr-FR", "zho_Hans": "zho_Hans"}
    assert {name: language_of(name) for name in told} == told
    assert [language_of(name) for name in ("text", "src", "target", None, "")] == [None] * 5


# Columns within columns


def squad(**changes: Any) -> dict[str, Any]:
    asked = {"id": "1", "question": "Who sat?", "answers": [{"text": "cat", "answer_start": 4}], **changes}
    return {"title": "Cats", "paragraphs": [{"context": CONTEXT, "qas": [asked]}]}


def test_squads_own_file_is_read_a_row_a_question(tmp_path: Path) -> None:
    file = tmp_path / "train-v2.0.json"
    none = {"is_impossible": True, "answers": [], "plausible_answers": [{"text": "cat", "answer_start": 4}]}
    file.write_text(json.dumps({"version": "v2.0", "data": [squad(), squad(**none)]}))
    columns = load({"file": str(file), "name": file.name}, Caps())["train"].columns
    assert list(columns) == ["id", "question", "context", "answers"]
    values = [answers_value(cell, CONTEXT) for cell in columns["answers"]]
    assert values == [{"text": ["cat"], "answer_start": [4]}, {"text": [], "answer_start": []}]


TRANSLATIONS = [{"id": i, "translation": {"en": f"cat {i}", "fr": f"chat {i}"}} for i in range(3)]
NESTED = [{"question": "Who?", "context": CONTEXT, "answers": {"text": ["cat"], "answer_start": [4]}}]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_translations_become_a_column_a_language_and_answers_stay_whole(tmp_path: Path, form: str) -> None:
    read = []
    for name, rows in (("translations", TRANSLATIONS), ("squad", NESTED)):
        file = tmp_path / f"{name}.{form}"
        if form == "jsonl":
            file.write_text("\n".join(map(json.dumps, rows)))
        else:
            pq.write_table(pa.Table.from_pylist(rows), file)
        read.append(load({"file": str(file), "name": file.name}, Caps())["train"].columns)
    assert read[0] == {
        "id": [0, 1, 2],
        "translation.en": ["cat 0", "cat 1", "cat 2"],
        "translation.fr": ["chat 0", "chat 1", "chat 2"],
    }
    assert read[1]["answers"] == [{"text": ["cat"], "answer_start": [4]}]


# Images


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        (Picture(b"x"), b"x"),
        (b"x", b"x"),
        ({"bytes": b"x", "path": "a/cat.png"}, b"x"),
        (f"data:image/png;base64,{base64.b64encode(b'x').decode()}", b"x"),
        ("data:image/png;base64,!", None),
        ({"bytes": None, "path": "/etc/passwd"}, None),
        ("/etc/passwd", None),
        ("http://127.0.0.1/cat.png", None),
        ({"path": "cat.png"}, None),
        (None, None),
    ],
)
def test_a_cell_with_an_image_gives_its_bytes_and_no_path_or_address_is_followed(cell: Any, found: Any) -> None:
    assert image_value(cell) == found


def test_a_row_with_an_image_is_compared_by_a_digest_and_printed_by_its_name() -> None:
    assert str(Picture(b"xyz", "cat.png")) == "cat.png"
    assert str(Picture(b"xyz")) == "image of 3 bytes"
    assert b"xyz" not in orjson.dumps({"image": b"xyz"}, default=digest)
    with pytest.raises(TypeError):
        orjson.dumps({"image": object()}, default=digest)


Upload = Callable[[dict[str, bytes]], dict[str, Any]]


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    """Files as an upload leaves them: paths of its own, and the names that they came with."""

    def put(files: dict[str, bytes]) -> dict[str, Any]:
        paths = []
        for number, content in enumerate(files.values()):
            paths.append(str(tmp_path / f"upload-{number}"))
            Path(paths[-1]).write_bytes(content)
        return {"files": paths, "names": list(files)}

    return put


@pytest.fixture
def data(settings: Settings, hub: Hub, engine: Engine) -> Data:
    return Data(settings, hub, engine)


def table(data: Data, source: dict[str, Any], split: str = "train", **caps: int) -> Table:
    fixed, local = data.resolve(source, visitor=ME)
    assert fixed == local
    return load(local, replace(Caps(**data.caps()), **caps))[split]


IMAGE = picture()
NAMINGS = {
    "numbers": (["cat_001.jpg", "cat_2.png", "dog 3.webp", "dog(4).png"], ["cat", "cat", "dog", "dog"]),
    "folders": (["pets/cat/1.png", "pets/cat/2.png", "pets/dog/1.png"], ["cat", "cat", "dog"]),
    "one folder": (["pets/cat-1.png", "pets/dog-1.png"], ["cat", "dog"]),
    "windows": (["pets\\cat\\1.png", "pets\\dog\\1.png"], ["cat", "dog"]),
    "several words": (["black cat.png", "guinea_pig_7.png"], ["black cat", "guinea_pig"]),
    "numbers alone": (["001.png", "002.png"], [None, None]),
    "upwards": (["../../cat/1.png", "/dog/1.png"], ["cat", "dog"]),
}


@pytest.mark.parametrize("naming", NAMINGS)
def test_an_images_label_is_its_folder_or_the_begin_of_its_name(data: Data, upload: Upload, naming: str) -> None:
    names, labels = NAMINGS[naming]
    found = table(data, upload(dict.fromkeys(names, IMAGE)))
    assert found.columns["label"] == labels
    assert [image_value(cell) for cell in found.columns["image"]] == [IMAGE] * len(names)
    assert found.findings == []


def test_folders_named_after_splits_are_splits_and_no_labels(data: Data, upload: Upload) -> None:
    names = ["train/cat/1.png", "train/dog/1.png", "Test/cat/2.png", "val/dog/2.png"]
    _, local = data.resolve(upload(dict.fromkeys(names, IMAGE)), visitor=ME)
    splits = load(local, Caps())
    found = {split: one.columns["label"] for split, one in splits.items()}
    assert found == {"train": ["cat", "dog"], "test": ["cat"], "validation": ["dog"]}


def test_a_table_of_metadata_says_what_each_image_is(data: Data, upload: Upload) -> None:
    metadata = b"file_name,breed,age\na.png,tabby,3\nb.png,siamese,4\nlost.png,tabby,5\n"
    files = {"a.png": IMAGE, "b.png": IMAGE, "c.png": IMAGE, "metadata.csv": metadata}
    found = table(data, upload(files))
    assert found.columns["breed"] == ["tabby", "siamese", None]
    assert found.columns["age"] == ["3", "4", None]
    assert "label" not in found.columns
    told = " ".join(one["message"] for one in found.findings)
    assert "1 row of the metadata name" in told
    assert "lost.png" in told
    assert "c.png" in told
    with pytest.raises(WorkbenchError, match="file_name"):
        table(data, upload({"a.png": IMAGE, "metadata.csv": b"name,label\na.png,cat\n"}))


BROKEN = {
    "cat_1.png": IMAGE,
    "cat_2.png": b"<html>not found</html>",
    "cat_3.jpg": picture(size=(200, 200), kind="JPEG")[:600],
    "cat_4.png": picture(size=(300, 300)),
    "cat_5.png": b"",
    "cat_6.png": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1/x"/></svg>',
}


def test_images_that_cannot_be_opened_are_named_by_their_rows_and_left_out(data: Data, upload: Upload) -> None:
    found = table(data, upload(BROKEN), pixels=50_000)
    assert [cell is None for cell in found.columns["image"]] == [False, True, True, True, True, True]
    broken, large = sorted(found.findings, key=lambda one: "pixels" in one["message"])
    assert broken["field"] == large["field"] == "columns.image"
    rows = "row 2 (cat_2.png), row 3 (cat_3.jpg), row 5 (cat_5.png), row 6 (cat_6.png)"
    assert f"4 images are left out: {rows}." in broken["message"]
    assert "row 4 (cat_4.png)" in large["message"]
    assert "300 × 300 pixels" in large["message"]


@pytest.mark.parametrize("form", ["struct", "bytes"])
def test_images_in_a_parquet_file_are_read_and_checked_alike(tmp_path: Path, form: str) -> None:
    cells: list[Any] = [IMAGE, b"broken", None]
    if form == "struct":
        cells = [None if cell is None else {"bytes": cell, "path": "cat.png"} for cell in cells]
    features = {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    content = pa.table({"image": cells, "label": [0, 1, 1]})
    content = content.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(content, tmp_path / "a.parquet")
    found = load({"file": str(tmp_path / "a.parquet"), "name": "a.parquet"}, Caps())["train"]
    assert [image_value(cell) for cell in found.columns["image"]] == [IMAGE, None, None]
    assert found.names == {"label": ["cat", "dog"]}
    assert [row["label"] for row in first_rows(found)] == ["cat", "dog", "dog"]
    (told,) = found.findings
    assert told["message"].startswith("1 image is left out: row 2")


@pytest.mark.parametrize(
    ("source", "limits", "said"),
    [
        ({"files": [], "names": []}, {}, "no files yet"),
        ({"files": "a.png"}, {}, "no files yet"),
        ({"files": [7]}, {}, "no files yet"),
        ({"names": ["a.png"]}, {}, "as many texts"),
        ({"names": [1, 2]}, {}, "as many texts"),
        ({"names": ["a.png", "./a.png"]}, {}, "2 files are called a.png"),
        ({"names": ["a.png", "script.py"]}, {}, "script.py is no image"),
        ({"names": ["a.png", "rows.csv"]}, {}, "is no image"),
        ({}, {"data_images": 1}, "at most 1"),
        ({}, {"upload_bytes": 100}, "limit is"),
        ({"files": ["/nowhere/a.png", "/nowhere/b.png"]}, {}, "no longer there"),
        ({"file": "a.csv"}, {}, "exactly one"),
    ],
)
def test_uploads_that_are_no_images_or_too_many_are_refused(
    settings: Settings, hub: Hub, engine: Engine, upload: Upload, source: Any, limits: dict[str, int], said: str
) -> None:
    given = {**upload({"a.png": IMAGE, "b.png": IMAGE}), **source}
    with pytest.raises(WorkbenchError, match=said) as refused:
        Data(replace(settings, **limits), hub, engine).resolve(given, visitor=ME)
    assert refused.value.field == "data"


ROWS = b"text,label\nfine,a\ndull,b\n"
TABLES: list[tuple[list[str], list[str] | None, dict[str, int]]] = [
    (["mine.csv", "yours.csv"], ["train", "validation"], {"train": 2, "validation": 2}),
    (["train.csv", "x/dev.csv", "test.csv"], None, {"train": 2, "validation": 2, "test": 2}),
    (["test.csv", "b.csv", "c.tsv"], ["train", "train", "test"], {"train": 4, "test": 2}),
]


@pytest.mark.parametrize(("names", "splits", "rows"), TABLES)
def test_tables_that_are_uploaded_together_are_splits(
    data: Data, upload: Upload, names: list[str], splits: list[str] | None, rows: dict[str, int]
) -> None:
    files = {name: ROWS.replace(b",", b"\t") if name.endswith("tsv") else ROWS for name in names}
    fixed, local = data.resolve({**upload(files), **({"splits": splits} if splits else {})}, visitor=ME)
    assert fixed == local
    assert {split: len(one) for split, one in load(local, Caps()).items()} == rows


@pytest.mark.parametrize(
    ("names", "splits", "said"),
    [
        (["a.csv", "b.csv"], ["train"], "list of: train"),
        (["a.csv", "b.csv"], ["train", "dev"], "list of: train"),
        (["a.csv", "b.csv"], ["train", ["test"]], "list of: train"),
        (["a.csv", "b.csv"], "train", "list of: train"),
        (["a.csv", "b.csv"], ["test", "test"], "None of these files is to train on"),
        (["dev.csv", "test.csv"], None, "None of these files is to train on"),
        (["a.csv", "b.jsonl"], ["train", "test"], "a.csv and b.jsonl are of two formats"),
        (["a.csv", "a.csv"], ["train", "test"], "2 files are called a.csv"),
        (["a.png", "b.png"], ["train", "test"], "told by the folders"),
    ],
)
def test_tables_that_are_no_splits_are_refused(
    data: Data, upload: Upload, names: list[str], splits: Any, said: str
) -> None:
    given = {**upload({str(number): ROWS for number in range(len(names))}), "names": names}
    with pytest.raises(WorkbenchError, match=said) as refused:
        data.resolve({**given, **({"splits": splits} if splits else {})}, visitor=ME)
    assert refused.value.field == "data"


@pytest.mark.parametrize(
    ("files", "fetched"),
    [
        (["cat/1.jpg", "dog/1.PNG", "README.md"], ["cat/1.jpg", "dog/1.PNG"]),
        (["train/1.jpg", "train/metadata.csv", "dataset_infos.json"], ["train/1.jpg", "train/metadata.csv"]),
        (["data/train.parquet", "pictures/logo.png"], ["data/train.parquet"]),
        (["train.csv", "1.png", "metadata.csv"], ["train.csv", "metadata.csv"]),
        (["metadata.csv"], ["metadata.csv"]),
        (["1.svg", "1.pdf", "load.py"], []),
    ],
)
def test_images_are_fetched_where_no_table_holds_the_rows(files: list[str], fetched: list[str]) -> None:
    assert policy.data_files(dict.fromkeys(files, 1)) == fetched


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_folders_of_images_on_the_hub_are_a_data_set(
    live_hub: Any, engine: Engine, tmp_path: Path, settings: Settings
) -> None:
    hub = Hub(live_hub.settings)
    repo = str(Manager(hub).create_repo("pets", repo_type="dataset", visitor=live_hub.ada)["repo"])
    files = []
    for i, name in enumerate(("train/cat/1.png", "train/dog/1.png", "test/cat/2.png")):
        (tmp_path / f"{i}").write_bytes(picture(("red", "blue", "green")[i]))
        files.append({"file": str(tmp_path / f"{i}"), "path": name})
    Contents(hub).upload_files(repo, files, repo_type="dataset", visitor=live_hub.ada)
    hub.forget()
    _, local = Data(live_hub.settings, hub, engine).resolve({"dataset": repo}, visitor=live_hub.ada)
    splits = load(local, Caps())
    assert {split: one.columns["label"] for split, one in splits.items()} == {"train": ["cat", "dog"], "test": ["cat"]}
    tight = Data(live_hub.settings, Hub(replace(live_hub.settings, data_images=2)), engine)
    with pytest.raises(WorkbenchError, match="3 images"):
        tight.resolve({"dataset": repo}, visitor=live_hub.ada)
