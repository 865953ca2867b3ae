"""The card editor keeps what is written, and nothing is published unread."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def editor(page: Page, app: Any) -> Page:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(app.url)
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    page.get_by_role("tab", name="Model card", exact=True).click()
    subject = page.locator("#card-subject input")
    subject.fill("starter/encoder")
    subject.press("Enter")
    return page


def write(page: Page, text: str) -> None:
    page.locator("#card-editor .cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def test_nothing_is_published_before_there_is_a_card(editor: Page) -> None:
    editor.locator("#card-repo input, #card-repo textarea").first.fill("unread")
    editor.locator("#card-publish").click()
    expect(editor.locator("#card-published")).to_contain_text("There is no card yet")


def test_what_was_written_outlives_a_reload_and_is_not_replaced_unasked(editor: Page) -> None:
    editor.locator("#card-draft").click()
    expect(editor.locator("#card-editor")).to_contain_text("Starter encoder")
    expect(editor.locator("#card-preview")).to_contain_text("Starter encoder")
    write(editor, "\nWritten by hand.")
    expect(editor.locator("#card-preview")).to_contain_text("Written by hand.")
    editor.locator("#card-draft").click()
    expect(editor.locator("#card-told")).to_contain_text("Press Draft again")
    expect(editor.locator("#card-preview")).to_contain_text("Written by hand.")

    editor.reload()
    editor.get_by_role("tab", name="Model card", exact=True).click()
    expect(editor.locator("#card-preview")).to_contain_text("Written by hand.")

    editor.locator("#card-draft").click()
    expect(editor.locator("#card-told")).to_contain_text("Press Draft again")
    editor.locator("#card-draft").click()
    expect(editor.locator("#card-preview")).not_to_contain_text("Written by hand.")


def test_the_findings_follow_the_text(editor: Page) -> None:
    editor.locator("#card-draft").click()
    expect(editor.locator("#card-preview")).to_contain_text("Starter encoder")
    editor.locator("#card-editor .cm-content").click()
    editor.keyboard.press("Control+Home")
    editor.keyboard.press("End")
    editor.keyboard.type("\nlicence: mit")
    expect(editor.get_by_role("tab", name="Findings (")).to_be_visible()
    editor.get_by_role("tab", name="Findings (").click()
    expect(editor.locator("#card-findings")).to_contain_text("license")
