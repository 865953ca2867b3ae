"""What a repository of the Hub looks like on the page."""

from __future__ import annotations

import json
from typing import Any

from components.widgets import html

KINDS = {"model": "Model", "dataset": "Data set", "space": "Space"}
_GATED = "Gated"


def row_label(row: dict[str, Any]) -> str:
    """A row of a list: its id on the first line, what is known of it on the second."""
    known = [
        "private" if row["private"] else None,
        "gated" if row["gated"] else None,
        row["task"],
        html.counted(row["parameters"], "parameter"),
        "too large for this machine" if row.get("fits") is False else None,
        html.counted(row["downloads"], "download"),
        html.counted(row["likes"], "like"),
        row["license"],
        (row["modified"] or "")[:10],
    ]
    return f"{row['id']}\n{' · '.join(part for part in known if part)}"


def header(info: dict[str, Any]) -> str:
    """Name, badges and facts."""
    badges = [KINDS[info["repo_type"]], "Private" if info["private"] else "Public", _GATED if info["gated"] else ""]
    shown = "".join(f'<span class="wb-badge">{html.escape(badge)}</span>' for badge in badges if badge)
    size = sum(file["bytes"] or 0 for file in info["files"])
    line = html.facts(
        [
            ("Task", info["task"]),
            ("Library", info["library"]),
            ("Licence", info["license"]),
            ("Files", f"{len(info['files'])}, {html.size(size)}"),
            ("Downloads", html.count(info["downloads"]) if info["downloads"] else None),
            ("Likes", html.count(info["likes"]) if info["likes"] else None),
            ("Changed", (info["modified"] or "")[:10]),
            ("Commit", (info["commit"] or "")[:7]),
        ]
    )
    return f'<div class="wb-run"><h2>{html.escape(info["id"])}</h2>{shown}</div>{line}'


def files(info: dict[str, Any]) -> str:
    """The files with their sizes."""
    return html.table(
        ["File", "Size"],
        [(file["name"], html.size(file["bytes"])) for file in info["files"]],
        numeric=(1,),
        label=f"Files of {info['id']}",
    )


def history(commits: list[dict[str, Any]], refs: dict[str, Any]) -> str:
    """Branches and tags, then the commits."""
    named = [("branch", ref) for ref in refs["branches"]] + [("tag", ref) for ref in refs["tags"]]
    rows = [(kind, ref["name"], ref["commit"][:7]) for kind, ref in named]
    past = [((one["date"] or "")[:10], one["title"], ", ".join(one["authors"]), one["commit"][:7]) for one in commits]
    return (
        html.table(["Kind", "Name", "Commit"], rows, label="Branches and tags")
        + '<div class="wb-gap"></div>'
        + html.table(["Date", "Commit message", "By", "Commit"], past, label="Commits")
    )


def discussions(rows: list[dict[str, Any]]) -> str:
    """Discussions and pull requests."""
    if not rows:
        return html.empty("No discussion and no pull request yet.")
    lines = [
        (
            f"#{one['number']}",
            "pull request" if one["pull_request"] else "discussion",
            one["title"],
            one["author"],
            one["status"],
            (one["created"] or "")[:10],
        )
        for one in rows
    ]
    return html.table(["No.", "Kind", "Title", "By", "Status", "Since"], lines, label="Discussions")


def _text(value: Any) -> str:
    """A value of the front matter: words as they are, what holds others as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return ", ".join(map(_text, value))
    return json.dumps(value, ensure_ascii=False, default=str)


def metadata(info: dict[str, Any]) -> str:
    """The card's front matter and the tags that the Hub made of it."""
    data = info["metadata"]
    texts = {key: _text(one) for key, one in data.items()}
    rows = [(key, text if len(text) <= 400 else f"{text[:400]} …") for key, text in texts.items()]
    card = html.table(["Field", "Value"], rows, label="Metadata") if rows else html.empty("The card has no metadata.")
    tags = "".join(f"<span>{html.escape(tag)}</span>" for tag in info["tags"])
    return f'{card}<div class="wb-gap"></div><div class="wb-tags">{tags}</div>'


def sent(step: dict[str, Any], label: str = "Upload") -> str:
    """How far an upload is."""
    percent = 100 * step["sent"] / step["bytes"] if step["bytes"] else 100
    return (
        f'<div class="wb-progress" role="progressbar" aria-label="{html.escape(label)}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent:.0f}"><i style="width:{percent:.1f}%"></i></div>'
        + html.facts([("Sent", f"{html.size(step['sent'])} of {html.size(step['bytes'])}")])
    )


def confirmed(text: str, address: str = "", title: str = "Done.") -> str:
    """What an action did, and where it can be seen."""
    link = ""
    if address.startswith(("http://", "https://")):
        safe = html.escape(address)
        link = f' <a href="{safe}" target="_blank" rel="noopener noreferrer">{safe}</a>'
    head = f"<b>{html.escape(title)}</b> " if title else ""
    return f'<div class="wb-notice wb-success" role="status">{head}{html.escape(text)}{link}</div>'
