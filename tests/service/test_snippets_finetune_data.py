"""The scripts of runs whose rows are treated first, or are no plain texts, do what the run did."""

from __future__ import annotations

import ast
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from test_snippets_finetune import HUB, RUN, sentences, spec

from components.service.runs.checks import REMEDIES
from components.service.runs.schemes import bioes
from components.service.snippets import snippet
from components.service.snippets.finetune import FACTS

Program = Callable[..., Any]


def agree(
    run_snippet: Program, given: dict[str, Any], file: Path, figures: tuple[str, ...], near: float = 1e-3
) -> dict[str, Any]:
    """Train three times on the data that the spec names; see `check`. Gives what the run told of itself."""
    ran = run_snippet(f"import json\n\nSPEC = json.loads({json.dumps(given)!r}){RUN}", file=file)
    facts = {name: ran["steps"][name] for name in FACTS if name in ran["steps"]}
    told = {"spec": given, "dtype": "fp32", "labels": ran["labels"], **facts}
    trained = run_snippet(snippet("finetune", told, HUB), file=file)
    looped = run_snippet(snippet("finetune_loop", told, HUB), file=file)
    wanted = {name: ran["final"][name] for name in figures}
    assert {name: trained[f"eval_{name}"] for name in figures} == pytest.approx(wanted, rel=1e-5, abs=1e-4)
    assert {name: looped[name] for name in figures} == pytest.approx(wanted, rel=near, abs=near)
    return ran["steps"]


def ailing() -> list[dict[str, str]]:
    """Rows with one of each ailment that train can have alone."""
    rows = [{"text": text, "label": label} for text, label in sentences()]
    odd = [("trÃ¨s bien", "positive"), ("so so", "positive"), ("so so", "negative"), ("what", "nan"), ("odd", "odd")]
    return [*rows, *rows[:3], *({"text": text, "label": label} for text, label in odd)]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


@pytest.mark.long
def test_all_remedies_are_done_again_to_a_file(run_snippet: Program, tiny_classifier: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "rows.jsonl", ailing())
    given = spec("text-classification", tiny_classifier, data={"file": file.name}, remedies=list(REMEDIES))
    facts = agree(run_snippet, given, file, ("loss", "accuracy", "f1"))
    changed = {name: number for name, number in facts["remedied"].items() if number}
    assert changed.keys() == {*REMEDIES} - {"drop_leaks", "drop_unknown_labels"}


