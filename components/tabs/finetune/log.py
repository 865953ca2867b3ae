"""The log of a run: its end on the page, and all of it as a file."""

from __future__ import annotations

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets.html import empty, escape, size

#: What of a log is shown, in bytes; the file has more.
_SHOWN = 20_000
_EMPTY = "What the training process writes stands here. It holds no token and no path of this machine."


class LogPanel:
    """The log of the run that is shown."""

    def __init__(self, ctx: Context, runs: gr.Dropdown, opened: gr.Tab) -> None:
        self.ctx = ctx
        self.shown = gr.HTML(empty(_EMPTY), padding=False, elem_id="ft-log")
        self.told = gr.HTML(padding=False, elem_id="ft-told-log")
        with gr.Row():
            self.refresh = gr.Button("Read it again", size="sm", min_width=120, elem_id="ft-log-again")
            self.file = gr.DownloadButton(
                "Download the log", size="sm", min_width=120, visible=False, elem_id="ft-log-file"
            )
        for event in (self.refresh.click, runs.change, opened.select):
            ctx.wire(event, self._read, [runs], [self.shown, self.file], told=self.told, show_progress="hidden")

    def _read(self, visitor: Visitor, run: str | None) -> Updates:
        if not run:
            return {self.shown: empty(_EMPTY), self.file: gr.update(visible=False)}
        read = self.ctx.bench.runs.log(run, self.ctx.bench.settings.log_bytes, visitor=visitor)
        text = read["text"]
        if not text:
            return {self.shown: empty(_EMPTY), self.file: gr.update(visible=False)}
        last = text if len(text) <= _SHOWN else text[-_SHOWN:].partition("\n")[2]
        said = "" if len(last) == len(text) else f"The last {size(_SHOWN)} of {size(read['bytes'])}."
        return {
            self.shown: f'<p class="wb-lead">{escape(said)}</p><pre class="wb-json wb-log" tabindex="0">'
            f"{escape(last)}</pre>",
            self.file: gr.update(visible=True, value=self._file(text)),
        }

    def _file(self, text: str) -> str:
        """The log among the files that Gradio serves: one for each text, however often it is read."""
        return save_bytes_to_cache(text.encode(), "log.txt", self.file.GRADIO_CACHE)
