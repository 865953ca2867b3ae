"""Run a task: transformers' own pipeline, its three steps called one after another as its `run_single` does."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.worker.calls import Call
from components.service.worker.models import Loaded, context
from components.service.worker.tensors import describe, token_rows

#: The part of a call's time, from its begin, that work may take that can stop early; then it returns what it has.
TIME_SHARE = 0.8
#: The share of a text's tokens that may be unknown to the model before a note says so.
UNKNOWN_SHARE = 0.3


class Runner(ABC):
    """One call's way through the pipeline of one task.

    Attributes:
        parameters: The parameters as they were used, those of the model's own choice included.
        until: When what can stop early stops with what it has, on the monotonic clock.
        notes: Sentences about what was done differently from what was asked.
    """

    def __init__(self, call: Call, loaded: Loaded, parameters: dict[str, Any], until: float) -> None:
        self.call = call
        self.loaded = loaded
        self.parameters = parameters
        self.until = until
        self.notes: list[str] = []
        self.context = context(loaded)

    @abstractmethod
    def preprocess(self, item: Any) -> Any:
        """From a text to tensors."""

    @abstractmethod
    def forward(self, inputs: Any) -> Any:
        """From tensors to what the model makes of them."""

    @abstractmethod
    def postprocess(self, outputs: Any) -> Any:
        """From there to the task's output."""

    @abstractmethod
    def show_forward(self, inputs: dict[str, Any], outputs: Any) -> dict[str, Any]:
        """What a visitor sees of `forward`: tensors, a note, and what else helps."""

    @abstractmethod
    def show_postprocess(self, inputs: dict[str, Any], outputs: Any) -> dict[str, Any]:
        """What a visitor sees of `postprocess`."""

    def show_preprocess(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """What a visitor sees of `preprocess`."""
        return {
            "tensors": describe(inputs),
            "tokens": token_rows(self.loaded.tokenizer, inputs["input_ids"][0].tolist()),
            "note": "The tokenizer turns the text into ids: a batch of one sequence, shape (batch, sequence).",
        }

    def stages(self, item: Any) -> tuple[list[dict[str, Any]], Any]:
        """The three steps, each with its seconds and all that passes between them, and the output."""
        begun = time.perf_counter()
        inputs = self.preprocess(item)
        read = dict(inputs)  # a pipeline's forward may change what it is given
        prepared = time.perf_counter()
        outputs = self.forward(inputs)
        computed = time.perf_counter()
        output = self.postprocess(outputs)
        ended = time.perf_counter()
        return [
            {"name": "preprocess", "seconds": prepared - begun, **self.show_preprocess(read)},
            {"name": "forward", "seconds": computed - prepared, **self.show_forward(read, outputs)},
            {"name": "postprocess", "seconds": ended - computed, **self.show_postprocess(read, outputs)},
        ], output

    def run(self, item: Any) -> Any:
        """All three steps."""
        return self.postprocess(self.forward(self.preprocess(item)))

    def begin_list(self) -> None:  # noqa: B027 - most tasks have nothing to do
        """Called once before the texts of a list are run."""

    def steps(self, **given: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The pipeline's own arguments for its three steps, from its own reading of `given`."""
        pipe = self.loaded.pipe
        before, during, after = pipe._sanitize_parameters(**given)
        return (
            {**pipe._preprocess_params, **before},
            {**pipe._forward_params, **during},
            {**pipe._postprocess_params, **after},
        )

    def note_unknown(self, ids: list[int]) -> None:
        """Add a note if much of a text is unknown to the model; its special tokens do not count."""
        tokenizer = self.loaded.tokenizer
        special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
        if tokenizer.unk_token_id in (None, tokenizer.eos_token_id):
            return  # GPT-2 and its kin name their end token here, and know every byte
        own = [number for number in ids if number not in special]
        if own.count(tokenizer.unk_token_id) > UNKNOWN_SHARE * len(own):
            self.note(
                f"More than {100 * UNKNOWN_SHARE:.0f} % of a text's tokens are unknown to {self.loaded.name}, which "
                f"reads {tokenizer.unk_token} in their place: its answer says little about that text. Use a model that "
                "was trained on such texts."
            )

    def note(self, sentence: str) -> None:
        """Add a note, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def runner(
    call: Call, task: str, path: str, model: str, parameters: dict[str, Any], seconds: float
) -> tuple[Runner, float]:
    """What runs `task`, with its model loaded, and the seconds that loading took."""
    from components.service.worker.classify import Classifier
    from components.service.worker.generate import Generator

    kinds: dict[str, type[Runner]] = {"text-classification": Classifier, "text-generation": Generator}
    until = time.monotonic() + TIME_SHARE * seconds
    loaded, load_seconds = call.models.load(path, TASKS[task], model)
    return kinds[task](call, loaded, parameters, until), load_seconds


def facts(one: Runner, begun: float, load_seconds: float) -> dict[str, Any]:
    """How a result came about: time in seconds, device, number type, parameters as used, notes."""
    return {
        "seconds": time.perf_counter() - begun,
        "load_seconds": load_seconds,
        **one.loaded.facts(),
        "parameters": one.parameters,
        "notes": one.notes,
    }


def run_task(
    call: Call, *, task: str, path: str, model: str, inputs: Any, parameters: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """The output for one input, or a list of outputs for a list of inputs, one after another."""
    one, load_seconds = runner(call, task, path, model, parameters, seconds)
    begun = time.perf_counter()
    if not isinstance(inputs, list):
        return {"output": one.run(inputs), **facts(one, begun, load_seconds)}
    one.begin_list()
    outputs = []
    for number, item in enumerate(inputs, 1):
        try:
            outputs.append(one.run(item))
        except WorkbenchError as error:
            raise WorkbenchError(f"Text {number}: {error.message}", kind=error.kind, field=error.field) from None
    return {"output": outputs, **facts(one, begun, load_seconds)}
