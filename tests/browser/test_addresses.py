"""The page of the API, by its address."""

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
