"""About a model: its facts, its architecture as a drawing, its parameters by part, and its configuration."""

from __future__ import annotations

import json
from typing import Any

from components.widgets import html

_BOX = "border:1px solid var(--wb-line);border-radius:8px;background:var(--wb-panel);padding:8px 12px;min-width:130px"
_INNER = "border:1px solid var(--wb-line);border-radius:6px;background:var(--wb-track);padding:3px 8px;margin-top:4px"
_STACK = f"{_BOX};border-color:var(--wb-accent)"
_FLOW = "display:flex;flex-direction:column;align-items:center;gap:4px;color:var(--wb-ink);font-size:13px"
_LANES = "display:flex;flex-wrap:wrap;justify-content:center;align-items:flex-end;gap:8px 14px"
_QUIET = "color:var(--wb-quiet);font-size:12.5px"
_ARROW = f'<span aria-hidden="true" style="{_QUIET}">↓</span>'
_PRE = "max-height:360px;overflow:auto;font-family:var(--font-mono);font-size:12px;color:var(--wb-ink);margin:6px 0"

_FAMILIES = {
    "encoder": "An encoder sees its whole input at once: each position can attend to all the others.",
    "decoder": "A decoder reads from left to right: each position sees only those before it, to predict what follows.",
    "encoder-decoder": "The encoder reads the whole input at once; the decoder writes from it, token by token.",
}
_GIVEN = {"text": "tokens", "image": "pictures", "video": "video", "audio": "sound", "time": "time series"}
_GIVES = {
    "fill-mask": "a score for each token of the vocabulary, at each position",
    "text-generation": "a score for each token that may come next",
    "text-classification": "a score for each label",
    "token-classification": "a score for each label, at each token",
    "question-answering": "where the answer begins and ends",
    "image-classification": "a score for each label",
    "audio-classification": "a score for each label",
    "automatic-speech-recognition": "a score for each piece of text",
    "feature-extraction": "hidden states: a vector for each token",
    "sentence-similarity": "hidden states: a vector for each token",
    "image-feature-extraction": "hidden states: a vector for each patch",
    "zero-shot-image-classification": "how well each text goes with each picture",
    "zero-shot-audio-classification": "how well each text goes with each sound",
}
_WRITES = ("summarization", "translation", "text2text-generation", "image-text-to-text")
#: The parts that stand side by side, where a model has several of them: halves, or encoders of their own.
_LANES_OF = {"encoder-decoder": ("Encoder", "Decoder"), "encoder": ("Vision", "Audio", "Text")}
#: Parts that a drawing does without.
_SMALL = ("normalization", "other")
#: Entries of one list or mapping of a configuration that are shown, and of the configuration itself.
_ENTRIES, _KEYS = 40, 300


def about_view(told: dict[str, Any]) -> str:
    """What `about_model` tells, as HTML without the card, which is Markdown."""
    if told["problem"]:
        return _facts(told) + html.notice(told["problem"], "warning") + _config(told["config"])
    counted = [(_bar(part), part["parameters"]) for part in told["parts"] if part["parameters"]]
    return (
        _facts(told)
        + html.notice(_FAMILIES.get(told["family"] or "", ""))
        + _drawing(told)
        + _shares(counted, "Parameters by part")
        + _kinds(told["parts"])
        + _config(told["config"])
    )


def _facts(told: dict[str, Any]) -> str:
    memory = told["memory"]
    line = html.facts(
        [
            ("Architecture", told["architecture"]),
            ("Family", told["family"]),
            ("Task", told["task"]),
            ("Parameters", html.count(told["parameters"])),
            ("Type", told["dtype"]),
            ("Memory", html.size(memory["needed"]) if memory else None),
            ("Licence", told["license"]),
        ]
    )
    return line + "".join(_sizes(one) for one in told["sizes"])


def _sizes(stated: dict[str, Any]) -> str:
    pairs = [(name.replace("_", " ").capitalize(), _figure(value)) for name, value in stated.items() if name != "of"]
    return html.facts([("Part", stated["of"].replace("_", " ")), *pairs])


def _figure(value: int | list[int]) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:,}"


def _heading(text: str) -> str:
    return f'<p class="wb-lead">{html.escape(text)}</p>'


def _bar(part: dict[str, Any]) -> str:
    return f"{part['title']} ({part['count']} ×)" if part["count"] > 1 else str(part["title"])


def _kinds(parts: list[dict[str, Any]]) -> str:
    """What the layers spend their parameters on, over all of them."""
    totals: dict[str, int] = {}
    for one in (one for part in parts for one in part["of"]):
        totals[one["name"]] = totals.get(one["name"], 0) + one["parameters"]
    return _shares([(name.capitalize(), number) for name, number in totals.items()], "Parameters within the layers")


