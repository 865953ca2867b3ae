"""Several tokenizers on one text: counts, where they cut differently, what they lose, tokens a word by language."""

from __future__ import annotations

from typing import Any

from components.widgets.html import bars, escape, facts, notice, table
from components.widgets.tokens.facts import cost
from components.widgets.tokens.strip import COLOURS
from components.widgets.tokens.text import folded, visible


def compared_view(made: dict[str, Any]) -> str:
    """The answer of `compare_tokenizers`."""
    many = len(made["tokenizers"]) > 1
    return _counts(made["tokenizers"]) + (_borders(made) if many else "") + _languages(made["tokenizers"])


def _counts(tokenizers: list[dict[str, Any]]) -> str:
    rows = [
        (
            one["model"],
            one["kind"],
            f"{one['counts']['tokens']:,}",
            _two(one["counts"]["tokens_per_word"]),
            _two(one["counts"]["bytes_per_token"]),
            f"{one['counts']['unknown']:,}" if one["counts"]["unknown"] else None,
            "nothing" if one["round_trip"]["equal"] else f"{one['round_trip']['lost']:,} characters",
            cost(one["counts"]),
        )
        for one in tokenizers
    ]
    header = ["Tokenizer", "Kind", "Tokens", "a word", "Bytes a token", "Unknown", "Lost", "Cost"]
    priced = any(row[-1] for row in rows)
    shown = [row if priced else row[:-1] for row in rows]
    return table(header if priced else header[:-1], shown, numeric=(2, 3, 4, 5), label="Tokenizers side by side")


def _two(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _borders(made: dict[str, Any]) -> str:
    """The text once for each tokenizer, cut where it cuts; borders that not all of them have are marked."""
    borders = made["borders"]
    stated = facts(
        [
            ("Borders between tokens", f"{borders['total']:,}"),
            ("all agree on", f"{borders['agreed']:,}"),
            ("they differ on", f"{borders['total'] - borders['agreed']:,}"),
        ]
    )
    differing = set(borders["differing"])
    lines = "".join(
        f'<div class="wb-cut"><b>{escape(one["model"])}</b><div class="wb-tokens" role="group" tabindex="0" dir="auto" '
        f'aria-label="Cut by {escape(one["model"])}">'
        f"{_cut(made['segments'], number, differing, _unknown(one))}</div></div>"
        for number, one in enumerate(made["tokenizers"])
    )
    told = notice("A red line stands before a token that not all of the tokenizers begin there.")
    shown = made["segments"][-1]["end"] if made["segments"] else 0
    rest = borders["compared_characters"] - shown
    more = f'<p class="wb-lead">The first {shown:,} characters are drawn.</p>' if rest > 0 else ""
    return stated + lines + (told if differing else notice("All of them cut this text alike.", "success")) + more


def _unknown(tokenizer: dict[str, Any]) -> set[int]:
    """Where the tokens that are told of a tokenizer begin, of those that are unknown."""
    return {token["start"] for token in tokenizer["tokens"] if token["unknown"]}


def _cut(segments: list[dict[str, Any]], number: int, differing: set[int], unknown: set[int]) -> str:
    """The segments joined to the tokens of one tokenizer."""
    tokens: list[tuple[int, str]] = []
    for segment in segments:
        if number in segment["begins"] or not tokens:
            tokens.append((segment["start"], segment["text"]))
        else:
            tokens[-1] = (tokens[-1][0], tokens[-1][1] + segment["text"])
    return "".join(
        f'<span class="wb-token wb-t{place % COLOURS}{" wb-differs" if start in differing else ""}'
        f'{" wb-unknown" if start in unknown else ""}">{visible(text)}</span>'
        for place, (start, text) in enumerate(tokens)
    )


def _languages(tokenizers: list[dict[str, Any]]) -> str:
    """Tokens a word of each language or writing: bars, one group for each."""
    labels = dict.fromkeys(row["label"] for one in tokenizers for row in one["languages"])
    most = max((row["tokens_per_word"] or 0 for one in tokenizers for row in one["languages"]), default=1) or 1
    groups = []
    for label in list(labels)[:24]:
        rows = [
            (_named(one["model"], row), round(row["tokens_per_word"], 2))
            for one in tokenizers
            for row in one["languages"]
            if row["label"] == label and row["tokens_per_word"] is not None
        ]
        drawn = bars(rows, label=f"Tokens a word: {label}", most=most)
        groups.append(f'<div><p class="wb-lead">{escape(label)}</p>{drawn}</div>')
    if not groups:
        return ""
    lead = '<p class="wb-lead"><b>Tokens a word</b>: more of them mean a slower, dearer and shorter-sighted model</p>'
    if any(row["unknown"] for one in tokenizers for row in one["languages"]):
        lead += notice(
            "Where tokens are unknown, few tokens a word are no saving: the tokenizer gave the words up.", "warning"
        )
    return f'{lead}<div class="wb-beside wb-languages">{"".join(groups)}</div>{_figures(tokenizers)}'


def _named(model: str, row: dict[str, Any]) -> str:
    return f"{model}, {row['unknown']:,} of {row['tokens']:,} unknown" if row["unknown"] else model


def _figures(tokenizers: list[dict[str, Any]]) -> str:
    """The same as a table, with tokens a character, which suit languages that are written without spaces."""
    rows = [
        (
            row["label"],
            one["model"],
            f"{row['words']:,}",
            f"{row['tokens']:,}",
            f"{row['unknown']:,}" if row["unknown"] else None,
            _two(row["tokens_per_word"]),
            _two(row["tokens_per_character"]),
        )
        for one in tokenizers
        for row in one["languages"]
    ]
    header = ["Language", "Tokenizer", "Words", "Tokens", "Unknown", "a word", "a character"]
    return folded("As a table, with tokens a character", table(header, rows, numeric=range(2, 7), label="Languages"))
