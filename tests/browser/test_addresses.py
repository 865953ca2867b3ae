"""What an address opens: a tab with what it names, or the page of the API."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from components.api_examples import EXAMPLES

pytestmark = pytest.mark.browser


def test_the_page_of_the_api_opens_by_its_address_with_every_endpoint(app: Any, page: Page) -> None:
    page.goto(f"{app.url}/?view=api")
    docs = page.locator(".api-docs")
    expect(docs).to_contain_text("API endpoints", timeout=60_000)
    expect(docs).to_contain_text("/run_task")
    expect(docs).to_contain_text("A model's id; empty for the task's default on the Hub in use.")
    expect(docs.get_by_text("Example: {")).to_have_count(len(EXAMPLES))


def test_an_address_opens_a_tab_and_fills_in_what_it_names(app: Any, page: Page) -> None:
    page.goto(f"{app.url}/?tab=tokenizer&model=starter/masks-fr&text=Bonjour%20%3Cb%3E")
    expect(page.get_by_role("tab", name="Tokenizer", exact=True)).to_have_attribute(
        "aria-selected", "true", timeout=60_000
    )
    expect(page.locator("#tok-text textarea")).to_have_value("Bonjour <b>")
    page.locator("#tok-run").click()
    expect(page.locator("#tok-strip")).to_contain_text("jour", timeout=60_000)
    page.goto(f"{app.url}/?tab=finetune&dataset=starter/drawings")
    expect(page.locator("#ft-look")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("textbox", name="Data set")).to_have_value("starter/drawings")
