"""The page under its content security policy: nothing that it needs is held back, and nothing comes from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

#: Notes what the browser holds back, from before the page's first script on.
_WATCH = """
    window.heldBack = [];
    document.addEventListener("securitypolicyviolation", (event) =>
        window.heldBack.push([event.effectiveDirective, event.blockedURI, event.sourceFile].join(" ")));
"""
TABS = ["Playground", "Tokenizer", "Fine-tune", "Model card", "Hub"]


def test_the_page_lives_with_its_policy_and_asks_no_other_host(page: Page, app: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(_WATCH)
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(app.url)
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    for tab in TABS:
        page.get_by_role("tab", name=tab, exact=True).click()
        inner = page.locator("[role=tabpanel]:visible [role=tab]:visible")
        for number in range(inner.count()):
            inner.nth(number).click()
    # A result to wait for, after all that the tabs have set going.
    page.get_by_role("tab", name="Playground", exact=True).click()
    page.get_by_role("tab", name="Result", exact=True).click()
    page.locator("#pg-run").click()
    expect(page.locator("#pg-result .wb-first")).to_be_visible()
    assert page.evaluate("window.heldBack") == []
    assert [url for url in asked if not url.startswith((app.url, "data:", "blob:"))] == []


def test_a_script_that_came_with_content_does_not_run_and_nothing_is_fetched_for_it(page: Page, app: Any) -> None:
    page.add_init_script(_WATCH)
    page.goto(app.url)
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    page.evaluate(
        """() => {
            const smuggled = document.createElement("div");
            smuggled.innerHTML = `<img src=x onerror="document.title = 'broken in'"><a id=trap onclick="document.title
                = 'broken in'">a</a><img src="https://evil.example/pixel.png"><iframe src="https://evil.example/">`;
            document.body.append(smuggled);
            document.getElementById("trap").click();
            const script = document.createElement("script");
            script.textContent = "document.title = 'broken in'";
            document.body.append(script);
        }"""
    )
    page.wait_for_function("window.heldBack.length >= 5")
    assert page.title() == "Transformers Workbench"
    held = " ".join(page.evaluate("window.heldBack"))
    for directive in (
        "script-src-attr inline",
        "script-src-elem inline",
        "img-src https://evil",
        "frame-src https://evil",
    ):
        assert directive in held
