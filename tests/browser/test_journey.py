"""A newcomer's way round, in Chromium: from the first page to the pushed model running, in under three minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Look = Callable[[Page, str], None]
TABS = ("Playground", "Tokenizer", "Fine-tune", "Model card", "Hub")
COURSE = "I've been waiting for a HuggingFace course my whole life."


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


@pytest.mark.browser
def test_a_newcomer_walks_the_whole_circle_in_three_minutes(page: Page, app: Any, look: Look) -> None:
    began = time.monotonic()
    page.set_default_timeout(60_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{app.url}/?__theme=light")

    expect(page.locator("#who")).to_contain_text("Embedded Hub", timeout=60_000)
    expect(page.locator("#who")).to_contain_text("signed in as me")
    page.locator("#pg-text textarea").fill(COURSE)
    page.locator("#pg-run").click()
    expect(page.locator("#pg-result .wb-first")).to_contain_text("positive", timeout=60_000)
    page.get_by_role("tab", name="Under the hood").click()
    expect(page.locator("#pg-stages")).to_contain_text("attention_mask")
    expect(page.locator("#pg-stages .wb-stage")).to_have_count(3)
    look(page, "playground-light")

    page.get_by_role("button", name="See its tokens").click()
    expect(page.locator("#tok-strip")).to_contain_text("waiting")
    page.get_by_role("tab", name="Decode").click()
    page.locator("#tok-decode").click()
    expect(page.locator("#tok-decode-view .wb-text")).to_contain_text("waiting for a huggingface course")
    look(page, "tokenizer-light")

    open_tab(page, "Fine-tune")
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("positive")
    page.locator("#ft-epochs input").fill("1")
    page.locator("#ft-samples textarea").fill(f"{COURSE}\nI hate this so much!")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run [role=progressbar]")).to_be_visible()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Finished", timeout=120_000)
    expect(page.locator("#ft-run svg").first).to_be_visible()
    look(page, "finetune-light")
    page.get_by_role("tab", name="Before and after").click()
    page.locator("#ft-compare").click()
    expect(page.locator("#ft-compared tbody tr").first).to_contain_text("positive")

    page.locator("#ft-to-card").click()
    expect(page.locator("#card-editor")).to_contain_text("library_name")
    expect(page.locator("#card-preview")).to_contain_text("Training")
    page.locator("#card-repo input, #card-repo textarea").first.fill("my-first-model")
    look(page, "card-light")
    page.locator("#card-publish").click()
    expect(page.locator("#card-published")).to_contain_text("me/my-first-model now has commit")

    page.locator("#card-to-play").click()
    expect(page.locator("#tabs")).to_be_visible()
    page.locator("#pg-run").click()
    page.get_by_role("tab", name="Result").click()
    expect(page.locator("#pg-result .wb-first")).to_contain_text("positive", timeout=60_000)
    page.get_by_role("tab", name="Code", exact=True).first.click()
    expect(page.locator("#pg-code")).to_contain_text("me/my-first-model")

    open_tab(page, "Hub")
    page.get_by_role("tab", name="Yours").click()
    page.locator("#hub-mine").get_by_text("me/my-first-model").click()
    expect(page.locator("#hub-repo h2")).to_have_text("me/my-first-model")
    page.get_by_role("tab", name="Files").click()
    expect(page.locator("#hub-files")).to_contain_text("model.safetensors")
    look(page, "hub-light")
    expect(page.locator("#guide .wb-done")).to_have_count(5)
    expect(page.locator("#guide [aria-current=step]")).to_contain_text("Share it (done)")
    assert errors == []
    assert time.monotonic() - began < 180


@pytest.mark.browser
def test_every_tab_opens_in_the_dark_theme(page: Page, app: Any, look: Look) -> None:
    page.goto(f"{app.url}/?__theme=dark")
    expect(page.locator("#who")).to_contain_text("Embedded Hub", timeout=60_000)
    for name in TABS:
        open_tab(page, name)
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
        look(page, f"{name.lower().replace(' ', '-')}-dark")
