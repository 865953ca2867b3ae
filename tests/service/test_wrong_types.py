"""Whatever is passed to the service, of whatever type, only a sentence for people comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from components.service.cards import Cards
from components.service.catalog import Catalog
from components.service.data import Data
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.runs import Runs
from components.service.settings import Settings
from components.service.snippets import snippet
from components.service.tokens import Tokens
from components.service.visitor import Visitor

TASK, MODEL, TEXT = "text-classification", "local/classifier", "I love this film"
CARD = "---\nlicense: mit\n---\n# Films\n"
ODD: dict[str, Any] = {
    "None": None,
    "a number": 5,
    "a huge number": 10**400,
    "a share": 0.5,
    "true": True,
    "a list": [],
    "a list of lists": [[]],
    "an object": {},
    "an object of odd names": {5: 5, "\ud800": "\ud800"},
    "half a pair": "\ud800",
    "half a pair in a list": ["\ud800"],
    "NUL": "\0",
    "a path": "../../etc/passwd",
    "long": "x" * 200_000,
    "long words": "word " * 300_000,
}


class Parts:
    """The parts of the service that a call from outside reaches, on models of this machine."""

    def __init__(self, settings: Settings, hub: Hub, engine: Engine) -> None:
        self.hub = hub
        self.catalog = Catalog(hub)
        self.inference = Inference(settings, hub, engine)
        self.tokens = Tokens(settings, hub, engine)
        self.data = Data(settings, hub, engine)
        self.runs = Runs(settings, hub, engine, self.data)
        self.cards = Cards(settings, hub, self.runs)

    def spec(self, **changes: Any) -> dict[str, Any]:
        # Data that nothing can be trained on: a setting that passes starts no run.
        return {"task": TASK, "model": MODEL, "data": {"text": "text,label\n"}, **changes}


@pytest.fixture(scope="module")
def parts(
    tmp_path_factory: pytest.TempPathFactory, settings: Settings, engine: Engine, models_folder: Path, hub: Hub,
    tiny_classifier: Path, tiny_generator: Path,
) -> Iterator[Parts]:  # fmt: skip
    home = tmp_path_factory.mktemp("odd")
    # A Hub that does not answer: what has the form of an id ends in a sentence too.
    own = Hub(replace(settings, home=home, endpoint="http://127.0.0.1:9"))
    own.add_namespace("local", lambda name, visitor: hub.local(f"local/{name}", visitor))
    made = Parts(own.settings, own, engine)
    yield made
    made.runs.close()


ME = Visitor("machine")
CALLS: dict[str, Callable[[Parts, Any], Any]] = {
    "run_task task": lambda p, v: p.inference.run_task(v, MODEL, TEXT, visitor=ME),
    "run_task model": lambda p, v: p.inference.run_task(TASK, v, TEXT, visitor=ME),
    "run_task inputs": lambda p, v: p.inference.run_task(TASK, MODEL, v, visitor=ME),
    "run_task text": lambda p, v: p.inference.run_task(TASK, MODEL, {"text": v}, visitor=ME),
    "run_task parameters": lambda p, v: p.inference.run_task(TASK, MODEL, TEXT, v, visitor=ME),
    "run_task top_k": lambda p, v: p.inference.run_task(TASK, MODEL, TEXT, {"top_k": v}, visitor=ME),
    "run_task function": lambda p, v: p.inference.run_task(TASK, MODEL, TEXT, {"function_to_apply": v}, visitor=ME),
    "run_task temperature": lambda p, v: p.inference.run_task(
        "text-generation", "local/generator", TEXT, {"temperature": v, "stop": ["film"]}, visitor=ME
    ),
    "run_task stop": lambda p, v: p.inference.run_task(
        "text-generation", "local/generator", TEXT, {"stop": v, "max_new_tokens": 1}, visitor=ME
    ),
    "run_task revision": lambda p, v: p.inference.run_task(TASK, MODEL, TEXT, None, v, visitor=ME),
    "run_stages inputs": lambda p, v: p.inference.run_stages(TASK, MODEL, v, visitor=ME),
    "stream_task model": lambda p, v: list(p.inference.stream_task("text-generation", v, TEXT, visitor=ME)),
    "tokenize model": lambda p, v: p.tokens.tokenize(v, TEXT, visitor=ME),
    "tokenize text": lambda p, v: p.tokens.tokenize(MODEL, v, visitor=ME),
    "tokenize text_pair": lambda p, v: p.tokens.tokenize(MODEL, TEXT, v, visitor=ME),
    "tokenize options": lambda p, v: p.tokens.tokenize(MODEL, TEXT, None, v, visitor=ME),
    "tokenize start": lambda p, v: p.tokens.tokenize(MODEL, TEXT, None, {"start": v}, visitor=ME),
    "tokenize revision": lambda p, v: p.tokens.tokenize(MODEL, TEXT, None, None, v, visitor=ME),
    "decode ids": lambda p, v: p.tokens.decode(MODEL, v, visitor=ME),
    "decode one id": lambda p, v: p.tokens.decode(MODEL, [v], visitor=ME),
    "hub.model": lambda p, v: p.hub.model(v, visitor=ME),
    "hub.model revision": lambda p, v: p.hub.model(MODEL, v, visitor=ME),
    "hub.tokenizer": lambda p, v: p.hub.tokenizer(v, visitor=ME),
    "hub.dataset": lambda p, v: p.hub.dataset(v, visitor=ME),
    "hub.dataset revision": lambda p, v: p.hub.dataset("a/b", v, visitor=ME),
    "model_facts": lambda p, v: p.catalog.model_facts(v, visitor=ME),
    "model_facts revision": lambda p, v: p.catalog.model_facts("a/b", v, visitor=ME),
    "inspect source": lambda p, v: p.data.inspect(v, visitor=ME),
    "inspect text": lambda p, v: p.data.inspect({"text": v}, visitor=ME),
    "inspect file": lambda p, v: p.data.inspect({"file": v}, visitor=ME),
    "inspect name": lambda p, v: p.data.inspect({"file": __file__, "name": v}, visitor=ME),
    "inspect data set": lambda p, v: p.data.inspect({"dataset": v, "revision": v, "config": v}, visitor=ME),
    "inspect columns": lambda p, v: p.data.inspect({"text": "a,b\nc,d\n"}, v, visitor=ME),
    "inspect column": lambda p, v: p.data.inspect({"text": "a,b\nc,d\n"}, {"text": v}, visitor=ME),
    "start spec": lambda p, v: p.runs.start(v, visitor=ME),
    **{
        f"start {name}": lambda p, v, name=name: p.runs.start(p.spec(**{name: v}), visitor=ME)
        for name in ("task", "model", "data", "revision", "columns", "epochs", "batch_size", "learning_rate", "warmup",
                     "schedule", "max_length", "seed", "precision", "keep", "samples", "name")
    },
    "start column": lambda p, v: p.runs.start(p.spec(columns={"text": v}), visitor=ME),
    "start sample": lambda p, v: p.runs.start(p.spec(samples=[v]), visitor=ME),
    "state": lambda p, v: p.runs.state(v, visitor=ME),
    "stop": lambda p, v: p.runs.stop(v, v, visitor=ME),
    "resume": lambda p, v: p.runs.resume(v, visitor=ME),
    "try_run": lambda p, v: p.runs.try_run(v, v, visitor=ME),
    "delete": lambda p, v: p.runs.delete(v, visitor=ME),
    "rehearse": lambda p, v: p.runs.rehearse(v, visitor=ME),
    "rehearse setting": lambda p, v: p.runs.rehearse(p.spec(method=v, patience=v), visitor=ME),
    "rehearse repo": lambda p, v: p.runs.rehearse(p.spec(), v, visitor=ME),
    "rerun": lambda p, v: p.runs.rerun(v, v, visitor=ME),
    "move": lambda p, v: p.runs.move(v, v, visitor=ME),
    "compare": lambda p, v: p.runs.compare(v, visitor=ME),
    "compare one": lambda p, v: p.runs.compare([v, v], visitor=ME),
    "log": lambda p, v: p.runs.log(v, v, visitor=ME),
    "draft": lambda p, v: p.cards.draft(v, visitor=ME),
    "draft repo": lambda p, v: p.cards.draft(MODEL, v, visitor=ME),
    "check": lambda p, v: p.cards.check(v),
    "edit_card": lambda p, v: p.cards.edit_card(v, v),
    "edit_card change": lambda p, v: p.cards.edit_card(CARD, [v]),
    "edit_card field": lambda p, v: p.cards.edit_card(CARD, [{"field": v, "value": v}]),
    "edit_card value": lambda p, v: p.cards.edit_card(CARD, [{"field": "license", "value": v}]),
    "edit_card section": lambda p, v: p.cards.edit_card(CARD, [{"section": v, "text": v}]),
    "diff_card": lambda p, v: p.cards.diff_card(CARD, v),
    "merge_card": lambda p, v: p.cards.merge_card(CARD, v, CARD),
    "check files": lambda p, v: p.cards.check(CARD, v),
    "validate": lambda p, v: p.cards.validate(v, visitor=ME),
    "search_lists": lambda p, v: p.cards.search_lists(v),
    "search_lists query": lambda p, v: p.cards.search_lists("tasks", v),
    "search_lists limit": lambda p, v: p.cards.search_lists("tasks", "", v),
    "card_sources": lambda p, v: p.cards.card_sources(v, MODEL, visitor=ME),
    "card_sources subject": lambda p, v: p.cards.card_sources(CARD, v, visitor=ME),
    "card_sources sources": lambda p, v: p.cards.card_sources(CARD, MODEL, v, visitor=ME),
    "card_completeness": lambda p, v: p.cards.card_completeness(v),
    "card_results": lambda p, v: p.cards.card_results(v),
    "edit_card_results": lambda p, v: p.cards.edit_card_results(CARD, v),
    "edit_card_results row": lambda p, v: p.cards.edit_card_results(CARD, [{"task": v, "metric": v, "value": v}]),
    "read_eval_results": lambda p, v: p.cards.read_eval_results(v),
    "snippet card": lambda p, v: snippet("card", {"repo": v, "changes": v, "message": v}, "http://127.0.0.1:9"),
}  # fmt: skip


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or the refusal that it ends in."""
    try:
        return call()
    except WorkbenchError as error:
        return error


