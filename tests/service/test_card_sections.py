"""Sections of a card: found as Markdown has them, written one at a time; two cards compared and merged."""

from __future__ import annotations

import time
from typing import Any

import pytest
from card_samples import CARDS, HAND_WRITTEN
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.service.cards.diff import diff_card
from components.service.cards.edit import edit
from components.service.cards.merge import merge_card
from components.service.cards.outline import outline
from components.service.errors import WorkbenchError


@pytest.mark.parametrize(
    ("markdown", "titles"),
    [
        ("# A\n## B ##\n#C\n    # D\n####### E\n#\n", [("A", 1), ("B", 2), ("", 1)]),
        ("A\n===\n\nB of\ntwo lines\n---\n", [("A", 1), ("B of two lines", 2)]),
        ("```\n# A\n```\n# B\n", [("B", 1)]),
        ("~~~\n# A\n```\n# B\n~~~\n# C\n", [("C", 1)]),
        ("```\n# A\n", []),
        ("<!--\n# A\n\n# B\n-->\n# C\n", [("C", 1)]),
        ("<div>\n# A\n\n# B\n</div>\n", [("B", 1)]),
        ("<pre>\n# A\n\n# B\n</pre>\n# C\n", [("C", 1)]),
        ("> # A\n\n- # B\n\n# C\n", [("C", 1)]),
        ("| a |\n|---|\n\n***\n---\n# A\n", [("A", 1)]),
        ("# A 😀 **bold** `code`\n", [("A 😀 **bold** `code`", 1)]),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_headings_are_found_as_markdown_has_them(markdown: str, titles: list[tuple[str, int]], newline: str) -> None:
    text = "---\na: 1\n---\n" + markdown.replace("\n", newline)
    assert [(section["title"], section["level"]) for section in outline(text)] == titles
    for section in outline(text):
        assert (
            text[section["start"] :]
            .lstrip(" #")
            .startswith((section["title"].split()[:1] and section["title"].split()[0]) or "")
        )


def test_a_section_holds_those_below_it_and_knows_its_line() -> None:
    told = {section["name"]: section for section in outline(HAND_WRITTEN)}
    assert list(told) == [
        "Films", "Intended uses & limitations", "Training data", "Rows", "Evaluation results", "Usage#1", "Usage#2",
    ]  # fmt: skip
    data = told["Training data"]
    assert "### Rows" in HAND_WRITTEN[data["text"] : data["end"]]
    assert HAND_WRITTEN[data["text"] : data["own_end"]].strip() == "Many reviews."
    assert told["Films"]["end"] == len(HAND_WRITTEN)
    for section in told.values():
        assert section["title"] in HAND_WRITTEN.split("\n")[section["line"] - 1]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("markdown", "title", "new", "wanted"),
    [
        ("# T\n\n## A\n\nold\n\n## B\n\nx\n", "A", "new\nlines", "# T\n\n## A\n\nnew\nlines\n\n## B\n\nx\n"),
        ("# T\n\n## A\n\nold\n\n## B\n\nx\n", "a", None, "# T\n\n## B\n\nx\n"),
        ("## A\nold\n## B\nx", "A", "new", "## A\nnew\n## B\nx"),
        ("## A\n## B\nx", "A", "new", "## A\n\nnew\n\n## B\nx"),
        ("## A", "A", "new", "## A\n\nnew\n"),
        ("## A\n\nold\n", "A", "old\n\n", "## A\n\nold\n"),
        ("## A\n\nold  \n", "A", "", "## A\n\n"),
        ("A\n---\nold\n", "A", "new", "A\n---\nnew\n"),
        ("# A\n## B\nD\n===\n", "A", "new", "# A\nnew\n\nD\n===\n"),
        ("## A\n\n### A1\n\nx\n\n## B\n", "A", "y\n\n### A2\n\nz", "## A\n\ny\n\n### A2\n\nz\n\n## B\n"),
        ("## U\n\n1\n\n## U\n\n2\n", "U#2", "3", "## U\n\n1\n\n## U\n\n3\n"),
        ("## C#2\n\n1\n", "C#2", "3", "## C#2\n\n3\n"),
        ("# T\n\nx", "Citation", "me", "# T\n\nx\n\n## Citation\n\nme\n"),
        ("# T\n\n## Training data\n\nx\n\n## Citation\n\ny\n", "Evaluation results", "z",
         "# T\n\n## Training data\n\nx\n\n## Evaluation results\n\nz\n\n## Citation\n\ny\n"),
        ("# T\n\n## Citation\n\ny\n", "Training data", "x", "# T\n\n## Training data\n\nx\n\n## Citation\n\ny\n"),
        ("# T\n\n## Citation\n\ny\n", "Of my own", "x", "# T\n\n## Citation\n\ny\n\n## Of my own\n\nx\n"),
        ("# T\n", "Nothing", None, "# T\n"),
        ("", "Usage", "x", "## Usage\n\nx\n"),
    ],
)  # fmt: skip
def test_a_section_is_written_and_nothing_else(
    markdown: str, title: str, new: str | None, wanted: str, newline: str
) -> None:
    front = "---\na: 1 # c\n---\n"
    made = edit((front + markdown).replace("\n", newline), [{"section": title, "text": new}])
    assert made == (front + wanted).replace("\n", newline)


@pytest.mark.parametrize(
    ("title", "text", "words"),
    [
        ("Usage", "x", "2 sections Usage"),
        ("Usage#3", "x", "no section Usage#3"),
        ("Training data", "# High", "more than"),
        ("Training data", "```\nopen", "Close its blocks"),
        ("Training data", "<!-- open", "Close its blocks"),
        ("Rows", "Setext\n---", "more than"),
        ("", "x", "one line"),
        ("a\nb", "x", "one line"),
        (5, "x", "one line"),
        ("x" * 500, "x", "one line"),
        ("Rows", 5, "a text, or null"),
        ("Rows", "\ud800", "surrogate"),
        ("New", "```\nopen", None),
        ("#", "x", "cannot be a heading"),
    ],
)
def test_a_section_that_cannot_be_written_alone_is_refused(title: Any, text: Any, words: str | None) -> None:
    change = [{"section": title, "text": text}]
    if words is None:
        assert edit(HAND_WRITTEN, change).startswith(HAND_WRITTEN)
        return
    with pytest.raises(WorkbenchError, match=words):
        edit(HAND_WRITTEN, change)


WORDS = st.sampled_from(
    ["# A", "## B", "### C", "text", "", "```", "> q", "- i", "<!-- x -->", "D", "===", "---", "| a |"]
)


@given(
    st.lists(WORDS, max_size=25), st.sampled_from(["new", "a\n\n- b", "### deep\n\nx"]), st.sampled_from(["\n", "\r\n"])
)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_of_a_generated_card_only_the_edited_section_changes(lines: list[str], new: str, newline: str) -> None:
    card = "---\na: 1\n---\n\n" + "\n".join(lines)
    card = card.replace("\n", newline)
    for section in outline(card):
        try:
            made = edit(card, [{"section": section["name"], "text": new}])
        except WorkbenchError:
            assert section["level"] > 2 or "###" not in new or section["title"].endswith("#")
            continue
        assert made[: section["text"]] == card[: section["text"]]
        assert made.endswith(card[section["end"] :])
        middle = made[section["text"] : len(made) - len(card) + section["end"]]
        assert middle.strip() == new.replace("\n", newline)


@pytest.mark.parametrize(
    "piece",
    [
        "# A title\n\nAnd its text, which is longer.\n\n",
        "> ",
        "- ",
        "[",
        "```\n",
        "<!--",
        "| ",
        "*",
        "\n",
        "[a]: b\n",
        "\t",
    ],
)
def test_a_card_of_the_largest_size_is_outlined_compared_and_merged_in_time(piece: str) -> None:
    text = (piece * (190_000 // len(piece)))[:190_000]
    started = time.perf_counter()
    outline(text)
    diff_card(text, text[::-1])
    merge_card(text, "x\n" + text, text + "\ny")
    assert time.perf_counter() - started < 20


CARD = CARDS["by hand"]


def test_a_diff_names_fields_sections_and_lines() -> None:
    after = edit(
        CARD,
        [
            {"field": "license", "value": "mit"},
            {"field": "widget[2].example_title", "value": None},
            {"field": "tags[3]", "value": "new"},
            {"section": "Rows", "text": "Other."},
            {"section": "Citation", "text": "me"},
            {"section": "Evaluation results", "text": None},
        ],
    )
    told = diff_card(CARD, after)
    assert told["fields"] == [
        {"field": "license", "before": "apache-2.0", "after": "mit"},
        {"field": "tags", "before": ["sentiment", "film: reviews", "generated_from_trainer"],
         "after": ["sentiment", "film: reviews", "generated_from_trainer", "new"]},
        {"field": "widget[2].example_title", "before": "Several lines", "after": None},
    ]  # fmt: skip
    assert {(one["section"], one["change"]) for one in told["sections"]} == {
        ("Rows", "changed"), ("Citation", "added"), ("Evaluation results", "removed"),
    }  # fmt: skip
    assert "-license: apache-2.0   # asked the legal team, 2026-03" in told["lines"]
    assert "+license: mit   # asked the legal team, 2026-03" in told["lines"]
    for word in ("license", "tags", "widget", "Rows", "Citation (new)", "Evaluation results (removed)"):
        assert word in told["summary"]


@pytest.mark.parametrize(
    ("before", "after", "summary"),
    [
        ("", "", "Changes nothing."),
        ("a\nb\n", "a\r\nb\r\n", "Changes line breaks only."),
        ("a\n", "a", "Changes only how the card is written: comments, order, quotes or spaces."),
        ("---\na: 1\n---\n", "---\na: 1 # c\n---\n",
         "Changes only how the card is written: comments, order, quotes or spaces."),
        ("---\na: [\n---\n", "---\na: 1\n---\n", "Changes metadata that cannot be read."),
        ("---\na: 1\n---\n", "---\na: true\n---\n", "Changes a."),
        ("x", "y", "Changes section the beginning."),
        ("", "".join(f"# {n}\n" for n in range(9)), "Changes sections 0, 1, 2, 3, 4, 5 and 3 more (new)."),
    ],
)  # fmt: skip
def test_a_diff_is_summed_up_in_a_sentence(before: str, after: str, summary: str) -> None:
    assert diff_card(before, after)["summary"] == summary


def test_two_peoples_changes_come_together() -> None:
    mine = edit(CARD, [{"field": "license", "value": "mit"}, {"section": "Rows", "text": "Mine."}])
    theirs = edit(
        CARD,
        [
            {"field": "co2_eq_emissions", "value": 13},
            {"field": "new", "value": [1]},
            {"section": "Usage#2", "text": "T."},
        ],
    ).replace("# shown on the page", "# shown on the model's page")  # fmt: skip
    both = edit(mine, [{"field": "co2_eq_emissions", "value": 13}, {"field": "new", "value": [1]}])
    both = edit(both, [{"section": "Usage#2", "text": "T."}]).replace(
        "# shown on the page", "# shown on the model's page"
    )
    assert merge_card(CARD, mine, theirs) == {"text": both, "conflicts": []}
    assert merge_card(CARD, theirs, mine) == {"text": both, "conflicts": []}
    windows = merge_card(CARD, mine.replace("\n", "\r\n"), theirs)
    assert windows == {"text": both.replace("\n", "\r\n"), "conflicts": []}


def test_what_both_changed_stays_ones_own_and_is_named() -> None:
    mine = edit(CARD, [{"field": "license", "value": "mit"}, {"section": "Rows", "text": "Mine."}])
    theirs = edit(CARD, [{"field": "license", "value": None}, {"section": "Rows", "text": "Theirs."}])
    told = merge_card(CARD, mine, theirs)
    assert told["text"] == mine
    field, section = told["conflicts"]
    assert field == {"field": "license", "base": "apache-2.0", "mine": "mit", "theirs": None}
    assert section["section"] == "Rows"
    assert (section["mine"].strip(), section["theirs"].strip()) == ("Mine.", "Theirs.")


def test_fields_merge_where_their_lines_would_not() -> None:
    base, mine, theirs = (f"---\ntags: {{a: {a}, b: {b}}}\n---\n" for a, b in ((1, 1), (2, 1), (1, 3)))
    assert merge_card(base, mine, theirs) == {"text": "---\ntags: {a: 2, b: 3}\n---\n", "conflicts": []}
    base, mine, theirs = ("---\na: 1\n---\n", "---\na: 1\nb: 2\n---\n", "---\na: 1\nc: 3\n---\n")
    assert merge_card(base, mine, theirs) == {"text": "---\na: 1\nb: 2\nc: 3\n---\n", "conflicts": []}
    assert merge_card("x\n", "y\n", "---\na: 1\n---\nx\n")["text"].endswith("a: 1\n---\ny\n")
    told = merge_card("---\na: [\n---\n", "---\na: [1\n---\n", "---\na: [2\n---\n")
    assert (told["text"], told["conflicts"][0]["field"]) == ("---\na: [1\n---\n", "card")


FIELDS = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(0, 3) | st.lists(st.integers(0, 2), max_size=2), max_size=5
)


@given(FIELDS, FIELDS, FIELDS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_field_of_a_merge_is_one_sides_or_a_conflict(base: Any, mine: Any, theirs: Any) -> None:
    start = edit("# T\n", [{"field": "z", "value": 0}])
    cards = [
        edit(start, [{"field": key, "value": item} for key, item in side.items()]) for side in (base, mine, theirs)
    ]
    told = merge_card(*cards)
    named = {conflict["field"].split("[")[0] for conflict in told["conflicts"]}
    fields = {one["field"].split("[")[0]: one for one in diff_card(start, told["text"])["fields"]}
    for key in "abcdef":
        was, one, other = (side.get(key) for side in (base, mine, theirs))
        got = fields[key]["after"] if key in fields else None
        if key in named:
            assert got is not None or one is None
        elif one == other or other == was:
            assert got == one
        elif one == was:
            assert got == other
        else:
            assert isinstance(got, list), "entries of one list, changed apart"
