"""Batch: several texts, or pairs, as the rectangle of ids that a model reads."""

from __future__ import annotations

from typing import Any

import gradio as gr

from components.service.errors import WorkbenchError
from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.form import Form, at
from components.widgets import html
from components.widgets.tokens.batch import collated_view, verdict

_BETWEEN = "|||"
_EMPTY = "Press Make the batch. The texts are shown as the rows of a tensor, with their padding and their masks."
_COURSE = "I've been waiting for a HuggingFace course my whole life.\nI hate this so much!"
_PAIRS = f"Who wrote it? {_BETWEEN} Ada wrote it in June.\nWhere is the train? {_BETWEEN} It stands in the station."
_LONG = "A long review has more words than a model reads at once, so it is cut into windows that overlap a little."
_DEFAULTS: dict[str, Any] = {
    "padding": "longest",
    "padding_side": "",
    "pad_to_multiple_of": 0,
    "truncation": "do_not_truncate",
    "truncation_side": "",
    "max_length": 0,
    "stride": 0,
    "return_overflowing_tokens": False,
    "add_special_tokens": True,
    "pad_with": False,
}
#: title -> (texts, options that differ from the defaults)
EXAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "Two texts, padded": (_COURSE, {}),
    "Unequal lengths, no padding": (_COURSE, {"padding": "do_not_pad"}),
    "Pairs": (_PAIRS, {}),
    "Cut to 8 tokens": (_COURSE, {"truncation": "longest_first", "max_length": 8}),
    "Windows that overlap": (
        _LONG,
        {"truncation": "longest_first", "max_length": 12, "stride": 3, "return_overflowing_tokens": True},
    ),
    "Padded on the left, to a multiple of 8": (_COURSE, {"padding_side": "left", "pad_to_multiple_of": 8}),
}
_REMEDIES = {
    "padding": "Pad to the longest text",
    "pad_with": "Let the end-of-text token stand in as padding",
}


