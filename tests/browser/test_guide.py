"""The first minute in Chromium: the guide, the examples of the course, the progress round the circle, the glossary."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Look = Callable[[Page, str], None]


def test_the_guide_fills_in_an_example_and_can_be_skipped_and_brought_back(opened: Page, look: Look) -> None:
    guide = opened.locator("#guide")
    expect(guide.locator("[aria-current=step]")).to_contain_text("Run a model")
    guide.get_by_text("Examples for each chapter").click()
    look(opened, "guide-light")
    guide.get_by_role("button", name="See tokens").click()
    expect(opened.locator("#tok-text textarea")).to_have_value("Using a Transformer network is simple")
    expect(guide.locator("[aria-current=step]")).to_contain_text("Look inside")
    expect(guide.locator(".wb-done")).to_contain_text("Look inside (done)")
    expect(guide.locator("[role=status]")).to_have_text(re.compile("tokens|Done: Look inside, 1 of 5 steps"))

    guide.get_by_role("button", name="Skip the guide").click()
    expect(guide.get_by_role("button", name="Guide", exact=True)).to_be_focused()
    opened.reload()
    expect(guide.locator(".wb-done")).to_contain_text("Look inside (done)")
    expect(guide.get_by_text("Start here")).to_be_hidden()
    opened.keyboard.press("Tab")
    guide.get_by_role("button", name="Guide", exact=True).press("Enter")
    expect(guide.get_by_text("Start here")).to_be_visible()
    guide.locator(".wb-step-name", has_text="Share it").click()
    expect(opened.get_by_role("tab", name="Hub", exact=True)).to_have_attribute("aria-selected", "true")


SHOWN = [
    ("Hidden states", "#pg-stages .wb-stage"),
    # Its view is open already, with another task's stages in it.
    ("Logits and softmax", "#pg-stages [aria-label='From logits to scores']"),
    ("Ids back to text", "#tok-trip .wb-notice"),
]


def test_an_example_shows_its_result_in_one_click(opened: Page) -> None:
    guide = opened.locator("#guide")
    if not guide.get_by_text("Start here").is_visible():
        guide.get_by_role("button", name="Guide", exact=True).click()
    guide.locator("details").evaluate("part => part.open = true")
    for title, shown in SHOWN:
        guide.get_by_role("button", name=title, exact=True).click()
        expect(opened.locator(shown).first).to_be_visible()


def test_a_term_in_an_explanation_leads_to_the_glossary(opened: Page, look: Look) -> None:
    opened.get_by_role("tab", name="Playground", exact=True).click()
    opened.get_by_role("tab", name="Result", exact=True).click()
    shown = opened.locator(".wb-explain:visible").first
    shown.locator("summary").click()
    shown.get_by_role("link", name="probability").click()
    glossary = opened.get_by_role("dialog", name="Glossary")
    expect(glossary.locator("#term-probability")).to_be_focused()
    expect(glossary.locator("#term-probability")).to_be_in_viewport()
    look(opened, "glossary-light")
    search = glossary.get_by_role("searchbox")
    search.fill("low-rank or whatever")
    expect(glossary.get_by_text("No term here fits.")).to_be_visible()
    search.fill("lora")
    expect(glossary.locator(".wb-term:visible dt")).to_have_text(["LoRA"])
    glossary.get_by_role("button", name="Close").click()
    expect(glossary).to_be_hidden()
    opened.set_viewport_size({"width": 390, "height": 844})
    expect(opened.locator("html")).to_have_js_property("scrollWidth", 390)
    look(opened, "guide-narrow")
