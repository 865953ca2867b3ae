"""Tokens, stages and offsets: three views of one text, made by one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates
from components.tabs.tokenizer.code import asked
from components.tabs.tokenizer.decode import in_a_row
from components.tabs.tokenizer.form import Form
from components.widgets import html
from components.widgets.tokens import facts, strip
from components.widgets.tokens.offsets import offsets_view
from components.widgets.tokens.stages import stages_view

#: Most tokens on the page at once.
WINDOW = 300
#: A place that no text has tokens at, as far as a window may be asked for.
_FARTHEST = 10**9
_EMPTY = "Press Tokenize. Each token is shown in its own colour, with its id and its place in the text."
_STAGES = "Press Tokenize. Every step from the text to its ids is shown here, with what it changes."
_OFFSETS = "Press Tokenize. Each token is held against the characters that its offsets name."
_TRIP = "Press Tokenize to see whether a text comes back from its ids, or Decode for ids of your own."


class Pager:
    """The buttons that move a window over many tokens; `start` is where the window begins."""

    def __init__(self, prefix: str) -> None:
        self.start = gr.State(0)
        with gr.Row(visible=False, elem_classes="wb-pager") as self.row:
            self.earlier = gr.Button("Earlier", size="sm", min_width=80, elem_id=f"{prefix}-earlier")
            self.said = gr.HTML(padding=False, elem_classes="wb-quiet", elem_id=f"{prefix}-window")
            self.later = gr.Button("Later", size="sm", min_width=80, elem_id=f"{prefix}-later")
            self.to = gr.Number(label="Go to number", value=1, min_width=110, elem_id=f"{prefix}-to")

    @property
    def outputs(self) -> list[Any]:
        """What `show` updates."""
        return [self.start, self.row, self.earlier, self.said, self.later]

    def hidden(self) -> Updates:
        """No window: nothing is shown."""
        return {self.start: 0, self.row: gr.update(visible=False)}

    def show(self, start: int, shown: int, total: int, what: str = "tokens") -> Updates:
        """Tell which part is shown; nothing where it is all."""
        return {
            self.start: start,
            self.row: gr.update(visible=shown < total),
            self.said: f"{start + 1:,} to {start + shown:,} of {total:,} {what}",
            self.earlier: gr.update(interactive=start > 0),
            self.later: gr.update(interactive=start + shown < total),
        }


class TokensPanel:
    """The tokens: coloured, linked with their ids, counted. `made` is what the views were last made from."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.made = gr.State({})
        self.pager = Pager("tok")
        self.strip = gr.HTML(html.empty(_EMPTY), js_on_load=strip.SCRIPT, padding=False, elem_id="tok-strip")
        self.counts = gr.HTML(padding=False, elem_id="tok-counts")
        self.legend = gr.HTML(padding=False, elem_id="tok-legend")
        self.table = gr.HTML(padding=False, elem_id="tok-table")

    def stages_part(self) -> None:
        """Place the stages, in a tab of their own."""
        self.stages = gr.HTML(html.empty(_STAGES), padding=False, elem_id="tok-stages")

    def offsets_part(self) -> None:
        """Place the offsets, in a tab of their own."""
        self.offsets = gr.HTML(html.empty(_OFFSETS), padding=False, elem_id="tok-offsets")

    def trip_part(self, ids: gr.Textbox) -> None:
        """Place what the text lost on its way to ids and back; `ids` is the field that takes the ids of the text."""
        self.ids = ids
        self.trip = gr.HTML(html.empty(_TRIP), padding=False, elem_id="tok-trip")

    @property
    def outputs(self) -> list[Any]:
        """Everything that one call fills."""
        views = [self.strip, self.counts, self.legend, self.table, self.stages, self.offsets, self.trip]
        return [*views, self.made, self.ids, *self.pager.outputs]

    def show_on(self, event: Callable[..., Any]) -> Any:
        """Tokenize on `event`, and show the beginning; what was shown before goes where that fails."""
        told = self.form.told
        return self.ctx.wire(event, self._show, self.form.fields, self.outputs, told=told, failed=self._emptied())

    def _emptied(self) -> Updates:
        empty = {self.strip: _EMPTY, self.stages: _STAGES, self.offsets: _OFFSETS, self.trip: _TRIP}
        blank = dict.fromkeys((self.counts, self.legend, self.table), "")
        return {
            **{view: html.empty(words) for view, words in empty.items()},
            **blank,
            self.made: {},
            **self.pager.hidden(),
        }

    def wire(self) -> None:
        """Move the window."""
        fields = [self.pager.start, *self.form.fields]
        self.ctx.wire(self.pager.earlier.click, self._move(-WINDOW), fields, self.outputs, told=self.form.told)
        self.ctx.wire(self.pager.later.click, self._move(WINDOW), fields, self.outputs, told=self.form.told)
        jump = [self.pager.to, *self.form.fields]
        self.ctx.wire(self.pager.to.submit, self._jump, jump, self.outputs, told=self.form.told)

    def _move(self, by: int) -> Callable[..., Updates]:
        def move(visitor: Visitor, start: int, *values: Any) -> Updates:
            return self._show(visitor, *values, start=max(0, start + by))

        return move

    def _jump(self, visitor: Visitor, number: float | None, *values: Any) -> Updates:
        return self._show(visitor, *values, start=place_of(number))

    def _show(self, visitor: Visitor, *values: Any, start: int = 0) -> Updates:
        given = self.form.read(*values)
        given["options"] |= {"start": start, "count": WINDOW}
        seen = self.ctx.bench.tokens.tokenize(**given, visitor=visitor)
        if not seen["tokens"] and start:  # the text in the field has become shorter since
            return self._show(visitor, *values)
        return {
            self.strip: strip.linked(seen),
            self.counts: facts.counts_view(seen),
            self.legend: strip.legend(seen["legend"]),
            self.table: strip.token_table(seen["tokens"]),
            self.stages: stages_view(seen),
            self.offsets: offsets_view(seen),
            self.trip: facts.round_trip_view(seen["round_trip"], seen["model"]),
            self.ids: in_a_row(seen["tokens"]),
            self.made: _made(given, seen),
            **self.pager.show(start, len(seen["tokens"]), seen["counts"]["tokens"]),
        }


def place_of(number: float | None) -> int:
    """Where a window begins that a visitor asks for by a number from 1; the beginning for what is none."""
    return min(int(number) - 1, _FARTHEST) if number is not None and number >= 1 else 0


def _made(given: dict[str, Any], seen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the code of these views needs."""
    from_ = {**given, "model": seen["model"], "commit": seen["commit"], "fast": seen["fast"]}
    merged = [
        replay["word"]
        for stage in seen["stages"]
        for replay in stage.get("replays", [])
        if replay["algorithm"] == "bpe" and replay.get("steps")
    ]
    word = asked("merges", {**from_, "text": "", "word": merged[0]}) if merged else {}
    return asked("tokenize", from_) | asked("token_stages", from_) | word
