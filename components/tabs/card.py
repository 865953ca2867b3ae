"""The model-card editor: a draft from recorded facts, the text beside its preview and its findings, and publishing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.cards import body, metadata
from components.service.errors import WorkbenchError
from components.service.readable import readable
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.publish import PublishPanel
from components.widgets import html
from components.widgets.run_view import run_title

#: Stands for the last draft once the visitor has been asked whether to replace their own changes.
_REPLACE = "\0"
_EMPTY = "Choose a finished run, or type a model id, and press Draft: the card is filled with what was recorded."


@dataclass(frozen=True)
class Card:
    """The components that other tabs send to and take from."""

    subject: gr.Dropdown
    repo: gr.Textbox
    to_playground: gr.Button
    told: gr.HTML
    editor: gr.Code
    choices: Callable[[Visitor], list[tuple[str, str]]]
    draft_on: Callable[[Any], Any]
    edit_on: Callable[[Any], Any]


def build(ctx: Context, page: gr.Blocks) -> Card:
    """Lay out the tab and wire it."""
    with gr.Row(equal_height=False, elem_classes="wb-bottom"):
        subject = gr.Dropdown(
            label="Card of",
            info="A finished run of yours, or a model id.",
            choices=[],
            value=None,
            allow_custom_value=True,
            scale=4,
            elem_id="card-subject",
        )
        draft = gr.Button("Draft", variant="primary", scale=1, min_width=120, elem_id="card-draft")
    told = gr.HTML(padding=False, elem_id="card-told")
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=320), gr.Tabs():
            with gr.Tab("Text", id="text"):
                editor = gr.Code(
                    language="markdown",
                    label="README.md",
                    lines=24,
                    max_lines=34,
                    wrap_lines=True,
                    interactive=True,
                    elem_id="card-editor",
                )
            with gr.Tab("Findings", id="findings") as findings_tab:
                findings = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="card-findings")
        with gr.Column(scale=1, min_width=320):
            tags = gr.HTML(padding=False, elem_id="card-tags")
            preview = gr.Markdown(_EMPTY, elem_id="card-preview", container=True, max_height=640)
    panel = PublishPanel(ctx)

    drafted = gr.State("")

    def make_draft(visitor: Visitor, chosen: str | None, text: str | None, before: str) -> Updates:
        if not chosen:
            raise WorkbenchError("Choose a finished run, or type a model id.", field="model")
        if text and before not in (text, _REPLACE):
            return {
                drafted: _REPLACE,
                told: html.notice("The text has changes of yours. Press Draft again to replace them.", "warning"),
            }
        text = ctx.bench.cards.draft(chosen, visitor=visitor)["text"]
        return {editor: text, drafted: text, **look(visitor, text, chosen)}

    def look(_visitor: Visitor, text: str | None, chosen: str | None) -> Updates:
        text = text or ""
        shown = {ctx.draft: {"text": text, "subject": chosen}}
        if not text.strip():
            empty = gr.update(label="Findings")
            return {**shown, findings: html.empty(_EMPTY), findings_tab: empty, tags: "", preview: _EMPTY}
        problems = ctx.bench.cards.check(text)
        return {
            **shown,
            findings: _findings(problems),
            findings_tab: gr.update(label=f"Findings ({len(problems)})" if problems else "Findings"),
            tags: _tags(metadata(text)),
            preview: readable(body(text)),
        }

    def load(visitor: Visitor, repo: str | None) -> Updates:
        if not repo:
            return {}
        card = ctx.bench.repositories.repo_card(repo, visitor=visitor)
        text = card["text"] or ctx.bench.cards.draft(repo, visitor=visitor)["text"]
        origin = {"repo": repo, "commit": card["commit"]}
        return {editor: text, panel.repo: repo, panel.origin: origin, drafted: text, **look(visitor, text, repo)}

    def choices(visitor: Visitor) -> list[tuple[str, str]]:
        return [(run_title(run), run["model"]) for run in ctx.bench.runs.list(visitor=visitor) if run["model"]]

    def restore(visitor: Visitor, stored: dict[str, Any] | None) -> Updates:
        stored = stored or {"text": "", "subject": None}
        runs = choices(visitor)
        subjects = gr.update(choices=runs, value=stored["subject"] or (runs[0][1] if runs else None))
        return {subject: subjects, **({editor: stored["text"]} if stored["text"] else {})}

    views = [findings, findings_tab, tags, preview, ctx.draft]
    ctx.wire(page.load, restore, [ctx.draft], [subject, editor], told=told, clears=False, show_progress="hidden")
    ctx.wire(
        editor.change,
        look,
        [editor, subject],
        views,
        told=told,
        clears=False,
        show_progress="hidden",
        trigger_mode="always_last",
    )
    panel.wire(page, subject, editor)

    def draft_on(event: Any) -> Any:
        return ctx.wire(event, make_draft, [subject, editor, drafted], [editor, drafted, *views], told=told)

    def edit_on(event: Any) -> Any:
        return ctx.wire(event, load, [subject], [editor, drafted, panel.repo, panel.origin, *views], told=told)

    draft_on(draft.click)
    return Card(subject, panel.repo, panel.to_playground, told, editor, choices, draft_on, edit_on)


def _findings(problems: list[dict[str, Any]]) -> str:
    if not problems:
        return html.notice("Nothing to mend: the metadata is valid and no section is left open.", "success")
    order = {"error": 0, "warning": 1, "info": 2}
    return "".join(
        html.notice(
            f"{problem['message']} {problem.get('fix') or ''}".strip(),
            problem["level"],
            title=f"Line {problem['line']}." if problem.get("line") else "",
        )
        for problem in sorted(problems, key=lambda problem: (order.get(problem["level"], 3), problem.get("line") or 0))
    )


def _tags(data: dict[str, Any]) -> str:
    shown = ("pipeline_tag", "library_name", "license", "language", "base_model", "datasets", "metrics", "tags")
    items = []
    for key in shown:
        values = data.get(key)
        for value in values if isinstance(values, list) else [values] if values else []:
            items.append(f"<span>{html.escape(key.replace('_', ' '))} <b>{html.escape(value)}</b></span>")
    return f'<div class="wb-tags">{"".join(items)}</div>'
