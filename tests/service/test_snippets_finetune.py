"""The scripts of runs are run: with the Trainer and as a plain loop they give the figures of the run itself."""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.service.errors import WorkbenchError
from components.service.runs.cells import labels_value
from components.service.runs.spec import RunSpec, defaults
from components.service.runs.splits import split_rows, strata
from components.service.runs.tasks import TRAIN_TASKS
from components.service.snippets import snippet
from components.service.snippets.finetune import FACTS

Program = Callable[..., Any]
HUB = "https://huggingface.co"
#: A run by hand; leaves its figures and what its state says that the scripts need.
RUN = """
import json
from pathlib import Path
from components.service.runs.__main__ import main
from components.service.runs.state import read_state
from components.service.runs.store import RunFolder
Path("spec.json").write_text(json.dumps(SPEC))
main(["spec.json", "--out", "run"])
state = read_state(RunFolder(Path("run")))
assert state["status"] == "finished", state["message"]
facts = state["facts"]
result = {"final": state["results"]["final"], "labels": facts["labels"], "problem": facts["problem"], "steps": facts}
"""
#: Leaves how a model writes, as it is saved, beside its figures.
WRITING = """
import json
from pathlib import Path
result = {**result, "writing": json.loads(Path("run/model/generation_config.json").read_text())}
"""
WORDS = {"positive": ("wonderful", "warm"), "negative": ("awful", "dull")}


def sentences(number: int = 60) -> list[tuple[str, str]]:
    draw = random.Random(0)
    kinds = [("negative", "positive")[i % 2] for i in range(number)]
    return [
        (f"this film {i} is {draw.choice(WORDS[kind])} and {draw.choice(WORDS[kind])} " + "so long " * (i % 5), kind)
        for i, kind in enumerate(kinds)
    ]


def texts(path: Path) -> Path:
    path.with_suffix(".csv").write_text("text,label\n" + "\n".join(f"{text},{kind}" for text, kind in sentences()))
    return path.with_suffix(".csv")


def spec(task: str, model: Path, **changes: Any) -> dict[str, Any]:
    short = {"epochs": 2, "batch_size": 8, "learning_rate": 2e-3, "precision": "fp32", "keep": "last"}
    return {"task": task, "model": str(model), **short, **changes}


def check(
    run_snippet: Program,
    given: dict[str, Any],
    file: Path,
    figures: tuple[str, ...],
    near: float = 1e-3,
    *,
    writes: bool = False,
) -> dict[str, float]:
    """Train three times: as the app does, with the Trainer, and in a plain loop, whose figures are only `near`; where
    the model writes, all three save how."""
    asked = {**given, "data": {"file": file.name}}
    code = f"SPEC = json.loads({json.dumps(asked)!r})".join(("import json\n", "\n" + RUN))
    ran = run_snippet(code + (WRITING if writes else ""), file=file)
    facts = {name: ran["steps"][name] for name in FACTS if name in ran["steps"]}
    told = {"spec": asked, "dtype": ran["steps"]["dtype"], "labels": ran["labels"], **facts}
    more = WRITING.replace("run/", "") if writes else ""
    trained = run_snippet(snippet("finetune", told, HUB) + more, file=file)
    looped = run_snippet(snippet("finetune_loop", told, HUB) + more, file=file)
    assert trained.get("writing") == looped.get("writing") == ran.get("writing")
    wanted = {name: ran["final"][name] for name in figures}
    assert {name: trained[f"eval_{name}"] for name in figures} == pytest.approx(wanted, rel=1e-5, abs=1e-4)
    assert {name: looped[name] for name in figures} == pytest.approx(wanted, rel=near, abs=near)
    return wanted


