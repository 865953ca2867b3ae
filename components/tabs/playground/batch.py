"""Batch: the task and model of the form on many rows at once, held against gold answers where there are any."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from components.service.batch import table
from components.service.errors import WorkbenchError
from components.service.tasks import TASKS, TaskSpec
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.playground.form import Form
from components.widgets import html
from components.widgets.rows import batch_view, progress, rows_view

_PASTED, _FILE, _HUB = _SOURCES = ("Paste rows", "Upload a file", "Hub data set")
_EMPTY = "Each row is run with the task, model and parameters on the left. What is wrong with one row stays in it."
NO_CODE = "# Every row had an error, so there is nothing to run again."
#: Names of columns that are offered as gold answers.
_GOLD = ("label", "labels", "gold", "target", "class", "category", "sentiment", "answer", "answers")
#: Rows that are written out in the code.
_IN_CODE = 50
_ON, _OFF = gr.update(interactive=True), gr.update(interactive=False)


class RowsForm:
    """Where rows come from: pasted, a file, or a data set; and their gold answers. Batch and Compare have one each."""

    def __init__(self, prefix: str, first: TaskSpec) -> None:
        self.kind = gr.Radio(_SOURCES, value=_PASTED, label="Rows", elem_id=f"{prefix}-source")
        self.pasted = gr.Textbox(
            label="One input a line, or a table",
            info="The first line of a table names its columns: what the task reads, and gold answers if any.",
            value=example_rows(first),
            lines=5,
            max_lines=12,
            elem_id=f"{prefix}-rows",
        )
        self.file = gr.File(
            label="CSV, TSV, JSON Lines or Parquet",
            file_types=[".csv", ".tsv", ".jsonl", ".json", ".parquet"],
            visible=False,
            height=120,
            elem_id=f"{prefix}-file",
        )
        self.dataset = gr.Textbox(
            label="Data set", info="Its id on the Hub in use.", visible=False, max_lines=1, elem_id=f"{prefix}-dataset"
        )
        self.gold = gr.Textbox(
            label="Column of the gold answers (optional)",
            info="With it, the task's metrics are computed.",
            max_lines=1,
            elem_id=f"{prefix}-gold",
        )
        self.kind.input(
            lambda kind: [gr.update(visible=kind == known) for known in _SOURCES],
            self.kind,
            [self.pasted, self.file, self.dataset],
            api_visibility="private",
            queue=False,
        )

    @property
    def fields(self) -> list[Any]:
        """The fields that `read` takes."""
        return [self.kind, self.pasted, self.file, self.dataset, self.gold]

    def wire(self, ctx: Context, told: gr.HTML, task: gr.Dropdown) -> None:
        """Offer the column of the rows that looks like gold answers by its name, where none is named yet, and rows
        that fit the task where another task's stand untouched."""
        quiet: dict[str, Any] = {"api_visibility": "private", "queue": False, "show_progress": "hidden"}
        task.change(_fitting, [task, self.pasted], self.pasted, **quiet)
        once = {"show_progress": "hidden", "trigger_mode": "always_last"}
        for event in (self.pasted.change, self.file.upload, self.dataset.submit, self.dataset.blur):
            ctx.wire(event, partial(self._offer, ctx), self.fields, [self.gold], told=told, clears=False, **once)

    def _offer(self, ctx: Context, visitor: Visitor, *values: Any) -> Updates:
        try:
            rows, gold = self.read(*values)
            names = [] if gold else [one["name"] for one in ctx.bench.data.inspect(rows, visitor=visitor)["columns"]]
        except WorkbenchError:
            return {}  # no table, or not yet: what is wrong is told when the rows are run
        found = next((name for name in names if name.lower() in _GOLD), None)
        return {self.gold: found} if found else {}

    def read(
        self, kind: str, pasted: str | None, file: str | None, dataset: str | None, gold: str | None
    ) -> tuple[dict[str, Any], str | None]:
        """The rows as the service takes them, and the column of their gold answers."""
        return self._rows(kind, pasted, file, dataset), (gold or "").strip() or None

    @staticmethod
    def _rows(kind: str, pasted: str | None, file: str | None, dataset: str | None) -> dict[str, Any]:
        if kind == _HUB:
            return {"dataset": (dataset or "").strip()}
        if kind == _FILE:
            if not file:
                raise WorkbenchError("Upload a file first.", field="rows")
            return {"file": file, "name": file.replace("\\", "/").rpartition("/")[2]}
        return {"text": pasted or ""}


