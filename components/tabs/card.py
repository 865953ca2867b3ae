"""The model-card editor: a draft from recorded facts, the text beside its preview and its findings, and publishing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.cards import body, metadata
from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.widgets import html

_EMPTY = "Choose a finished run, or type a model id, and press Draft: the card is filled with what was recorded."


@dataclass(frozen=True)
class Card:
    """The components that other tabs send to and take from."""

    subject: gr.Dropdown
    repo: gr.Textbox
    to_playground: gr.Button
    told: gr.HTML
    choices: Callable[[Visitor], list[tuple[str, str]]]
    draft_on: Callable[[Any], Any]


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
            with gr.Tab("Text"):
                editor = gr.Code(
                    language="markdown",
                    label="README.md",
                    lines=24,
                    max_lines=34,
                    wrap_lines=True,
                    interactive=True,
                    elem_id="card-editor",
                )
            with gr.Tab("Findings"):
                findings = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="card-findings")
        with gr.Column(scale=1, min_width=320):
            tags = gr.HTML(padding=False, elem_id="card-tags")
            preview = gr.Markdown(_EMPTY, elem_id="card-preview", container=True, max_height=640)
    gr.HTML('<div class="wb-step"><b>✓</b> Publish to the Hub</div>', padding=False)
    with gr.Row(equal_height=False):
        with gr.Column(scale=1, min_width=320):
            repo = gr.Textbox(
                label="Repository",
                placeholder="my-first-model",
                info="A name in your own namespace, or namespace/name.",
                max_lines=1,
                elem_id="card-repo",
            )
            message = gr.Textbox(label="Commit message", placeholder="optional", max_lines=1)
        with gr.Column(scale=1, min_width=320):
            private = gr.Checkbox(label="Private", value=True, info="Only you can see it.", elem_id="card-private")
            update = gr.Checkbox(
                label="May update a repository that exists", info="Adds a commit; nothing in its history is lost."
            )
            with gr.Row():
                publish = gr.Button("Publish", variant="primary", elem_id="card-publish", min_width=160)
                to_playground = gr.Button(
                    "Run it in the playground", interactive=False, elem_id="card-to-play", min_width=160
                )
    published = gr.HTML(padding=False, elem_id="card-published")

    def make_draft(visitor: Visitor, chosen: str | None) -> Updates:
        if not chosen:
            raise WorkbenchError("Choose a finished run, or type a model id.", field="model")
        text = ctx.bench.cards.draft(chosen, visitor=visitor)["text"]
        return {editor: text, **look(visitor, text)}

    def look(_visitor: Visitor, text: str | None) -> Updates:
        text = text or ""
        if not text.strip():
            return {findings: html.empty(_EMPTY), tags: "", preview: _EMPTY}
        return {findings: _findings(ctx.bench.cards.check(text)), tags: _tags(metadata(text)), preview: body(text)}

    def push(
        visitor: Visitor, chosen: str | None, text: str, name: str, title: str, is_private: bool, may_update: bool
    ) -> Updates:
        if not (chosen or "").strip():
            raise WorkbenchError("Choose the finished run to publish.", field="model")
        if not (name or "").strip():
            raise WorkbenchError("Give the repository a name, such as my-first-model.", field="repo")
        errors = [problem for problem in ctx.bench.cards.check(text) if problem["level"] == "error"] if text else []
        if errors:
            raise WorkbenchError(f"The card is not valid yet: {errors[0]['message']} {errors[0].get('fix') or ''}")
        if str(chosen).startswith("runs/"):
            done = ctx.bench.publisher.publish_run(
                str(chosen), name, text, is_private, title, may_update, visitor=visitor
            )
        else:
            done = ctx.bench.publisher.push_card(name, text, title, visitor=visitor)
        return {published: _published(done), to_playground: gr.update(interactive=True), repo: done["repo"]}

    def choices(visitor: Visitor) -> list[tuple[str, str]]:
        return [(run["name"], run["model"]) for run in ctx.bench.runs.list(visitor=visitor) if run["model"]]

    def choose(visitor: Visitor) -> Updates:
        runs = choices(visitor)
        return {subject: gr.update(choices=runs, value=runs[0][1] if runs else None)}

    views = [findings, tags, preview]
    ctx.wire(page.load, choose, [], [subject], told=told, show_progress="hidden")
    ctx.wire(editor.change, look, [editor], views, told=told, show_progress="hidden", trigger_mode="always_last")
    ctx.wire(
        publish.click,
        push,
        [subject, editor, repo, message, private, update],
        [published, to_playground, repo],
        told=published,
    )

    def draft_on(event: Any) -> Any:
        return ctx.wire(event, make_draft, [subject], [editor, *views], told=told)

    draft_on(draft.click)
    return Card(subject, repo, to_playground, told, choices, draft_on)


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
        for problem in sorted(problems, key=lambda problem: order.get(problem["level"], 3))
    )


def _tags(data: dict[str, Any]) -> str:
    shown = ("pipeline_tag", "library_name", "license", "language", "base_model", "datasets", "metrics", "tags")
    items = []
    for key in shown:
        values = data.get(key)
        for value in values if isinstance(values, list) else [values] if values else []:
            items.append(f"<span>{html.escape(key.replace('_', ' '))} <b>{html.escape(value)}</b></span>")
    return f'<div class="wb-tags">{"".join(items)}</div>'


def _published(done: dict[str, Any]) -> str:
    kind = "private" if done["private"] else "public"
    return html.notice(
        f"{done['repo']} now has commit {done['commit'][:7]}. It is {kind}. Address: {done['address']}",
        "success",
        title="Published.",
    )
