"""The tokenizer inspector in Chromium: every view filled in one click, linked, by mouse and by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

Look = Callable[[Page, str], None]
pytestmark = pytest.mark.browser

#: ChatML that writes its own beginning, so that the tokenizer's is a second one.
_TEMPLATE = (
    "<|endoftext|>{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_UNIGRAM = {
    "version": "1.0",
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    "post_processor": None,
    "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
    "model": {
        "type": "Unigram",
        "unk_id": 0,
        "byte_fallback": False,
        "vocab": [
            ["<unk>", 0.0],
            ["▁un", -2.0],
            ["▁", -3.0],
            ["u", -4.0],
            ["n", -4.0],
            ["do", -2.5],
            ["d", -5.0],
            ["o", -5.0],
        ],
    },
}


@pytest.fixture(scope="module")
def others(app: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tokenizers of kinds that no starter has: without a padding token and with a template, Unigram, in Python."""
    from huggingface_hub import HfApi, snapshot_download

    endpoint = f"http://127.0.0.1:{(app.home / 'hub' / 'port').read_text()}"
    folder = tmp_path_factory.mktemp("tokenizers")
    stories = Path(snapshot_download("starter/stories", endpoint=endpoint, cache_dir=folder / "cache", token=False))
    tokens = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    made: dict[str, dict[str, Any]] = {
        "me/no-padding": {
            "tokenizer.json": _beginning(json.loads((stories / "tokenizer.json").read_text())),
            "tokenizer_config.json": {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "chat_template": _TEMPLATE,
                **tokens,
            },
        },
        "me/unigram": {
            "tokenizer.json": _UNIGRAM,
            "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"},
        },
        "me/in-python": {"tokenizer_config.json": {"tokenizer_class": "ByT5Tokenizer"}},
    }
    api = HfApi(endpoint=endpoint, token=(app.home / "hub" / "token").read_text())
    for name, files in made.items():
        place = folder / name
        place.mkdir(parents=True)
        for file, content in {**files, "config.json": {"model_type": "gpt2"}}.items():
            (place / file).write_text(json.dumps(content))
        api.create_repo(name, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=place)


def _beginning(settings: dict[str, Any]) -> dict[str, Any]:
    """The tokenizer, as one that puts a token before every text."""
    first = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    text = {"Sequence": {"id": "A", "type_id": 0}}
    known = {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}}
    template = {"type": "TemplateProcessing", "single": [first, text], "pair": [first, text], "special_tokens": known}
    return {**settings, "post_processor": template}


