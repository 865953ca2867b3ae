"""The first minute in Chromium: the guide, the examples of the course, the progress round the circle, the glossary."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
Look = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def visitor(window: Page, app: Any) -> Page:
    """A first visit."""
    window.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    window.goto(f"{app.url}/?__theme=light")
    expect(window.locator("#who")).to_contain_text("signed in as me")
    return window


def test_the_guide_fills_in_an_example_and_can_be_skipped_and_brought_back(visitor: Page, look: Look) -> None:
    guide = visitor.locator("#guide")
    expect(guide.locator("[aria-current=step]")).to_contain_text("Run a model")
    guide.get_by_text("Examples for each chapter").click()
    look(visitor, "guide-light")
    guide.get_by_role("button", name="Hidden states").click()
    expect(visitor.locator("#pg-task input")).to_have_value("Feature extraction")
    # The view that the example is about opens once its form is filled.
    expect(visitor.locator("#pg-stages .wb-stage")).to_have_count(3)
    guide.get_by_role("button", name="See tokens").click()
    expect(visitor.locator("#tok-text textarea")).to_have_value("Using a Transformer network is simple")
    expect(guide.locator("[aria-current=step]")).to_contain_text("Look inside")
    visitor.locator("#tok-run").click()
    expect(guide.locator(".wb-done")).to_contain_text("Look inside (done)")
    expect(guide.locator("[role=status]")).to_have_text(re.compile("tokens|Done: Look inside, 1 of 5 steps"))

    guide.get_by_role("button", name="Skip the guide").click()
    expect(guide.get_by_role("button", name="Guide", exact=True)).to_be_focused()
    visitor.reload()
    expect(guide.locator(".wb-done")).to_contain_text("Look inside (done)")
    expect(guide.get_by_text("Start here")).to_be_hidden()
    visitor.keyboard.press("Tab")
    guide.get_by_role("button", name="Guide", exact=True).press("Enter")
    expect(guide.get_by_text("Start here")).to_be_visible()
    guide.locator(".wb-step-name", has_text="Share it").click()
    expect(visitor.get_by_role("tab", name="Hub", exact=True)).to_have_attribute("aria-selected", "true")


def test_a_term_in_an_explanation_leads_to_the_glossary(visitor: Page, look: Look) -> None:
    visitor.get_by_role("tab", name="Playground", exact=True).click()
    visitor.get_by_role("tab", name="Result", exact=True).click()
    shown = visitor.locator(".wb-explain:visible").first
    shown.locator("summary").click()
    shown.get_by_role("link", name="probability").click()
    glossary = visitor.get_by_role("dialog", name="Glossary")
    expect(glossary.locator("#term-probability")).to_be_focused()
    expect(glossary.locator("#term-probability")).to_be_in_viewport()
    look(visitor, "glossary-light")
    search = glossary.get_by_role("searchbox")
    search.fill("low-rank or whatever")
    expect(glossary.get_by_text("No term here fits.")).to_be_visible()
    search.fill("lora")
    expect(glossary.locator(".wb-term:visible dt")).to_have_text(["LoRA"])
    glossary.get_by_role("button", name="Close").click()
    expect(glossary).to_be_hidden()
    visitor.set_viewport_size({"width": 390, "height": 844})
    expect(visitor.locator("html")).to_have_js_property("scrollWidth", 390)
    look(visitor, "guide-narrow")