@pytest.mark.long
def test_remedies_are_done_again_to_splits(run_snippet: Program, tiny_classifier: Path, tmp_path: Path) -> None:
    rows = ailing()
    held = [*rows[40:60], {"text": "strange", "label": "alien"}]
    parts = {"most": rows, "validation_matched": held, "test": [rows[0]]}
    for name, part in parts.items():
        written(tmp_path / f"films/{name}.jsonl", part)
    files = "".join(f"  - {{split: {name}, path: {name}.jsonl}}\n" for name in parts)
    (tmp_path / "films/README.md").write_text(f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n")
    asked = ["drop_leaks", "drop_unknown_labels", "drop_rare"]
    given = spec("text-classification", tiny_classifier, data={"dataset": "films", "split": "most"}, remedies=asked)
    facts = agree(run_snippet, given, tmp_path / "films", ("loss", "accuracy", "f1"))
    assert all(facts["remedied"][name] for name in asked)


#: Tags of a few words by scheme: words that are marked one by one, and letters behind the type.
SCHEMES = {"parts of speech": ("DET", "NOUN", "VERB", "ADJ"), "letters behind": ("O", "WHO_B", "WHO_I", "WHAT_B")}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.long
def test_words_are_tagged_in_any_scheme(run_snippet: Program, models_folder: Path, tmp_path: Path, scheme: str) -> None:
    from text_models import tagger

    kinds = SCHEMES[scheme]
    parted = [text.split() for text, _ in sentences()]
    # Every fifth word has another tag than its place says, so that there is something to get wrong.
    rows = [
        {"tokens": words, "tags": [kinds[(i + (i + n) % 5 // 4) % 4] for i in range(len(words))]}
        for n, words in enumerate(parted)
    ]
    file = written(tmp_path / "rows.jsonl", rows)
    given = spec("token-classification", tagger(models_folder / "tagger"), data={"file": file.name})
    agree(run_snippet, given, file, ("loss", "f1", "precision", "recall", "accuracy"))


@pytest.mark.parametrize(
    "labels",
    [
        ["DET", "NOUN"],
        ["LOC", "O", "PER"],
        ["B", "I", "O"],
        ["L-PER", "O", "U-PER"],
        ["O", "PER_B"],
        ["PER_B", "PER_I"],
    ],
)
def test_a_script_reads_tags_as_the_run_does(labels: list[str]) -> None:
    given = {"task": "token-classification", "model": "a/b", "data": {"file": "a.csv"}}
    lines = snippet("finetune", {"spec": given, "labels": labels}, HUB).splitlines()
    (line,) = (line for line in lines if line.startswith("MARKS = "))
    space: dict[str, Any] = {"LABELS": labels}
    exec(line, space)
    assert space["MARKS"] == bioes(labels)


def talk(number: int) -> dict[str, Any]:
    """A chat in one of the two forms; one in nine has a mark of the template in its text, and one is refused."""
    text, kind = sentences()[number]
    asked, answer = f"Is this good: {text * (1 + number % 8)}?", f"It is {kind}."
    if number % 9 == 4:
        asked += " <|assistant|>"
    if number == 7:
        return {"chat": [{"role": "assistant", "content": answer}]}
    if number % 2:
        return {"chat": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}]}
    more = [{"role": "user", "content": "Sure?"}, {"role": "assistant", "content": "Yes."}]
    return {"chat": [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}, *more]}


@pytest.fixture(scope="module")
def talker(models_folder: Path) -> Path:
    """A GPT-2 whose template marks what the assistant says, and refuses a chat that the user does not begin.

    It reads 128 tokens, of which its tokenizer knows nothing.
    """
    from service_models import generator
    from test_families_language import MARKED, STRICT, tokenizer_with
    from transformers import GPT2LMHeadModel

    path = generator(models_folder / "talker")
    tokenizer = tokenizer_with(STRICT.split("{% for")[0] + MARKED)
    model = GPT2LMHeadModel.from_pretrained(path)
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(path)
    tokenizer.model_max_length = 10**6
    tokenizer.save_pretrained(path)
    return path


@pytest.mark.long
def test_chats_of_a_table_are_learned(run_snippet: Program, talker: Path, tmp_path: Path) -> None:
    file = tmp_path / "chats.csv"
    pd.DataFrame([talk(i) for i in range(60)]).to_csv(file, index=False)
    columns = {"messages": "chat"}
    given = spec("text-generation", talker, data={"file": file.name}, columns=columns, max_length=96)
    facts = agree(run_snippet, {**given, "remedies": ["drop_duplicates"]}, file, ("loss", "perplexity"))
    assert facts["notes"], "no chat was left out"


@pytest.mark.long
def test_what_the_assistant_says_is_learned(run_snippet: Program, talker: Path, tmp_path: Path) -> None:
    file = written(tmp_path / "chats.jsonl", [{"chat": json.dumps(talk(i)["chat"])} for i in range(60)])
    columns = {"messages": "chat"}
    given = spec("text-generation", talker, data={"file": file.name}, columns=columns)
    # Passes of unequal numbers of tokens.
    facts = agree(run_snippet, {**given, "learn": "assistant", "accumulation": 3}, file, ("loss", "perplexity"))
    assert facts["tokens"]["longest"] == 128, "no chat was cut"


def painted(folder: Path, names: list[str]) -> Path:
    """An image for each name, more or less of the colour that it speaks of; one cannot be opened, one is too large, one
    has 16 bits."""
    from PIL import Image

    draw = random.Random(1)
    for place, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        strong = 0 if "red" in name else 2
        pixel = [draw.randrange(120, 256) if channel == strong else draw.randrange(200) for channel in range(3)]
        noise = bytes(min(255, value + draw.randrange(50)) for _ in range(20 * 24) for value in pixel)
        Image.frombytes("RGB", (20, 24), noise).save(file)
        if place == 5:
            Image.new("I;16", (20, 24), 9000 + place).save(file)
        if place == 11:
            Image.new("1", (10_000, 5001)).save(file)
        if place == 8:
            file.write_bytes(file.read_bytes()[:200])
    return folder


#: Names of uploaded images, from which their labels are taken; then what else lies beside them.
UPLOADS: dict[str, tuple[Callable[[str, int], str], dict[str, str]]] = {
    "labels before numbers": (lambda colour, i: f"{colour}_{i:02}.png", {}),
    "labels by folder, in splits": (lambda colour, i: f"{'val' if i % 5 == 0 else 'train'}/{colour}/{i}.png", {}),
    "labels in tables": (lambda colour, i: f"{colour[0]}/{i:02}-{colour}.png", {
        "r/metadata.jsonl": "\n".join(f'{{"file_name": "{i:02}-red.png", "label": {i % 2}}}' for i in range(20)),
        "b/metadata.csv": "file_name;label\n" + "\n".join(f"{i:02}-blue.png;{i % 2}" for i in range(20)),
    }),
    "labels in a table": (lambda colour, i: f"{i:02}-{colour}.png", {"metadata.csv": "file_name,label\n" + "\n".join(
        f"{i:02}-{colour}.png,{'no ' * (i % 7 == 0)}{colour}" for i in range(20) for colour in ("blue", "red")
    )}),
}  # fmt: skip


@pytest.fixture(scope="module")
def tiny_viewer(models_folder: Path) -> Path:
    from vision_models import image_classifier

    return image_classifier(models_folder / "viewer")


@pytest.mark.parametrize("kind", UPLOADS)
@pytest.mark.long
def test_uploaded_images_are_read_from_a_folder(
    run_snippet: Program, tiny_viewer: Path, tmp_path: Path, kind: str
) -> None:
    name, beside = UPLOADS[kind]
    names = [name(colour, i) for i in range(20) for colour in ("red", "blue")]
    folder = painted(tmp_path / "images", names)
    for file, text in beside.items():
        (folder / file).write_text(text)
    names += beside
    given = spec(
        "image-classification", tiny_viewer, data={"files": [f"images/{name}" for name in names], "names": names}
    )
    facts = agree(run_snippet, {**given, "remedies": ["drop_duplicates"]}, folder, ("loss", "accuracy", "f1"))
    assert facts["dropped"] == 2
    assert facts["validation_given"] == ("splits" in kind)


@pytest.mark.long
def test_images_of_a_data_set_are_classified(run_snippet: Program, tiny_viewer: Path, tmp_path: Path) -> None:
    names = [f"{'test' if i % 9 == 0 else 'train'}/{colour}/{i}.png" for i in range(20) for colour in ("red", "blue")]
    folder = painted(tmp_path / "colours", names)
    given = spec("image-classification", tiny_viewer, data={"dataset": "colours"}, accumulation=2)
    agree(run_snippet, {**given, "keep": "best", "remedies": ["drop_leaks"]}, folder, ("loss", "accuracy", "f1"))


@pytest.mark.long
def test_images_in_a_table_are_classified(run_snippet: Program, tiny_viewer: Path, tmp_path: Path) -> None:
    import base64

    names = [f"{colour}{i}.png" for i in range(20) for colour in ("red", "blue")]
    folder = painted(tmp_path / "colours", names)
    rows = [
        {"image": f"data:image/png;base64,{base64.b64encode((folder / name).read_bytes()).decode()}", "label": name[:3]}
        for name in names
    ]
    file = written(tmp_path / "rows.jsonl", rows)
    agree(run_snippet, spec("image-classification", tiny_viewer, data={"file": file.name}), file, ("loss", "f1"))


def image_file(kind: str, size: tuple[int, int] = (8, 6)) -> bytes:
    import io

    from PIL import Image

    file = io.BytesIO()
    Image.new("1" if kind == "PNG" else "RGB", size).save(file, kind)
    return file.getvalue()


#: Files that a run opens or leaves out, and whether it does.
FILES: dict[str, tuple[Callable[[], bytes], bool]] = {
    "a picture": (lambda: image_file("PNG"), True),
    "a photograph": (lambda: image_file("JPEG"), True),
    "as large as may be": (lambda: image_file("PNG", (1000, 300)), True),
    "larger": (lambda: image_file("PNG", (1000, 301)), False),
    "a format that is not opened": (lambda: image_file("PPM"), False),
    "cut off": (lambda: image_file("BMP")[:-9], False),
    "empty": (lambda: b"", False),
    "no picture": (lambda: b"<svg/>", False),
    "more pixels than its file can hold": (
        lambda: image_file("PNG")[:16] + b"\xff\xff" + image_file("PNG")[18:],
        False,
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_script_leaves_out_the_images_that_a_run_leaves_out(kind: str) -> None:
    import io

    from PIL import Image

    from components.service.worker.media import image_problem

    make, opened = FILES[kind]
    given = {
        "task": "image-classification",
        "model": "a/b",
        "data": {"files": ["1", "2"], "names": ["a1.png", "b1.png"]},
    }
    tree = ast.parse(snippet("finetune_loop", {"spec": given, "labels": ["a", "b"], "most_pixels": 300_000}, HUB))
    lines = [node for node in tree.body if ast.unparse(node).startswith(("def opens", "FORMATS =", "MOST_PIXELS ="))]
    names: dict[str, Any] = {"io": io, "Image": Image}
    exec(compile(ast.Module(lines, []), "script", "exec"), names)
    file = make()
    assert names["opens"](file) == (image_problem(file, 300_000) is None) == opened


@pytest.mark.parametrize(
    "name", ["a\nimport evil\n1.png", "b\r\nimport evil\r\n.png", 'c"; import evil; ".png', "d\u2028evil.png"]
)
def test_names_of_images_bring_no_code_into_a_script(name: str) -> None:
    given = {"task": "image-classification", "model": "a/b", "data": {"files": ["1", "2"], "names": [name, "z 1.png"]}}
    for view in ("finetune", "finetune_loop"):
        code = snippet(view, {"spec": given, "labels": ["a", "z"]}, HUB)
        imported = {node.names[0].name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Import)}
        assert "torch" in imported
        assert "evil" not in imported
        assert len(code.splitlines()) == code.count("\n")
