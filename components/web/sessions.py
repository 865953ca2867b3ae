"""What is kept of each session of the page.

Gradio copies the settings of every component when a session begins, and keeps the copy: with a page of this size about
a tenth of a second and two megabytes, for each visitor and for each call from code that names no session. It keeps ten
thousand of them. Here a session holds what its visitor changed on the page, and shares the rest.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import state_holder
from gradio.blocks import BlocksConfig


class Session(state_holder.SessionState):
    """A session that copies what changes in it, and no more."""

    def __init__(self, page: gr.Blocks) -> None:
        # Copied at once are the lists of blocks and calls, and the settings of those blocks that the page names as its
        # own: here none. The calls of this page are the same for everybody.
        whole = page.default_config
        config = BlocksConfig(whole.root_block)
        super().__init__(SimpleNamespace(default_config=config, blocks=()))  # type: ignore[arg-type]
        config = self.blocks_config
        config.blocks = ChainMap({}, whole.blocks)  # type: ignore[assignment]
        config.fns, config.fn_id, config.renderables = whole.fns, whole.fn_id, whole.renderables
        self._own = page.blocks

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Note a component's value, but not an argument or an answer of a call: nobody sees those on the page."""
        if self.blocks_config.blocks[key].get_block_name() != "api":
            super()._update_value_in_config(key, value)

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
