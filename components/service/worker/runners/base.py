"""Run a task: its pipeline, the three steps called one after another as `run_single` does, and shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from transformers.pipelines.base import ChunkPipeline

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.worker.calls import Call
from components.service.worker.media import read_image
from components.service.worker.models import Loaded, context
from components.service.worker.tensors import describe, flatten, plain, token_rows

#: The share of a text's tokens that may be unknown to the model before a note says so.
UNKNOWN_SHARE = 0.3
#: A model is run a second time, to show its warm speed, where the first time took less than this, in seconds.
AGAIN_SECONDS = 2.0


class Runner:
    """One call's way through the pipeline of one task. A task's own runner overrides what is different there.

    Attributes:
        spec: The task.
        parameters: The parameters as they were used, those of the model's own choice included.
        until: When what can stop early stops with what it has, on the monotonic clock.
        notes: Sentences about what was done differently from what was asked.
        context: Most tokens that the model reads, or None where nothing says so.
    """

    def __init__(self, call: Call, loaded: Loaded, parameters: dict[str, Any], until: float) -> None:
        self.call = call
        self.loaded = loaded
        self.spec = TASKS[loaded.task]
        self.until = until
        self.notes: list[str] = [loaded.told] if loaded.told else []
        self.context = context(loaded)
        self._sizes: dict[int, list[int]] = {}
        self.parameters = self.resolve(parameters)
        self._before, self._during, self._after = self.steps(**self.arguments(self.parameters))

    # What a task's own runner may override

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        """The parameters that count, from those that were given."""
        return dict(given)

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters as the pipeline names them."""
        return parameters

    def read(self, item: Any) -> Any:
        """From a checked input to what the pipeline's `preprocess` takes."""
        return item

    def output(self, made: Any) -> Any:
        """From what the pipeline gives to the JSON of the Hub's task specification."""
        return plain(made)

    # The three steps

    @property
    def chunked(self) -> bool:
        """Whether the pipeline works in chunks: `preprocess` gives a list then, and `forward` takes one."""
        return isinstance(self.loaded.pipe, ChunkPipeline)

    def preprocess(self, item: Any) -> Any:
        """From an input to tensors."""
        read = self.read(item)
        with self.loaded.lock:
            prepared = self.loaded.pipe.preprocess(read, **self._before)
            return list(prepared) if self.chunked else prepared

    def preprocess_all(self, items: list[Any]) -> list[Any]:
        """What `preprocess` gives for each input, where a task has a quicker way for many; None for each to be
        prepared by itself."""
        return [None] * len(items)

    def forward(self, inputs: Any) -> Any:
        """From tensors to what the model makes of them."""
        if not self.chunked:
            return self.loaded.pipe.forward(inputs, **self._during)
        outputs = []
        for chunk in inputs:
            self.check_time()
            outputs.append(self.loaded.pipe.forward(chunk, **self._during))
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        """From there to the task's output."""
        return self.output(self.loaded.pipe.postprocess(outputs, **self._after))

    def run(self, item: Any) -> Any:
        """All three steps."""
        return self.postprocess(self.forward(self.preprocess(item)))

    def begin_list(self) -> None:
        """Called once before the inputs of a list are run."""

    def stated(self) -> dict[str, Any]:
        """What is stated of a result besides what all results state: here the sizes of its images."""
        return {"image_sizes": self.image_sizes} if self.image_sizes else {}

    # The steps, shown

    def stages(self, item: Any) -> tuple[list[dict[str, Any]], Any]:
        """The three steps, each with its seconds and all that passes between them, and the output."""
        begun = time.perf_counter()
        inputs = self.preprocess(item)
        prepared = time.perf_counter()
        read = _copy(inputs)  # a pipeline's forward may change what it is given
        started = time.perf_counter()
        outputs = self.forward(inputs)
        computed = time.perf_counter()
        left = _copy(outputs)
        ready = time.perf_counter()
        output = self.postprocess(outputs)
        ended = time.perf_counter()
        taken = (prepared - begun, computed - started, ended - ready)
        warm = self._again(item) if sum(taken) < AGAIN_SECONDS and not self.spec.generates else (None, None, None)
        shown = (self.show_preprocess(read), self.show_forward(read, left), self.show_postprocess(read, left, output))
        names = ("preprocess", "forward", "postprocess")
        return [
            {"name": name, "seconds": seconds, "warm_seconds": again, **parts}
            for name, seconds, again, parts in zip(names, taken, warm, shown, strict=True)
        ], output

    def _again(self, item: Any) -> tuple[float, float, float]:
        begun = time.perf_counter()
        inputs = self.preprocess(item)
        prepared = time.perf_counter()
        outputs = self.forward(inputs)
        computed = time.perf_counter()
        self.postprocess(outputs)
        return prepared - begun, computed - prepared, time.perf_counter() - computed

    def show_preprocess(self, inputs: Any) -> dict[str, Any]:
        """What a visitor sees of `preprocess`: tensors, a note, the tokens where there are any."""
        first = self.first(inputs)
        shown: dict[str, Any] = {"tensors": describe(first), "note": self.note_preprocess(inputs)}
        ids = flatten(first).get("input_ids")
        tokenizer = self.loaded.tokenizer
        if tokenizer is not None and isinstance(ids, torch.Tensor):
            mask = flatten(first).get("attention_mask")
            row = ids.reshape(-1, ids.shape[-1])[0].tolist()
            attention = mask.reshape(-1, mask.shape[-1])[0].tolist() if isinstance(mask, torch.Tensor) else None
            shown["tokens"] = token_rows(tokenizer, row, attention)
        return shown

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        """What a visitor sees of `forward`."""
        kind = type(self.loaded.model).__name__
        times = f" It was called {len(outputs)} times, once for each chunk." if self.chunked else ""
        return {"tensors": describe(self.first(outputs)), "note": f"{kind} computes from these tensors.{times}"}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        """What a visitor sees of `postprocess`."""
        return {"tensors": [], "note": "What the model computed becomes the answer."}

    def note_preprocess(self, inputs: Any) -> str:
        """The sentence under `preprocess`."""
        chunks = f" This pipeline works in chunks: here {len(inputs)}, and the first is shown." if self.chunked else ""
        if self.loaded.tokenizer is not None and "input_ids" in flatten(self.first(inputs)):
            return f"The tokenizer turns the text into ids: a batch of sequences, shape (batch, sequence).{chunks}"
        return f"The input becomes numbers in the shape that the model reads.{chunks}"

    def first(self, values: Any) -> Any:
        """The first chunk of a pipeline that works in chunks, else all there is."""
        return values[0] if self.chunked and values else values

    # Help

    @property
    def image_sizes(self) -> list[list[int]]:
        """Width and height of each image that was read, in pixels, in the order of the inputs."""
        return list(self._sizes.values())

    def read_image(self, value: Any) -> Image.Image:
        """An image input, opened; its size is kept for those who draw on it."""
        image = read_image(value, self.call.settings)
        self._sizes[id(value)] = list(image.size)
        return image

    def check_time(self) -> None:
        """Stop, between two chunks, where nobody waits any more or the time is up."""
        if self.call.cancelled.is_set():
            raise WorkbenchError("This was stopped.", kind="busy")
        if time.monotonic() > self.until:
            raise WorkbenchError(
                "The time for one call was up before the whole input was read. Use a shorter one, or a smaller model.",
                kind="timeout",
                field="inputs",
            )

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
        unknown = self._unknown
        if unknown is None or unknown not in ids:
            return
        tokenizer = self.loaded.tokenizer
        special = set(tokenizer.all_special_ids) - {unknown}
        own = [number for number in ids if number not in special]
        if own.count(unknown) > UNKNOWN_SHARE * len(own):
            self.note(
                f"More than {100 * UNKNOWN_SHARE:.0f} % of a text's tokens are unknown to {self.loaded.name}, which "
                f"reads {tokenizer.unk_token} in their place: its answer says little about that text. Use a model that "
                "was trained on such texts."
            )

    @cached_property
    def _unknown(self) -> int | None:
        """The id of what the tokenizer does not know; None where it knows all: GPT-2 and its kin name their end token
        here, and know every byte."""
        tokenizer = self.loaded.tokenizer
        unknown: int | None = tokenizer.unk_token_id
        return None if unknown == tokenizer.eos_token_id else unknown

    def check_finite(self, logits: torch.Tensor) -> None:
        """Refuse to make an answer of logits that are no finite numbers."""
        check_finite(logits, self.loaded.name)

    def note(self, sentence: str) -> None:
        """Add a note, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


def check_finite(logits: torch.Tensor, name: str) -> None:
    """Raise a `WorkbenchError` where logits of the model `name` are no finite numbers."""
    if not bool(torch.isfinite(logits).all()):
        raise WorkbenchError(
            f"The logits of {name} for this input are no finite numbers: its weights are broken. Choose another model.",
            field="model",
        )


def _copy(values: Any) -> Any:
    if isinstance(values, list):
        return [_copy(value) for value in values]
    return dict(values) if isinstance(values, Mapping) else values
