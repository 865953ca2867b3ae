"""The playground in Chromium: every task that has a starter model, under the hood, many rows, models side by side."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import Page, expect

from components.service.tasks import TASKS

TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
SEARCH = "[placeholder^='Search the Hub for a model']"
OFFLINE = [spec for spec in TASKS.values() if spec.starter_model]


@pytest.fixture
def playground(opened: Page) -> Page:
    """The page with the task and the model of a first visit, and what else the test before left in it."""
    tab(opened, "Playground")
    if opened.locator("#pg-task input").input_value() != "Text classification":
        choose(opened, "Text classification")
    model = opened.get_by_label("Model", exact=True).first
    if model.input_value() != "starter/sentiment":
        model.fill("starter/sentiment")
        model.press("Enter")
    tab(opened, "Result")
    return opened


def choose(page: Page, title: str) -> None:
    page.locator("#pg-task input").click()
    page.locator("#pg-task input").fill(title)
    page.get_by_role("option", name=title, exact=True).first.click()
    spec = next(spec for spec in TASKS.values() if spec.title == title)
    expect(page.locator("#pg-task")).to_contain_text(spec.summary)
    first = spec.example().inputs
    if isinstance(first, str):
        expect(page.locator("#pg-text textarea")).to_have_value(first)


def unfold(page: Page, name: str, part: str) -> None:
    """Open a folded group, of which this is a part, if it is not open."""
    if not page.locator(part).first.is_visible():
        page.get_by_role("button", name=name).first.click()


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


@pytest.mark.browser
def test_an_answer_becomes_an_example_in_the_models_card(playground: Page) -> None:
    playground.locator("#pg-to-example").click()
    expect(playground.locator("#pg-told [role=alert]")).to_contain_text("Run something first")
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-facts")).to_contain_text("Commit")
    playground.locator("#pg-to-example").click()
    expect(playground.get_by_role("tab", name="Model card")).to_have_attribute("aria-selected", "true")
    expect(playground.locator("#card-editor")).to_contain_text("widget:")
    # The editor draws only the lines in sight; the preview has the example with its answer.
    expect(playground.locator("#card-beside")).to_contain_text("positive 0.9")


@pytest.mark.long
@pytest.mark.browser
def test_every_task_with_a_starter_model_gives_a_result_in_one_click(playground: Page) -> None:
    for spec in OFFLINE:
        choose(playground, spec.title)
        expect(playground.get_by_label("Model", exact=True).first).to_have_value(
            re.compile(f"{spec.starter_model}|{spec.example().starter_model or spec.starter_model}")
        )
        tab(playground, "Result")
        expect(playground.locator("#pg-result")).to_contain_text("Press Run")
        playground.locator("#pg-run").click()
        expect(playground.locator("#pg-facts")).to_contain_text("Commit")
        expect(playground.locator("#pg-told [role=alert]")).to_have_count(0)
        playground.locator("#pg-result summary").first.click()
        expect(playground.locator("#pg-result pre").first).to_be_visible()


@pytest.mark.browser
def test_another_token_can_be_taken_and_the_text_goes_on_from_there(playground: Page) -> None:
    choose(playground, "Text generation")
    tab(playground, "Under the hood")
    tab(playground, "Token by token")
    playground.locator("#pg-steps-run").click()
    tokens = playground.locator("#pg-steps .wb-steps button")
    expect(tokens.nth(3)).to_be_visible()
    before = tokens.all_inner_texts()
    tokens.nth(3).click()
    other = playground.locator("#pg-steps [data-choices='3'] button:not([aria-current])").first
    taken = other.locator("code").inner_text()
    other.click()
    expect(playground.locator("#pg-steps .wb-taken")).to_have_text(taken)
    after = tokens.all_inner_texts()
    assert after[:3] == before[:3]
    assert after[3] != before[3]
    tab(playground, "Loss of a text")
    playground.locator("#pg-score-run").click()
    expect(playground.locator("#pg-score")).to_contain_text("Perplexity")
    tab(playground, "With and without a head")
    playground.locator("#pg-heads-run").click()
    expect(playground.locator("#pg-heads")).to_contain_text("last_hidden_state")
    expect(playground.locator("#pg-heads")).to_contain_text("logits")


@pytest.mark.browser
def test_rows_are_run_held_against_gold_and_downloaded(playground: Page) -> None:
    tab(playground, "Batch")
    rows = "text,label\nI love this film,positive\nI hate this film,negative\n=1+1,negative"
    playground.locator("#pg-batch-rows textarea").fill(rows)
    expect(playground.locator("#pg-batch-gold input")).to_have_value("label")
    playground.locator("#pg-batch-run").click()
    result = playground.locator("#pg-batch-result")
    expect(result).to_contain_text("Accuracy")
    expect(result.get_by_role("region", name="Confusion matrix")).to_be_visible()
    expect(result.get_by_role("region", name="Rows with their answers").locator("tbody tr")).to_have_count(3)
    with playground.expect_download() as download:
        playground.locator("#pg-batch-csv").click()
    text = download.value.path().read_text()
    assert text.splitlines()[0].startswith("text,")
    assert "'=1+1" in text
    playground.locator("#pg-batch-rows textarea").fill("")
    playground.locator("#pg-batch-run").click()
    expect(playground.locator("#pg-batch-told [role=alert]")).to_be_visible()


@pytest.mark.browser
def test_models_are_compared_on_the_same_rows(playground: Page) -> None:
    tab(playground, "Compare")
    box = playground.locator("#pg-compare-models input").first
    expect(playground.locator("#pg-compare-models")).to_contain_text("starter/sentiment")
    for _ in range(4):  # what else the app offers, such as runs of earlier tests
        box.press("Backspace")
    for model in ("starter/sentiment", "starter/sentiment@main"):
        box.fill(model)
        box.press("Enter")
    playground.locator("#pg-compare-run").click()
    result = playground.locator("#pg-compare-result")
    expect(result.get_by_role("region", name="Agreement")).to_contain_text("100 %")
    playground.get_by_label("Only rows on which they differ").check()
    expect(result).to_contain_text("agree on every row")


@pytest.mark.browser
def test_a_model_may_be_named_by_its_address_and_what_was_wrong_with_another_goes(playground: Page, app: Any) -> None:
    model = playground.get_by_label("Model", exact=True).first
    model.fill("nobody/nothing")
    model.press("Enter")
    expect(playground.locator("#pg-told [role=alert]")).to_contain_text("nobody/nothing")
    model.fill(f"http://127.0.0.1:{(app.home / 'hub' / 'port').read_text()}/starter/topics/tree/main")
    model.press("Enter")
    expect(model).to_have_value("starter/topics")
    unfold(playground, "Parameters", "#pg-revision")
    expect(playground.locator("#pg-revision input")).to_have_value("main")
    expect(playground.locator("#pg-told [role=alert]")).to_have_count(0)


@pytest.mark.browser
def test_a_task_without_a_starter_model_says_so_and_old_hits_leave_with_their_task(playground: Page) -> None:
    unfold(playground, "Find another model", SEARCH)
    playground.locator(SEARCH).first.fill("sentiment")
    playground.get_by_role("button", name="Search", exact=True).first.click()
    expect(playground.get_by_label("starter/sentiment").first).to_be_visible()
    playground.locator("#pg-task input").click()
    playground.get_by_role("option", name="Depth estimation (no starter model)", exact=True).click()
    expect(playground.get_by_label("starter/sentiment")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.long
def test_a_link_fills_the_form_as_it_was_and_runs_nothing(playground: Page, app: Any) -> None:
    choose(playground, "Text generation")
    playground.locator("#pg-text textarea").fill("The old king")
    unfold(playground, "Parameters", "#pg-revision")
    playground.get_by_label("Max new tokens").fill("7")
    playground.locator("#pg-make-link").click()
    link = playground.locator("#pg-link input, #pg-link textarea").first
    expect(link).to_have_value(re.compile(r"^http://.*max_new_tokens"))
    address = link.input_value()
    assert address.startswith(app.url)
    playground.goto(address)
    expect(playground.locator("#pg-text textarea")).to_have_value("The old king")
    unfold(playground, "Parameters", "#pg-revision")
    expect(playground.get_by_label("Max new tokens")).to_have_value("7")
    expect(playground.locator("#pg-result")).to_contain_text("Press Run")
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-facts")).to_contain_text("Tokens 7")


@pytest.mark.browser
def test_a_model_is_found_by_filters_and_one_that_does_not_fit_is_explained(playground: Page) -> None:
    unfold(playground, "Find another model", SEARCH)
    playground.locator(SEARCH).first.fill("")
    playground.get_by_label("Task", exact=True).nth(1).click()
    playground.get_by_role("option", name="Text generation", exact=True).first.click()
    playground.get_by_role("button", name="Search", exact=True).first.click()
    playground.locator(".wb-list").get_by_text("starter/stories").first.click()
    model = playground.get_by_label("Model", exact=True).first
    expect(model).to_have_value("starter/stories")
    expect(playground.get_by_text("Choose one of these: starter/sentiment")).to_be_visible()
    tab(playground, "About")
    expect(playground.locator("#pg-about")).to_contain_text("Parameters by part")
    expect(playground.locator("#pg-about")).to_contain_text("decoder")


@pytest.fixture
def chatty(app: Any, tmp_path: Path) -> str:
    """A chat model on the embedded Hub: a tiny language model with a chat template."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "service"))
    from service_models import generator
    from transformers import AutoTokenizer

    generator(tmp_path / "chatty")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "chatty")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(tmp_path / "chatty")
    client = Client(app.url, verbose=False)
    client.predict("chatty", api_name="/create_repo")
    files = [{"file": handle_file(str(one)), "path": one.name} for one in sorted((tmp_path / "chatty").iterdir())]
    client.predict("me/chatty", files, "A chat model", api_name="/upload_files")
    return "me/chatty"


