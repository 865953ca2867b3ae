"""The first step of a run: where the data comes from, what it holds, which of its columns is what."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html
from components.widgets.run_view import data_view

_HUB, _FILE, _ROWS = _SOURCES = ("Hub data set", "Upload a file", "Paste rows")
_NO_DATA = "Press Look at the data: its columns, labels and anything that would spoil a run are shown here."


class DataForm:
    """The fields of the data; `dataset` is what other tabs send to."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        gr.HTML('<div class="wb-step"><b>1</b> Data</div>', padding=False)
        self.kind = gr.Radio(_SOURCES, value=_HUB, label="Where from", elem_id="ft-source")
        self.dataset = gr.Textbox(
            label="Data set",
            value="starter/reviews" if ctx.bench.settings.embedded else "stanfordnlp/sst2",
            info="Its id on the Hub in use.",
            max_lines=1,
            elem_id="ft-dataset",
        )
        self.file = gr.File(
            label="CSV, TSV, JSON Lines or Parquet",
            file_types=[".csv", ".tsv", ".jsonl", ".json", ".parquet"],
            visible=False,
            height=120,
            elem_id="ft-file",
        )
        self.rows = gr.Textbox(
            label="Rows",
            placeholder="text,label\nWhat a day!,positive\nNever again.,negative",
            lines=6,
            max_lines=14,
            visible=False,
            elem_id="ft-pasted",
        )
        self.look = gr.Button("Look at the data", elem_id="ft-look")
        self.told = gr.HTML(padding=False, elem_id="ft-told-data")
        with gr.Row():
            self.text = _column("Text column", "text", "ft-text-col")
            self.label = _column("Label column", "label", "ft-label-col")
        with gr.Accordion("What the data holds", open=False) as self.fold:
            self.preview = gr.HTML(html.empty(_NO_DATA), padding=False, elem_id="ft-preview")

    @property
    def place(self) -> list[Any]:
        """The fields that `source` reads."""
        return [self.kind, self.dataset, self.file, self.rows]

    def source(self, kind: str, dataset: str | None, file: str | None, rows: str | None) -> dict[str, Any]:
        """The data as the service takes it, from the values of `place`."""
        if kind == _HUB:
            return {"dataset": (dataset or "").strip()}
        if kind == _ROWS:
            return {"text": rows or ""}
        if not file:
            raise WorkbenchError("Upload a file first.", field="data")
        return {"file": file, "name": file.replace("\\", "/").rpartition("/")[2]}

    def wire(self) -> None:
        """Look at the data when asked to, and when a file or an id has just been given."""
        self.kind.input(
            lambda kind: [gr.update(visible=kind == known) for known in _SOURCES],
            self.kind,
            [self.dataset, self.file, self.rows],
            api_visibility="private",
            queue=False,
        )
        looked = [self.preview, self.fold, self.text, self.label]
        for event in (self.look.click, self.dataset.submit, self.file.upload):
            self.ctx.wire(event, self.inspect, self.place, looked, told=self.told)
        # What was said of other data may not stand beside this one.
        for event in (self.kind.input, self.dataset.change, self.rows.change, self.file.clear):
            event(
                lambda: ("", html.empty(_NO_DATA)),
                None,
                [self.told, self.preview],
                api_visibility="private",
                queue=False,
            )

    def inspect(self, visitor: Visitor, *place: Any) -> Updates:
        """Show what the data holds, and offer its own columns."""
        seen = self.ctx.bench.data.inspect(self.source(*place), visitor=visitor)
        names = [column["name"] for column in seen["columns"]]
        guess = seen["suggested"]
        return {
            self.preview: data_view(seen),
            self.fold: gr.update(open=True),
            self.text: gr.update(choices=names, value=guess.get("text") or names[0]),
            self.label: gr.update(choices=names, value=guess.get("label") or names[-1]),
        }


def _column(title: str, name: str, elem_id: str) -> gr.Dropdown:
    return gr.Dropdown(label=title, choices=[name], value=name, allow_custom_value=True, elem_id=elem_id)
