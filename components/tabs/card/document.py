"""The text of the card in its editor, and the card that it was opened from."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from components.service.cards.line_ends import as_opened

_BREAK = re.compile(r"\r\n|\r|\n")


class Document:
    """The one text that every view shows. `before` is the card as it was opened, `{"text", "named"}`."""

    def __init__(self) -> None:
        self.before = gr.State({"text": "", "named": ""})
        self.editor = gr.Code(
            language="markdown",
            label="README.md",
            lines=24,
            max_lines=34,
            wrap_lines=True,
            interactive=False,  # until what was written before has come back, which would replace what is typed
            elem_id="card-editor",
        )

    @property
    def fields(self) -> list[Any]:
        """What `read` takes."""
        return [self.editor, self.before]

    @staticmethod
    def read(text: str | None, before: dict[str, Any]) -> str:
        """The card, with the line ends that the editor does not know."""
        return as_opened(text or "", before["text"])

    @staticmethod
    def above(text: str) -> int:
        """How many lines at the beginning of a card its editor does not show."""
        return len(_BREAK.findall(text[: len(text) - len(text.lstrip())]))