#: Settings that a script has to heed, each of which changes the figures.
SETTINGS: dict[str, dict[str, Any]] = {
    "the last epoch": {},
    "passes, decay, warm-up and clipping": {
        "accumulation": 2, "weight_decay": 0.1, "warmup": 0.2, "clipping": 0.1, "schedule": "cosine",
    },
    "the best of some steps, with patience": {
        "evaluate": "steps", "every": 2, "keep": "best", "patience": 2, "metric": "accuracy",
    },
    "lora": {"method": "lora", "learning_rate": 1e-2},
}  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_texts_are_classified(
    run_snippet: Program, tiny_classifier: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    given = spec("text-classification", tiny_classifier, **settings)
    check(run_snippet, given, texts(tmp_path / "rows"), ("loss", "accuracy", "f1"))


def table(path: Path, columns: str, line: Callable[[str, str, int], str]) -> Path:
    lines = [line(text.strip(), kind, i) for i, (text, kind) in enumerate(sentences())]
    path.write_text("\n".join([columns, *lines]))
    return path


#: For each kind of labels the columns of the data, a line of it, more of the spec, and figures.
KINDS: dict[str, tuple[str, Callable[[str, str, int], str], dict[str, Any], tuple[str, ...]]] = {
    "pairs": (
        "text,other,label", lambda text, kind, i: f"{text},{'a' * i} film,{kind}",
        {"columns": {"text": "text", "text_pair": "other", "label": "label"}, "metric": "matthews"},
        ("loss", "f1", "matthews"),
    ),
    "any number of labels": (
        "text,label", lambda text, kind, i: f"{text},{(kind + ';long' * (i % 3 > 0)) * (i % 7 > 0)}",
        {"problem": "multi"},
        ("loss", "accuracy", "f1", "recall"),
    ),
    "a number": (
        "text,label", lambda text, kind, i: f"{text},{len(text) / 20 + i / 100}", {"problem": "regression"},
        ("loss", "mse", "mae", "pearson", "spearman"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.long
def test_texts_get_other_labels(run_snippet: Program, tiny_classifier: Path, tmp_path: Path, kind: str) -> None:
    columns, line, changes, figures = KINDS[kind]
    given = spec("text-classification", tiny_classifier, **changes)
    check(run_snippet, given, table(tmp_path / "rows.csv", columns, line), figures)


CELLS = ["", "  ", "a", " b ; a;b;", "a|b, c", "[]", '["a", "b"]', "['a', 'b']", [], ["a", "a"], [2]]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_script_reads_the_labels_of_a_cell_as_a_run_does(cell: Any) -> None:
    of_texts = isinstance(cell, str)
    file = "a.csv" if of_texts else "a.jsonl"
    given = {"task": "text-classification", "model": "a/b", "data": {"file": file}, "problem": "multi"}
    code = snippet("finetune", {"spec": given, "labels": ["a"]}, HUB)
    functions = [node for node in ast.parse(code).body if getattr(node, "name", "") in ("label_name", "split_labels")]
    names: dict[str, Any] = {"re": re, "ast": ast, "Any": Any, "Sequence": list}
    exec(compile(ast.Module(functions, []), "script", "exec"), names)
    # A cell of a table without anything in it is read as none.
    read = labels_value(None if of_texts and not cell.strip() else cell)
    assert names["split_labels"](*([cell] if of_texts else [cell, []])) == read


def test_words_are_tagged(run_snippet: Program, models_folder: Path, tmp_path: Path) -> None:
    from text_models import tagger

    path = tmp_path / "rows.jsonl"
    parted = [text.split() for text, _ in sentences()]
    tags = [["B-WHO" if i == 1 else "I-WHO" if i == 2 else "O" for i in range(len(words))] for words in parted]
    path.write_text("\n".join(json.dumps({"tokens": a, "tags": b}) for a, b in zip(parted, tags, strict=True)))
    given = spec("token-classification", tagger(models_folder / "tagger"), max_length=16)
    check(run_snippet, given, path, ("loss", "f1", "precision", "accuracy"))


@pytest.fixture(scope="module")
def tiny_masked(models_folder: Path) -> Path:
    from text_models import masked

    return masked(models_folder / "masked", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)


def test_the_next_token_is_foreseen(run_snippet: Program, tiny_generator: Path, tmp_path: Path) -> None:
    given = spec("text-generation", tiny_generator, max_length=48)
    check(run_snippet, given, texts(tmp_path / "rows"), ("loss", "perplexity"))


def test_masks_are_filled(run_snippet: Program, tiny_masked: Path, tmp_path: Path) -> None:
    # The Trainer draws the masks of the next batch before it takes a step: without dropout a step draws nothing.
    given = spec("fill-mask", tiny_masked, max_length=48)
    check(run_snippet, given, texts(tmp_path / "rows"), ("loss",))


@pytest.mark.parametrize("view", ["finetune", "finetune_loop"])
@pytest.mark.parametrize(
    ("asked", "labels", "told"),
    [
        ({"task": "token-classification"}, [], "ask again"),
        ({"task": "text-classification", "metric": "pearson"}, ["a", "b"], "pearson does not measure"),
    ],
)
def test_what_no_script_does_is_told(view: str, asked: dict[str, Any], labels: list[str], told: str) -> None:
    with pytest.raises(WorkbenchError, match=told):
        snippet(view, {"spec": {"model": "a/b", "data": {"file": "a.csv"}, **asked}, "labels": labels}, HUB)


DATA = {"file": "a.csv"}
#: What is given beside task, model and data, and the field that a refusal names.
CRAFTED: list[tuple[dict[str, Any], str]] = [
    *(({name: "1); import os; os.abort(("}, name) for name in (
        "epochs", "batch_size", "accumulation", "learning_rate", "weight_decay", "warmup", "clipping", "max_length",
        "max_target_length", "validation", "seed", "every", "patience", "lora_rank", "lora_alpha", "lora_dropout",
        "problem", "method", "schedule", "precision", "evaluate", "metric", "keep", "learn",
    )),
    ({"every": [1]}, "every"), ({"patience": {"a": 1}}, "patience"), ({"epochs": True}, "epochs"),
    ({"epochs": float("nan")}, "epochs"), ({"learning_rate": float("inf")}, "learning_rate"), ({"seed": -1}, "seed"),
    ({"every": 2.5}, "every"), ({"remedies": "drop_leaks"}, "remedies"), ({"remedies": [[]]}, "remedies"),
    ({"columns": [1]}, "columns"), ({"columns": {"text": 5}}, "columns.text"), ({"data": {"file": 5}}, "data"),
    ({"data": [1]}, "data"), ({"model": {"a": 1}}, "model"), ({"task": ["x"]}, "task"), ({"task": "x"}, "task"),
    ({"samples": 5}, "samples"), ({"revision": 5}, "revision"), ({"source_language": []}, "source_language"),
    ({"no such setting": 1}, "no such setting"), ({"data": {"file": "a.csv", "x": 1}}, "data"),
]  # fmt: skip
#: Facts that no run has found out.
MADE_UP = [
    {"labels": 5}, {"labels": "ab"}, {"labels": [{"a": 1}]}, {"max_length": "1); exit("}, {"max_length": True},
    {"columns": "text"}, {"problem": "x"}, {"problem": ["single"]}, {"max_target_length": [5]}, {"first_token": 5},
    {"languages": 2}, {"languages": [5, 5]}, {"prefix": 5}, {"validation_given": "yes"}, {"splits": {"train": 5}},
    {"splits": "train"}, {"reading": {"a.csv": ";"}}, {"reading": {"a.csv": {"sep": [5]}}}, {"reading": "a.csv"},
    {"reading": {"a.csv": {"drawn": "1"}}},
    {"first_token_by": 5}, {"first_token_by": "bad_words_ids"},
    {"data_files": {"train": "a.csv"}}, {"data_files": [5]},
]  # fmt: skip


@pytest.mark.parametrize("view", ["finetune", "finetune_loop"])
@pytest.mark.parametrize(("given", "field"), CRAFTED, ids=[f"{field} {given}" for given, field in CRAFTED])
def test_a_crafted_setting_is_refused_by_its_name(view: str, given: dict[str, Any], field: str) -> None:
    whole = {"task": "text-classification", "model": "a/b", "data": DATA, **given}
    for arguments in ({"spec": whole, "labels": ["a", "b"]}, whole):
        with pytest.raises(WorkbenchError) as told:
            snippet(view, arguments, HUB)
        assert told.value.field == field
        assert str(told.value).endswith((".", "}."))


@pytest.mark.parametrize("fact", MADE_UP, ids=str)
def test_a_crafted_fact_is_refused_by_its_name(fact: dict[str, Any]) -> None:
    asked = {"task": "translation" if "first_token" in fact else "text-classification", "model": "a/b", "data": DATA}
    with pytest.raises(WorkbenchError) as told:
        snippet("finetune", {"spec": asked, **fact}, HUB)
    assert told.value.field == next(iter(fact))


@pytest.mark.parametrize("asked", [None, 5, "x", [], {}, {"task": "text-classification"}])
def test_what_is_no_spec_is_refused(asked: Any) -> None:
    with pytest.raises(WorkbenchError):
        snippet("finetune", {"spec": asked}, HUB)


@pytest.mark.parametrize("task", TRAIN_TASKS)
@pytest.mark.parametrize("method", ["full", "lora"])
def test_what_is_left_open_is_as_in_a_run(task: str, method: str) -> None:
    asked = {"task": task, "method": method, "model": "a/b", "data": {"dataset": "a/c"}}
    facts = {
        "labels": ["a", "b"],
        "prefix": "",
        "languages": [None, None],
        "first_token": None,
        "bleu_tokenizer": "13a",
    }
    rate = RunSpec(**{**asked, **defaults(task, method)}).learning_rate
    for arguments in ({"spec": asked, **facts}, {**asked, **facts}):
        assert f"learning_rate={rate!r}," in snippet("finetune", arguments, HUB)


@pytest.mark.parametrize("view", ["finetune", "finetune_loop"])
@pytest.mark.parametrize("remedies", [[], ["drop_duplicates"]], ids=str)
@pytest.mark.parametrize("task", TRAIN_TASKS)
def test_where_the_data_has_rows_to_evaluate_on_a_script_holds_none_out(
    task: str, remedies: list[str], view: str
) -> None:
    asked = {"task": task, "model": "a/b", "data": {"dataset": "a/c"}, "remedies": remedies}
    facts = {
        "labels": ["a", "b"],
        "prefix": "",
        "languages": [None, None],
        "first_token": None,
        "bleu_tokenizer": "13a",
    }
    named = {"validation_given": True, "splits": {"train": "most", "validation": "validation_matched"}}
    code = snippet(view, {"spec": asked, **facts, **named}, HUB)
    assert 'rows_of(data["most"])' in code
    assert 'rows_of(data["validation_matched"])' in code
    assert not re.search(r"hold_out|split_rows|split_groups|strata|VALIDATION", code)
    assert "hold_out(" in snippet(view, {"spec": asked, **facts}, HUB)


@pytest.mark.parametrize("task", ["text-generation", "fill-mask", "summarization", "translation"])
@pytest.mark.parametrize("validation", [0.01, 0.2, 0.5, 0.9, 2, 7, 7.0, 500])
def test_a_script_holds_out_the_rows_that_a_run_does(task: str, validation: float) -> None:
    asked = {"task": task, "model": "a/b", "data": {"dataset": "a/c"}, "validation": validation, "seed": 7}
    facts = {"prefix": "", "languages": [None, None], "first_token": None, "bleu_tokenizer": "13a"}
    tree = ast.parse(snippet("finetune", {"spec": asked, **facts}, HUB))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "hold_out")
    names: dict[str, Any] = {"random": random, "VALIDATION": validation, "SEED": 7}
    exec(compile(ast.Module([function], []), "script", "exec"), names)
    for number in (1, 2, 3, 4, 5, 10, 101, 1000):
        rows = [{"text": f"row {i}"} for i in range(number)]
        kept, held = split_rows(strata([None] * number), validation, 7)
        assert names["hold_out"](rows) == ([rows[i] for i in kept], [rows[i] for i in held])