def _shares(counted: list[tuple[str, int]], label: str) -> str:
    """Bars of shares, the largest first, each with its number of parameters."""
    total = sum(number for _, number in counted)
    if not total:
        return ""
    ordered = sorted(counted, key=lambda pair: -pair[1])
    rows = [(f"{name} · {html.count(number)}", number / total) for name, number in ordered]
    return _heading(label) + html.bars(rows, label=label, unit="%")


def _drawing(told: dict[str, Any]) -> str:
    """The way of the data through the model, from top to bottom; what works side by side stands side by side."""
    before, lanes, after = _split(told)
    columns = "".join(f'<div style="{_FLOW}">{_chain(parts)}</div>' for parts in lanes)
    rows = [
        _said(" and ".join(_GIVEN[kind] for kind in told["reads"]) or "input"),
        _chain(before),
        f'<div style="{_LANES}">{columns}</div>' if columns else "",
        _chain(after),
        _said(_result(told)),
    ]
    drawn = _ARROW.join(row for row in rows if row)
    return f'{_heading("Architecture")}<div role="group" aria-label="Architecture" style="{_FLOW}">{drawn}</div>'


Parts = list[dict[str, Any]]


def _split(told: dict[str, Any]) -> tuple[Parts, list[Parts], Parts]:
    """The parts that come first, those side by side, and those after; all in the first where nothing stands beside."""
    parts: Parts = [part for part in told["parts"] if not part["title"].lower().endswith(_SMALL)]
    lanes = {
        scope: [part for part in parts if part["title"].startswith(scope)]
        for scope in _LANES_OF.get(told["family"] or "", ())
    }
    lanes = {scope: found for scope, found in lanes.items() if found}
    if len(lanes) < 2:
        return parts, [], []
    rest = [part for part in parts if not any(part in found for found in lanes.values())]
    before = [part for part in rest if part["kind"] == "embeddings"]
    return before, list(lanes.values()), [part for part in rest if part["kind"] != "embeddings"]


def _said(text: str) -> str:
    return f'<span style="{_QUIET}">{html.escape(text)}</span>'


def _result(told: dict[str, Any]) -> str:
    task = told["task"] or ""
    if task in _WRITES:
        return "a score for each token that the decoder may write next"
    if not task.startswith("zero-shot") and not any(part["kind"] == "head" for part in told["parts"]):
        return _GIVES["feature-extraction" if "text" in told["reads"] else "image-feature-extraction"]
    return _GIVES.get(task, "the result")


def _chain(parts: list[dict[str, Any]]) -> str:
    return _ARROW.join(_box(part) for part in parts)


def _box(part: dict[str, Any]) -> str:
    number = html.count(part["parameters"]) if part["parameters"] else None
    note = f' <span style="{_QUIET}">{html.escape(number)}</span>' if number else ""
    if part["kind"] != "layers":
        return f'<div style="{_BOX}"><b>{html.escape(part["title"])}</b>{note}</div>'
    inner = "".join(f'<div style="{_INNER}">{html.escape(one["name"].capitalize())}</div>' for one in _steps(part))
    head = f"{part['count']} × {part['title'].lower()}"
    return f'<div style="{_STACK}"><b>{html.escape(head)}</b>{note}{inner}</div>'


def _steps(part: dict[str, Any]) -> list[dict[str, Any]]:
    """What one layer does, without the small things around it."""
    main = [one for one in part["of"] if one["name"] not in ("normalization", "other")]
    return sorted(main, key=lambda one: one["name"] in ("feed-forward", "experts")) or part["of"]


def _config(config: dict[str, Any]) -> str:
    text = html.escape(json.dumps(_shortened(config), indent=2, ensure_ascii=False))
    return (
        '<details><summary style="cursor:pointer;margin-top:10px;color:var(--wb-ink)">config.json</summary>'
        f'<pre style="{_PRE}" tabindex="0" role="region" aria-label="config.json">{text}</pre></details>'
    )


def _shortened(value: Any, depth: int = 0) -> Any:
    """A configuration without what nobody reads: the thousandth label, or what is nested twenty deep."""
    if depth > 20:
        return "…"
    if isinstance(value, dict):
        most = _ENTRIES if depth else _KEYS
        more = {"…": f"{len(value) - most:,} more"} if len(value) > most else {}
        return {key: _shortened(one, depth + 1) for key, one in list(value.items())[:most]} | more
    if isinstance(value, list):
        rest = [f"… {len(value) - _ENTRIES:,} more"] if len(value) > _ENTRIES else []
        return [_shortened(one, depth + 1) for one in value[:_ENTRIES]] + rest
    return value if not isinstance(value, str) or len(value) <= 2000 else f"{value[:2000]} …"