@pytest.fixture(scope="module")
def window(browser: Browser, app: Any) -> Iterator[Page]:
    """One page on its Tokenizer tab, which all of these tests go on with."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    page.goto(f"{app.url}/?__theme=light")
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    page.get_by_role("tab", name="Tokenizer", exact=True).click()
    yield page
    context.close()


@pytest.fixture
def inspector(window: Page) -> Page:
    """The page, with the starter model of the first visit."""
    choose_model(window, "starter/sentiment")
    open_view(window, "Tokens")
    return window


def open_view(page: Page, name: str) -> None:
    page.locator("#tok-views").get_by_role("tab", name=name, exact=True).click()


def choose_model(page: Page, name: str) -> None:
    box = page.get_by_label("Tokenizer of", exact=True)
    box.fill(name)
    box.press("Enter")


def tokenize(page: Page, text: str) -> None:
    page.locator("#tok-text textarea").fill(text)
    page.locator("#tok-run").click()
    expect(page.locator("#tok-strip .wb-token").first).to_be_visible()


def test_the_filled_example_shows_tokens_stages_offsets_and_code(inspector: Page) -> None:
    inspector.locator("#tok-examples").get_by_text("Long words").click()
    inspector.locator("#tok-run").click()
    tokens = inspector.locator("#tok-strip .wb-token")
    expect(tokens.first).to_have_text("[CLS]")
    expect(inspector.locator("#tok-counts")).to_contain_text("Characters 85")
    tokens.nth(1).hover()
    linked = inspector.locator("#tok-strip .wb-id.wb-on")
    expect(linked).to_have_count(1)
    assert f"id {linked.inner_text()} " in (tokens.nth(1).get_attribute("aria-label") or "")
    open_view(inspector, "Stages")
    expect(inspector.locator("#tok-stages .wb-stage")).to_have_count(6)
    expect(inspector.locator("#tok-stages [data-stage=normalized] del").first).to_have_text("U")
    expect(inspector.locator("#tok-stages")).to_contain_text("exactly the ids of the whole call")
    open_view(inspector, "Offsets")
    expect(inspector.locator("#tok-offsets [role=status]")).to_contain_text("Every token fits")
    open_view(inspector, "Code")
    expect(inspector.locator("#tok-code")).to_contain_text("AutoTokenizer")
    inspector.locator("#tok-way").get_by_text("Stages").click()
    expect(inspector.locator("#tok-code")).to_contain_text("backend_tokenizer")


def test_the_arrow_keys_go_through_the_tokens_and_enter_looks_one_up(inspector: Page) -> None:
    tokenize(inspector, "a simple word")
    first = inspector.locator("#tok-strip .wb-token").first
    first.focus()
    inspector.keyboard.press("ArrowRight")
    expect(inspector.locator("#tok-strip .wb-token:focus")).to_have_text("a")
    inspector.keyboard.press("Enter")
    expect(inspector.locator("#tok-voc-detail h2")).to_have_text("a")
    expect(inspector.locator("#tok-voc-detail")).to_contain_text("Its neighbours")


def test_bytes_of_one_character_are_one_group_and_merges_are_replayed(inspector: Page) -> None:
    choose_model(inspector, "starter/stories")
    inspector.get_by_role("button", name="Options").first.click()
    inspector.locator("#tok-price input").fill("2")
    tokenize(inspector, "family 👍🏽")
    expect(inspector.locator("#tok-strip .wb-group b")).to_have_text("👍🏽")
    expect(inspector.locator("#tok-counts")).to_contain_text("at 2 a million")
    open_view(inspector, "Stages")
    replay = inspector.locator("#tok-stages details[open] tbody tr")
    expect(replay.first).to_contain_text("f a m i l y")
    expect(replay.nth(1)).to_contain_text("rank")
    open_view(inspector, "Offsets")
    expect(inspector.locator("#tok-offsets .wb-flag").first).to_have_text("overlap")


def test_a_text_of_a_megabyte_is_shown_through_a_window(inspector: Page) -> None:
    # Playwright's own filling types into the field, which takes a browser minutes at this length.
    inspector.evaluate(
        """() => { const field = document.querySelector('#tok-text textarea');
        field.value = 'word '.repeat(200000); field.dispatchEvent(new Event('input', { bubbles: true })); }"""
    )
    inspector.locator("#tok-run").click()
    window = inspector.locator("#tok-window")
    expect(window).to_contain_text(re.compile(r"1 to 300 of \d{3},\d{3} tokens"))
    expect(inspector.locator("#tok-earlier")).to_be_disabled()
    inspector.locator("#tok-later").click()
    expect(window).to_contain_text("301 to 600")
    assert inspector.locator("#tok-strip .wb-token").count() == 300
    open_view(inspector, "Code")
    expect(inspector.locator("#tok-code")).to_contain_text("too long to stand in code")


def test_a_window_is_gone_to_by_number_and_a_failure_leaves_nothing_old(inspector: Page) -> None:
    tokenize(inspector, "word " * 800)
    inspector.locator("#tok-to input").fill("500")
    inspector.locator("#tok-to input").press("Enter")
    expect(inspector.locator("#tok-window")).to_contain_text("500 to 799")
    choose_model(inspector, "starter/pictures")
    expect(inspector.locator("#tok-stale")).to_contain_text("still of starter/sentiment: Tokens")
    inspector.locator("#tok-run").click()
    expect(inspector.locator("#tok-told [role=alert]")).to_contain_text("images")
    expect(inspector.locator("#tok-strip")).to_contain_text("Press Tokenize")
    # Views of other tests may still show the former model, and then the note is of them alone.
    expect(inspector.locator("#tok-stale")).not_to_contain_text("Tokens")


def test_a_batch_without_a_tensor_says_why_and_is_mended_in_one_click(inspector: Page, others: None) -> None:
    open_view(inspector, "Batch")
    inspector.get_by_text("Unequal lengths, no padding").click()
    expect(inspector.locator("#tok-batch-verdict")).to_contain_text("a tensor is a rectangle")
    inspector.locator("#tok-batch-remedy").click()
    expect(inspector.locator("#tok-batch-verdict")).to_contain_text("a tensor of the shape (2, 20)")
    expect(inspector.locator("#tok-batch-view .wb-cell-pad").first).to_contain_text("[PAD]")
    expect(inspector.locator("#tok-batch-remedy")).to_be_hidden()
    choose_model(inspector, "me/no-padding")
    inspector.locator("#tok-batch-run").click()
    expect(inspector.locator("#tok-batch-verdict")).to_contain_text("made without one")
    inspector.locator("#tok-batch-remedy").click()
    expect(inspector.locator("#tok-batch-view .wb-cell-pad").first).to_contain_text("<|endoftext|>")
    open_view(inspector, "Code")
    expect(inspector.locator("#tok-code")).to_contain_text("pad_token = tokenizer.eos_token")


@pytest.mark.long
def test_a_chat_is_coloured_by_role_and_its_traps_are_named(inspector: Page, others: None) -> None:
    open_view(inspector, "Chat")
    inspector.locator("#tok-chat-run").click()
    expect(inspector.locator("#tok-chat-view")).to_contain_text("ChatML stands in here")
    expect(inspector.locator("#tok-chat-view u.wb-in-mask").first).to_contain_text("A token is a piece")
    choose_model(inspector, "me/no-padding")
    inspector.locator("#tok-chat-add").click()
    inspector.locator("#tok-chat-5 textarea").fill("It makes tokens.")
    inspector.get_by_label("Add the generation prompt").check()
    inspector.locator("#tok-chat-run").click()
    shown = inspector.locator("#tok-chat-view")
    expect(shown).to_contain_text("puts another one before it")
    expect(shown.locator(".wb-chat")).to_contain_text(
        re.compile(r"It makes tokens\.<\|im_end\|>\s*<\|im_start\|>assistant\s*$")
    )
    inspector.locator("#tok-chat-way").get_by_text("As JSON").click()
    expect(inspector.locator("#tok-chat-json")).to_contain_text("It makes tokens.")


def test_ids_are_decoded_one_list_or_several(inspector: Page) -> None:
    tokenize(inspector, "Café!")
    open_view(inspector, "Decode")
    expect(inspector.locator("#tok-trip del").first).to_have_text("C")
    ids = inspector.locator("#tok-ids textarea").input_value()
    inspector.locator("#tok-ids textarea").fill(f"{ids}\n43")
    inspector.locator("#tok-decode").click()
    expect(inspector.locator("#tok-decode-view .wb-stage")).to_have_count(2)
    texts = inspector.locator("#tok-decode-view .wb-text")
    expect(texts.first).to_have_text(re.compile("^cafe ?!$"))
    expect(texts.nth(1)).to_have_text("a")


@pytest.mark.long
def test_a_vocabulary_is_searched_and_held_beside_another(inspector: Page) -> None:
    choose_model(inspector, "starter/stories")
    open_view(inspector, "Vocabulary")
    inspector.locator("#tok-voc-search").click()
    expect(inspector.locator("#tok-voc-found [role=status]")).to_contain_text("entries")
    inspector.locator("#tok-voc-found .wb-look", has_text="morning").click()
    expect(inspector.locator("#tok-voc-detail ol li").last).to_contain_text("Ġmorning")
    inspector.get_by_role("button", name="Beside another vocabulary").click()
    other = inspector.get_by_label("The other model")
    other.fill("starter/sentiment")
    other.press("Enter")
    inspector.locator("#tok-voc-compare").click()
    expect(inspector.locator("#tok-voc-two")).to_contain_text("Only in starter/sentiment")
    open_view(inspector, "Code")
    expect(inspector.locator("#tok-code")).to_contain_text("only_second")


def test_tokenizers_are_compared_by_language(inspector: Page, others: None) -> None:
    open_view(inspector, "Compare")
    models = inspector.locator("#tok-cmp-models input")
    models.fill("me/unigram")
    models.press("Enter")
    inspector.locator("#tok-cmp-run").click()
    shown = inspector.locator("#tok-cmp-view")
    expect(shown.get_by_label("Tokenizers side by side").locator("tbody tr")).to_have_count(3)
    expect(shown.locator(".wb-languages")).to_contain_text("Chinese")
    expect(shown.locator(".wb-differs").first).to_be_visible()


@pytest.mark.parametrize(
    ("model", "stage", "offsets"),
    [("me/unigram", "Paths of", "Every token fits"), ("me/in-python", "written in Python", "These were computed")],
)
def test_other_kinds_of_tokenizers_are_taken_apart_too(
    inspector: Page, others: None, model: str, stage: str, offsets: str
) -> None:
    choose_model(inspector, model)
    tokenize(inspector, "undo")
    open_view(inspector, "Stages")
    drawn = inspector.locator("#tok-stages")
    expect(drawn).to_contain_text("exactly the ids")
    assert stage in drawn.inner_html()
    open_view(inspector, "Offsets")
    expect(inspector.locator("#tok-offsets")).to_contain_text(offsets)


BAD = [
    ("Tokens", "tok-text", "", "tok-run", "tok-told", "no text yet"),
    ("Decode", "tok-ids", "12, cat", "tok-decode", "tok-told-ids", "“cat”"),
    ("Decode", "tok-ids", "99999", "tok-decode", "tok-told-ids", "99999"),
    ("Batch", "tok-batch-texts", "a ||| b\nc", "tok-batch-run", "tok-batch-told", "Line 2"),
    ("Batch", "tok-batch-texts", "", "tok-batch-run", "tok-batch-told", "no texts yet"),
    ("Batch", "tok-batch-length", "-1", "tok-batch-run", "tok-batch-told", "Max length"),
    ("Batch", "tok-batch-length", "3.7", "tok-batch-run", "tok-batch-told", "not 3.7"),
    ("Compare", "tok-cmp-prices", "cheap", "tok-cmp-run", "tok-cmp-told", "“cheap”"),
]


@pytest.mark.long
def test_bad_input_is_told_beside_the_field(inspector: Page) -> None:
    for view, field, typed, button, told, said in BAD:
        open_view(inspector, view)
        inspector.locator(f"#{field} textarea, #{field} input").first.fill(typed)
        inspector.locator(f"#{button}").click()
        expect(inspector.locator(f"#{told} [role=alert]")).to_contain_text(said)


def width_and_height(page: Page, name: str) -> tuple[float, float]:
    box = page.locator(f"#{name}").bounding_box()
    assert box is not None
    return box["width"], box["height"]


@pytest.mark.long
def test_every_view_fits_a_narrow_screen_in_the_dark(page: Page, app: Any, look: Look) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app.url}/?__theme=dark")
    expect(page.locator("#who")).to_contain_text("Embedded Hub")
    page.get_by_role("tab", name="Tokenizer", exact=True).click()
    page.locator("#tok-run").click()
    special = page.locator("#tok-strip .wb-token").first
    expect(special).to_be_in_viewport()
    expect(special).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(special).to_have_css("border-top-style", "dashed")
    for view, button in (("Batch", "tok-batch-run"), ("Chat", "tok-chat-run"), ("Compare", "tok-cmp-run")):
        open_view(page, view)
        page.locator(f"#{button}").click()
    expect(page.locator("#tok-cmp-view .wb-cut").first).to_be_visible()
    assert width_and_height(page, "tok-cmp-labelled")[0] > 250
    open_view(page, "Vocabulary")
    page.locator("#tok-voc-search").click()
    expect(page.locator("#tok-voc-window")).to_contain_text("1 to 50")
    assert width_and_height(page, "tok-voc-window")[1] < 40, "the line over the buttons is one line"
    for view in ("Tokens", "Stages", "Offsets", "Batch", "Decode", "Chat", "Vocabulary", "Compare", "Code"):
        open_view(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, view
    open_view(page, "Stages")
    look(page, "tokenizer-stages-narrow-dark")
