"""A link to a tab, such as `/?tab=tokenizer&model=starter/sentiment`: it opens the tab and fills in what it names."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components import Component


def open_links(page: gr.Blocks, tabs: gr.Tabs, fields: dict[str, dict[str, Component]]) -> None:
    """Open the tab that the page's address names; nothing is run by it.

    Args:
        page: The page.
        tabs: Its tabs.
        fields: Of each tab, by its id, what an address may fill in, by the name that it has there.
    """
    targets = [(tab, name, field) for tab, named in fields.items() for name, field in named.items()]

    def open_link(request: gr.Request) -> list[Any]:
        query = request.query_params
        opened = query.get("tab", "")
        return [
            gr.Tabs(selected=opened) if opened in fields else gr.skip(),
            *(query[name] if tab == opened and name in query else gr.skip() for tab, name, _ in targets),
        ]

    outputs = [tabs, *(field for _, _, field in targets)]
    page.load(open_link, None, outputs, api_visibility="private", queue=False, show_progress="hidden")
