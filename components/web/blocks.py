"""The page as the browser gets it: without the parts that only its endpoints need."""

from __future__ import annotations

from typing import Any

import gradio as gr


class Page(gr.Blocks):
    """A page whose browser is not sent the components of its endpoints.

    `gr.api` makes a component of every argument and every answer, from which `/config` and `/info` tell their types.
    The browser would mount each of them, and hold each against every event, though none is ever seen.
    """

    def get_config_file(self) -> Any:
        """Gradio's description of the page; its front page, which is all that a browser gets, is without them."""
        config: dict[str, Any] = dict(super().get_config_file())
        front = config["page"][""]
        unseen = {part["id"] for part in config["components"] if part["type"] == "api"}
        front["components"] = [part for part in front["components"] if part not in unseen]
        layout = front["layout"]
        front["layout"] = {**layout, "children": [part for part in layout["children"] if part["id"] not in unseen]}
        return config
