"""What a draft filled in is followed: said as it was, edited by somebody, or no longer so; and what a card lacks."""

from __future__ import annotations

import time
from typing import Any

import pytest
from test_cards import run_state

from components.service.cards.checks import check
from components.service.cards.completeness import completeness
from components.service.cards.draft import Draft, draft_model, draft_run, draft_template
from components.service.cards.edit import edit
from components.service.cards.sections import FILLED, FILLED_OF_MODEL
from components.service.cards.sources import look, read_sources
from components.service.cards.template import TEMPLATE
from components.service.errors import WorkbenchError


@pytest.fixture
def draft() -> Draft:
    return draft_run(run_state(), "me/films")


def states(told: list[dict[str, Any]]) -> set[str]:
    return {one["state"] for one in told}


def with_facts(**changes: Any) -> list[dict[str, Any]]:
    state = run_state()
    state["results"]["final"] = {**state["results"]["final"], **changes}
    return draft_run(state, "me/films").sources


def test_a_fresh_draft_says_all_that_was_filled_in(draft: Draft) -> None:
    told = look(draft.text, draft.sources, draft.sources)
    assert len(told) > 40
    assert states(told) == {"same"}
    assert all(one["remedy"] is None for one in told)
    assert look(draft.text, None, draft.sources) == told


def test_what_somebody_edited_is_told_with_the_way_back(draft: Draft) -> None:
    text = draft.text.replace("value: 0.9\n", "value: 0.99\n").replace("| Rows for train | 48 |", "| Rows | 50 |")
    told = {one["fact"]: one for one in look(text, draft.sources, draft.sources) if one["state"] == "edited"}
    assert set(told) == {"final.accuracy", "facts.rows.train"}
    assert told["final.accuracy"]["field"] == "model-index[0].results[0].metrics[0].value"
    assert edit(text, told["final.accuracy"]["remedy"]).count("value: 0.9\n") == 1
    assert told["facts.rows.train"]["remedy"] is None


def test_a_fact_that_changed_is_stale_and_mended_in_one_step(draft: Draft) -> None:
    now = with_facts(accuracy=0.95, accuracy_low=0.85, accuracy_high=0.99)
    told = look(draft.text, draft.sources, now)
    stale = [one for one in told if one["state"] == "stale"]
    assert {one["fact"] for one in stale} == {
        "final.accuracy",
        "final.accuracy, untrained.accuracy, baselines.majority.accuracy",
    }
    text = draft.text
    while stale:
        text = edit(text, stale[0]["remedy"])
        stale = [one for one in look(text, draft.sources, now) if one["state"] == "stale"]
    assert states(look(text, draft.sources, now)) == {"same"}
    assert "value: 0.95\n" in text
    assert "0.9500 (0.8500 to 0.9900)" in text
    assert "its accuracy is 0.950 (95 % interval 0.850 to 0.990)" in text
    assert text.count("\n") == draft.text.count("\n")


def test_a_fact_that_is_gone_is_stale_with_nothing_to_put_there(draft: Draft) -> None:
    now = [source for source in draft.sources if source["fact"] != "facts.data_fingerprint"]
    (gone,) = [one for one in look(draft.text, draft.sources, now) if one["state"] != "same"]
    assert (gone["state"], gone["now"], gone["remedy"]) == ("stale", None, None)


def test_a_card_under_another_title_is_still_followed(draft: Draft) -> None:
    text = draft.text.replace("# films\n", "# My films\n")
    now = draft_run(run_state()).sources
    assert states(look(text, draft.sources, now)) == {"same"}


def test_a_card_of_which_nothing_is_known_is_held_to_what_it_says() -> None:
    text = "---\npipeline_tag: fill-mask\n---\n# Films\n"
    told = look(text, None, draft_run(run_state()).sources)
    assert [(one["field"], one["state"]) for one in told] == [("pipeline_tag", "edited")]
    assert told[0]["remedy"] == [{"field": "pipeline_tag", "value": "text-classification"}]


@pytest.mark.parametrize(
    "given",
    [None, 5, "x", [5], [{}], [{"field": "license"}], [{"field": 5, "value": 1, "fact": "a", "from": "b"}],
     [{"section": "A", "value": 5, "fact": "a", "from": "b"}], [{"field": "a[", "value": 1, "fact": "a", "from": "b"}],
     [{"section": "A", "value": "x" * 30_000, "fact": "a", "from": "b"}], [{}] * 3000,
     [{"section": "\ud800", "value": "x", "fact": "a", "from": "b"}]],
)  # fmt: skip
def test_sources_of_another_form_are_refused(given: Any) -> None:
    with pytest.raises(WorkbenchError):
        read_sources(given)


def test_sources_come_back_as_they_were_given(draft: Draft) -> None:
    assert read_sources(draft.sources) == draft.sources


FACTS = {
    "id": "me/films", "commit": "ab" * 20, "task": "text-classification", "architecture": "BertForX",
    "family": "encoder", "parameters": 24_930, "bytes": 99_720, "dtype": "F32",
    "config": {"id2label": {"0": "bad", "1": "[good](x)"}},
}  # fmt: skip
ABOUT = {
    "sizes": [{"of": "", "layers": 2, "heads": 2, "hidden": 32, "vocabulary": 300, "context": 64, "image_size": None}],
    "parts": [{"kind": "layers", "title": "Layers", "parameters": 1000, "count": 2, "of": []}],
}
TOKENIZER = {
    "tokenizer_class": "TokenizersBackend", "family": "WordPiece", "vocabulary": 300, "model_max_length": 64,
    "special_tokens": {"pad_token": "[PAD]", "mask_token": "[MASK]"},
}  # fmt: skip