def example_rows(spec: TaskSpec) -> str:
    """A task's examples for its own model as rows to be pasted; none for what is no text."""
    needed = [one for one in spec.inputs if one.required]
    if any(one.kind not in ("text", "chat") for one in needed):
        return ""
    examples = [one.inputs for one in map(spec.example, range(len(spec.examples))) if not one.hub_model]
    if len(needed) == 1:
        return "\n".join(text for text in examples if isinstance(text, str) and "\n" not in text)
    sink = io.StringIO()
    writer = csv.DictWriter(sink, [one.name for one in needed], extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(examples)
    return sink.getvalue().rstrip("\n")


def _fitting(task: str, pasted: str | None) -> Any:
    """The examples of the task that is chosen, where the field holds another task's, or nothing."""
    known = {example_rows(spec) for spec in TASKS.values()}
    return example_rows(TASKS[task]) if (pasted or "") in known else gr.skip()


class BatchPanel:
    """Rows, a run of them with its progress, and the result as a table to look at and to download."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.rows = RowsForm("pg-batch", TASKS[form.task.value])
        with gr.Row():
            self.run = gr.Button("Run the rows", variant="primary", scale=3, elem_id="pg-batch-run")
            self.stop = gr.Button("Stop", scale=1, min_width=80, interactive=False, elem_id="pg-batch-stop")
        self.told = gr.HTML(padding=False, elem_id="pg-batch-told")
        self.result = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="pg-batch-result")
        with gr.Row():
            self.csv = gr.DownloadButton("Download as CSV", size="sm", visible=False, elem_id="pg-batch-csv")
            self.jsonl = gr.DownloadButton("Download as JSONL", size="sm", visible=False, elem_id="pg-batch-jsonl")
        self.code = code_fold("pg-batch-code")

    def wire(self) -> None:
        """Run and stop."""
        outputs = [self.result, self.csv, self.jsonl, self.stop, self.code]
        self.rows.wire(self.ctx, self.told, self.form.task)
        fields = [*self.rows.fields, *self.form.fields]
        failed = {self.result: html.empty(_EMPTY), self.stop: _OFF}
        run = self.ctx.wire(self.run.click, self._run, fields, outputs, told=self.told, failed=failed)
        stopped = html.notice("Stopped. The rows that were done by then are shown.") + html.says("Stopped")
        self.stop.click(
            lambda: (_OFF, stopped), None, [self.stop, self.told], cancels=[run], api_visibility="private", queue=False
        )

    def _run(self, visitor: Visitor, *values: Any) -> Iterator[Updates]:
        (rows, gold), asked = self.rows.read(*values[:5]), self.form.setting(*values[5:])
        hidden = gr.update(visible=False)
        begun = progress(0, None, None) + html.says("The rows are run")
        yield {self.result: begun, self.stop: _ON, self.csv: hidden, self.jsonl: hidden}
        done: dict[int, Any] = {}
        item: dict[str, Any] = {}
        call = (asked.spec.name, asked.model, rows, asked.parameters, gold, asked.revision)
        for item in self.ctx.bench.batch.stream_batch(*call, visitor=visitor):
            done.update(item.get("rows", ()))
            if "total" in item:
                far = progress(len(done), item["total"], item.get("remaining_seconds"))
                yield {self.result: far + rows_view(asked.spec, [done[number] for number in sorted(done)])}
        result = {**item, "rows": [done[number] for number in sorted(done)]}
        yield {
            self.result: batch_view(asked.spec, result),
            self.csv: _download(result, "csv"),
            self.jsonl: _download(result, "jsonl"),
            self.stop: _OFF,
            self.code: self._code(result),
        }

    def _code(self, result: dict[str, Any]) -> str:
        inputs = inputs_of(result["rows"])
        return self.ctx.bench.snippet("pipeline", {**result["facts"], "inputs": inputs}) if inputs else NO_CODE


def inputs_of(rows: list[dict[str, Any]]) -> list[Any]:
    """The inputs of the first rows that had no error, for a snippet that people can read."""
    return [row["input"] for row in rows if "error" not in row and not any(row.get("errors") or [])][:_IN_CODE]


def code_fold(elem_id: str) -> gr.Code:
    """Place a snippet, folded."""
    with gr.Accordion("Code", open=False):
        return gr.Code(language="python", show_label=False, interactive=False, elem_id=elem_id)


def _download(result: dict[str, Any], kind: str) -> Any:
    """The button with its file, in a folder that Gradio takes it from into its own cache."""
    file = Path(tempfile.mkdtemp(prefix="batch-")) / f"batch.{kind}"
    file.write_text(table(result, kind), encoding="utf-8")
    return gr.update(value=str(file), visible=True)
