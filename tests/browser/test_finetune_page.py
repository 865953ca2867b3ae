"""The Fine-tune tab under the hands of someone in a hurry: what is in sight, what is shown, what goes for good."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser


def rows(pairs: int) -> str:
    return "\n".join(["text,label", *(f"a good thing {i},good\na bad thing {i},bad" for i in range(pairs))])


def open_with_rows(page: Page, address: str, pairs: int = 20) -> None:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(address)
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    expect(page.locator("#ft-start")).to_be_in_viewport()
    page.get_by_label("Paste rows").check()
    page.locator("#ft-pasted textarea").fill(rows(pairs))


def start(page: Page, name: str, epochs: int) -> None:
    page.locator("#ft-epochs input").fill(str(epochs))
    page.get_by_label("Name of the run").fill(name)
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run h2")).to_have_text(name)


def choose_run(page: Page, name: str) -> None:
    page.locator("#ft-runs input").click()
    page.get_by_role("option").filter(has_text=name).click()
    expect(page.locator("#ft-run h2")).to_have_text(name)


@pytest.mark.long
def test_a_run_comes_into_sight_and_goes_for_good_only_after_a_second_word(page: Page, app: Any) -> None:
    open_with_rows(page, app.url)
    page.get_by_label("Name of the run").scroll_into_view_if_needed()
    page.mouse.wheel(0, 3000)
    expect(page.locator("#ft-runs")).not_to_be_in_viewport()
    page.locator("#ft-epochs input").fill("0")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-told [role=alert]")).to_be_in_viewport()
    start(page, "unwanted", 1)
    expect(page.locator("#ft-run h2")).to_be_in_viewport()
    page.locator("#ft-how input").click()
    page.get_by_role("option", name="Discard", exact=True).click()
    page.locator("#ft-stop").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Stopped")

    page.locator("#ft-views").get_by_role("tab", name="History", exact=True).click()
    listed = page.locator("#ft-history label").filter(has_text="unwanted")
    listed.locator("input").check()
    page.locator("#ft-history-delete").click()
    expect(page.locator("#ft-history-warned")).to_contain_text("unwanted")
    page.locator("#ft-history-keep").click()
    expect(page.locator("#ft-history-sure")).not_to_be_visible()
    expect(listed).to_have_count(1)
    page.locator("#ft-history-delete").click()
    page.locator("#ft-history-sure").click()
    expect(page.locator("#ft-history-result")).to_contain_text("1 deleted")
    expect(listed).to_have_count(0)


@pytest.mark.long
def test_a_late_answer_about_another_run_gives_way_to_the_run_that_is_chosen(page: Page, app: Any) -> None:
    # So many rows that the run trains to the end of this test, however slow the browser is.
    open_with_rows(page, app.url, pairs=300)
    start(page, "long", 100)
    start(page, "taken out", 1)
    page.locator("#ft-cancel").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Stopped")
    choose_run(page, "long")

    held: list[Route] = []

    def hold(route: Route) -> None:
        # Once a second and a half the page asks how the run goes, with how to stop it as the last value.
        if not held and route.request.post_data_json["data"][-1] == "stop":
            held.append(route)
        else:
            route.continue_()

    page.route("**/queue/join*", hold)
    with page.expect_request(lambda asked: "queue/join" in asked.url and '"stop"' in (asked.post_data or "")):
        pass
    choose_run(page, "taken out")
    page.evaluate(
        """() => { window.told = []; new MutationObserver(() => window.told.push(
            document.querySelector("#ft-run h2")?.textContent)).observe(document.querySelector("#ft-run"),
            {childList: true, subtree: true}) }"""
    )
    held[0].continue_()
    page.wait_for_function("window.told.includes('long')")
    expect(page.locator("#ft-run h2")).to_have_text("taken out")
    expect(page.locator("#ft-stop")).not_to_be_visible()
    choose_run(page, "long")
    page.locator("#ft-stop").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Stopped")


def test_what_a_task_cannot_read_and_a_hub_does_not_have_is_not_offered(page: Page, app: Any) -> None:
    open_with_rows(page, app.url)
    sources = page.locator("#ft-source label")
    expect(sources).to_have_text(["Hub data set", "Upload a file", "Paste rows"])
    page.locator("#ft-task input").click()
    page.get_by_role("option", name="Image classification", exact=True).click()
    expect(sources).to_have_text(["Hub data set", "Upload a file", "Upload images"])
    expect(page.locator("#ft-dataset input, #ft-dataset textarea")).to_have_value("starter/drawings")
    expect(page.locator("#ft-samples-pictures")).to_contain_text(".png")
    page.get_by_role("button", name="Train on Hugging Face Jobs instead").click()
    expect(page.locator("#ft-no-jobs")).to_contain_text("has no Jobs")
    expect(page.locator("#ft-job-send")).to_have_count(0)
