"""Code that does what was just seen, to be read and copied."""

from __future__ import annotations

import gradio as gr


def script(elem_id: str, text: str | None = None, *, label: str | None = None, visible: bool = True) -> gr.Code:
    """Python that cannot be changed here. Long lines are wrapped: a part that scrolls could not be reached by keyboard.

    Args:
        elem_id: Its id on the page.
        text: What stands in it at first.
        label: Its heading; without one none is shown.
        visible: Whether it is shown at first.
    """
    return gr.Code(
        text,
        language="python",
        label=label,
        show_label=label is not None,
        interactive=False,
        wrap_lines=True,
        elem_id=elem_id,
        visible=visible,
    )
