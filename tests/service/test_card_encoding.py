"""A card that is not UTF-8 is opened letter by letter, and it is told which bytes were none."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import run_parts

from components.service.cards import Cards
from components.service.cards.encoding import opened
from components.service.contents import Contents
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.publish import Publisher


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"\xef\xbb\xbf---\r\na: 1\r---\n", "\ufeff---\r\na: 1\r---\n"),
        ("# Caf\u00e9 \U0001f600\n".encode(), "# Caf\u00e9 \U0001f600\n"),
        (b"a\x00b", "a\x00b"),
    ],
)
def test_a_card_in_utf_8_is_opened_as_it_is(content: bytes, text: str) -> None:
    card = opened(content)
    assert (card.text, card.remark) == (text, "")
    assert card.text.encode() == content


@pytest.mark.parametrize(
    ("content", "text", "line", "words"),
    [
        (
            b"# Caf\xe9",
            "# Caf\u00e9",
            1,
            "one byte that is not UTF-8, first in line 1: opened as Windows-1252 (0xE9 as",
        ),
        (b"a\r\nb\rc\n\x93x\x94", "a\r\nb\rc\n\u201cx\u201d", 4, "2 bytes that are not UTF-8, first in line 4"),
        ("\u00fc ".encode() + b"\xfc", "\u00fc \u00fc", 1, "one byte"),
        (b"\x81", "\x81", 1, "0x81"),
        (b"\xed\xa0\x80", "\u00ed\u00a0\u20ac", 1, "3 bytes"),
        (bytes(range(0x80, 0xC0)), None, 1, "\u2026)"),
        ("---\nlicense: mit\n---\n".encode("utf-16"), "---\nlicense: mit\n---\n", 1, "UTF-16"),
        ("# Film\n".encode("utf-16-le"), "# Film\n", 1, "no mark"),
        ("---\nlicense: mit\n---\n".encode("utf-16-be"), "---\nlicense: mit\n---\n", 1, "seems to be in UTF-16"),
        (b"\xff\xfeabc", "\u00ff\u00feabc", 1, "2 bytes"),
    ],
)
def test_what_is_not_utf_8_is_opened_without_a_lost_letter_and_told(
    content: bytes, text: str | None, line: int, words: str
) -> None:
    card = opened(content)
    assert "\ufffd" not in card.text
    assert text is None or card.text == text
    assert card.line == line
    assert words in card.remark
    assert "Publishing writes" in card.remark


#: A card, the commit that it was made from, and what is said of them.
REFUSED = [
    ("\ud800" + "# Card", "", "half of a surrogate pair"),
    ("---\nlicense: m\x97it\n---\n", "", "The Hub refuses the metadata of README.md: .*not valid YAML"),
    ("---\nlicense: mit\n---\n# Card\n", "0" * 41, "A commit is named by"),
]
CARD = "---\nlicense: mit\n---\n\n# Caf\u00e9s\n"


def test_a_card_on_the_hub_that_is_not_utf_8_is_told_and_pushed_as_utf_8(
    live_hub: Any, engine: Engine, tmp_path: Path
) -> None:
    hub, ada = Hub(live_hub.settings), live_hub.ada
    runs = run_parts.open_runs(live_hub.settings, tmp_path, engine)
    publisher = Publisher(hub, Cards(live_hub.settings, hub, runs))
    repo = publisher.manager.create_repo("latin", visitor=ada)["repo"]
    content = CARD.encode("cp1252")
    file = tmp_path / "README.md"
    file.write_bytes(content)
    with pytest.raises(WorkbenchError, match=r"README\.md is not text in UTF-8"):
        Contents(hub).upload_files(repo, [{"file": str(file), "path": "README.md"}], visitor=ada)
    # As git would put it there.
    lines = [
        {"key": "header", "value": {"summary": "Latin"}},
        {
            "key": "file",
            "value": {"path": "README.md", "encoding": "base64", "content": base64.b64encode(content).decode()},
        },
    ]
    httpx.post(
        f"{live_hub.settings.endpoint}/api/models/{repo}/commit/main",
        content="\n".join(map(json.dumps, lines)),
        headers={"Authorization": f"Bearer {ada.token}", "Content-Type": "application/x-ndjson"},
    ).raise_for_status()
    card = publisher.repositories.repo_card(repo, visitor=ada)
    assert (card["text"], "0xE9" in card["remark"]) == (CARD, True)
    told = publisher.cards.draft(repo, visitor=ada)["problems"]
    assert [one["line"] for one in told if one["message"] == card["remark"]] == [5]
    publisher.push_card(repo, card["text"], parent_commit=card["commit"], visitor=ada)
    assert publisher.repositories.list_commits(repo, visitor=ada)[0]["title"] == "Update the model card: UTF-8"
    assert publisher.repositories.repo_card(repo, visitor=ada)["remark"] == ""
    for text, parent, said in REFUSED:
        with pytest.raises(WorkbenchError, match=said):
            publisher.push_card(repo, text, parent_commit=parent, visitor=ada)
    run_parts.close_runs(runs)