@pytest.mark.browser
@pytest.mark.long
def test_a_chat_goes_on_turn_by_turn_and_starts_anew(playground: Page, chatty: str) -> None:
    choose(playground, "Text generation")
    model = playground.get_by_label("Model", exact=True).first
    expect(playground.locator("#pg-chat")).to_be_hidden()
    model.fill(chatty)
    model.press("Enter")
    playground.locator("#pg-chat input").check()
    playground.locator("#pg-system textarea").fill("Be brief")
    unfold(playground, "Parameters", "#pg-revision")
    playground.get_by_label("Max new tokens").fill("4")
    for number, text in enumerate(("First of all", "And then"), 1):
        playground.locator("#pg-text textarea").fill(text)
        playground.locator("#pg-run").click()
        expect(playground.locator("#pg-text textarea")).to_have_value("")
        expect(playground.locator("#pg-result .wb-role-user")).to_have_count(number)
        expect(playground.locator("#pg-result .wb-role-assistant")).to_have_count(number)
    expect(playground.locator("#pg-result .wb-role-system")).to_contain_text("Be brief")
    expect(playground.locator("#pg-result .wb-role-user").first).to_contain_text("First of all")
    tab(playground, "Code")
    expect(playground.locator("#pg-code")).to_contain_text("Be brief")
    playground.locator("#pg-text textarea").fill("And on")
    playground.locator("#pg-make-link").click()
    link = playground.locator("#pg-link input, #pg-link textarea").first
    expect(link).to_have_value(re.compile("And\\+on"))
    playground.goto(link.input_value())
    expect(playground.locator("#pg-chat input")).to_be_checked()
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-result .wb-role-user")).to_have_count(3)
    expect(playground.locator("#pg-result .wb-role-system")).to_contain_text("Be brief")
    playground.locator("#pg-new-chat").click()
    tab(playground, "Result")
    expect(playground.locator("#pg-result")).to_contain_text("Press Run")
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-told [role=alert]")).to_contain_text("no message yet")
