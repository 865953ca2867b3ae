"""The visitor's own inputs, which the model is shown before and after: in the form that the task takes."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from components.service.errors import WorkbenchError
from components.service.runs.tasks import TRAIN_TASKS
from components.service.tasks.media import SAMPLES
from components.tabs.context import Context, Updates
from components.tabs.finetune.examples import STARTS

#: By `TrainTask.sample`: the label of the lines, and whether there is a second field and what it is called.
_TITLES = {
    "text": "Your own texts, for before and after",
    "pair": "Your own texts, for before and after",
    "question": "Your own questions, for before and after",
    "image": "Your own pictures, for before and after",
}
_SECOND = {
    "pair": ("Second texts", "Where the data has pairs: one a line, as many as above."),
    "question": ("The text that is asked about", "It holds the answers."),
}
_PICTURES = [".png", ".jpg", ".jpeg", ".webp"]


class SampleForm:
    """One field of lines, a second one where the task reads two texts, and pictures."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        task = next(iter(TRAIN_TASKS))
        self.lines = gr.Textbox(
            label=_TITLES["text"], info="One a line.", value=STARTS[task].samples, lines=3, elem_id="ft-samples"
        )
        title, info = _SECOND["pair"]
        self.second = gr.Textbox(label=title, info=info, lines=2, visible=False, elem_id="ft-samples-second")
        self.pictures = gr.File(
            label=_TITLES["image"],
            file_count="multiple",
            file_types=_PICTURES,
            visible=False,
            height=120,
            elem_id="ft-samples-pictures",
        )

    @property
    def fields(self) -> list[Component]:
        """The fields whose values `read` takes, in order."""
        return [self.lines, self.second, self.pictures]

    def read(self, task: str, lines: str | None, second: str | None, pictures: list[str] | None) -> list[Any]:
        """The inputs as the service takes them."""
        kind = TRAIN_TASKS[task].sample
        texts = _lines(lines)
        if kind == "image":
            return [{"image": base64.b64encode(Path(path).read_bytes()).decode()} for path in pictures or []]
        if kind == "question" and texts:
            if not (second or "").strip():
                raise WorkbenchError("Write the text that your questions are asked about.", field="samples")
            return [{"question": text, "context": (second or "").strip()} for text in texts]
        others = _lines(second) if kind == "pair" else []
        if not others:
            return list(texts)
        if len(others) != len(texts):
            raise WorkbenchError("Write as many second texts as there are first ones, one a line.", field="samples")
        return [{"text": one, "text_pair": other} for one, other in zip(texts, others, strict=True)]

    def of_task(self, task: str) -> Updates:
        """The fields of a task, with inputs to begin with."""
        kind, start = TRAIN_TASKS[task].sample, STARTS[task]
        title, info = _SECOND.get(kind, _SECOND["pair"])
        return {
            self.lines: gr.update(visible=kind != "image", label=_TITLES[kind], value=start.samples),
            self.second: gr.update(visible=kind == "question", label=title, info=info, value=start.context),
            self.pictures: gr.update(visible=kind == "image", value=self._pictures(task)),
        }

    def _pictures(self, task: str) -> list[str] | None:
        own = STARTS[task].pictures if self.ctx.bench.settings.embedded else ()
        return [str(SAMPLES / name) for name in own] or None

    def pair(self, task: str, second_column: str | None) -> Updates:
        """A second field where the data has pairs."""
        if TRAIN_TASKS[task].sample != "pair":
            return {}
        return {self.second: gr.update(visible=True) if second_column else gr.update(visible=False, value="")}

    def fill(self, spec: dict[str, Any]) -> Updates:
        """The inputs of an earlier run; its pictures have to be chosen again."""
        updates = self.of_task(spec["task"])
        given = spec.get("samples") or []
        kind = TRAIN_TASKS[spec["task"]].sample
        if kind == "image":
            return {**updates, self.pictures: gr.update(visible=True, value=None)}
        if not given:
            return updates
        first, other = ("question", "context") if kind == "question" else ("text", "text_pair")
        objects = [one if isinstance(one, dict) else {first: one} for one in given]
        seconds = [one.get(other, "") for one in objects]
        updates[self.lines]["value"] = "\n".join(one.get(first, "") for one in objects)
        if any(seconds):
            shown = seconds[0] if kind == "question" else "\n".join(seconds)
            updates[self.second] |= {"visible": True, "value": shown}
        return updates


def _lines(typed: str | None) -> list[str]:
    return [line for line in (typed or "").splitlines() if line.strip()]
