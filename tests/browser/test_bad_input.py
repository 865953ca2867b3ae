"""Bad input on the page: a sentence beside the form says what to do, and what was typed stays."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from components.service.tasks import TASKS

pytestmark = pytest.mark.browser


def visit(page: Page, address: str) -> Page:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(address)
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    return page


@pytest.fixture(scope="module")
def opened(window: Page, app: Any) -> Page:
    return visit(window, app.url)


@pytest.fixture
def playground(opened: Page) -> Page:
    """The page on its Playground tab, with what the test before left in it."""
    opened.get_by_role("tab", name="Playground", exact=True).click()
    opened.get_by_role("tab", name="Result", exact=True).click()
    return opened


def choose_model(page: Page, name: str) -> None:
    box = page.get_by_label("Model", exact=True).first
    box.fill(name)
    box.press("Enter")


CASES = [
    ("an unknown model", "nobody/nothing", "Hello", "has no nobody/nothing"),
    ("a model of another task", "starter/stories", "Hello", "classification head"),
    ("an empty text", "starter/sentiment", " ", "no text yet"),
    ("a text of 1 MB", "starter/sentiment", "word " * 200_000, "1,000,000"),
]


@pytest.mark.parametrize(("model", "text", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_playground_says_what_to_do(playground: Page, model: str, text: str, said: str) -> None:
    choose_model(playground, model)
    playground.locator("#pg-text textarea").fill(text)
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-told [role=alert]")).to_contain_text(said)
    assert playground.locator("#pg-text textarea").input_value() == text
    expect(playground.locator("#pg-result")).to_have_text("There is no result. Why, and what to do, stands under Run.")


def test_what_went_wrong_is_in_sight_on_a_narrow_screen_too(playground: Page) -> None:
    size = playground.viewport_size
    playground.set_viewport_size({"width": 390, "height": 700})
    playground.locator("#pg-text textarea").fill("")
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-told [role=alert]")).to_contain_text("no text yet")
    expect(playground.locator("#pg-told [role=alert]")).to_be_in_viewport()
    playground.set_viewport_size(size or {"width": 1280, "height": 900})


def test_what_a_stranger_writes_is_shown_as_text(playground: Page) -> None:
    choose_model(playground, "starter/sentiment")
    attack = "<img src=x onerror=\"document.title='broken in'\"> lovely"
    playground.locator("#pg-text textarea").fill(attack)
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-result .wb-first")).to_be_visible()
    playground.get_by_role("tab", name="Under the hood").click()
    expect(playground.locator("#pg-stages .wb-stage")).to_have_count(3)
    playground.get_by_role("button", name="See its tokens").click()
    expect(playground.locator("#tok-strip")).to_contain_text("onerror")
    assert playground.title() == "Transformers Workbench"
    assert playground.locator("#tok-strip img").count() == 0


def test_a_model_sent_from_the_hub_brings_the_form_of_its_task(playground: Page) -> None:
    playground.get_by_role("tab", name="Hub", exact=True).click()
    playground.locator("#hub-found").get_by_text("starter/stories").click()
    expect(playground.locator("#hub-repo h2")).to_have_text("starter/stories")
    playground.get_by_role("button", name="Run it", exact=True).click()
    expect(playground.get_by_label("Prompt")).to_be_visible()
    expect(playground.get_by_label("Model", exact=True).first).to_have_value("starter/stories")
    playground.get_by_role("button", name="Parameters").click()
    expect(playground.get_by_label("Max new tokens")).to_be_visible()


def test_a_link_fills_in_only_what_fits_and_what_is_wrong_in_it_is_told(playground: Page, app: Any) -> None:
    asked = {"task": "image-classification", "inputs": '{"sample": "../../../README.md"}'}
    visit(playground, f"{app.url}/?{urlencode(asked)}")
    expect(playground.locator("#pg-task input")).to_have_value("Text classification")
    asked = {"task": "text-generation", "inputs": '"Once"', "parameters": '{"num_beams": "many"}'}
    visit(playground, f"{app.url}/?{urlencode(asked)}")
    expect(playground.locator("#pg-text textarea")).to_have_value("Once")
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-told [role=alert]")).to_contain_text("Num beams must be a whole number")


@pytest.fixture(scope="module")
def slow_writer(app: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A deep model with random weights and a long context, on the embedded Hub: it writes for half a minute."""
    from huggingface_hub import HfApi, snapshot_download
    from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

    endpoint = f"http://127.0.0.1:{(app.home / 'hub' / 'port').read_text()}"
    token = (app.home / "hub" / "token").read_text()
    folder = tmp_path_factory.mktemp("slow")
    starter = snapshot_download("starter/stories", endpoint=endpoint, cache_dir=folder / "cache", token=False)
    tokenizer = AutoTokenizer.from_pretrained(starter)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=64, n_head=2, n_layer=32, n_positions=4096)
    GPT2LMHeadModel(config).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    api = HfApi(endpoint=endpoint, token=token)
    api.create_repo("me/slow-writer", exist_ok=True)
    api.upload_folder(repo_id="me/slow-writer", folder_path=folder / "model")
    return "me/slow-writer"


