"""The page as the browser gets it: without the parts that only its endpoints need; and what a short call is told."""

from __future__ import annotations

import inspect
from typing import Any

import gradio as gr
from gradio.blocks import BlockFunction

from components.api_docs import fill_in


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

    def validate_inputs(self, block_fn: BlockFunction, inputs: list[Any]) -> None:
        """Refuse a call with too few values in a sentence. Gradio's own refusal is a traceback in the log, and nothing
        for the caller.

        Raises:
            gr.Error: Values are missing.
        """
        needed, given = len(block_fn.inputs), len(inputs)
        if given >= needed:
            return
        names = list(inspect.signature(block_fn.fn).parameters)[:needed] if block_fn.fn else []
        raise gr.Error(
            f"{block_fn.name} takes {needed} values ({', '.join(names)}), and {given} came. Send them all, null for a "
            f"default; or send an object of those that count to /gradio_api/call/v2/{block_fn.api_name}.",
            print_exception=False,
        )

    def get_api_info(self, all_endpoints: bool = False, page: str | None = None) -> Any:
        """Gradio's description of the endpoints, with what the app says of each and of its arguments."""
        info = super().get_api_info(all_endpoints, page)
        for block in self.fns.values():
            said = getattr(block.fn, "said", None)
            told = info["named_endpoints"].get(f"/{block.api_name}")
            if said is not None and told is not None:
                fill_in(said, told)  # type: ignore[arg-type]
        return info
