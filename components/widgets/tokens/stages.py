"""The stages that a text passes on its way to ids, each with its before and after."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, facts, notice, table
from components.widgets.tokens.facts import kind_view
from components.widgets.tokens.text import changed, folded, piece, pieces

#: Most pieces of a stage, and most words whose cutting is replayed, that are shown.
_PIECES, _WORDS = 160, 20


def stages_view(seen: dict[str, Any]) -> str:
    """The stages as of `tokenize`, and whether they end where the whole call ends."""
    stages = "".join(_stage(number, stage) for number, stage in enumerate(seen["stages"], 1))
    taken, all_of = seen["check"]["characters"], seen["counts"]["characters"]
    part = notice(f"Of {all_of:,} characters, the stages show the first {taken:,}.") if taken < all_of else ""
    return kind_view(seen) + part + stages + _check(seen["check"])


def _check(check: dict[str, Any]) -> str:
    if check["equal"]:
        return notice(check["note"], "success", title="Checked.")
    place = check["first_difference"]
    at = "" if place is None else f" The first difference is at token {place + 1:,}."
    return notice(
        f"{check['note']}{at} Trust the whole call ({check['encoded']:,} tokens), not these steps "
        f"({check['staged']:,}).",
        "warning",
        title="Checked.",
    )


def _stage(number: int, stage: dict[str, Any]) -> str:
    component = escape(stage["component"] or "")
    head = f"<h2>{number}. {escape(stage['title'])} <small>{component}</small></h2><p>{escape(stage['note'])}</p>"
    draw = {"normalized": _normalized, "pre_tokenized": _words, "model": _model}.get(stage["name"], _pieces)
    return f'<section class="wb-stage" data-stage="{escape(stage["name"])}">{head}{draw(stage)}</section>'


def _pieces(stage: dict[str, Any]) -> str:
    items = stage["items"][:_PIECES]
    drawn = (
        piece(
            one.get("token", one["text"]), special=bool(one.get("special")), note=one["id"] if "token" in one else None
        )
        for one in items
    )
    return pieces(drawn, stage["total"] - len(items))


def _normalized(stage: dict[str, Any]) -> str:
    """Each part of the text before and after; what was rewritten is marked in it."""
    items = stage["items"][:_PIECES]
    rewritten = [one for one in items if one["changes"]]
    if not rewritten:
        return _pieces(stage)
    diff = changed(
        [run for one in items for run in one["changes"] or [{"before": one["before"], "after": one["text"]}]]
    )
    rows = [
        (repr(run["before"])[1:-1] or None, repr(run["after"])[1:-1] or None, codes(run["before"]), codes(run["after"]))
        for one in rewritten
        for run in one["changes"]
        if run["before"] != run["after"]
    ][:_PIECES]
    header = ["Before", "After", "Code points before", "Code points after"]
    listed = folded(
        f"{len(rows):,} {'change' if len(rows) == 1 else 'changes'}",
        table(header, rows, label="What the normalizer changed"),
    )
    return diff + listed + folded("After", _pieces(stage))


def codes(text: str) -> str:
    """A text's code points: `U+0065 U+0301`."""
    return " ".join(f"U+{ord(c):04X}" for c in text[:12]) + (" …" if len(text) > 12 else "")


def _words(stage: dict[str, Any]) -> str:
    items = stage["items"][:_PIECES]
    drawn = (piece(one["text"], special=one["special"], note=one.get("tokens")) for one in items)
    lead = '<p class="wb-lead">The small number tells how many tokens a pre-token becomes.</p>'
    return pieces(drawn, stage["total"] - len(items)) + lead


def _model(stage: dict[str, Any]) -> str:
    """The tokens, those of one word together, and how each word was cut."""
    items = stage["items"][:_PIECES]
    words: dict[Any, list[str]] = {}
    for number, one in enumerate(items):
        key = one.get("word", number)
        words.setdefault(number if key is None else key, []).append(piece(one["text"], note=one["id"]))
    boxes = (f'<span class="wb-word">{"".join(tokens)}</span>' for tokens in words.values())
    return pieces(boxes, stage["total"] - len(items)) + _replays(stage["replays"])


