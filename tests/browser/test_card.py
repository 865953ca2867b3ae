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


def drafted(page: Page) -> None:
    """Open the starter's card."""
    page.locator("#card-draft").click()
    expect(page.locator("#card-preview")).to_contain_text("Starter encoder")


def view(page: Page, name: str) -> None:
    page.locator("#card-views").get_by_role("tab", name=name).first.click()


def test_the_form_changes_one_field_and_nothing_else(editor: Page) -> None:
    drafted(editor)
    view(editor, "Form")
    licence = editor.locator("#card-f-license input")
    expect(licence).to_have_value("apache-2.0")
    licence.fill("mit")
    licence.press("Enter")
    expect(editor.locator("#card-tags")).to_contain_text("Licence mit")
    editor.locator("#card-f-license-name input, #card-f-license-name textarea").fill("Mine")
    editor.locator("#card-f-license-name input, #card-f-license-name textarea").press("Enter")
    view(editor, "Changes")
    expect(editor.locator("#card-changes")).to_contain_text("license_name")
    assert editor.locator("#card-changes del").all_inner_texts() == ["-license: apache-2.0"]
    assert editor.locator("#card-changes ins").all_inner_texts() == ["+license: mit", "+license_name: Mine"]
    view(editor, "Text")
    expect(editor.locator("#card-editor")).to_contain_text("license: mit")


def test_a_section_is_written_in_the_form_and_the_preview_follows(editor: Page) -> None:
    drafted(editor)
    view(editor, "Missing")
    editor.locator("#card-lacking").get_by_role("button", name="Model card authors").first.click()
    expect(editor.locator("#card-section input")).to_have_value("Model card authors (not there yet)")
    editor.locator("#card-section-text textarea").fill("Two epochs over 2,000 rows.")
    editor.locator("#card-section-text textarea").blur()
    expect(editor.locator("#card-preview")).to_contain_text("Two epochs over 2,000 rows.")
    expect(editor.locator("#card-section input")).to_have_value("Model card authors")
    view(editor, "Code")
    expect(editor.locator("#card-code")).to_contain_text("ModelCard.load")


def test_a_finding_is_mended_in_one_click_and_the_hub_is_asked(editor: Page) -> None:
    drafted(editor)
    editor.locator("#card-editor .cm-content").click()
    editor.keyboard.press("Control+Home")
    editor.keyboard.press("End")
    editor.keyboard.type("\nlicense_names: x")
    editor.get_by_role("tab", name="Findings (").click()
    finding = editor.locator("#card-findings .wb-notice", has_text="license_names")
    expect(finding).to_have_count(1)
    finding.get_by_role("button", name="Mend it").click()
    expect(finding).to_have_count(0)
    editor.locator("#card-validate").click()
    expect(editor.locator("#card-validated")).to_contain_text("would take this card")
