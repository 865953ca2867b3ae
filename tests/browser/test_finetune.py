"""Fine-tuning on one's own file, from the page: its columns, a stop, and a reload in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_file_is_looked_at_trained_on_stopped_and_found_again(page: Page, app: Any, tmp_path: Path) -> None:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    file = tmp_path / "opinions.csv"
    file.write_text(
        "verdict,comment\n" + "".join(f"{'good' if i % 2 else 'bad'},thing number {i} is here\n" for i in range(3000))
    )
    page.goto(app.url)
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    page.get_by_label("Upload a file").check()
    page.locator("#ft-file input[type=file]").set_input_files(file)
    expect(page.locator("#ft-file")).to_contain_text("opinions")
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("thing number")
    expect(page.get_by_label("Text column")).to_have_value("comment")
    expect(page.get_by_label("Label column")).to_have_value("verdict")
    page.locator("#ft-epochs input").fill("50")
    page.get_by_label("Name of the run").fill("mine, stopped")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Training", timeout=90_000)
    expect(page.locator("#ft-run")).to_contain_text("Remaining")

    page.reload()
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    expect(page.locator("#ft-run h3")).to_have_text("mine, stopped")
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Training")
    page.locator("#ft-stop").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Stopped", timeout=90_000)
    expect(page.locator("#ft-run")).to_contain_text("the model so far can be used")

    page.locator("#ft-to-play").click()
    page.locator("#pg-text textarea").fill("thing number 7 is here")
    page.locator("#pg-run").click()
    expect(page.locator("#pg-result")).to_contain_text("good")


def test_numbers_that_are_not_whole_and_data_that_changed_are_told(page: Page, app: Any) -> None:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(app.url)
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    page.get_by_label("Paste rows").check()
    page.locator("#ft-pasted textarea").fill("text,label\nlovely,1\nawful,0\nlovely too,1\nawful too,0\n")
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("awful too")
    page.locator("#ft-epochs input").fill("1.5")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-told [role=alert]")).to_contain_text("whole number")
    page.locator("#ft-pasted textarea").fill("other,columns\n1,2\n")
    expect(page.locator("#ft-preview")).not_to_contain_text("awful too")
