"""The result of a run: as it is being made, drawn, with how it came about; and the code that gives it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from components.service.visitor import Visitor
from components.tabs.context import Context, Updates, bring_back, bring_into_view
from components.tabs.labels import in_labels
from components.tabs.playground.asked import Asked
from components.tabs.playground.form import Form
from components.tabs.playground.link import write_link
from components.widgets import html
from components.widgets.outputs import in_words, shown
from components.widgets.script import script

_WAYS = [("With pipeline", "pipeline"), ("Step by step", "stages")]
_EMPTY = "Press Run. The first result takes a few seconds, while the model is loaded."
_FAILED = "There is no result. Why, and what to do, stands under Run."
_ELSEWHERE = "# The model ran at an inference provider. Run it on this machine to get code for that."
#: Seconds between two drawings of an answer that grows. Each costs the browser tens of milliseconds; at one for every
#: token of a quick model it falls behind, and Stop is not heard.
_PACE = 0.15
_ON, _OFF = gr.update(interactive=True), gr.update(interactive=False)
#: Opens the page at the link, which the server wrote into the field, and copies it where the browser allows.
_COPY = """(query) => { const link = window.location.origin + window.location.pathname + "?" + query;
    if (navigator.clipboard) navigator.clipboard.writeText(link).catch(() => {}); return link; }"""


class ResultPanel:
    """What Run gives. `last` holds the answer with its inputs, for the code, the card and the link."""

    def __init__(self, ctx: Context, form: Form) -> None:
        self.ctx, self.form = ctx, form
        self.last = gr.State(None)
        self.result = gr.HTML(html.empty(_EMPTY), padding=False, elem_id="pg-result")
        self.ran = gr.HTML(padding=False, elem_id="pg-facts")

    def code_part(self) -> None:
        """Place the code, in a tab of its own."""
        self.way = gr.Radio(_WAYS, value=_WAYS[0][1], show_label=False, container=False, elem_id="pg-way")
        self.code = script("pg-code")

    def link_part(self) -> None:
        """Place the link to this view."""
        self.link = gr.Textbox(
            label="A link to this view",
            info="It fills the form as it is now, and is copied already where the browser allows.",
            interactive=False,
            max_lines=1,
            visible=False,
            elem_id="pg-link",
        )
        self.link_told = gr.HTML(padding=False)

    @property
    def cleared(self) -> Updates:
        """What another task leaves of a result."""
        return {self.result: html.empty(_EMPTY), self.ran: "", self.code: "", self.last: None, self.form.stop: _OFF}

    def wire(self, make_link: gr.Button) -> list[Any]:
        """Run, stop, code and link; gives the events that run."""
        ctx, form = self.ctx, self.form
        outputs = [self.result, self.ran, self.code, self.last, form.stop, form.inputs.history, form.inputs.text]
        bring_into_view(form.run.click, "pg-result")
        failed = {self.result: html.empty(_FAILED), self.ran: "", form.stop: _OFF}
        asked = [self.way, form.where, *form.fields]
        started = [
            ctx.wire(event, self._execute, asked, outputs, told=form.told, failed=failed)
            for event in (form.run.click, form.inputs.text.submit)
        ]
        stopped = html.notice("Stopped. What is shown is what there was by then.") + html.says("Stopped")
        form.stop.click(
            lambda: (_OFF, stopped),
            None,
            [form.stop, form.told],
            cancels=started,
            api_visibility="private",
            queue=False,
        )
        # What was asked of another task may not land under this one.
        form.task.change(None, cancels=started, api_visibility="private", queue=False)
        ctx.wire(self.way.input, self._show_code, [self.way, self.last], [self.code], told=form.told)
        written = ctx.wire(
            make_link.click,
            self._link,
            form.fields,
            [self.link, self.link_told],
            told=form.told,
            show_progress="hidden",
        )
        written.then(None, self.link, self.link, js=_COPY, api_visibility="private")
        form.inputs.fresh.click(
            lambda: ([], html.empty(_EMPTY), ""),
            None,
            [form.inputs.history, self.result, self.ran],
            api_visibility="private",
            queue=False,
        )
        for event in started:
            bring_back(event.then, "pg-told")
        return started

    def _execute(self, visitor: Visitor, way: str, where: str, *values: Any) -> Iterator[Updates]:
        asked = self.form.read(*values)
        running = html.empty("Running …") + html.says("The model runs")
        yield {self.result: running, self.ran: "", self.form.stop: _ON, self.code: ""}
        answer: dict[str, Any] = {}
        for state in paced(self._answers(asked, where, visitor)):
            if state is None:
                yield {}  # where nobody waits any more, the run ends here
                continue
            answer = state
            drawn = notes_of(answer) + shown(asked.spec, asked.inputs, answer)
            yield {self.result: drawn, self.ran: facts_of(answer)}
        done = {**answer, "inputs": asked.inputs}
        code = self._code_of(way, done)
        talked = self.form.inputs.said(_messages(asked.inputs, done["output"])) if _is_chat(asked) else {}
        ran = facts_of(answer) + html.says(in_words(done["output"]))
        yield {self.ran: ran, self.code: code, self.last: _kept(done), self.form.stop: _OFF, **talked}

    def _answers(self, asked: Asked, where: str, visitor: Visitor) -> Iterator[dict[str, Any] | None]:
        """The answer as it grows where the task streams, else None until it is there."""
        if where == "remote":
            name, model, inputs, parameters, _revision = asked.call
            return iter([self.ctx.bench.remote.run_task(name, model, inputs, parameters, visitor=visitor)])
        inference = self.ctx.bench.inference
        if asked.spec.streams:  # with several beams too: closing the stream is what stops the work
            return inference.stream_task(*asked.call, visitor=visitor)
        return inference.follow_task(*asked.call, visitor=visitor)

    def _show_code(self, _visitor: Visitor, way: str, done: dict[str, Any] | None) -> Updates:
        return {self.code: self._code_of(way, done) if done else ""}

    def _code_of(self, way: str, done: dict[str, Any]) -> str:
        return _ELSEWHERE if done.get("where") else self.ctx.bench.snippet(way, done)

    def _link(self, _visitor: Visitor, *values: Any) -> Updates:
        asked = self.form.read(*values)
        query, left_out = write_link(*asked.call)
        return {self.link: gr.update(value=query, visible=True), self.link_told: html.notice(left_out, "warning")}


def paced(answers: Iterator[dict[str, Any] | None]) -> Iterator[dict[str, Any] | None]:
    """Of an answer that grows the first state, the newest at each `_PACE`, and the last; None as it comes."""
    drawn, waiting = float("-inf"), None
    for answer in answers:
        if answer is None:
            yield None
            continue
        waiting = answer
        if time.monotonic() - drawn >= _PACE:
            yield answer
            drawn, waiting = time.monotonic(), None
    if waiting is not None:
        yield waiting


def facts_of(answer: dict[str, Any]) -> str:
    """How a result came about."""
    tokens, seconds = answer.get("tokens"), answer.get("seconds")
    pairs = [
        ("Model", answer.get("model")),
        ("Time", html.duration(seconds)),
        ("Loading", html.duration(answer.get("load_seconds")) if answer.get("load_seconds") else None),
        ("First token", html.duration(answer.get("first_token_seconds"))),
        ("Tokens", tokens),
        ("Speed", f"{tokens / seconds:.0f} tokens/s" if tokens and seconds else None),
        ("Ran on", answer.get("where")),
        ("Device", answer.get("device")),
        ("Type", answer.get("dtype")),
        ("Commit", (answer.get("commit") or "")[:7]),
    ]
    return html.facts(pairs)


def notes_of(answer: dict[str, Any]) -> str:
    """What was done differently from what was asked: it stands over the result, where it is seen before the result."""
    return "".join(html.notice(in_labels(note), "warning") for note in answer.get("notes") or [])


def _is_chat(asked: Asked) -> bool:
    return asked.spec.inputs[0].kind == "chat" and isinstance(asked.inputs, list)


def _messages(asked: list[dict[str, Any]], output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A chat with the model's answer in it."""
    said = output[0]["generated_text"]
    return said if isinstance(said, list) else [*asked, {"role": "assistant", "content": said}]


def _kept(done: dict[str, Any]) -> dict[str, Any]:
    """The answer without what is large: the session keeps it for the code and the card."""
    output = done.get("output")
    small = not isinstance(output, str | list | dict) or len(str(output)[:200_001]) <= 200_000
    return done if small else {**done, "output": None}
