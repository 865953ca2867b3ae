"""Fine-tuning on one's own file, from the page: its columns, a stop, and a reload in between."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.long
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
    (tmp_path / "held.csv").write_text("verdict,comment\ngood,thing number 1 is here\nbad,another thing\n")
    page.get_by_role("button", name="Files to evaluate and to test on").click()
    page.locator("#ft-file-validation input[type=file]").set_input_files(tmp_path / "held.csv")
    expect(page.locator("#ft-preview")).to_contain_text("1 text of validation also stands in train")
    page.locator("#ft-epochs input").fill("50")
    page.get_by_label("Name of the run").fill("mine, stopped")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Training", timeout=90_000)
    expect(page.locator("#ft-run")).to_contain_text("Remaining")

    page.reload()
    page.get_by_role("tab", name="Fine-tune", exact=True).click()
    expect(page.locator("#ft-run h2")).to_have_text("mine, stopped")
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Training")
    expect(page.locator("#ft-effect")).to_contain_text("can be resumed")
    page.locator("#ft-stop").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Stopped", timeout=90_000)
    expect(page.locator("#ft-run")).to_contain_text("the model so far can be used")
    expect(page.locator("#ft-resume")).to_be_visible()

    page.locator("#ft-to-play").click()
    page.locator("#pg-text textarea").fill("thing number 7 is here")
    page.locator("#pg-run").click()
    expect(page.locator("#pg-result")).to_contain_text("good")


def open_tab(page: Page, address: str) -> None:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page.goto(address)
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    page.get_by_role("tab", name="Fine-tune", exact=True).click()


def view(page: Page, name: str) -> None:
    page.locator("#ft-views").get_by_role("tab", name=name, exact=True).click()


def choose(page: Page, field: str, option: str) -> None:
    page.locator(f"#{field} input").click()
    page.get_by_role("option", name=option, exact=True).click()


@pytest.mark.long
def test_the_data_doctor_is_obeyed_and_undone_and_the_run_is_rehearsed(page: Page, app: Any) -> None:
    open_tab(page, app.url)
    page.get_by_label("Paste rows").check()
    rows = [f"a good thing {i},good\na bad thing {i},bad" for i in range(20)]
    page.locator("#ft-pasted textarea").fill("\n".join(["text,label", *rows, "lonely,odd"]))
    page.locator("#ft-look").click()
    preview = page.locator("#ft-preview")
    expect(preview.locator(".wb-strip").first).to_contain_text("[CLS]")
    expect(preview.locator(".wb-histogram")).to_be_visible()
    preview.locator("button[data-remedy]", has_text="Leave out 1 class").click()
    expect(preview.locator("button[data-undo]")).to_be_visible()
    expect(preview.locator(".wb-bars")).not_to_contain_text("odd")
    preview.locator("button[data-undo]").click()
    expect(preview.locator(".wb-bars")).to_contain_text("odd")
    page.locator("#ft-rehearse").click()
    expect(page.locator("#ft-rehearsal .wb-checks li").first).to_be_visible(timeout=90_000)
    expect(page.locator("#ft-rehearsal")).to_contain_text("It fits")


@pytest.mark.long
@pytest.mark.parametrize(
    ("task", "columns", "learned"),
    [
        ("Token classification", {"tokens": "tokens", "tags": "tags"}, "B-PER"),
        ("Question answering", {"question": "question", "context": "context", "answers": "answers"}, "oranges"),
        ("Translation", {"text": "fr", "target": "en"}, "Hello everyone."),
    ],
)
def test_each_task_shows_its_own_columns_and_an_example(
    page: Page, app: Any, task: str, columns: dict[str, str], learned: str
) -> None:
    open_tab(page, app.url)
    choose(page, "ft-task", task)
    expect(page.locator("#ft-pasted textarea")).to_be_visible()
    page.locator("#ft-look").click()
    for role, name in columns.items():
        expect(page.locator(f"#ft-{role}-col input")).to_have_value(name)
    expect(page.locator("#ft-label-col")).to_have_count(0)
    expect(page.locator("#ft-preview")).to_contain_text(learned)
    expect(page.locator("#ft-preview .wb-strip").first).to_be_visible()


@pytest.mark.long
def test_runs_wait_in_line_are_repeated_compared_and_deleted(page: Page, app: Any) -> None:
    open_tab(page, app.url)
    page.get_by_label("Paste rows").check()
    # So many rows that the long run still trains when it is to be discarded.
    rows = [f"a good thing {i},good\na bad thing {i},bad" for i in range(400)]
    page.locator("#ft-pasted textarea").fill("\n".join(["text,label", *rows]))
    page.locator("#ft-epochs input").fill("100")
    page.get_by_label("Name of the run").fill("long")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Training")
    page.locator("#ft-epochs input").fill("1")
    page.get_by_label("Name of the run").fill("short")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run h2")).to_have_text("short")
    expect(page.locator("#ft-run")).to_contain_text("Place 1 in line")
    page.locator("#ft-runs input").click()
    page.get_by_role("option").filter(has_text="long").click()
    choose(page, "ft-how", "Discard")
    expect(page.locator("#ft-effect")).to_contain_text("deleted")
    page.locator("#ft-stop").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Stopped")
    page.locator("#ft-runs input").click()
    page.get_by_role("option").filter(has_text="short").click()
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Finished", timeout=90_000)
    view(page, "Results")
    expect(page.locator("#ft-results")).to_contain_text("Confusion matrix")
    expect(page.locator("#ft-results")).to_contain_text("Another threshold")
    view(page, "Log")
    expect(page.locator("#ft-log")).to_contain_text("loss")
    view(page, "Code")
    expect(page.locator("#ft-code")).to_contain_text("Trainer")

    page.locator("#ft-again").click()
    expect(page.locator("#ft-told")).to_contain_text("holds the settings of short")
    expect(page.get_by_label("As in the run before")).to_be_checked()
    page.locator("#ft-learning-rate input").fill("0.001")
    page.get_by_label("Name of the run").fill("quicker")
    page.locator("#ft-start").click()
    expect(page.locator("#ft-run h2")).to_have_text("quicker")
    expect(page.locator("#ft-run .wb-badge")).to_have_text("Finished", timeout=90_000)
    view(page, "History")
    listed = page.locator("#ft-history label")
    listed.filter(has_text="short").locator("input").check()
    listed.filter(has_text="quicker").locator("input").check()
    page.locator("#ft-history-compare").click()
    result = page.locator("#ft-history-result")
    expect(result).to_contain_text("learning rate")
    expect(result.locator("svg").first).to_be_visible()
    page.locator("#ft-history-delete").click()
    page.locator("#ft-history-sure").click()
    expect(result).to_contain_text("2 deleted")
    expect(listed.filter(has_text="quicker")).to_have_count(0)


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


@pytest.mark.long
def test_the_configurations_of_a_data_set_appear_where_there_are_several(page: Page, app: Any, tmp_path: Path) -> None:
    from gradio_client import Client, handle_file

    client = Client(app.url, verbose=False)
    client.predict("plays-and-films", False, "dataset", api_name="/create_repo")
    card = tmp_path / "README.md"
    card.write_text(
        "---\nconfigs:\n- {config_name: plays, data_files: {train: plays.csv}}\n"
        "- {config_name: films, data_files: {train: films.csv, small: small.csv}}\n---\n"
    )
    uploads = [{"file": handle_file(str(card)), "path": "README.md"}]
    for name in ("plays", "films", "small"):
        table = tmp_path / f"{name}.csv"
        table.write_text("text,label\n" + "".join(f"{name} number {i} were fine,{i % 2}\n" for i in range(60)))
        uploads.append({"file": handle_file(str(table)), "path": table.name})
    client.predict("me/plays-and-films", uploads, "", "dataset", api_name="/upload_files")

    open_tab(page, app.url)
    expect(page.locator("#ft-config")).not_to_be_visible()
    page.locator("#ft-dataset input").fill("me/plays-and-films")
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("plays number 1")
    config, split = page.locator("#ft-config input"), page.locator("#ft-split input")
    expect(config).to_have_value(re.compile("plays, .* \\(default\\)"))
    expect(split).not_to_be_visible()
    config.click()
    page.get_by_role("option", name=re.compile("^films")).click()
    expect(page.locator("#ft-preview")).not_to_contain_text("plays number 1")
    expect(split).to_have_value("train")
    split.click()
    page.get_by_role("option", name="small").click()
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("small number 1")
    page.screenshot(path=tmp_path / "configs.png")

    page.locator("#ft-dataset input").fill("starter/reviews")
    expect(config).not_to_be_visible()
    expect(split).not_to_be_visible()
    page.locator("#ft-look").click()
    expect(page.locator("#ft-preview")).to_contain_text("rows")
    expect(config).not_to_be_visible()
