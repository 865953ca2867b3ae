"""A card is drafted from the record of a run of each task, and its code runs on the run's own model."""

from __future__ import annotations

import base64
import random
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from card_runs import COMMIT, KINDS, CardRuns, pictures
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt
from run_parts import ME, OTHER

from components.cardrules.snapshots import snapshot
from components.service.cards import Cards, body, metadata
from components.service.cards.checks import check
from components.service.cards.draft import draft_run
from components.service.cards.facts import Recorded
from components.service.cards.markdown import clean
from components.service.cards.sections.data import held_out
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.runs import Runs
from components.service.runs.groundwork import owner_key
from components.service.runs.store import RunFolder
from components.service.settings import Settings

BLOCKS = re.compile(r"```python\n(.*?)\n```", re.DOTALL)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardRuns]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Recommended: pip install sacremoses")
        yield CardRuns(tmp_path_factory.mktemp("cards") / "runs")


def errors(text: str) -> list[dict[str, Any]]:
    return [problem for problem in check(text) if problem["level"] == "error"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_code_of_a_draft_runs_on_the_model_that_the_run_left(
    kind: str, runs: CardRuns, run_snippet: Callable[..., Any], tmp_path: Path
) -> None:
    state = runs.state(kind)
    text = draft_run(state, "me/films").text
    assert errors(text) == []
    image = tmp_path / "image.png"
    image.write_bytes(_png())
    blocks = BLOCKS.findall(text)
    assert len(blocks) == (1 if kind in ("answers", "summaries", "translations") else 2)
    program = "\n".join(blocks).replace('"me/films"', repr(str(runs.model(kind)))).replace("print(", "show(")
    told = run_snippet(f"result = []\n\ndef show(*told):\n    result.append(told)\n\n{program}", image=image)
    assert len(told) >= len(blocks)
    assert not any(answer in (None, "", []) for answers in told for answer in answers)


def _png() -> bytes:
    url: str = pictures(random.Random(0), 0)["image"]
    return base64.b64decode(url.partition("base64,")[2])


@pytest.mark.parametrize("kind", KINDS)
def test_every_metric_is_in_the_table_with_its_interval_and_in_the_model_index(kind: str, runs: CardRuns) -> None:
    state = runs.state(kind)
    text = draft_run(state, "me/films").text
    final = state["results"]["final"]
    known = {name.removesuffix("_low") for name in final if name.endswith("_low")} | {"loss"}
    table = body(text).split("## Evaluation results")[1].split("\n\n")[1].split("\n")
    assert len(table) - 2 == len(known)
    for line in table[2:]:
        title, value, *_ = [part.strip() for part in line.strip("|").split("|")]
        assert re.fullmatch(r"-?[\d.,e+-]+( \(-?[\d.,e+-]+ to -?[\d.,e+-]+\))?", value), line
        assert ("to" in value) == (title != "Loss" or "loss_low" in final)
    results = ModelCard(text).data.eval_results or []
    parts = [state["results"][part] for part in ("test", "final") if part in state["results"]]
    told = sorted(round(float(part[name]), 6) for part in parts for name in known - {"loss"})
    assert sorted(result.metric_value for result in results) == told
    assert {result.metric_type for result in results} <= set(snapshot("metrics").names)
    assert set(metadata(text)["metrics"]) <= set(snapshot("metrics").names)


def test_rows_held_out_of_train_are_not_called_validation(runs: CardRuns) -> None:
    (held,) = (entry["dataset"] for entry in metadata(draft_run(runs.state("pairs")).text)["model-index"][0]["results"])
    assert (held["split"], held["args"]) == ("train", {"held_out": 0.2, "seed": 42})
    results = metadata(draft_run(runs.state("single")).text)["model-index"][0]["results"]
    assert [entry["dataset"]["split"] for entry in results] == ["test", "validation"]
    assert all(entry["dataset"]["config"] == "plain" for entry in results)
    assert all(entry["dataset"]["revision"] == COMMIT for entry in results)


def test_a_folder_of_this_machine_is_told_by_its_name_alone(runs: CardRuns) -> None:
    for kind in ("pairs", "answers"):
        text = draft_run(runs.state(kind)).text
        assert str(runs.folder) not in text
        assert f"data-{kind}" in text
        assert "datasets" not in metadata(text)


#: What a card must say of a run of each kind beside what all say.
SAID: dict[str, list[str]] = {
    "single": [
        "### Decision threshold",
        "| Rows for test | 6, the data's split `test` |",
        "the split `validation` that came with the data",
    ],
    "pairs": [
        "| `lora_rank` | 8 |",
        "| trained parameters |",
        "trained with LoRA",
        "repeat an earlier one",
        "every 2 steps",
        "| `every` | 2 |",
        '"text_pair": ',
        "### Confusion matrix",
    ],
    "multi": ["| Micro F1 |", "from a probability of 0.5 on", "grouped by their rarest label", "pipe(", "top_k=None"],
    "regression": ["| Pearson correlation |", "Always answering the mean of the training rows (", "as it is"],
    "tokens": ["### Each type of entity", "| `PER` |", 'aggregation_strategy="first"', "| Tag | train |"],
    "answers": ["| Exact match |", "whole contexts with all their questions", "no answer", "| Windows of contexts |"],
    "texts": ["| Perplexity |", "cut into blocks of 32 tokens", "| Blocks | train", "by drawing the blocks anew"],
    "chats": ["apply_chat_template", "| Chats | train", "all tokens are learned from", "by drawing the chats anew"],
    "masks": ["15 % of the tokens are masked", "pipe.tokenizer.mask_token"],
    "summaries": ["| ROUGE-L |", "Before each text stands `summarize: `", "Giving the first 3 sentences"],
    "translations": [
        "| chrF |",
        "by its tokenizer `13a`",
        'tokenizer.src_lang = "en"',
        "| Translates | `en` to `fr` |",
    ],
    "pictures": ["image_processor", "are not augmented", "(height 32, width 32)"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_tells_what_its_run_recorded(kind: str, runs: CardRuns) -> None:
    text = draft_run(runs.state(kind), "me/films").text
    assert [said for said in SAID[kind] if said not in text] == []
    for told in ("None", "nan", "{'", "['"):
        assert told not in re.sub(r"```.*?```", "", body(text), flags=re.DOTALL), told


@pytest.mark.parametrize(
    ("shared", "said"), [({}, "whole contexts"), ({"validation": 3}, "since there are few contexts")]
)
def test_a_draft_tells_whether_contexts_were_held_out_whole(shared: dict[str, int], said: str) -> None:
    spec = {"task": "question-answering", "validation": 0.2, "seed": 1}
    assert said in held_out(Recorded({"spec": spec, "facts": {"shared_contexts": shared}, "labels": []}, "me/films"))


#: What a run was shown when it was over, as an example of the card; the model's answer beside it.
SHOWN: dict[str, dict[str, Any]] = {
    "single": {"text": "warm ```` film"},
    "multi": {"text": "this film is warm"},
    "regression": {"text": "this film is warm"},
    "tokens": {"text": "Ada is in France"},
    "chats": {"messages": [{"role": "user", "content": "how is it?"}]},
    "masks": {"text": "a [MASK] film"},
    "summaries": {"text": "It is warm."},
}


@pytest.mark.parametrize("kind", SHOWN)
def test_what_a_run_was_shown_becomes_an_example_with_its_answer(kind: str, runs: CardRuns) -> None:
    (example,) = metadata(draft_run(runs.state(kind)).text)["widget"]
    answer = example.pop("output", None)
    assert example == SHOWN[kind]
    assert (answer is None) == (kind in ("tokens", "regression"))


def test_a_picture_or_a_missing_answer_is_no_example(runs: CardRuns) -> None:
    assert "widget" not in metadata(draft_run(runs.state("pictures")).text)
    state = runs.state("answers")
    state["samples"]["after"][0]["output"]["answer"] = ""
    assert "widget" not in metadata(draft_run(state).text)


def test_translations_have_their_languages_and_bleu_its_tokenizer(runs: CardRuns) -> None:
    told = metadata(draft_run(runs.state("translations")).text)
    assert told["language"] == ["en", "fr"]
    assert told["model-index"][0]["results"][0]["metrics"][0]["args"] == {"tokenize": "13a"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_thing_that_is_filled_in_has_one_source_and_stands_in_its_place(kind: str, runs: CardRuns) -> None:
    draft = draft_run(runs.state(kind), "me/films")
    assert len(draft.sources) > 40
    keys = [(source.get("field"), source.get("section"), source["fact"]) for source in draft.sources]
    assert len(set(keys)) == len(keys)
    for source in draft.sources:
        assert source["from"].startswith("run run-")
        if "section" in source:
            heading = f"# {source['section']}\n"
            assert source["value"] in draft.text[draft.text.index(heading) :]


HOSTILE = [
    "[click](javascript:alert(1))",
    r"\[click](javascript:alert(1))",
    "a | b",
    r"a \| <img src=x onerror=alert(1)> \|",
    "`code` <script>alert(1)</script>",
    "``` \n# Heading\n\n---\n",
    "![](https://evil.example/pixel.png)",
    "https://evil.example and www.evil.example, me@evil.example",
    "*bold* _thin_ ~~gone~~ $x$",
    "&lt;img&gt;",
    "\u202egnp.exe",
    "line\u2028break\x0b\x00",
    "{{ 7*7 }} {% raw %}",
]


_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


@pytest.mark.parametrize("text", HOSTILE)
def test_what_strangers_wrote_is_shown_and_does_nothing(text: str, runs: CardRuns) -> None:
    state = runs.state("single")
    state["labels"] = [text, "good"]
    state["name"] = text
    state["spec"]["data"] = {"file": "data/rows.csv", "name": text}
    state["spec"]["samples"] = [text]
    state["facts"]["columns"] = {"text": text, "label": text}
    state["facts"]["notes"] = [text]
    state["facts"]["label_counts"] = {"train": {text: 3, "good": 1}}
    state["results"]["baselines"]["majority"]["label"] = text
    for one in state["results"]["per_class"]:
        one["label"] = text
    draft = draft_run(state).text
    assert errors(draft) == []
    assert metadata(draft)["model-index"][0]["name"] == clean(text)
    shown = _MARKDOWN.parse(body(draft))
    kinds = {token.type for block in shown for token in [block, *(block.children or [])]}
    assert kinds & {"link_open", "image", "html_block", "em_open", "s_open", "hardbreak", "hr"} == set()
    inline = [token for block in shown for token in block.children or [] if token.type == "html_inline"]
    assert {token.content for token in inline} <= {"<code>", "</code>"}
    assert not re.search(r"(?<!\\)(https://evil|www\.evil|@evil)", re.sub("`[^`\n]*`", "", _without_code(draft)))
    plain = _MARKDOWN.parse(body(draft_run(runs.state("single")).text))
    assert _shape(shown) == _shape(plain)


def _without_code(text: str) -> str:
    return BLOCKS.sub("", body(text))


def _shape(tokens: list[Any]) -> list[str]:
    """The blocks of a card but for those that depend on how many remarks there are."""
    return [token.markup + token.tag for token in tokens if token.type in ("heading_open", "fence", "blockquote_open")]


@pytest.fixture(scope="module")
def cards(runs: CardRuns, engine: Engine) -> Iterator[Cards]:
    """The service, in which the runs are mine; its Hub does not answer."""
    home = runs.folder.parent
    settings = Settings(home=home, cache=home / "cache", endpoint="http://127.0.0.1:9")
    hub = Hub(settings)
    service = Runs(settings, hub, engine, Data(settings, hub, engine))
    yield Cards(settings, hub, service)
    service.close()


@pytest.fixture(scope="module")
def run(runs: CardRuns) -> RunFolder:
    """A finished run of mine."""
    folder = RunFolder(runs.model("single").parent)
    folder.owner.write_text(owner_key(ME))
    return folder


def test_a_run_that_goes_on_makes_its_card_stale(cards: Cards, run: RunFolder) -> None:
    draft = cards.draft(f"runs/{run.id}", "me/films", visitor=ME)
    told = cards.card_sources(draft["text"], run.id, draft["sources"], visitor=ME)["sources"]
    assert {one["state"] for one in told} == {"same"}
    results = next(event for event in run.events() if event["kind"] == "results")
    results = {key: value for key, value in results.items() if key not in ("kind", "time")}
    before = run.events_file.read_bytes()
    run.append("results", **{**results, "test": {**results["test"], "accuracy": 1.0}})
    told = cards.card_sources(draft["text"], run.id, draft["sources"], visitor=ME)["sources"]
    run.events_file.write_bytes(before)
    stale = [one for one in told if one["state"] == "stale"]
    assert all("test.accuracy" in one["fact"] for one in stale)
    assert [one.get("field") for one in stale].count("model-index[0].results[0].metrics[0].value") == 1
    assert next(one for one in stale if "field" in one)["now"] == 1.0


def test_the_card_of_somebody_elses_run_is_not_told(cards: Cards, run: RunFolder) -> None:
    for ask in (
        lambda: cards.draft(run.id, visitor=OTHER),
        lambda: cards.card_sources("# A\n", run.id, visitor=OTHER),
    ):
        with pytest.raises(WorkbenchError) as refused:
            ask()
        assert refused.value.kind == "not_found"


def test_the_results_of_a_run_go_into_a_table_and_back(cards: Cards, run: RunFolder) -> None:
    text = cards.draft(run.id, visitor=ME)["text"]
    told = cards.card_results(text)
    assert [file["path"] for file in told["files"]] == [".eval_results/me--reviews.yaml"]
    assert told["left_out"] == []
    assert cards.edit_card_results(text, told["rows"])["text"] == text
    rows = [{**row, "source": "https://example.com/eval"} for row in told["rows"]]
    again = cards.card_results(cards.edit_card_results(text, rows)["text"])["rows"]
    assert {row["source"] for row in again} == {"https://example.com/eval"}
    back = [row for file in told["files"] for row in cards.read_eval_results(file["text"])["rows"]]
    assert [row["value"] for row in back] == [row["value"] for row in told["rows"]]