@pytest.mark.long
def test_text_is_streamed_and_can_be_stopped(page: Page, app: Any, slow_writer: str) -> None:
    playground = visit(page, app.url)
    playground.locator("#pg-task input").click()
    playground.get_by_role("option", name="Text generation", exact=True).first.click()
    expect(playground.get_by_label("Model", exact=True).first).to_have_value("starter/stories")
    expect(playground.locator("#pg-task")).to_contain_text(TASKS["text-generation"].summary)  # the form fits the task
    choose_model(playground, slow_writer)
    playground.get_by_role("button", name="Parameters").click()
    playground.get_by_label("Max new tokens").fill("1000")
    playground.get_by_label("Min new tokens").fill("1000")
    playground.locator("#pg-run").click()
    heard = playground.locator("#guide [role=status]")
    expect(heard).to_contain_text("The model runs")
    expect(playground.locator("#pg-result mark")).not_to_be_empty()
    playground.locator("#pg-stop").click()
    expect(playground.locator("#pg-stop")).to_be_disabled()
    expect(heard).to_contain_text("Stopped")
    playground.wait_for_timeout(1000)  # what was on its way when it was stopped
    written = playground.locator("#pg-result mark").inner_text()
    playground.wait_for_timeout(1000)
    assert playground.locator("#pg-result mark").inner_text() == written
    assert len(written.split()) < 1000
    playground.locator("#pg-text textarea").fill("and the next one is answered")
    playground.get_by_label("Max new tokens").fill("3")
    playground.get_by_label("Min new tokens").fill("1")
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-result")).to_contain_text("and the next one is answered")
    expect(playground.locator("#pg-facts")).to_contain_text("Tokens 3")
    expect(playground.locator("#pg-facts")).to_contain_text("Commit")  # the run has ended, and the next may begin
    # Beam search is followed and stopped like any other.
    for label, value in (("Max new tokens", "1000"), ("Min new tokens", "1000"), ("Num beams", "2")):
        playground.get_by_label(label).fill(value)
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-facts")).not_to_contain_text("Commit")
    expect(playground.locator("#pg-result mark")).not_to_be_empty()
    expect(playground.locator("#pg-facts")).not_to_contain_text("Commit")
    playground.locator("#pg-stop").click()
    expect(playground.locator("#pg-told")).to_contain_text("Stopped")
    # An example of the guide ends a run, so that nothing of it lands under the example.
    playground.locator("#pg-run").click()
    expect(playground.locator("#pg-result mark")).not_to_be_empty()
    guide = playground.locator("#guide")
    guide.locator("details").evaluate("part => part.open = true")
    guide.get_by_role("button", name="Go on writing").click()
    expect(playground.locator("#pg-facts")).to_contain_text("Model starter/stories")
    expect(playground.locator("#pg-facts")).to_contain_text("Tokens 50")
    expect(playground.locator("#pg-result")).to_contain_text("Once upon a time")
    expect(playground.locator("#pg-stop")).to_be_disabled()
