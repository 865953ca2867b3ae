"""What is counted of a text, what kind of tokenizer cut it, and whether the text comes back."""

from __future__ import annotations

from typing import Any

from components.widgets.html import facts, notice, says, table
from components.widgets.tokens.text import folded, two_lines

#: How much of a text is brought there and back, in characters.
_TRIP = 2_000
#: Why a place comes back otherwise.
_CAUSES = {
    "special": "a special token that is written in the text, which decoding leaves out",
    "unknown": "what is not in the vocabulary",
    "spacing": "spaces alone, which the tokens do not tell exactly",
    "normalizer": "the normalizer, which rewrote the text",
}
_FAMILIES = (
    ("word", "Word", "Each word is a token. Short sequences, but a huge vocabulary, and new words are unknown."),
    ("character", "Character", "Each character is a token. A small vocabulary, but long sequences of little meaning."),
    ("subword", "Subword", "Frequent words stay whole, rare ones are built of pieces (BPE, WordPiece, Unigram)."),
    ("byte", "Byte-level", "Every text is bytes: 256 of them write every language, and nothing is unknown."),
)


def counts_view(seen: dict[str, Any]) -> str:
    """The counts of a whole text, its cost where a price is given, and notes."""
    counts = seen["counts"]
    shown = facts(
        [
            ("Tokens", f"{counts['tokens']:,}"),
            ("of them special", _special(counts)),
            ("Unknown", f"{counts['unknown']:,}" if counts["unknown"] else None),
            ("Characters", f"{counts['characters']:,}"),
            ("Bytes", f"{counts['bytes']:,}"),
            ("Words (between spaces)", f"{counts['words']:,}"),
            ("Tokens a word", _ratio(counts["tokens_per_word"])),
            ("Characters a token", _ratio(counts["characters_per_token"])),
            ("Cost", cost(counts)),
        ]
    )
    said = says(f"{counts['tokens']:,} tokens")
    return shown + said + "".join(notice(note) for note in seen["notes"])


def _special(counts: dict[str, Any]) -> str | None:
    written = counts["special_in_text"]
    total = counts["special"] + written
    return (f"{total:,}" + (f", {written:,} of them written in the text" if written else "")) if total else None


def cost(counts: dict[str, Any]) -> str | None:
    """What the tokens cost, in the currency in which the price was given."""
    price = counts["price_per_million"]
    if not price:
        return None
    digits = 2 if counts["cost"] >= 100 else 8
    written = f"{counts['cost']:,.{digits}f}".rstrip("0").rstrip(".")
    return f"{written} at {price:,g} a million"


def _ratio(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def kind_view(seen: dict[str, Any]) -> str:
    """What kind of tokenizer this is, and why there are such, beside the other kinds."""
    limit, special = seen["model_max_length"], seen["special_tokens"]
    stated = facts(
        [
            ("Class", seen["tokenizer_class"]),
            ("Written in", "Rust (fast)" if seen["fast"] else "Python"),
            ("Vocabulary", f"{seen['vocabulary']:,}"),
            ("Model reads at most", f"{limit:,} tokens" if limit else None),
            *((role.removesuffix("_token").upper(), token) for role, token in special.items()),
        ]
    )
    mine = seen["family"].split("-")[0]
    rows = [(title, what, "this one" if key == mine else "") for key, title, what in _FAMILIES]
    families = folded("Which kinds there are", table(["Kind", "What it does", ""], rows, label="Kinds of tokenizers"))
    told = notice(f"{seen['meaning']} {seen['why']}", title=f"{seen['kind']} ({seen['family']}).")
    return told + stated + families


def round_trip_view(trip: dict[str, Any], model: str) -> str:
    """Whether the text comes back from its ids, and what is lost."""
    part = f"the first {trip['characters']:,} characters" if trip["characters"] >= _TRIP else "the text"
    if trip["equal"]:
        return notice(
            f"Of {part}, every character comes back from the ids as it was, with the tokenizer of {model}.",
            "success",
            title="There and back.",
        )
    places = "one place comes" if trip["total"] == 1 else f"{trip['total']:,} places come"
    lost = f", {trip['lost']:,} of {trip['characters']:,} characters not at all" if trip["lost"] else ""
    told = notice(
        f"In {part}, {places} back from the ids otherwise{lost}.{_causes(trip['causes'])}",
        "warning",
        title="There and back.",
    )
    more = trip["total"] - len(trip["changes"])
    rest = f'<p class="wb-lead">{more:,} more places differ.</p>' if more > 0 else ""
    return told + two_lines(trip["runs"]) + _places(trip["changes"]) + rest


def _causes(causes: dict[str, int]) -> str:
    """Why places differ, where that is sure."""
    told = [f"{number:,} by {_CAUSES[cause]}" for cause, number in causes.items() if cause]
    return f" {', '.join(told)}." if told else ""


def _places(changes: list[dict[str, Any]]) -> str:
    rows = [
        (f"{one['start']:,}", one["before"] or None, one["after"] or None, _CAUSES.get(one["cause"])) for one in changes
    ]
    header = ["At character", "Was", "Came back as", "By"]
    return folded("Place by place", table(header, rows, numeric=(0,), label="What was lost"))
