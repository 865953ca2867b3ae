"""What is known of a model before anything is run: from its configuration, its weights' index and its tokenizer."""

from __future__ import annotations

from typing import Any

from components.service.cards.facts import Model, Note, noted_table
from components.service.cards.markdown import code, plain
from components.service.snippets.code import call

_SIZES = {
    "layers": "Layers",
    "decoder_layers": "Layers of the decoder",
    "heads": "Attention heads",
    "key_value_heads": "Key-value heads",
    "hidden": "Hidden size",
    "feed_forward": "Size of the feed-forward layers",
    "vocabulary": "Vocabulary",
    "context": "Longest input, in tokens",
    "image_size": "Size of an image, in pixels",
    "patch_size": "Size of a patch, in pixels",
    "experts": "Experts",
}
#: Labels that are listed.
LABELS = 50
Rows = list[tuple[tuple[str, str], str]]


def description(model: Model, note: Note) -> str:
    """Task, architecture, size, labels."""
    facts = model.subject["facts"]
    config = facts.get("config") or {}
    rows: Rows = []
    if facts.get("task"):
        rows.append((("Task", code(facts["task"])), "config.json: task"))
    if facts.get("architecture"):
        rows.append((("Architecture", code(facts["architecture"])), "config.json: architectures"))
    if facts.get("family"):
        rows.append((("Family", plain(facts["family"])), "config.json: architectures, model_type"))
    if facts.get("parameters"):
        rows.append((("Parameters", f"{facts['parameters']:,}"), "model.safetensors: parameters"))
    labels = config.get("id2label")
    if isinstance(labels, dict) and labels:
        shown = ", ".join(code(label) for label in list(labels.values())[:LABELS])
        more = f" and {len(labels) - LABELS:,} more" if len(labels) > LABELS else ""
        rows.append((("Labels", shown + more), "config.json: id2label"))
    return noted_table(note, ("", ""), rows) if rows else ""


def usage(model: Model, _note: Note) -> str:
    """A pipeline of its task, which is all that can be said of a model that nothing is recorded of."""
    facts = model.subject["facts"]
    if not facts.get("task"):
        return ""
    made = call("pipeline", facts["task"], model=model.repo)
    return f"```python\nfrom transformers import pipeline\n\npipe = {made}\n```"


def technical(model: Model, note: Note) -> str:
    """Sizes, type of the weights, tokenizer."""
    facts, about = model.subject["facts"], model.subject.get("about") or {}
    rows: Rows = []
    if facts.get("dtype"):
        rows.append((("Type of the weights", code(facts["dtype"])), "model.safetensors: dtype"))
    if facts.get("bytes"):
        rows.append((("Size of the weights", f"{facts['bytes'] / 1e6:,.1f} MB"), "model.safetensors: bytes"))
    for number, one in enumerate(about.get("sizes") or []):
        of = f" ({plain(one['of'])})" if one.get("of") and number else ""
        for key, title in _SIZES.items():
            if one.get(key) is not None:
                rows.append(((title + of, _number(one[key])), f"config.json: {key}{of}"))
    for number, part in enumerate(about.get("parts") or []):
        if part.get("parameters"):
            count = f" ({part['count']} of them)" if (part.get("count") or 1) > 1 else ""
            title = f"Parameters: {plain(part['title'])}{count}"
            rows.append(((title, f"{part['parameters']:,}"), f"config.json: parts[{number}]"))
    told = noted_table(note, ("", ""), rows) if rows else ""
    words = _tokenizer(model, note)
    return "\n\n".join(filter(None, [told, f"### Tokenizer\n\n{words}" if words else ""]))


def _tokenizer(model: Model, note: Note) -> str:
    known = model.subject.get("tokenizer") or {}
    special = {role: token for role, token in (known.get("special_tokens") or {}).items() if isinstance(token, str)}
    found: list[tuple[str, str | None, str]] = [
        ("Class", code(known["tokenizer_class"]) if known.get("tokenizer_class") else None, "tokenizer_class"),
        ("Kind", plain(known["family"]) if known.get("family") else None, "family"),
        ("Vocabulary", f"{known['vocabulary']:,}" if known.get("vocabulary") else None, "vocabulary"),
        (
            "Longest input",
            f"{known['model_max_length']:,} tokens" if known.get("model_max_length") else None,
            "model_max_length",
        ),
        (
            "Special tokens",
            ", ".join(f"{plain(role)} {code(token)}" for role, token in special.items()) or None,
            "special_tokens",
        ),
    ]
    rows: Rows = [((title, value), f"tokenizer.json: {key}") for title, value, key in found if value]
    return noted_table(note, ("", ""), rows) if rows else ""


def _number(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_number(one) for one in value)
    return f"{value:,}" if isinstance(value, int) else plain(value)
