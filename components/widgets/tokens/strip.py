"""A text as its tokens, linked: pointing at a token, or at its id, shows both and tells where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from components.widgets.html import escape, table
from components.widgets.tokens.text import beginning, dropped, folded

COLOURS = 5
_HINT = "Point at a token, or move with the arrow keys, to see what it is. Enter or a double click looks it up."
_FITS = {
    "normalized": "normalized",
    "partial": "a part of a character",
    "unknown": "unknown to the vocabulary",
    "mark": "stands for a space that is not in the text",
    "mismatch": "does not fit its place",
}

#: Marks the token and its id together, moves with the arrow keys, and tells which one is looked up.
SCRIPT = """
let pinned;
const mark = (number) => {
  element.querySelectorAll('.wb-on').forEach((one) => one.classList.remove('wb-on'));
  if (number === undefined) return;
  element.querySelectorAll('[data-token="' + number + '"]').forEach((one) => one.classList.add('wb-on'));
};
const numberOf = (event) => event.target.closest('[data-token]')?.dataset.token;
const lookUp = (event) => {
  const id = event.target.closest('[data-id]')?.dataset.id;
  if (id !== undefined) trigger('click', { number: Number(id) });
};
element.addEventListener('mouseover', (event) => mark(numberOf(event) ?? pinned));
element.addEventListener('mouseleave', () => mark(pinned));
element.addEventListener('focusin', (event) => { pinned = numberOf(event); mark(pinned); });
element.addEventListener('focusout', () => { pinned = undefined; mark(); });
element.addEventListener('dblclick', lookUp);
element.addEventListener('keydown', (event) => {
  const here = event.target.closest('[role=option]');
  if (!here) return;
  if (event.key === 'Enter') return lookUp(event);
  const all = [...element.querySelectorAll('[role=option]')];
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -all.length, End: all.length };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(here) + steps[event.key]))];
  here.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
"""


def linked(seen: dict[str, Any], colour: Callable[[dict[str, Any]], str] | None = None, label: str = "Tokens") -> str:
    """The tokens of a window as coloured spans over their ids.

    Neighbours differ in colour, special tokens have a dashed frame, tokens that only together make one character
    stand in one box under it, and what the tokenizer drops between two tokens is named or struck out.

    Args:
        seen: `tokens` and `groups` as of `tokenize`.
        colour: The class of a token's colour; by its position where None.
        label: What is shown, for those who cannot see it.
    """
    paint = colour or (lambda token: f"wb-t{token['position'] % COLOURS}")
    tokens = seen["tokens"]
    spans = _spans(tokens, {group["first"]: group for group in seen["groups"]}, paint)
    ids = "".join(
        f'<span class="wb-id {paint(token)}" data-token={token["position"]} data-id={token["id"]}>{token["id"]}</span>'
        for token in tokens
    )
    return (
        f'<div class="wb-linked" data-hint="{_HINT}"><div class="wb-tokens" role="listbox" dir="auto" '
        f'aria-label="{escape(label)}">{spans}</div></div>'
        f'<div class="wb-ids" role="group" aria-label="Their ids" tabindex="0">{ids}</div>'
    )


def _spans(
    tokens: list[dict[str, Any]], groups: dict[int, dict[str, Any]], paint: Callable[[dict[str, Any]], str]
) -> str:
    spans, last = "", -1
    for number, token in enumerate(tokens):
        place = token["position"]
        spans += dropped(token["before"])
        if place in groups:
            last = groups[place]["last"]
            spans += f'<span class="wb-group"><b>{beginning(groups[place]["text"])}</b>'
        spans += _span(token, paint(token), first=not number)
        spans += "</span>" if place == last else ""
        spans += dropped(token["after"])
    return spans + ("</span>" if tokens and tokens[-1]["position"] < last else "")


def _span(token: dict[str, Any], colour: str, *, first: bool) -> str:
    told = escape(tip(token))
    framed = ' wb-special" dir="ltr' if token["special"] else " wb-unknown" if token["unknown"] else ""
    return (
        f'<span class="wb-token {colour}{framed}" role=option aria-selected=false tabindex={0 if first else -1} '
        f'data-token={token["position"]} data-id={token["id"]} aria-label="{told}">{_shown(token)}</span>'
    )


def _shown(token: dict[str, Any]) -> str:
    if token["special"]:
        return escape(token["token"])
    if token["group"] is not None:
        return escape(token["bytes"].upper())
    return beginning(token["text"] or token["token"])


def tip(token: dict[str, Any]) -> str:
    """Everything about one token, in a line or two."""
    parts = [f"{token['token']}", f"id {token['id']}", f"token {token['position'] + 1:,}"]
    if token["start"] is not None:
        text = " of the second text" if token["sequence"] == 1 else ""
        parts.append(f"characters {token['start']:,} to {token['end']:,}{text}")
        parts.append(f"bytes {token['byte_start']:,} to {token['byte_end']:,}")
    if token["special"]:
        parts.append("special token")
    elif token["added"]:
        parts.append("added token")
    else:
        reads = "a part of a character" if token["reads"] is None else f"reads “{token['reads']}”"
        parts += [reads, f"bytes {token['bytes']}"]
    fit = _FITS.get(token["fit"] or "")
    return " · ".join([*parts, fit] if fit and fit not in parts else parts)


def legend(marks: list[dict[str, str]]) -> str:
    """What the marks in raw tokens mean."""
    items = "".join(f"<li><code>{escape(one['mark'])}</code> {escape(one['meaning'])}</li>" for one in marks)
    return f'<ul class="wb-legend-list">{items}</ul>' if items else ""


def token_table(tokens: list[dict[str, Any]]) -> str:
    """The same as a folded table: position, id, token, what it reads, its bytes, where it stands in the text."""
    rows = (
        (
            token["position"] + 1,
            token["id"],
            token["token"],
            token["reads"],
            token["bytes"],
            _range(token["start"], token["end"]),
            _range(token["byte_start"], token["byte_end"]),
            "special" if token["special"] else "added" if token["added"] else "unknown" if token["unknown"] else "",
        )
        for token in tokens
    )
    header = ["#", "Id", "Token", "Reads", "Bytes", "Characters", "Byte offsets", ""]
    return folded("As a table", table(header, rows, numeric=(0, 1), label="Tokens with their ids and offsets"))


def _range(start: int | None, end: int | None) -> str | None:
    return None if start is None else f"{start:,}–{end:,}"
