"""A vocabulary: entries that were searched for, what kinds there are, how one came to be, two side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from components.widgets.html import bars, escape, facts, notice, percent
from components.widgets.tokens.text import folded, piece, pieces, visible

_SCRIPTS = 12
#: Tells which entry was chosen.
SCRIPT = """
element.addEventListener('click', (event) => {
  const id = event.target.closest('button[data-id]')?.dataset.id;
  if (id !== undefined) trigger('click', { number: Number(id) });
});
"""


def found_view(found: dict[str, Any]) -> str:
    """The entries of `search_vocabulary`, each a button that looks it up."""
    first, last = found["start"] + 1, found["start"] + len(found["entries"])
    told = "".join(map(notice, found["notes"]))
    if not found["entries"]:
        return notice("No entry fits. Search for less, or take a filter away.", "warning") + told
    rows = "".join(map(_entry, found["entries"]))
    names = ("Id", "Token", "Reads", "Bytes", "Length", "Script", "")
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        f'{told}<p class="wb-lead" role="status">{first:,} to {last:,} of {found["total"]:,} entries</p>'
        '<div class="wb-table" role="region" aria-label="Entries of the vocabulary" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _entry(entry: dict[str, Any]) -> str:
    marks = [name for name in ("special", "added", "unused") if entry[name]]
    if entry["reachable"] is False:
        marks.append("never given for its own text")
    reads = "–" if entry["reads"] is None else f"<code>{visible(entry['reads'])}</code>"
    cells = (reads, escape(entry["bytes"]), entry["length"] or "–", escape(entry["script"]), ", ".join(marks))
    rest = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><td class="wb-num">{entry["id"]}</td><td>{_button(entry)}</td>{rest}</tr>'


def _button(entry: dict[str, Any]) -> str:
    return f'<button type="button" class="wb-look" data-id="{entry["id"]}">{visible(entry["token"])}</button>'


def vocabulary_facts(found: dict[str, Any]) -> str:
    """What the whole vocabulary holds: special, added, unused entries, scripts, lengths."""
    told = found["facts"]
    stated = facts(
        [
            ("Entries", f"{told['entries']:,}"),
            ("Ids without one", f"{told['holes']:,}" if told["holes"] else None),
            ("Special", f"{told['special']:,}"),
            ("Added", f"{told['added']:,}"),
            ("Kept free", f"{told['unused']:,}"),
        ]
    )
    scripts = list(told["scripts"].items())
    lengths = [(f"{n} and more" if n == "16" else n, count) for n, count in told["lengths"].items()]
    drawn = bars(scripts[:_SCRIPTS], label="Entries by script", most=None)
    more = f"<p>{len(scripts) - _SCRIPTS} more scripts.</p>" if len(scripts) > _SCRIPTS else ""
    lead = '<p class="wb-lead">By length in characters</p>'
    spread = bars(lengths, label="Entries by length in characters", most=None)
    return stated + folded(
        "Entries by script and by length", f'<p class="wb-lead">By script</p>{drawn}{more}{lead}{spread}'
    )


def detail_view(entry: dict[str, Any], detail: dict[str, Any]) -> str:
    """How one entry came to be: its merges or its score, what was built on it, and its neighbours."""
    stated = facts(
        [
            ("Id", detail["id"]),
            ("Reads", entry["reads"]),
            ("Bytes", entry["bytes"]),
            ("Script", entry["script"]),
            ("Score", None if detail["score"] is None else f"{detail['score']:.4f}"),
        ]
    )
    parts = [f"<p>{escape(detail['note'])}</p>", stated, _merges(detail["merges"]), _otherwise(detail["otherwise"])]
    if detail["descendants"]:
        more = detail["descendants_total"] - len(detail["descendants"])
        parts.append("<p>Built on it</p>" + pieces(map(_button, detail["descendants"]), more))
    parts.append("<p>Its neighbours</p>" + pieces(map(_button, detail["neighbours"])))
    return f'<section class="wb-stage"><h2><code>{escape(detail["token"])}</code></h2>{"".join(parts)}</section>'


def _merges(merges: list[dict[str, Any]]) -> str:
    if not merges:
        return ""
    lines = "".join(
        f"<li>{piece(one['left'])} + {piece(one['right'])} → {piece(one['made'])} <small>rank {one['rank']:,}</small>"
        "</li>"
        for one in merges
    )
    return f'<p>Its merges</p><ol class="wb-merges">{lines}</ol>'


def _otherwise(other: dict[str, Any] | None) -> str:
    if not other:
        return ""
    drawn = (piece(one["token"], special=one["unknown"], note=f"{one['score']:.2f}") for one in other["pieces"])
    return f"<p>Without it, the next best pieces (score {other['score']:.2f})</p>{pieces(drawn)}"


def vocabularies_view(made: dict[str, Any]) -> str:
    """The answer of `compare_vocabularies`."""
    first, second = made["vocabularies"]
    shared = made["shared"]
    how = "as raw tokens" if made["matched_by"] == "token" else "by their text, for the two write tokens differently"
    stated = facts(
        [
            (first["model"], f"{first['entries']:,} entries"),
            (second["model"], f"{second['entries']:,} entries"),
            ("Shared", f"{shared['total']:,}"),
            ("of the first", percent(shared["share_of_first"], 0)),
            ("of the second", percent(shared["share_of_second"], 0)),
            ("With the same id", f"{shared['same_id']:,}"),
        ]
    )
    lists = (
        (f"Shared: {shared['total']:,}", shared),
        (f"Only in {first['model']}: {made['only_first']['total']:,}", made["only_first"]),
        (f"Only in {second['model']}: {made['only_second']['total']:,}", made["only_second"]),
    )
    drawn = "".join(folded(title, _list(one["entries"], one["total"])) for title, one in lists)
    return stated + notice(f"The entries were matched {how}.") + drawn


def _list(entries: Iterable[dict[str, Any]], total: int) -> str:
    drawn = [piece(one["token"], note=one["id"]) for one in entries]
    return pieces(drawn, total - len(drawn)) if drawn else "<p>None.</p>"
