"""The model-card editor: one text, as source, as a form and as the Hub shows it, its findings, and publishing."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from components.tabs.card.document import Document
from components.tabs.card.editor import Editor
from components.tabs.card.form import CardForm
from components.tabs.card.publish import PublishPanel
from components.tabs.card.views import Changes, Findings, Lacking, Preview, Sources
from components.tabs.context import Context

__all__ = ["Card", "build"]


@dataclass(frozen=True)
class Card:
    """The parts that other tabs send to and take from.

    Attributes:
        task: That of the model whose card was published last.
    """

    subject: gr.Dropdown
    repo: gr.Textbox
    to_playground: gr.Button
    to_hub: gr.Button
    task: gr.State
    editor: Editor


def build(ctx: Context, page: gr.Blocks, shelf: gr.Tab) -> Card:
    """Lay out the tab and wire it.

    Args:
        shelf: The tab that it stands in: the lists are fetched when it is opened.
    """
    with gr.Row(equal_height=False, elem_classes="wb-bottom"):
        subject = gr.Dropdown(
            label="Card of",
            info="A finished run of yours, a model id, or template.",
            choices=[],
            value=None,
            allow_custom_value=True,
            scale=4,
            elem_id="card-subject",
        )
        draft = gr.Button("Draft", variant="primary", scale=1, min_width=120, elem_id="card-draft")
        file = gr.UploadButton("Open a file", file_types=[".md"], scale=1, min_width=120, elem_id="card-file")
    told = gr.HTML(padding=False, elem_id="card-told")
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=320), gr.Tabs(elem_id="card-views", overflow_behavior="wrap") as views:
            with gr.Tab("Text", id="text"):
                document = Document()
            with gr.Tab("Form", id="form"):
                form = CardForm(ctx, document)
            with gr.Tab("Findings", id="findings") as findings_tab:
                findings = Findings(ctx, findings_tab)
            with gr.Tab("Missing", id="missing"):
                lacking = Lacking(ctx)
            with gr.Tab("Facts", id="facts") as sources_tab:
                sources = Sources(ctx)
            with gr.Tab("Changes", id="changes"):
                changes = Changes(ctx)
            with gr.Tab("Code", id="code"):
                changes.code_part()
        with gr.Column(scale=1, min_width=320):
            preview = Preview()
    panel = PublishPanel(ctx, document, form)
    editor = Editor(ctx, subject, told, document, form, findings, lacking, sources, changes, preview, panel)
    restored = editor.wire(page, shelf, draft, file)
    form.wire()
    findings.wire(document, form, views)
    lacking.wire(document, form, views)
    sources.wire(document, subject, sources_tab)
    panel.wire(page, subject, restored)
    return Card(subject, panel.repo, panel.to_playground, panel.to_hub, panel.task, editor)