def _replays(replays: list[dict[str, Any]]) -> str:
    """How words were cut, the first one that took some work unfolded."""
    if not replays:
        return ""
    shown = replays[:_WORDS]
    first = next((number for number, one in enumerate(shown) if len(one["tokens"]) > 2), 0)
    drawn = "".join(replay_view(one, opened=number == first) for number, one in enumerate(shown))
    more = len(replays) - len(shown)
    rest = f'<p class="wb-lead">{more:,} more words follow.</p>' if more > 0 else ""
    return f'<p class="wb-lead">Word by word, as the model works</p>{drawn}{rest}'


def replay_view(one: dict[str, Any], *, opened: bool = False) -> str:
    """How one word becomes tokens: merges, longest matches, or the likeliest path."""
    steps = {"bpe": _merges, "wordpiece": _attempts, "unigram": _paths}.get(one["algorithm"], lambda _one: "")(one)
    told = notice(one.get("note", "")) + steps
    if one["agrees"] is False:
        told += notice("This replay does not end in the model's own tokens: trust the model.", "warning")
    became = " ".join(one["tokens"])
    return folded(f"{one['word']} → {became}" if became else one["word"], told or "<p>One step.</p>", opened=opened)


def _merges(one: dict[str, Any]) -> str:
    """Each merge on a line: its rank among all that were learned, the pair, and the symbols after it."""
    symbols = one.get("symbols") or []
    if not symbols:
        return ""
    lines = [_merge_line("Start", "", symbols, None)]
    for number, step in enumerate(one["steps"], 1):
        pair = f"{escape(step['left'])} + {escape(step['right'])} <small>rank {step['rank']:,}</small>"
        lines.append(_merge_line(str(number), pair, step["symbols"], step["at"]))
    end = "No learned pair is left" if one["steps"] else "No pair of these was learned: nothing is merged"
    lead = f'<p class="wb-lead">The pair that was learned first goes first. {end}.</p>'
    head = "<th>Step</th><th>Merge</th><th>Symbols</th>"
    label = f"Merges of {escape(one['word'])}"
    return (
        f'<div class="wb-table" role="region" aria-label="{label}" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{lead}"
    )


def _merge_line(number: str, pair: str, symbols: list[str] | None, at: int | None) -> str:
    drawn = (f"<mark>{escape(s)}</mark>" if place == at else escape(s) for place, s in enumerate(symbols or []))
    told = " ".join(drawn) if symbols is not None else "…"
    return f"<tr><td>{number}</td><td>{pair}</td><td><code>{told}</code></td></tr>"


def _attempts(one: dict[str, Any]) -> str:
    """From each place the longest piece is tried first, then shorter ones, until one is in the vocabulary."""
    rows = []
    for attempt in one.get("attempts", []):
        more = attempt["tried_total"] - len(attempt["tried"])
        tried = ", ".join(attempt["tried"]) + (f" … and {more:,} more" if more > 0 else "")
        rows.append((attempt["start"], tried or None, attempt["matched"] or "nothing"))
    header = ["From character", "Tried, not in the vocabulary", "Found"]
    return table(header, rows, numeric=(0,), label=f"Attempts on {one['word']}") if rows else ""


def _paths(one: dict[str, Any]) -> str:
    """The best ways to cut the word, by the sum of their pieces' scores."""
    lines = []
    for place, path in enumerate(one.get("paths", []), 1):
        way = "".join(piece(p["token"], special=p["unknown"], note=f"{p['score']:.2f}") for p in path["pieces"])
        lines.append(f'<tr><td>{place}</td><td class="wb-num">{path["score"]:.2f}</td><td>{way}</td></tr>')
    head = '<th>Path</th><th class="wb-num">Score</th><th>Pieces with their log-probabilities</th>'
    return (
        f'<div class="wb-table" role="region" aria-label="Paths of {escape(one["word"])}" tabindex="0"><table><thead>'
        f"<tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    ) + facts([("Taken", "path 1, the highest sum")])
