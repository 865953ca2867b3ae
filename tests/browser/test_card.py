"""The card editor keeps what is written, and nothing is published unread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gradio_client import Client
from playwright.sync_api import Locator, Page, Route, expect

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


def open_file(page: Page, content: bytes) -> None:
    field = page.locator("#card-file").locator("xpath=..").locator("input[type=file]")
    field.set_input_files({"name": "README.md", "mimeType": "text/markdown", "buffer": content})


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
    editor.get_by_role("tab", name="Hub", exact=True).click()
    editor.locator("#hub-to-card").click()
    expect(editor.locator("#card-told")).to_contain_text("press Edit its card again")
    expect(editor.locator("#card-preview")).to_contain_text("Written by hand.")

    editor.reload()
    editor.get_by_role("tab", name="Model card", exact=True).click()
    expect(editor.locator("#card-preview")).to_contain_text("Written by hand.")
    expect(editor.locator("#card-subject input")).to_have_value("starter/encoder")

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
    editor.locator("#card-findings").get_by_role("button", name="Line 2", exact=True).click()
    expect(editor.locator("#card-editor .cm-content")).to_be_focused()
    assert editor.evaluate("getSelection().toString()") == "licence: mit"
    editor.keyboard.type("metrics: 5")
    view(editor, "Findings")
    editor.locator("#card-findings").get_by_role("button", name="metrics", exact=True).click()
    expect(box(editor, "metrics")).to_be_focused()


@pytest.mark.long
def test_what_is_chosen_while_the_page_loads_stays(editor: Page) -> None:
    held: list[Route] = []
    holding = True
    editor.route("**/queue/join*", lambda route: held.append(route) if holding else route.continue_())
    editor.reload()
    editor.get_by_role("tab", name="Model card", exact=True).click()
    subject = editor.locator("#card-subject input")
    subject.fill("starter/sentiment")
    subject.press("Enter")
    # What was written before is still to come: nothing can be typed that it would replace.
    text = editor.locator("#card-editor .cm-content")
    expect(text).to_have_count(0)
    holding = False
    for route in held:
        route.continue_()
    expect(editor.locator("#card-owner input")).to_have_value("me")
    expect(text).to_have_attribute("contenteditable", "true")
    subject.click()
    expect(editor.get_by_role("option", name="An empty card: the template")).to_be_visible()
    expect(subject).to_have_value("starter/sentiment")


def drafted(page: Page) -> None:
    """Open the starter's card."""
    page.locator("#card-draft").click()
    expect(page.locator("#card-preview")).to_contain_text("Starter encoder")


def view(page: Page, name: str) -> None:
    page.locator("#card-views").get_by_role("tab", name=name).first.click()


def test_the_form_changes_one_field_and_nothing_else(editor: Page, look: Callable[[Page, str], None]) -> None:
    drafted(editor)
    view(editor, "Form")
    editor.get_by_role("button", name="Evaluation results").click()
    expect(editor.locator("#card-results .wrapper[role=group]")).to_be_visible()
    look(editor, "card-form")
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


def box(page: Page, name: str) -> Locator:
    return page.locator(f"#card-f-{name} input, #card-f-{name} textarea").first


@pytest.mark.long
def test_what_is_typed_into_a_pick_list_reaches_the_card_as_its_code(editor: Page) -> None:
    drafted(editor)
    view(editor, "Form")
    box(editor, "tags").fill("films")
    box(editor, "tags").press("Enter")
    expect(editor.locator("#card-tags")).to_contain_text("films")
    box(editor, "language").click()
    editor.keyboard.type("german")
    expect(editor.get_by_role("option", name="German (de)", exact=True)).to_be_visible()
    editor.keyboard.press("Enter")
    expect(editor.locator("#card-tags")).to_contain_text("Language de")
    expect(editor.locator("#card-f-language")).to_contain_text("German (de)")
    # Another licence contains this one's name, and comes before it in the alphabet.
    box(editor, "license").fill("gpl-3.0")
    box(editor, "license").press("Enter")
    expect(editor.locator("#card-tags")).to_contain_text("Licence gpl-3.0")
    editor.locator("#card-f-tags .remove-all").click()
    expect(editor.locator("#card-tags")).not_to_contain_text("films")


def test_the_form_says_again_what_the_card_says_once_it_can_be_read(editor: Page) -> None:
    drafted(editor)
    editor.locator("#card-editor .cm-content").click()
    editor.keyboard.press("Control+Home")
    editor.keyboard.press("End")
    editor.keyboard.type("\nx: }")
    view(editor, "Form")
    expect(editor.locator("#card-form-told")).to_contain_text("Mend line 2")
    box(editor, "license").fill("mit")
    box(editor, "license").press("Enter")
    expect(editor.locator("#card-form-told")).to_contain_text("first")
    written = editor.locator("#card-section-text textarea")
    written.fill("Written meanwhile.")
    written.blur()
    expect(editor.locator("#card-preview")).to_contain_text("Written meanwhile.")
    written.fill("```\nnot closed")
    written.blur()
    expect(editor.locator("#card-form-told")).to_contain_text("Close its blocks")
    view(editor, "Text")
    editor.locator("#card-editor .cm-content").click()
    editor.keyboard.press("Control+Home")
    editor.keyboard.press("ArrowDown")
    editor.keyboard.press("Control+Shift+k")
    view(editor, "Form")
    expect(box(editor, "license")).to_have_value("apache-2.0")
    expect(written).to_have_value("```\nnot closed")


