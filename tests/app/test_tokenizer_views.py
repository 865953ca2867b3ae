"""What the tokenizer inspector draws and reads: hostile text as text, nothing invisible, ids and texts as typed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from gradio_client import Client
from hypothesis import given
from hypothesis import strategies as st

from components.service.errors import WorkbenchError
from components.tabs.tokenizer import outdated
from components.tabs.tokenizer.batch import EXAMPLES, read_texts
from components.tabs.tokenizer.chat import CHATML
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.compare import read_prices
from components.tabs.tokenizer.decode import read_ids
from components.tabs.tokenizer.messages import EXAMPLE, ROWS, MessagesForm, gone_over, read_json
from components.widgets.tokens import batch, chat, compare, decode, facts, offsets, stages, strip, vocabulary
from components.widgets.tokens.text import changed, dropped, visible

EVIL = "<script>alert(1)</script>\"' <img src=x onerror=alert(2)> é 👍🏽"
MODELS = ("starter/sentiment", "starter/stories")


class _Tags(HTMLParser):
    """All tags, with the names of their attributes, that a browser would see."""

    def __init__(self, drawn: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.feed(drawn)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.seen |= {tag, *(f"@{name}" for name, _ in attributes)}


def _every_view(client: Client, model: str, text: str) -> dict[str, str]:
    def ask(name: str, *values: Any) -> Any:
        return client.predict(*values, api_name=f"/{name}")

    seen = ask("tokenize", model, text, text, {"price_per_million": 2})
    ids = [token["id"] for token in seen["tokens"]]
    texts = [[text, text], [text, "short"]]
    made = [ask("collate", model, texts, {"padding": padding}) for padding in ("longest", "do_not_pad")]
    said = ask(
        "render_chat", model, [{"role": "user", "content": text}, {"role": text, "content": text}], {"template": CHATML}
    )
    found = ask("search_vocabulary", model, "<", {"only": ""})
    looked = ask("search_vocabulary", model, "a", {"mode": "exact"})
    compared = ask("compare_tokenizers", list(MODELS), text, {"prices": [1, 2]})
    return {
        "strip": strip.linked(seen) + strip.legend(seen["legend"]) + strip.token_table(seen["tokens"]),
        "counts": facts.counts_view(seen) + facts.round_trip_view(seen["round_trip"], model),
        "stages": stages.stages_view(seen),
        "offsets": offsets.offsets_view(seen),
        "decode": decode.decoded_view(ask("decode", model, [ids, ids], {"skip_special_tokens": True})),
        "batch": "".join(batch.verdict(one) + batch.collated_view(one) for one in made),
        "chat": chat.chat_view(said) + chat.chat_tokens(said),
        "vocabulary": vocabulary.found_view(found) + vocabulary.vocabulary_facts(found),
        "entry": vocabulary.detail_view(looked["entries"][0], looked["detail"]),
        "vocabularies": vocabulary.vocabularies_view(ask("compare_vocabularies", list(MODELS), "<")),
        "compare": compare.compared_view(compared),
    }


@pytest.mark.parametrize("model", MODELS)
def test_hostile_text_is_shown_as_text_in_every_view(client: Client, model: str) -> None:
    for name, drawn in _every_view(client, model, EVIL).items():
        seen = _Tags(drawn).seen
        assert not seen & {"script", "img", "@onerror", "@onclick", "@src"}, name
        assert len(drawn) > 200, name


def test_tokens_of_one_character_stand_in_one_box_and_every_token_has_its_id(client: Client) -> None:
    seen = client.predict("starter/stories", "né 👍🏽", api_name="/tokenize")
    drawn = strip.linked(seen)
    assert drawn.count('class="wb-group"') == len(seen["groups"]) == 2
    assert drawn.count("<span") == drawn.count("</span>")
    for token in seen["tokens"]:
        assert len(re.findall(rf"data-token={token['position']}\b", drawn)) == 2
        assert f"data-id={token['id']} " in drawn


def test_a_window_that_ends_inside_a_character_is_still_well_formed(client: Client) -> None:
    for count in (1, 3, 5):
        for start in (0, 1, 2):
            seen = client.predict(
                "starter/stories", "a👍🏽b", None, {"start": start, "count": count}, api_name="/tokenize"
            )
            drawn = strip.linked(seen)
            assert drawn.count("<span") == drawn.count("</span>")


def test_an_unknown_word_as_long_as_a_text_is_drawn_by_its_beginning(client: Client) -> None:
    word = "x" * 200_000
    seen = client.predict("starter/sentiment", f"a {word}", api_name="/tokenize")
    assert [token["text"] for token in seen["tokens"]][2] == word
    drawn = strip.linked(seen) + offsets.offsets_view(seen)
    assert "(200,000 characters)" in drawn
    assert len(drawn) < 10_000


@given(st.text(min_size=1, max_size=20))
def test_nothing_of_a_text_is_invisible(text: str) -> None:
    shown = html.unescape(re.sub(r"<[^>]*>", "", visible(text)))
    assert shown.strip()
    assert all(c in shown for c in text if c.isalnum())


_RUNS = st.lists(st.fixed_dictionaries({"before": st.text("abc<&"), "after": st.text("xyz<&")}))


@given(_RUNS)
def test_a_difference_holds_both_texts(runs: list[dict[str, str]]) -> None:
    drawn = changed(runs)
    for tag, side in (("ins", "before"), ("del", "after")):
        one = re.sub(rf"<{tag}>.*?</{tag}>", "", drawn)
        assert html.unescape(re.sub(r"<[^>]*>", "", one)) == "".join(run[side] for run in runs)


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("101, 7592, 102", [[101, 7592, 102]]),
        ("101 7592\n102", [[101, 7592], [102]]),
        ("[101, 7592\n 102]", [[101, 7592, 102]]),
        ("[[1, 2], [3]]", [[1, 2], [3]]),
        ("  7;8 ", [[7, 8]]),
    ],
)
def test_ids_are_read_as_people_copy_them(typed: str, ids: list[list[int]]) -> None:
    assert read_ids(typed) == ids


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ("one\n\n two ", ["one", "two"]),
        ("a ||| b\nc|||d", [["a", "b"], ["c", "d"]]),
        ("", []),
    ],
)
def test_texts_and_pairs_are_read_line_by_line(typed: str, texts: list[Any]) -> None:
    assert read_texts(typed) == texts


def test_messages_are_read_from_their_rows_or_from_json() -> None:
    roles = ["user"] * ROWS
    contents = [f"text {number}" for number in range(ROWS)]
    rows = MessagesForm.read("Row by row", 2, "", *roles, *contents)
    assert rows == [{"role": "user", "content": "text 0"}, {"role": "user", "content": "text 1"}]
    assert MessagesForm.read("As JSON", 2, json.dumps(EXAMPLE), *roles, *contents) == EXAMPLE


def test_messages_are_carried_over_from_rows_to_json_and_back() -> None:
    values = [*["user"] * ROWS, *[f"text {number}" for number in range(ROWS)]]
    typed = gone_over("As JSON", 2, "[stale]", *values)[3]["value"]
    assert json.loads(typed) == MessagesForm.read("Row by row", 2, "", *values)
    edited = json.dumps([{"role": "system", "content": "Be kind."}])
    way, count, *rest = gone_over("Row by row", 2, edited, *values)
    assert (way, count, rest[3], rest[3 + ROWS]) == ("Row by row", 1, "system", "Be kind.")
    for unfit in ("{", "[]", '[{"role": "user", "content": []}]', json.dumps([{"role": "a", "content": "b"}] * 9)):
        way, _, _, _, told, *_ = gone_over("Row by row", 2, unfit, *values)
        assert way == "As JSON"
        assert told


def test_views_of_another_model_than_the_chosen_one_are_named() -> None:
    made = [asked("tokenize", {"model": "a/b"}), asked("collate", {"model": "a/c"}), {}, {"compare_tokenizers": {}}]
    assert outdated("a/c", *made).count("Tokens") == 1
    assert "of a/b: Tokens" in outdated("a/c", *made)
    assert outdated("a/c", made[1]) == ""


def test_dropped_and_hidden_characters_are_named() -> None:
    for letter in "\u200b\u202e\u00ad\u0000\u0301":
        assert f"U+{ord(letter):04X}" in dropped(f" {letter}")
    assert dropped("  ") == "  "
    assert "U+202E" in visible("a\u202eb")
    assert "U+200D" not in visible("👩\u200d👧")


REFUSED: list[tuple[Callable[[str], Any], str, str]] = [
    (read_ids, "", "Write the ids"),
    (read_ids, "1, two", "“two”"),
    (read_ids, "1.5", "“1.5”"),
    (read_ids, "9" * 26, "beyond every vocabulary"),
    (read_texts, "a ||| b\nc", "Line 2"),
    (read_texts, "a ||| b ||| c", "Line 1"),
    (read_prices, "0.1 cheap", "“cheap”"),
    (read_prices, "-1", "“-1”"),
    (lambda typed: read_json(typed, "messages"), "{", "not JSON"),
    (lambda typed: read_json(typed, "tools"), "{}", "square brackets"),
    (lambda typed: read_json(typed, "tools"), "[" * 100_000, "not JSON"),
]


@pytest.mark.parametrize(("read", "typed", "said"), REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(read: Callable[[str], Any], typed: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=re.escape(said)):
        read(typed)


def test_every_example_of_a_batch_is_one(client: Client) -> None:
    for title, (typed, options) in EXAMPLES.items():
        made = client.predict("starter/sentiment", read_texts(typed), options, api_name="/collate")
        assert bool(made["error"]) == title.startswith("Unequal"), title


def test_the_template_that_stands_in_marks_what_a_fine_tune_learns(client: Client) -> None:
    made = client.predict("starter/stories", EXAMPLE, {"template": CHATML}, api_name="/render_chat")
    assert made["assistant_mask"]["source"] == "template"
    learned = [made["rendered"][start:end] for start, end in made["assistant_mask"]["spans"]]
    assert learned == [f"{EXAMPLE[2]['content']}<|im_end|>"]
    assert made["rendered"].count("<|im_start|>") == made["rendered"].count("<|im_end|>\n") == len(EXAMPLE)


def test_a_long_input_is_kept_out_of_the_session() -> None:
    assert asked("tokenize", {"text": "word " * 100_000}) == {"tokenize": {}}
    assert asked("tokenize", {"text": "word"}) == {"tokenize": {"text": "word"}}
