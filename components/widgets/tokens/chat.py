"""A chat as the model reads it: what the template makes of the messages, coloured by who speaks, and its tokens."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, facts, notice
from components.widgets.tokens.strip import linked, token_table
from components.widgets.tokens.text import folded

_ROLES = {"system": 4, "user": 2, "assistant": 0, "tool": 1}
_OTHER = 3
_LEVELS = {"error": "error", "warning": "warning"}
_SHOWN = 20_000


def chat_view(made: dict[str, Any]) -> str:
    """The answer of `render_chat`, but for its tokens."""
    counts, mask = made["counts"], made["assistant_mask"]
    source = "the template's own generation blocks" if mask["source"] == "template" else "the assistant's messages"
    stated = facts(
        [
            ("Tokens", f"{counts['tokens']:,}"),
            ("Characters", f"{counts['characters']:,}"),
            ("Messages", counts["messages"]),
            ("Learned in a fine-tune", f"{mask['tokens']:,} tokens, by {source}"),
        ]
    )
    findings = "".join(
        notice(f"{one['message']} {one['fix']}", _LEVELS.get(one["level"], "info")) for one in made["findings"]
    )
    template = f'<pre class="wb-json" tabindex="0">{escape(made["template"][:_SHOWN])}</pre>'
    return findings + stated + _rendered(made) + folded("The template (Jinja)", template)


def _rendered(made: dict[str, Any]) -> str:
    """The rendered text, each part in the colour of its role; what a fine-tune learns from is underlined."""
    parts, left = "", _SHOWN
    for segment in made["segments"]:
        parts += _segment(segment, segment["text"][: max(0, left)], made["assistant_mask"]["spans"])
        left -= len(segment["text"])
    rest = '<p class="wb-lead">The rest of the text is not shown.</p>' if left < 0 else ""
    roles = dict.fromkeys(one["role"] for one in made["segments"] if one["role"])
    keys = "".join(f'<li><i class="{role_class(role)}"></i>{escape(role)}</li>' for role in roles)
    key = (
        f'<ul class="wb-key-list">{keys}<li><i class="wb-in-template"></i>written by the template</li>'
        '<li><i class="wb-in-mask"></i>learned in a fine-tune</li></ul>'
    )
    named = 'dir="auto" role="group" tabindex="0" aria-label="The rendered text"'
    return f'<div class="wb-text wb-chat" {named}>{parts}</div>{key}{rest}'


def _segment(segment: dict[str, Any], text: str, learned: list[list[int]]) -> str:
    """One part, cut where what is learned begins or ends."""
    kind = role_class(segment["role"]) if segment["part"] == "content" else "wb-in-template"
    if segment["part"] == "prompt":
        kind += " wb-in-prompt"
    start, end = segment["start"], segment["start"] + len(text)
    inside = [(max(start, a), min(end, b)) for a, b in learned if a < end and b > start]
    drawn, place = "", start
    for a, b in inside:
        drawn += escape(text[place - start : a - start])
        drawn += f'<u class="wb-in-mask">{escape(text[a - start : b - start])}</u>'
        place = b
    said = f"{segment['role']}, {segment['part']}" if segment["role"] else segment["part"]
    return f'<span class="{kind}" title="{escape(said)}">{drawn}{escape(text[place - start :])}</span>'


def role_class(role: str | None) -> str:
    """The class of a role's colour."""
    return f"wb-t{_ROLES.get(role or '', _OTHER)}"


def chat_tokens(made: dict[str, Any]) -> str:
    """The tokens, in the colour of who speaks; those that are learned are underlined."""

    def paint(token: dict[str, Any]) -> str:
        return role_class(token["role"]) + (" wb-in-mask" if token["learned"] else "")

    return linked(made, paint, "Tokens of the chat") + token_table(made["tokens"])
