"""A stranger's card as the page shows it: nothing is fetched from elsewhere, and HTML only arranges text."""

from __future__ import annotations

import re
import time

import pytest

from components.service.readable import readable

EVIL = "https://evil.example/x.png"
OWN = "data:image/png;base64,AAAA"


def picture(name: str) -> str | None:
    return OWN if name == "own.png" else None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"![a]({EVIL})", "*a*"),
        (f'![a]({EVIL} "title")', "*a*"),
        (f"![a](<{EVIL}>)", "*a*"),
        ("![a](//evil.example/x.png)", "*a*"),
        ("![a](data:image/svg+xml;base64,AAAA)", "*a*"),
        (f"![][1]\n\n[1]: {EVIL}", f"[][1]\n\n[1]: {EVIL}"),
        (f"[![badge]({EVIL})](https://there.example)", "[*badge*](https://there.example)"),
        (f'<img src="{EVIL}" alt="a">', "*a*"),
        (f"<IMG SRC={EVIL}>", "*picture*"),
        ('<img src=x onerror="alert(1)">', "*picture*"),
        ("![a](own.png)", f"![a]({OWN})"),
        ("![a](./own.png)", f"![a]({OWN})"),
        ('<img alt="a" src="own.png">', f"![a]({OWN})"),
        ("![a](../own.png)", "*a*"),
        ("a <script>alert(1)</script> b", "a  b"),
        ("a <style>* {background: url(x)}</style> b", "a  b"),
        ("a <!-- hidden --> b", "a  b"),
        (f'<div style="background:url({EVIL})">a</div>', "<div>a</div>"),
        (f'<iframe src="{EVIL}">', ""),
        (f'<video poster="{EVIL}"><source src="{EVIL}"></video>', ""),
        ('<a href="javascript:alert(1)" onclick="x">a</a>', "<a>a</a>"),
        ('<a href="https://there.example/?a&amp;b">a</a>', '<a href="https://there.example/?a&amp;b">a</a>'),
        ("<https://there.example>", "<https://there.example>"),
        ("the <mask> token", "the &lt;mask> token"),
        ("`<mask>` and `a < b`", "`<mask>` and `a < b`"),
        ("```\nif a < b: print('<s>')\n```", "```\nif a < b: print('<s>')\n```"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "| a | b |\n|---|---|\n| 1 | 2 |"),
    ],
)
def test_a_card_is_shown_without_pictures_from_elsewhere(text: str, shown: str) -> None:
    assert readable(text, picture) == shown


@pytest.mark.parametrize("inner", [f"<img src={EVIL}>", f"![a]({EVIL})", f"<div style='background:url({EVIL})'>"])
def test_what_only_pretends_to_be_code_loads_nothing(inner: str) -> None:
    shown = readable(f"<div>\n```\n{inner}\n```\n</div>", picture)
    assert not re.search(r"<(img|div )|!\[", shown)


@pytest.mark.parametrize(
    "piece", ["![", "<a '", '<a "', "<!--", "<script>", "`", "``` ", "![a](", "<img src=", "`a``b```", "\n```\n", "<"]
)
def test_a_card_of_the_largest_size_is_read_in_no_time(piece: str) -> None:
    text = (piece * (200_000 // len(piece)))[:200_000]
    began = time.perf_counter()
    readable(text, picture)
    assert time.perf_counter() - began < 3