@pytest.mark.parametrize("call", CALLS)
def test_a_value_of_a_wrong_type_ends_in_a_sentence_or_an_answer(parts: Parts, call: str) -> None:
    for value in ODD.values():
        told = outcome(lambda value=value: CALLS[call](parts, value))
        if isinstance(told, WorkbenchError):
            assert told.kind != "code", (value, told.message)
            assert told.message[-1] in ".?)", told.message[-200:]
            assert len(told.message) < 2000
            told = [told.message, told.field]
        orjson.dumps(told, default=str)


@pytest.mark.parametrize("model", [5, [], {}, ["a"], True, "\ud800"])
def test_a_model_that_is_no_text_names_its_field(parts: Parts, model: Any) -> None:
    with pytest.raises(WorkbenchError, match="not a model id") as told:
        parts.inference.run_task(TASK, model, TEXT, visitor=ME)
    assert told.value.field == "model"


@pytest.mark.parametrize("revision", [5, [], {}, ["main"], "\ud800", "a b"])
def test_a_revision_that_is_no_text_names_its_field(parts: Parts, revision: Any) -> None:
    with pytest.raises(WorkbenchError, match="A revision is") as told:
        parts.tokens.tokenize(MODEL, TEXT, None, None, revision, visitor=ME)
    assert told.value.field == "revision"


def test_spaces_around_a_model_id_do_no_harm(parts: Parts) -> None:
    assert parts.inference.run_task(TASK, f"  {MODEL} \n", TEXT, visitor=ME)["model"] == MODEL
    assert parts.tokens.tokenize(f" {MODEL}\t", TEXT, visitor=ME)["model"] == MODEL
    assert parts.catalog.model_facts(f" {MODEL} ", visitor=ME)["id"] == MODEL