class BatchPanel:
    """Texts, how to make them one batch, and the batch. `made` is what it was last made from."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.made, self._mending = gr.State({}), gr.State({})
        self.texts = gr.Textbox(
            label="Texts",
            info=f"One a line. Write pairs with {_BETWEEN} between the first and the second.",
            value=_COURSE,
            lines=3,
            max_lines=12,
            elem_id="tok-batch-texts",
        )
        self.examples = gr.Dataset(
            label="Examples",
            components=[gr.Textbox(visible=False)],
            samples=[[title] for title in EXAMPLES],
            type="index",
            elem_id="tok-batch-examples",
        )
        self.options = self._options()
        self.run = gr.Button("Make the batch", variant="primary", elem_id="tok-batch-run")
        self.told = gr.HTML(padding=False, elem_id="tok-batch-told")
        self.verdict = gr.HTML(padding=False, elem_id="tok-batch-verdict")
        self.remedy = gr.Button("", size="sm", visible=False, elem_id="tok-batch-remedy")
        self.view = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="tok-batch-view")

    @staticmethod
    def _options() -> dict[str, Any]:
        """The fields by the names of their options."""
        sides = [("The tokenizer's own", ""), ("Right", "right"), ("Left", "left")]
        small: dict[str, Any] = {"min_width": 150}
        with gr.Row():
            padding = gr.Dropdown(
                [("To the longest text", "longest"), ("To max_length", "max_length"), ("None", "do_not_pad")],
                value="longest",
                label="Padding",
                info="How short rows are filled up.",
                elem_id="tok-batch-padding",
                **small,
            )
            truncation = gr.Dropdown(
                [
                    ("None", "do_not_truncate"),
                    ("Cut the longer text first", "longest_first"),
                    ("Cut the first text", "only_first"),
                    ("Cut the second text", "only_second"),
                ],
                value="do_not_truncate",
                label="Truncation",
                info="How long rows are cut.",
                elem_id="tok-batch-truncation",
                **small,
            )
            length = _whole("Max length", "0 is the tokenizer's own.", "tok-batch-length")
        with gr.Accordion("More options", open=False):
            with gr.Row():
                side = gr.Dropdown(sides, value="", label="Pad on the", elem_id="tok-batch-side", **small)
                multiple = _whole("Pad to a multiple of", "8 suits tensor cores; 0 is none.", "tok-batch-multiple")
                cut_side = gr.Dropdown(sides, value="", label="Cut on the", **small)
            with gr.Row():
                stride = _whole("Stride", "Tokens that two windows share.", "tok-batch-stride")
                overflow = gr.Checkbox(label="Keep what is cut off as further rows", elem_id="tok-batch-overflow")
            with gr.Row():
                special = gr.Checkbox(label="Add special tokens", value=True)
                pad_with = gr.Checkbox(label="The end-of-text token stands in where there is no padding token")
        fields = (padding, side, multiple, truncation, cut_side, length, stride, overflow, special, pad_with)
        return dict(zip(_DEFAULTS, fields, strict=True))

    def wire(self) -> None:
        """Make a batch, take examples, apply the remedy of what went wrong."""
        ctx = self.ctx
        fields = [*self.form.chosen, self.texts, *self.options.values()]
        outputs = [self.verdict, self.view, self.remedy, self._mending, self.made, *self.options.values()]
        failed = {self.verdict: "", self.view: html.empty(_EMPTY), self.remedy: gr.update(visible=False), self.made: {}}
        ctx.wire(self.run.click, self._make, fields, outputs, told=self.told, failed=failed)
        ctx.wire(self.remedy.click, self._mend, [self._mending, *fields], outputs, told=self.told)
        taken = ctx.wire(
            self.examples.click,
            self._take,
            [self.examples],
            [self.texts, *self.options.values()],
            told=self.told,
            show_progress="hidden",
        )
        ctx.wire(taken.then, self._make, fields, outputs, told=self.told)

    def _take(self, _visitor: Visitor, number: int) -> Updates:
        texts, options = list(EXAMPLES.values())[number]
        return {self.texts: texts, **self._filled({**_DEFAULTS, **options})}

    def _filled(self, options: dict[str, Any]) -> Updates:
        return {self.options[name]: bool(v) if name == "pad_with" else v for name, v in options.items()}

    def _mend(self, visitor: Visitor, remedy: dict[str, Any], *values: Any) -> Updates:
        place = list(_DEFAULTS)
        mended = list(values)
        for name, value in remedy.items():
            mended[3 + place.index(name)] = value
        return {**self._make(visitor, *mended), **self._filled(remedy)}

    def _make(self, visitor: Visitor, model: str, revision: str, texts: str, *values: Any) -> Updates:
        options = _read_options(dict(zip(_DEFAULTS, values, strict=True)))
        rows = read_texts(texts or "")
        made = self.ctx.bench.tokens.collate(model or "", rows, options, at(revision), visitor=visitor)
        remedy = (made["error"] or {}).get("remedy") or {}
        label = next((_REMEDIES[name] for name in remedy if name in _REMEDIES), "")
        kept = {"model": made["model"], "commit": made["commit"], "texts": rows, "options": options}
        return {
            self.verdict: verdict(made),
            self.view: collated_view(made),
            self.remedy: gr.update(value=label, visible=bool(label)),
            self._mending: remedy,
            self.made: asked("collate", kept),
        }


def _whole(label: str, info: str, elem_id: str) -> gr.Number:
    return gr.Number(label=label, info=info, value=0, min_width=130, elem_id=elem_id)


def _read_options(given: dict[str, Any]) -> dict[str, Any]:
    """The options of `collate`; a number field that was emptied counts as 0."""
    numbers = ("pad_to_multiple_of", "max_length", "stride")
    return {
        **given,
        **{name: whole(given[name]) for name in numbers},
        "pad_with": "eos" if given["pad_with"] else "",
    }


def whole(value: float | None) -> float:
    """A number as a field gives it, 0 where it is empty, whole where it is: what is none is refused by the service."""
    return int(value) if value is not None and float(value).is_integer() else value or 0


def read_texts(typed: str) -> list[Any]:
    """Texts, one a line, or pairs where lines have `|||` in them.

    Raises:
        WorkbenchError: Some lines are pairs and some are not.
    """
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    if not any(_BETWEEN in line for line in lines):
        return lines
    pairs = [[part.strip() for part in line.split(_BETWEEN)] for line in lines]
    wrong = next((number for number, pair in enumerate(pairs, 1) if len(pair) != 2), None)
    if wrong is not None:
        raise WorkbenchError(
            f"Line {wrong} is no pair. Write {_BETWEEN} once on every line, between the first text and the second, or "
            "on none.",
            field="texts",
        )
    return pairs
