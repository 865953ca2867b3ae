"""The guide, the glossary and the explanations: each leads to what is there, in words that are explained."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from components.service.runs.tasks import TRAIN_TASKS
from components.service.tasks import TASKS
from components.tabs.guide import CHAPTERS, OPENS
from components.widgets.explain import VIEWS
from components.widgets.glossary import TERMS, anchor, glossary, linked
from components.widgets.guide import Opens

EXPLAINED = [(tab, view) for tab, views in VIEWS.items() for view in views]


def sentences(text: str) -> int:
    """How many sentences a text has."""
    return len(re.findall(r"[.?!](?= [A-Z\[`]|$)", text))


def linked_terms(html: str) -> set[str]:
    return set(re.findall(r'href="#([^"]+)"', html))


def tab_items(layout: dict[str, Any], parts: dict[int, Any]) -> Iterator[dict[str, Any]]:
    """The tabs below a part of the page, not those within them."""
    for child in layout.get("children", []):
        if parts[child["id"]]["type"] == "tabitem":
            yield child
        else:
            yield from tab_items(child, parts)


@pytest.fixture(scope="module")
def config(app: Any) -> dict[str, Any]:
    """The page, as Gradio describes it."""
    return httpx.get(f"{app.url}/config").json()


@pytest.fixture(scope="module")
def views(config: dict[str, Any]) -> dict[str, list[str]]:
    """By the id of a tab the titles of its views, as the page has them."""
    parts = {part["id"]: part for part in config["components"]}
    label = {number: part["props"].get("label") for number, part in parts.items()}
    tabs = list(tab_items(config["layout"], parts))
    assert len(tabs) == 5
    return {parts[tab["id"]]["props"]["id"]: [label[one["id"]] for one in tab_items(tab, parts)] for tab in tabs}


def test_every_view_of_the_page_is_explained(views: dict[str, list[str]]) -> None:
    assert set(VIEWS) == set(views)
    for tab, titles in views.items():
        # The card is one thing seen from many sides, which one text explains.
        assert set(VIEWS[tab]) == ({""} if tab == "card" else set(titles))


@pytest.mark.parametrize("opens", OPENS, ids=lambda opens: opens.title)
def test_what_the_guide_opens_is_there(opens: Opens, views: dict[str, list[str]]) -> None:
    assert opens.view in views[opens.tab]
    if opens.tab == "playground":
        spec = TASKS[opens.task]
        assert spec.starter_model
        assert opens.example in range(len(spec.examples))
    if opens.tab == "finetune":
        assert opens.task in TRAIN_TASKS


def test_the_examples_of_the_course_are_told_apart_by_their_titles() -> None:
    titles = Counter(one.title for chapter in CHAPTERS for one in chapter.examples)
    assert titles.most_common(1)[0][1] == 1


@pytest.mark.parametrize(("tab", "view"), EXPLAINED, ids=[f"{tab} {view}" for tab, view in EXPLAINED])
def test_a_view_is_explained_in_three_sentences_whose_terms_are_in_the_glossary(tab: str, view: str) -> None:
    told = VIEWS[tab][view]
    assert sentences(told) == 3
    assert linked_terms(linked(told)) <= {anchor(term) for term in TERMS}


def test_the_glossary_has_one_short_entry_a_term_and_its_links_lead_to_entries() -> None:
    drawn = glossary()
    ids = re.findall(r' id="(term-[a-z0-9-]+)"', drawn)
    assert len(ids) == len(set(ids)) == len(TERMS)
    assert linked_terms(drawn) <= set(ids)
    assert {term: count for term, told in TERMS.items() if (count := sentences(told)) > 3} == {}
    assert [term for term, told in TERMS.items() if anchor(term) in linked_terms(linked(told))] == []


def test_the_help_of_fields_leads_to_entries_of_the_glossary(config: dict[str, Any]) -> None:
    infos = " ".join(str(part["props"].get("info")) for part in config["components"])
    found = re.findall(r"\(#(term-[^)]*)\)", infos)
    assert set(found) <= {anchor(term) for term in TERMS}
    assert {"term-learning-rate", "term-lora", "term-temperature"} <= set(found)


def test_a_text_with_links_is_escaped() -> None:
    assert linked("a < [Learning rate]s & `<b>`") == (
        'a &lt; <a href="#term-learning-rate">Learning rate</a>s &amp; <code>&lt;b&gt;</code>'
    )