def test_what_was_typed_last_is_published_and_no_card_is_replaced_unseen(editor: Page, app: Any) -> None:
    drafted(editor)
    name = editor.locator("#card-repo input, #card-repo textarea").first
    name.fill("card-alone")
    name.blur()
    expect(editor.locator("#card-what")).to_contain_text("me/card-alone, which is created")
    view(editor, "Form")
    box(editor, "license").fill("gpl-3.0")
    editor.locator("#card-section-text textarea").fill("Typed last.")
    editor.locator("#card-publish").click()
    expect(editor.locator("#card-published")).to_contain_text("It is private")
    expect(editor.locator("#card-private")).to_be_hidden()
    card = Client(app.url, verbose=False).predict("me/card-alone", api_name="/repo_card")["text"]
    assert "Typed last." in card
    assert "license: gpl-3.0" in card
    editor.locator("#card-to-play").click()
    expect(editor.locator("#pg-task input")).to_have_value("Fill-mask")
    editor.get_by_role("tab", name="Model card", exact=True).click()
    editor.locator("#card-to-hub").click()
    expect(editor.locator("#hub-repo h2")).to_have_text("me/card-alone")
    editor.get_by_role("tab", name="Model card", exact=True).click()

    open_file(editor, "---\nlicense: mit\nlanguage: no\n---\n# Caf\u00e9".encode("cp1252"))
    expect(editor.locator("#card-told")).to_contain_text("0xE9")
    expect(editor.locator("#card-preview")).to_contain_text("Caf\u00e9")
    expect(editor.locator("#card-tags")).to_contain_text("Language no")
    expect(editor.locator("#card-f-language")).to_contain_text("Norwegian (no)")
    editor.locator("#card-publish").click()
    expect(editor.locator("#card-published")).to_contain_text("has a card already")
    open_file(editor, b"---\nlicense: }\n---\n# Torn")
    expect(editor.locator("#card-form-told")).to_contain_text("Mend line 2")
    expect(box(editor, "license")).to_have_value("")


def test_what_is_missing_leads_to_its_field_in_a_folded_group(editor: Page) -> None:
    drafted(editor)
    view(editor, "Missing")
    editor.locator("#card-lacking").get_by_role("button", name="Base model").first.click()
    expect(box(editor, "base-model")).to_be_focused()


@pytest.mark.long
def test_the_card_of_a_file_goes_alone_and_after_a_reload_others_changes_are_taken_in(editor: Page, app: Any) -> None:
    client = Client(app.url, verbose=False)
    repo = client.predict("card-of-a-file", api_name="/create_repo")["repo"]
    card = "\ufeff---\r\nlicense: mit # asked\r\nodd:   1\r\n---\r\n\r\n# Films\r\n"
    chosen = editor.locator("#card-subject input")
    open_file(editor, card.encode())
    expect(editor.locator("#card-preview")).to_contain_text("Films")
    expect(chosen).to_have_value("")
    expect(editor.locator("#card-what")).to_contain_text("This card alone")
    editor.locator("#card-repo input, #card-repo textarea").first.fill(repo)
    editor.locator("#card-publish").click()
    expect(editor.locator("#card-published")).to_contain_text("Published")
    assert client.predict(repo, api_name="/repo_card")["text"] == card

    theirs = card.replace("odd:   1", "odd:   2")
    client.predict(repo, theirs, api_name="/push_card")
    view(editor, "Form")
    box(editor, "license").fill("gpl-3.0")
    box(editor, "license").press("Enter")
    expect(editor.locator("#card-tags")).to_contain_text("Licence gpl-3.0")
    editor.reload()
    editor.get_by_role("tab", name="Model card", exact=True).click()
    expect(editor.locator("#card-tags")).to_contain_text("Licence gpl-3.0")
    editor.locator("#card-publish").click()
    expect(editor.locator("#card-published")).to_contain_text("nothing was written")
    assert client.predict(repo, api_name="/repo_card")["text"] == theirs
    editor.locator("#card-merge").click()
    expect(editor.locator("#card-published")).to_contain_text("in the text now")
    editor.locator("#card-publish").click()
    expect(editor.locator("#card-published")).to_contain_text("Published")
    assert client.predict(repo, api_name="/repo_card")["text"] == theirs.replace("mit", "gpl-3.0")
