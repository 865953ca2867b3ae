"""Whether a tokenizer's offsets can be trusted: each token's slice of the text against what the token reads."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, facts, notice
from components.widgets.tokens.text import beginning, folded, visible

#: What the fits mean that do not say it themselves; most tokens fit exactly, and there are many.
_FITS = {
    "trimmed": "but for spaces at its ends",
    "normalized": "the normalizer rewrote these characters",
    "partial": "some bytes of the character there",
    "unknown": "not in the vocabulary: the slice is what was lost",
    "mark": "stands for a space that is not in the text",
    "mismatch": "the slice is something else than the token",
}
_LESS = {"unknown": "stand for characters that the vocabulary does not have", "partial": "for a part of a character"}
_FLAGS = {"mismatch": "mismatch", "zero_width": "zero width", "overlap": "overlap"}


def offsets_view(seen: dict[str, Any]) -> str:
    """The verdict, the flags, and each token beside its slice."""
    check, tokens = seen["offset_check"], seen["tokens"]
    stated = facts(
        [
            ("Tokens with a place", f"{check['checked']:,}"),
            *((fit, f"{number:,}") for fit, number in check["fits"].items()),
            ("zero width", check["zero_width"] or None),
            ("overlap", check["overlap"] or None),
        ]
    )
    flagged = [token for token in tokens if token["flags"]]
    several = {token["group"] for token in flagged if token["group"] is not None}
    why = (
        "Tokens that overlap are bytes of one character: each of them has the place of the whole character."
        if several
        else ""
    )
    wrong = _rows(flagged, "Tokens with a flag") if flagged else ""
    every = folded("Every token", _rows(tokens, "Every token and its slice"), opened=not flagged)
    return window(seen) + _verdict(seen) + _source(seen) + stated + notice(why) + wrong + every


def window(seen: dict[str, Any]) -> str:
    """Which tokens these are, where they are not all."""
    start, shown, total = seen["start"], len(seen["tokens"]), seen["counts"]["tokens"]
    return (
        notice(f"Of {total:,} tokens, these are {start + 1:,} to {start + shown:,}: the window of the Tokens view.")
        if shown < total
        else ""
    )


def _verdict(seen: dict[str, Any]) -> str:
    check = seen["offset_check"]
    if check["mismatch"]:
        return notice(
            f"{check['mismatch']:,} of {check['checked']:,} tokens do not fit the characters that their offsets name: "
            "do not cut the text by them.",
            "warning",
        )
    if not check["checked"]:
        return notice("No token of this window has a place in the text.")
    less = {fit: check["fits"].get(fit, 0) for fit in ("unknown", "partial")}
    if not any(less.values()):
        return notice("Every token fits the characters that its offsets name.", "success")
    whole = check["checked"] - sum(less.values())
    told = [f"{number:,} {_LESS[fit]}" for fit, number in less.items() if number]
    return notice(f"{whole:,} of {check['checked']:,} tokens fit their characters; {' and '.join(told)}.")


def _source(seen: dict[str, Any]) -> str:
    if seen["offsets"] == "tokenizer":
        return ""
    return notice(
        "This tokenizer gives no offsets (the library leaves them out without a word). These were computed, by "
        "decoding the tokens one after another.",
        "warning",
    )


def _rows(tokens: list[dict[str, Any]], label: str) -> str:
    body = "".join(map(_row, tokens))
    names = ("#", "Token", "Characters", "Bytes", "Slice of the text", "Reads", "Fit", "Flags")
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        f'<div class="wb-table" role="region" aria-label="{label}" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(token: dict[str, Any]) -> str:
    placed = token["start"] is not None
    fit = token["fit"] or ("around the text" if token["special"] else "–")
    flags = ", ".join(_FLAGS[flag] for flag in token["flags"])
    cells = (
        f"{token['position'] + 1:,}",
        escape(token["token"]),
        f"{token['start']:,}–{token['end']:,}" if placed else "–",
        f"{token['byte_start']:,}–{token['byte_end']:,}" if placed else "–",
        f"<code>{beginning(token['text'])}</code>" if placed and token["text"] else "–",
        "–" if token["reads"] is None else f"<code>{visible(token['reads'])}</code>",
        f'<span title="{_FITS[fit]}">{fit}</span>' if fit in _FITS else escape(fit),
        f'<b class="wb-flag">{flags}</b>' if flags else "",
    )
    # Cells and rows end by themselves in HTML: their closing tags would be a quarter of the table.
    return f"<tr><td>{'<td>'.join(cells)}"
