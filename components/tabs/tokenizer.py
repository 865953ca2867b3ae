"""The tokenizer inspector: a text as the model sees it, and ids back to text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_into_view
from components.tabs.model_search import wire_picker
from components.widgets import html
from components.widgets.model_picker import ModelPicker
from components.widgets.token_strip import token_strip, token_table

EXAMPLE = "Using a Transformer network is simple. Tokenizers split unbelievably long words, too."
_EMPTY = "Press Tokenize. Each token is shown in its own colour, with its id and its place in the text."


@dataclass(frozen=True)
class Tokenizer:
    """The components that other tabs send to, and the event wiring that shows the tokens."""

    picker: ModelPicker
    text: gr.Textbox
    show_on: Callable[[Any], Any]


def build(ctx: Context, page: gr.Blocks) -> Tokenizer:
    """Lay out the tab and wire it."""
    settings = ctx.bench.settings
    default = TASKS["text-classification"].default_model(settings)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            picker = ModelPicker.build("Tokenizer of", default)
            text = gr.Textbox(label="Text", value=EXAMPLE, lines=4, max_lines=12, elem_id="tok-text")
            with gr.Accordion("Options", open=False):
                pair = gr.Textbox(label="Second text", info="For models that read pairs.", lines=2)
                special = gr.Checkbox(label="Add special tokens", value=True)
            tokenize = gr.Button("Tokenize", variant="primary", elem_id="tok-run")
            told = gr.HTML(padding=False, elem_id="tok-told")
            with gr.Accordion("Ids back to text", open=True):
                ids = gr.Textbox(label="Ids", placeholder="101, 7592, 102", lines=2, elem_id="tok-ids")
                skip = gr.Checkbox(label="Leave out special tokens", value=True)
                decode = gr.Button("Decode", elem_id="tok-decode")
                decoded = gr.Textbox(label="Text", lines=2, interactive=False, elem_id="tok-decoded")
                told_ids = gr.HTML(padding=False)
        with gr.Column(scale=6, min_width=320), gr.Tabs():
            with gr.Tab("Tokens"):
                strip = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="tok-strip")
                counts = gr.HTML(padding=False, elem_id="tok-counts")
                listing = gr.HTML(padding=False, elem_id="tok-table")
            with gr.Tab("Stages"):
                stages = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="tok-stages")
            with gr.Tab("Code"):
                code = gr.Code(language="python", show_label=False, interactive=False, elem_id="tok-code")

    def show(visitor: Visitor, model: str, content: str, second: str, add_special: bool) -> Updates:
        options = {} if add_special else {"add_special_tokens": False}
        seen = ctx.bench.tokens.tokenize(model, content, second or None, options, visitor=visitor)
        asked = {"text": content, "text_pair": second or None, "options": options}
        return {
            strip: token_strip(seen["tokens"]),
            counts: _counts(seen),
            listing: token_table(seen["tokens"]),
            stages: _stages(seen),
            code: ctx.bench.snippet("tokenize", {**seen, **asked}),
            ids: ", ".join(str(token["id"]) for token in seen["tokens"]),
        }

    def back(visitor: Visitor, model: str, typed: str, leave_out: bool) -> Updates:
        answer = ctx.bench.tokens.decode(model, _ids(typed), {"skip_special_tokens": leave_out}, visitor=visitor)
        return {decoded: answer["text"]}

    def show_on(event: Any) -> Any:
        outputs = [strip, counts, listing, stages, code, ids]
        return ctx.wire(event, show, [picker.model, text, pair, special], outputs, told=told)

    show_on(tokenize.click)
    show_on(text.submit)
    ctx.wire(decode.click, back, [picker.model, ids, skip], [decoded], told=told_ids)
    bring_into_view(tokenize.click, "tok-strip")
    wire_picker(ctx, page, picker, told, task=gr.State(""))
    return Tokenizer(picker, text, show_on)


def _ids(typed: str) -> list[int]:
    words = re.findall(r"[^\s,;\[\]]+", typed)
    if not words:
        raise WorkbenchError("Write the ids to decode, separated by commas or spaces.", field="ids")
    wrong = next((word for word in words if not re.fullmatch(r"-?\d{1,12}", word)), None)
    if wrong is not None:
        raise WorkbenchError(f"“{wrong[:40]}” is not an id. Write whole numbers, such as 101, 7592, 102.", field="ids")
    return [int(word) for word in words]


def _counts(seen: dict[str, Any]) -> str:
    counts = seen["counts"]
    shown = len(seen["tokens"])
    line = html.notice(seen["meaning"], title=f"{seen['kind']}.") + html.facts(
        [
            ("Tokens", f"{counts['tokens']:,}"),
            ("Characters", f"{counts['characters']:,}"),
            ("Bytes", f"{counts['bytes']:,}"),
            ("Words", f"{counts['words']:,}"),
            ("Unknown", counts["unknown"] or None),
            ("Tokens a word", f"{counts['tokens'] / counts['words']:.2f}" if counts["words"] else None),
        ]
    )
    if shown < counts["tokens"]:
        line += html.notice(f"The first {shown:,} of {counts['tokens']:,} tokens are shown; the counts are of all.")
    return line + "".join(html.notice(note) for note in seen["notes"])


def _stages(seen: dict[str, Any]) -> str:
    check = (
        html.notice("These steps, one by one, give exactly the ids of the whole call.", "success")
        if seen["matches_encode"]
        else html.notice("These steps do not give the same ids as the whole call: trust the whole call.", "warning")
    )
    return "".join(_stage(number, stage) for number, stage in enumerate(seen["stages"], 1)) + check


def _stage(number: int, stage: dict[str, Any]) -> str:
    pieces = "".join(f"<span>{html.escape(item['text'])}</span>" for item in stage["items"])
    more = stage["total"] - len(stage["items"])
    return (
        f'<section class="wb-stage"><h4>{number}. {html.escape(stage["title"])} '
        f"<small>{html.escape(stage['component'] or '')}</small></h4><p>{html.escape(stage['note'])}</p>"
        f'<div class="wb-pieces">{pieces}{f"<em>and {more:,} more</em>" if more > 0 else ""}</div></section>'
    )
