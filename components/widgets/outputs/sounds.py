"""Results that are sound, or were heard."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, facts, table


def audio(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`{audio, sampling_rate}`: a player."""
    stated = facts([("Samples a second", output.get("sampling_rate"))])
    source = f"data:audio/wav;base64,{escape(output['audio'])}"
    return f'<audio class="wb-audio" controls src="{source}"></audio>{stated}'


def speech(_inputs: Any, output: Any, _answer: dict[str, Any]) -> str:
    """`{text, chunks}`: what was heard, and when."""
    text = f'<div class="wb-text"><mark>{escape(output["text"])}</mark></div>'
    chunks = output.get("chunks") or []
    rows = [(_time(one["timestamp"][0]), _time(one["timestamp"][1]), one["text"]) for one in chunks]
    if not rows:
        return text
    return text + table(["From, in s", "To, in s", "Text"], rows, numeric=(0, 1), label="What was heard, and when")


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.2f}"
