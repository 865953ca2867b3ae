"""What is drawn of a card: its findings, its facts, its results, and the metadata that the Hub read from it."""

from __future__ import annotations

from typing import Any

from components.widgets import repository
from components.widgets.card.findings import findings_view
from components.widgets.card.preview import results_view
from components.widgets.card.sources import sources_view


def found(line: int, message: str, fix: str) -> dict[str, Any]:
    return {"level": "warning", "line": line, "field": "body", "message": message, "fix": fix}


def test_what_to_do_is_said_once_of_findings_in_a_row() -> None:
    problems = [found(9, "Why?", "Answer it."), found(4, "Who?", "Answer it."), found(12, "A gap", "Fill it.")]
    drawn = findings_view(problems, lambda _: "")
    assert drawn.count("Answer it.") == 1
    assert drawn.index("Line 4") < drawn.index("Answer it.") < drawn.index("Line 9")
    assert "A gap. Fill it." in drawn


def fact(origin: str) -> dict[str, Any]:
    return {"field": "license", "value": "mit", "from": origin, "state": "same"}


def test_where_all_facts_come_from_is_said_once() -> None:
    drawn = sources_view([fact("run r1: spec.task"), fact("run r1: spec.model")])
    assert drawn.count("run r1") == 1
    assert "<small>spec.model</small>" in drawn
    drawn = sources_view([fact("run r1: spec.task"), fact("starter/encoder at 45278c2")])
    assert "<small>run r1: spec.task</small>" in drawn


def test_results_are_drawn_in_four_digits_and_other_values_as_they_are() -> None:
    row = {"dataset_name": "Films", "dataset": "films", "split": "test", "name": "F1", "metric": "f1"}
    drawn = results_view([{**row, "value": value} for value in (0.945498, 0.97, 12, "high")])
    assert [text in drawn for text in (">0.9455<", ">0.97<", ">12<", ">high<")] == [True] * 4


def test_metadata_is_drawn_without_python() -> None:
    data = {"tags": ["a", "b"], "gated": True, "model-index": [{"name": "films", "results": []}]}
    drawn = repository.metadata({"metadata": data, "tags": []})
    assert ">a, b<" in drawn
    assert ">true<" in drawn
    assert "{&quot;name&quot;: &quot;films&quot;" in drawn
