"""What is computed in a fork that was lent a GPU, and what becomes of an engine that has such a lender."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.worker.lent import answers

STARTERS = Path(__file__).parents[2] / "components" / "starter" / "repos" / "models" / "starter"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, cache=tmp_path)


def asked(task: str, model: str, inputs: Any, **parameters: Any) -> dict[str, Any]:
    """The arguments of a call, as the web process gives them."""
    path = str(STARTERS / model)
    return {
        "task": task, "path": path, "model": model, "inputs": inputs, "parameters": parameters, "seconds": 30.0,
    }  # fmt: skip


def test_a_call_is_answered_with_its_value(settings: Settings) -> None:
    [(kind, value)] = answers(settings, "run_task", asked("text-classification", "sentiment", "A lovely day", top_k=1))
    assert kind == "value"
    assert value["output"][0]["label"] == "positive"


def test_a_stream_is_told_as_it_grows_and_ends_with_its_value(settings: Settings) -> None:
    told = list(answers(settings, "stream_task", asked("text-generation", "stories", "Once", max_new_tokens=5)))
    assert [kind for kind, _ in told] == ["item"] * (len(told) - 1) + ["value"]
    assert told[-2][1]["done"]
    assert told[-2][1]["tokens"] == 5


def test_what_the_model_cannot_do_is_told_in_a_sentence(settings: Settings) -> None:
    [(kind, error)] = answers(settings, "run_task", asked("fill-mask", "masks", "No mask here"))
    assert kind == "error"
    assert "[MASK]" in error["message"]


class Lender:
    """Takes the calls of one name, and answers them with what it was asked."""

    def takes(self, name: str, arguments: Mapping[str, Any]) -> bool:
        return name == "lent"

    def answers(self, name: str, arguments: dict[str, Any], seconds: float) -> Iterator[tuple[str, Any]]:
        yield "item", seconds
        yield "value", arguments


def test_an_engine_asks_its_lender_first_and_the_worker_for_all_else(settings: Settings) -> None:
    engine = Engine(settings, lender=Lender())
    try:
        assert engine.call("lent", {"one": 1}) == {"one": 1}
        assert list(engine.stream("lent", {})) == [settings.call_seconds]
        assert engine.status()["alive"] is False
        engine.close()
        with pytest.raises(WorkbenchError, match="shutting down"):
            engine.call("tokenize", {})
    finally:
        engine.close()
