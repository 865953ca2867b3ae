"""What is kept of each session of the page.

Gradio copies the settings of every component when a session begins, and keeps the copy: with a page of this size about
a tenth of a second and two megabytes, for each visitor and for each call from code that names no session. Here a
component's settings are copied once a visitor changes its value.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import state_holder


class Session(state_holder.SessionState):
    """A session that copies what changes in it, and no more."""

    def __init__(self, page: gr.Blocks) -> None:
        # Copied at once are the settings of those blocks that the page names as its own: here none.
        super().__init__(SimpleNamespace(default_config=page.default_config, blocks=()))  # type: ignore[arg-type]
        self._own = page.blocks

    @property
    def components(self) -> Iterator[dict[str, Any]]:
        """The settings of every component, as the visitor has it."""
        for key, block in list(self.blocks_config.blocks.items()):
            if key in self.config_values:
                yield self.config_values[key]
            elif key in self._own:
                yield self.blocks_config.config_for_block(key, [], block)


def keep_sessions_light() -> None:
    """Let gradio make sessions of this kind; it has no setting for it."""
    state_holder.SessionState = Session  # type: ignore[misc]
