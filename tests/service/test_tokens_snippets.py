"""The inspector's snippets run as they stand, and give what the views show."""

from __future__ import annotations

import json
import os
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
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.tokens import Tokens
from components.service.visitor import Visitor

ROOT = Path(__file__).parents[2]
HARD = 'It\'s "quoted" \\n {brace} \n é☃ naïve'
MESSAGES = [{"role": "user", "content": HARD}, {"role": "assistant", "content": "Hello!"}]
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}]
RUNNER = """
import json, runpy, sys
results = [runpy.run_path(name)["result"] for name in sys.argv[1:]]
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def embedded(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings for an embedded Hub of its own process that has a tokenizer of each kind."""
    from service_models import byte_level, wordpiece
    from tokenizer_models import save_all

    folder = tmp_path_factory.mktemp("localhub")
    models = folder / "seed" / "models" / "tiny"
    save_all(models)
    wordpiece().save_pretrained(models / "classifier")
    byte_level().save_pretrained(models / "generator")
    command = [sys.executable, "-m", "components.localhub", "--root", str(folder / "root"), "--port", "0"]
    command += ["--user", "ada", "--token", "hf_ada", "--seed", str(folder / "seed")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert address.startswith("http://"), address
        yield replace(settings, endpoint=address, cache=folder / "cache")
        process.terminate()


def run(codes: list[str], home: Path) -> list[Any]:
    """What each of the programs has in `result`, all run as they stand in one fresh process."""
    names = [f"snippet{number}.py" for number in range(len(codes))]
    for name, code in zip(names, codes, strict=True):
        (home / name).write_text(code)
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", RUNNER, *names]
    done = subprocess.run(command, cwd=home, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_every_view_of_the_inspector_has_a_snippet_that_gives_what_it_shows(
    embedded: Settings, engine: Engine, visitor: Visitor, tmp_path: Path
) -> None:
    tokens = Tokens(embedded, Hub(embedded), engine)
    views: list[tuple[str, dict[str, Any], Any]] = []

    def view(name: str, shown: dict[str, Any], asked: dict[str, Any], expected: Any, **more: Any) -> None:
        known = {"commit": shown.get("commit"), **asked, **more}
        views.append((name, known, expected))

    for model in ("tiny/classifier", "tiny/unigram", "tiny/byte"):
        asked: dict[str, Any] = {"model": model, "text": HARD}
        shown = tokens.tokenize(**asked, visitor=visitor)
        ids = [item["id"] for item in shown["stages"][-3]["items"]]
        view("token_stages", shown, asked, ids, fast=shown["fast"])
    for model, text in (("generator", "Transformer"), ("suffix", "transformer"), ("fallback", "love it ☃")):
        asked = {"model": f"tiny/{model}", "text": text}
        shown = tokens.tokenize(**asked, visitor=visitor)
        replay = shown["stages"][-3]["replays"][0]
        steps = [replay["symbols"], *(step["symbols"] for step in replay["steps"])]
        assert len(steps) > 3
        view("merges", shown, asked, steps, word=replay["word"])

    asked = {"model": "tiny/generator", "ids": [[0, 300], [301, 302, 303]], "options": {"skip_special_tokens": True}}
    shown = tokens.decode(**asked, visitor=visitor)
    view("decode", shown, asked, [row["text"] for row in shown["rows"]])
    batches: list[dict[str, Any]] = [
        {"texts": [HARD, "b"], "options": {"pad_with": "eos", "padding_side": "left", "pad_to_multiple_of": 8}},
        {"texts": [[HARD, "b"], ["c", HARD]], "options": {"truncation": "longest_first", "max_length": 9, "stride": 2,
                                                          "return_overflowing_tokens": True}},
        {"texts": [HARD, "b"], "options": {"padding": "do_not_pad", "truncation_side": "left", "max_length": 5,
                                           "truncation": "only_first", "add_special_tokens": False}},
    ]  # fmt: skip
    for model, batch in zip(("generator", "classifier", "classifier"), batches, strict=True):
        asked = {"model": f"tiny/{model}", **batch}
        shown = tokens.collate(**asked, visitor=visitor)
        view("collate", shown, asked, [row["ids"] for row in shown["rows"]])

    for options in ({"add_generation_prompt": True}, {"template": "{{ messages }} {{ tools }}", "tools": TOOLS}):
        asked = {"model": "tiny/chat", "messages": MESSAGES, "options": options}
        shown = tokens.render_chat(**asked, visitor=visitor)
        ids = [token["id"] for token in shown["tokens"]]
        view("render_chat", shown, asked, {"rendered": shown["rendered"], "ids": ids})

    for model, query, mode in (
        ("generator", "lo", "contains"),
        ("generator", " lo", "contains"),
        ("generator", " t", "prefix"),
        ("generator", "^ [A-Z]", "regex"),
        ("generator", "^Ġ", "regex"),
        ("unigram", " I", "exact"),
        ("unigram", "wo", "prefix"),
        ("classifier", "ing", "suffix"),
        ("classifier", "^[a-c]+$", "regex"),
        ("generator", "300", "id"),
        ("byte", "", "contains"),
    ):
        asked = {"model": f"tiny/{model}", "query": query, "options": {"mode": mode, "count": 400}}
        shown = tokens.search_vocabulary(**asked, visitor=visitor)
        assert shown["total"], asked
        view("search_vocabulary", shown, asked, [{"id": one["id"], "token": one["token"]} for one in shown["entries"]])

    for models in (["tiny/chat", "tiny/generator"], ["tiny/classifier", "tiny/unigram"]):
        shown = tokens.compare_vocabularies(models, visitor=visitor)
        counts = {name: shown[name]["total"] for name in ("shared", "only_first", "only_second")}
        view("compare_vocabularies", {}, shown, counts)
    shown = tokens.compare_tokenizers(["tiny/unigram", "tiny/byte"], HARD, visitor=visitor)
    expected = {
        one["model"]: {"tokens": one["counts"]["tokens"], "same_text_comes_back": one["round_trip"]["equal"]}
        for one in shown["tokenizers"]
    }
    view("compare_tokenizers", {}, {**shown, "text": HARD}, expected)

    results = run([snippet(name, asked, embedded.endpoint) for name, asked, _ in views], tmp_path)
    for (name, asked, expected), result in zip(views, results, strict=True):
        assert result == expected, (name, asked)


ODD = {
    "model": '"+os.getcwd()+"', "text": "'); import os #", "word": '"\nimport os', "texts": ["'''", "\\"],
    "messages": [{"role": "user", "content": '"""\nimport os'}], "query": "'\n1/0\n'", "ids": [1],
    "models": ["');os", "b"],
}  # fmt: skip


@pytest.mark.parametrize(
    "view",
    ["tokenize", "token_stages", "merges", "decode", "collate", "render_chat", "search_vocabulary",
     "compare_vocabularies", "compare_tokenizers"],
)  # fmt: skip
def test_what_a_visitor_writes_stays_a_value(view: str) -> None:
    code = compile(snippet(view, ODD, HUGGING_FACE), "snippet", "exec")
    assert not {"os", "getcwd"} & set(code.co_names)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: snippet("compare_tokenizers", {"text": "a"}, HUGGING_FACE), "models"),
        (lambda: snippet("collate", {"options": {"padding": "wide"}}, HUGGING_FACE), "options.padding"),
        (lambda: snippet("decode", {"ids": [["a"]]}, HUGGING_FACE), "ids"),
    ],
)
def test_what_no_snippet_can_be_made_of_is_told(call: Callable[[], str], field: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        call()
    assert caught.value.field == field
