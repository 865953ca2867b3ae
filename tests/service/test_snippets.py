"""Every snippet runs as it stands, some of them in a fresh process, and gives what the view shows."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.tokens import Tokens
from components.service.visitor import Visitor

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def embedded(
    settings: Settings, tiny_classifier: Path, tiny_generator: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """Settings for an embedded Hub of its own process that has both models."""
    folder = tmp_path_factory.mktemp("localhub")
    for path in (tiny_classifier, tiny_generator):
        shutil.copytree(path, folder / "seed" / "models" / "tiny" / path.name)
    command = [sys.executable, "-m", "components.localhub", "--root", str(folder / "root"), "--port", "0"]
    command += ["--user", "ada", "--token", "hf_ada", "--seed", str(folder / "seed")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert address.startswith("http://"), address
        yield replace(settings, endpoint=address, cache=folder / "cache")
        process.terminate()


@pytest.fixture(scope="module")
def local(embedded: Settings) -> Hub:
    return Hub(embedded)


@pytest.fixture(scope="module")
def fork(embedded: Settings, forks: Any) -> Callable[[str, Path], Any]:
    """Runs code as `run` does, in a process that has the libraries already, whose Hub is the one that code names."""
    zygote = forks(HF_ENDPOINT=embedded.endpoint, HF_HUB_DISABLE_XET="1")

    def run(code: str, home: Path) -> Any:
        assert code.index(f'os.environ["HF_ENDPOINT"] = "{embedded.endpoint}"') < code.index("from transformers")
        return zygote.run(code, home)

    return run


def run(code: str, home: Path) -> Any:
    """What a fresh process that runs `code` has in `result`."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "2"}
    (home / "snippet.py").write_text(code + "\nimport json\nprint(json.dumps(result))\n")
    done = subprocess.run(
        [sys.executable, "snippet.py"], cwd=home, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


HARD = 'It\'s "quoted" \\n {brace} \n é☃'
PAIR = {"text": HARD, "text_pair": "b"}
LONG = "I love this film " * 40
TWO = [HARD, "Once"]


@pytest.mark.parametrize(
    ("view", "task", "model", "inputs", "parameters", "fresh"),
    [
        ("pipeline", "text-classification", "tiny/classifier", [HARD, PAIR], {"top_k": 2}, True),
        ("stages", "text-classification", "tiny/classifier", LONG, {"function_to_apply": "sigmoid"}, False),
        ("stages", "text-classification", "tiny/classifier", PAIR, {}, False),
        ("pipeline", "text-generation", "tiny/generator", TWO, {"temperature": 1.2, "max_new_tokens": 9}, False),
        ("stages", "text-generation", "tiny/generator", HARD, {"seed": 3, "top_k": 9, "stop": ["e", "H"]}, False),
        ("generate", "text-generation", "tiny/generator", HARD, {"num_beams": 2, "return_full_text": False}, True),
    ],
)
def test_a_model_snippet_gives_the_result_that_was_shown(
    local: Hub,
    embedded: Settings,
    engine: Engine,
    visitor: Visitor,
    tmp_path: Path,
    fork: Any,
    view: str,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
    fresh: bool,
) -> None:
    shown = Inference(embedded, local, engine).run_task(task, model, inputs, parameters, visitor=visitor)
    arguments = {**shown, "inputs": inputs}
    code = snippet(view, arguments, embedded.endpoint)
    assert shown["commit"] in code
    result = (run if fresh else fork)(code, tmp_path)
    if task == "text-generation":
        assert result == shown["output"]
    else:
        assert _flat(result) == [(label, pytest.approx(score, rel=1e-5)) for label, score in _flat(shown["output"])]


def _flat(output: Any) -> list[tuple[str, float]]:
    rows = [row for part in output for row in (part if isinstance(part, list) else [part])]
    return [(row["label"], row["score"]) for row in rows]


def test_token_snippets_give_what_was_shown(
    local: Hub, embedded: Settings, engine: Engine, visitor: Visitor, tmp_path: Path, fork: Any
) -> None:
    tokens = Tokens(embedded, local, engine)
    asked = {"model": "tiny/classifier", "text": HARD, "text_pair": "b"}
    shown = tokens.tokenize(**asked, visitor=visitor)
    result = run(snippet("tokenize", {**asked, "commit": shown["commit"]}, embedded.endpoint), tmp_path)
    assert result == [{"id": token["id"], "token": token["token"]} for token in shown["tokens"]]

    back = {
        "model": "tiny/classifier",
        "ids": [token["id"] for token in shown["tokens"]],
        "options": {"skip_special_tokens": True},
    }
    text = tokens.decode(**back, visitor=visitor)["text"]
    assert fork(snippet("decode", back, embedded.endpoint), tmp_path) == text


def test_a_snippet_for_huggingface_names_no_endpoint() -> None:
    asked = {"task": "text-generation", "model": "distilbert/distilgpt2", "inputs": "Once"}
    code = snippet("pipeline", asked, HUGGING_FACE)
    assert "HF_ENDPOINT" not in code
    assert "do_sample=False" in code


@pytest.mark.parametrize("inputs", ["'); import os #", '"""\nimport os', {"text": "a", "text_pair": "\\"}, None])
@pytest.mark.parametrize("view", ["pipeline", "stages"])
def test_what_a_visitor_writes_stays_a_value(view: str, inputs: Any) -> None:
    asked = {"task": "text-classification", "model": '"+os.getcwd()+"', "commit": "'\n1/0\n'", "inputs": inputs}
    code = compile(snippet(view, asked, HUGGING_FACE), "snippet", "exec")
    assert "getcwd" not in code.co_names
    assert "os" not in code.co_names


@pytest.mark.parametrize(
    ("view", "arguments", "field"),
    [
        ("nonsense", {}, "view"),
        ("pipeline", [], "arguments"),
        ("pipeline", {}, "task"),
        ("pipeline", {"task": "text-generation", "parameters": {"a=1, b": 2}}, "parameters.a=1, b"),
        ("decode", {"ids": "one"}, "ids"),
    ],
)
def test_what_has_no_snippet_is_told(view: str, arguments: Any, field: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        snippet(view, arguments, HUGGING_FACE)
    assert caught.value.field == field


def test_a_snippet_runs_in_a_process_that_has_the_libraries_already(run_snippet: Any, tiny_classifier: Path) -> None:
    code = snippet(
        "pipeline",
        {"task": "text-classification", "model": str(tiny_classifier), "inputs": "I love it", "dtype": "float32"},
        HUGGING_FACE,
    )
    assert len(run_snippet(code)) == 3


def numbers(value: Any) -> list[float]:
    """Every number in nested lists and mappings."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for one in value for number in numbers(one)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("task", ["text-classification", "sentence-similarity", "summarization"])
def test_the_code_of_a_comparison_gives_what_each_model_answered(
    task: str,
    run_snippet: Any,
    tiny_classifier: Path,
    models_folder: Path,
    engine: Engine,
    settings: Settings,
    hub: Hub,
    visitor: Visitor,
) -> None:
    names = ["classifier", f"twin-{task}", "classifier"]  # the same at two revisions
    if task == "summarization":
        import generation_models

        generation_models.t5(models_folder / names[1])
        names[0] = names[2] = generation_models.bart(models_folder / "bart").name
    else:
        shutil.copytree(tiny_classifier, models_folder / names[1])
    rows: Any = ["I love it", "I hate it"]
    if task == "sentence-similarity":
        rows = [{"source_sentence": "a small fox", "sentences": ["the fox", "a film"]}]
    shown = [Inference(settings, hub, engine).run_task(task, f"local/{n}", rows, visitor=visitor) for n in names]
    models = [
        {"model": str(models_folder / name), "commit": "main", "dtype": "float32", "parameters": one["parameters"]}
        for name, one in zip(names, shown, strict=True)
    ]
    code = snippet("compare", {"task": task, "models": models, "inputs": rows}, HUGGING_FACE)
    made = run_snippet(code)
    assert len(made) == 3
    for ours, theirs in zip(made, shown, strict=True):
        assert numbers(ours) == pytest.approx(numbers(theirs["output"]), abs=1e-5)
        if task == "summarization":
            assert ours == theirs["output"]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"file": "/tmp/x/cat.png"}, '# Put "cat.png" beside this program, or write where it is.'),
        ([{"sample": "cat.png"}, {"sample": "street.png"}], '# Put "cat.png", "street.png" beside this program'),
        ([{"name": "a\nb", "file": "x"}] * 9, '# Put "a\\nb" beside this program'),
        ([{"file": f"{n}.png"} for n in range(9)], '"4.png" and more beside this program, or write where they are.'),
        ("aGVsbG8=", None),
    ],
)
@pytest.mark.parametrize("view", ["pipeline", "stages", "compare"])
def test_a_program_that_opens_files_says_where_they_belong(view: str, inputs: Any, told: str | None) -> None:
    used = {"top_k": 5, "function_to_apply": "softmax"}
    models = [{"model": "a/b", "commit": "0" * 40}]
    asked = {"task": "image-classification", "model": "a/b", "models": models, "inputs": inputs, "parameters": used}
    code = snippet(view, asked, HUGGING_FACE)
    if told is None:
        assert "beside this program" not in code
    else:
        assert told in code
    ast.parse(code)


@pytest.mark.parametrize(
    ("endpoint", "told"), [("http://127.0.0.1:80", "answers while the app runs"), ("https://hub.example", None)]
)
def test_a_program_says_that_the_apps_own_hub_goes_with_it(endpoint: str, told: str | None) -> None:
    code = snippet("pipeline", {"task": "fill-mask", "model": "a/b", "inputs": "a [MASK]"}, endpoint)
    assert f'os.environ["HF_ENDPOINT"] = "{endpoint}"  # the Hub in use' in code
    assert ("answers while the app runs" in code) is bool(told)
