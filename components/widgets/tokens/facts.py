"""What is counted of a text, what kind of tokenizer cut it, and whether the text comes back."""

from __future__ import annotations

from typing import Any

from components.widgets.html import facts, notice, table
from components.widgets.tokens.text import changed, folded

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
            ("of them special", counts["special"] or None),
            ("Unknown", counts["unknown"] or None),
            ("Characters", f"{counts['characters']:,}"),
            ("Bytes", f"{counts['bytes']:,}"),
            ("Words", f"{counts['words']:,}"),
            ("Tokens a word", _ratio(counts["tokens_per_word"])),
            ("Characters a token", _ratio(counts["characters_per_token"])),
            ("Cost", cost(counts)),
        ]
    )
    return shown + "".join(notice(note) for note in seen["notes"])


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
    if trip["equal"]:
        first = f"The first {trip['characters']:,} characters come" if trip["characters"] >= 2000 else "The text comes"
        return notice(
            f"{first} back from the ids exactly as it was, with the tokenizer of {model}.",
            "success",
            title="There and back.",
        )
    places = "one place comes" if trip["total"] == 1 else f"{trip['total']:,} places come"
    lost = f", {trip['lost']:,} of {trip['characters']:,} characters not at all" if trip["lost"] else ""
    told = notice(
        f"In the text, {places} back from the ids otherwise{lost}: what the normalizer rewrote, and what the "
        "vocabulary does not have, is gone.",
        "warning",
        title="There and back.",
    )
    more = trip["total"] - len(trip["changes"])
    rest = f'<p class="wb-lead">{more:,} more places differ.</p>' if more > 0 else ""
    return told + _lost(trip["changes"]) + rest + folded("The text that comes back", _text(trip["text"]))


def _lost(changes: list[dict[str, Any]]) -> str:
    rows = [(f"{one['start']:,}", one["before"] or None, one["after"] or None) for one in changes[:100]]
    listed = table(["At character", "Was", "Came back as"], rows, numeric=(0,), label="What was lost")
    return changed(changes[:20]) + folded("Place by place", listed)


def _text(text: str) -> str:
    return changed([{"before": text, "after": text}])
