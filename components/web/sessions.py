"""What is kept of each session of the page.

Gradio copies the settings of every component when a session begins, and keeps in them whatever value a component takes
or shows: with a page of this size about a tenth of a second and two megabytes, for each visitor and for each call from
code that names no session, and every text, table and picture of theirs on top. It keeps ten thousand sessions. Only a
link to a whole session, which this app has none of, would read any of it. Here a session holds the components that have
changed for its visitor, as far as a call needs them, and shares the rest.
"""

from __future__ import annotations

from collections import ChainMap
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import state_holder
from gradio.blocks import BlocksConfig


class Session(state_holder.SessionState):
    """A session that copies what changes in it, and keeps no value of a component."""

    def __init__(self, page: gr.Blocks) -> None:
        # Copied at once are the lists of blocks and calls, and the settings of those blocks that the page names as its
        # own: here none. The calls of this page are the same for everybody.
        whole = page.default_config
        config = BlocksConfig(whole.root_block)
        super().__init__(SimpleNamespace(default_config=config, blocks=()))  # type: ignore[arg-type]
        config = self.blocks_config
        config.blocks = ChainMap({}, whole.blocks)  # type: ignore[assignment]
        config.fns, config.fn_id, config.renderables = whole.fns, whole.fn_id, whole.renderables

    def __setitem__(self, key: int, value: Any) -> None:
        """Note a component as it is for this visitor now, or what a state of theirs holds."""
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Keep nothing of a component's settings beside the component."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Keep nothing of what a component takes or shows."""


def keep_sessions_light() -> None:
    """Let gradio make sessions of this kind; it has no setting for it."""
    state_holder.SessionState = Session  # type: ignore[misc]