def test_a_model_without_a_card_tells_what_its_files_say() -> None:
    draft = draft_model({"facts": FACTS, "about": ABOUT, "tokenizer": TOKENIZER}, "me/films")
    for said in ("| Parameters | 24,930 |", "| Layers | 2 |", "| Hidden size | 32 |", "| Vocabulary | 300 |",
                 "mask_token `[MASK]`", "`F32`", "0.1 MB", "`[good](x)`", "(2 of them)"):  # fmt: skip
        assert said in draft.text, said
    assert [problem for problem in check(draft.text) if problem["level"] == "error"] == []
    assert states(look(draft.text, draft.sources, draft.sources)) == {"same"}
    newer = draft_model({"facts": {**FACTS, "commit": "cd" * 20, "parameters": 5}, "about": ABOUT}, "me/films").sources
    told = {one["fact"]: one for one in look(draft.text, draft.sources, newer) if one["state"] == "stale"}
    assert told["model.safetensors: parameters"]["now"] == "| Parameters | 5 |"
    assert told["model.safetensors: parameters"]["from"] == f"model.safetensors of me/films at {'ab' * 20}: parameters"


def views(text: str) -> dict[str, dict[str, Any]]:
    return {view["name"]: view for view in completeness(text, check(text))["views"]}


def done(text: str, view: str) -> dict[str, bool]:
    return {item["title"]: item["done"] for item in views(text)[view]["items"]}


def test_each_reader_is_told_what_is_next(draft: Draft) -> None:
    told = views(draft.text)
    assert list(told) == ["The Hub", "Search", "A user", "Reproduction", "The course", "The paper"]
    assert told["The Hub"]["next"]["field"] == "license"
    assert told["A user"]["next"]["section"] == "Model description"
    assert "2 questions are still open" in told["A user"]["next"]["why"]
    assert done(draft.text, "A user")["How to use"]
    reproduced = done(draft.text, "Reproduction")
    assert [title for title, ready in reproduced.items() if not ready] == ["Training data", "Variables and metrics"]


def test_the_course_asks_for_seven_things_and_the_paper_for_nine_sections(draft: Draft) -> None:
    assert len(views(draft.text)["The course"]["items"]) == 7
    paper = [item["title"] for item in views(draft.text)["The paper"]["items"]]
    assert sorted(paper) == sorted(
        ["Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
         "Quantitative analyses", "Ethical considerations", "Caveats and recommendations"]
    )  # fmt: skip
    assert {section.title for section in TEMPLATE if section.course} == {
        "Model description", "Intended uses and limitations", "How to use", "Limitations and bias", "Training data",
        "Training procedure", "Variables and metrics", "Evaluation results",
    }  # fmt: skip


def test_a_card_whose_questions_are_answered_lacks_nothing(draft: Draft) -> None:
    text = "\n".join("Answered." if line.startswith("> **To be") else line for line in draft.text.split("\n"))
    changes = [
        {"field": "license", "value": "mit"},
        {"field": "language", "value": "en"},
        {"field": "widget", "value": [{"text": "a film"}]},
    ]
    told = views(edit(text, changes))
    assert {name: view["next"] for name, view in told.items()} == dict.fromkeys(told)


@pytest.mark.parametrize(
    ("changes", "view", "title"),
    [
        ([{"field": "license", "value": "mitt"}], "The Hub", "Licence"),
        ([{"field": "pipeline_tag", "value": "sentiment"}], "Search", "Task"),
        ([{"field": "tags", "value": []}], "Search", "Tags"),
        ([{"section": "How to use", "text": "Use it."}], "A user", "How to use"),
        ([{"section": "Training procedure", "text": "[More Information Needed]"}], "Reproduction", "Seed"),
        ([{"field": "model-index[0].results[0].dataset.revision", "value": None}], "Reproduction",
         "Revision of the data"),
        ([{"field": "model-index[0].results[0].dataset.split", "value": None}], "Reproduction", "Split of the results"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_taken_away_is_not_done(changes: Any, view: str, title: str, draft: Draft) -> None:
    assert not done(edit(draft.text, changes), view)[title]


@pytest.mark.parametrize("text", ["", "---\na: [\n---\n", "# Only a title", "---\n- a\n---\n## Uses\n"])
def test_a_card_that_says_nothing_lacks_everything(text: str) -> None:
    assert {item["done"] for view in views(text).values() for item in view["items"]} == {False}


def test_of_the_template_nothing_is_done_but_its_library() -> None:
    """Its questions name what they ask for: that is no answer."""
    told = views(draft_template().text)
    assert {item["title"] for view in told.values() for item in view["items"] if item["done"]} == {"Library"}


def test_other_headings_stand_for_the_same() -> None:
    text = (
        "---\nlicense: mit\n---\n# A\n\n## Model Details\n\nFilms.\n\n## Bias, Risks\n\n### Recommendations\n\nNone.\n"
    )
    items = {item["title"]: item for item in views(text)["The paper"]["items"]}
    assert items["Model details"]["done"]
    assert items["Model details"]["section"] == "Model Details"
    assert items["Caveats and recommendations"]["done"]
    assert not items["Metrics"]["done"]


def test_what_is_filled_in_has_its_section_in_the_template() -> None:
    assert FILLED.keys() | FILLED_OF_MODEL.keys() <= {section.title for section in TEMPLATE}


@pytest.mark.parametrize("filler", ["a", "## Training data\n", "`", "> ", "|", "```\n"])
def test_a_long_card_is_looked_through_in_time(filler: str, draft: Draft) -> None:
    text = "---\nlicense: mit\n---\n# Films\n" + filler * (190_000 // len(filler))
    started = time.perf_counter()
    completeness(text, [])
    look(text, draft.sources, draft.sources)
    assert time.perf_counter() - started < 5
