"""Many inputs through a model together, with the results that each would have alone.

Inputs whose tensors have one shape are stacked, so nothing is padded: no position is moved, no attention mask has to be
trusted, models without a pad token are served too, and no time goes into padding. A pipeline's chunks are stacked
across its inputs.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

import numpy
import torch
from transformers.utils import ModelOutput

from components.service.errors import WorkbenchError
from components.service.worker.blame import told
from components.service.worker.runners.base import Runner

#: Tasks whose models read several inputs of one shape at once, and whose pipelines keep them apart.
STACKED = frozenset(
    (
        "text-classification",
        "token-classification",
        "fill-mask",
        "zero-shot-classification",
        "feature-extraction",
        "question-answering",
        "image-classification",
        "image-feature-extraction",
    )
)
#: Most chunks of one stack, and most tokens (or numbers, where it is no text) of its largest input: more of them bring
#: no speed on a processor.
STACK = 64
STACK_TOKENS = 4096
STACK_NUMBERS = 2_000_000
#: Most logits of a stack, where a model gives one for each entry of its vocabulary at each token.
STACK_LOGITS = 50_000_000
#: Inputs that are prepared at once, of which an image may take a megabyte.
GROUP = 64
#: Inputs that wait in memory for others of their shape, in numbers.
WAITING_NUMBERS = 50_000_000


@dataclass
class Row:
    """One input on its way.

    Attributes:
        number: Its place in the batch.
        item: The checked input.
        chunks: Its tensors; one entry where the pipeline does not work in chunks.
        made: What the model made of each chunk.
        output: The task's output.
        error: Why there is none.
        seconds: Its own time, and its share of the time of the stacks that it was in.
    """

    number: int
    item: Any
    chunks: list[Any] = field(default_factory=list)
    made: dict[int, Any] = field(default_factory=dict)
    output: Any = None
    error: WorkbenchError | None = None
    seconds: float = 0.0


#: One chunk: its row, and its place there.
Member = tuple[Row, int]


class attempt:
    """A block whose failure stays in its row, as the worker's boundary tells it; adds the block's time to the row's.

    What is no fault of a row goes on: memory has run out, or nobody waits any more.
    """

    def __init__(self, row: Row) -> None:
        self._row = row

    def __enter__(self) -> None:
        self._begun = time.perf_counter()

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        self._row.seconds += time.perf_counter() - self._begun
        if error is None:
            return False
        self._row.error = told("a row of a batch", error)
        return self._row.error.kind not in ("memory", "busy")


def run_rows(one: Runner, rows: Iterable[Row]) -> Iterator[Row]:
    """Run every row and yield each when it is done, in the order that is quickest.

    Raises:
        WorkbenchError: The time was up (`kind="timeout"`), or nobody waits any more.
    """
    if one.spec.name not in STACKED:
        yield from (alone(one, row) for row in rows)
        return
    waiting: list[Row] = []
    numbers = 0
    for group in _groups(rows):
        one.check_time()
        _prepare(one, group)
        yield from (row for row in group if row.error is not None)
        waiting += [row for row in group if row.error is None]
        numbers += sum(_numbers(chunk) for row in group for chunk in row.chunks)
        if numbers > WAITING_NUMBERS:
            yield from _run_waiting(one, waiting)
            waiting, numbers = [], 0
    yield from _run_waiting(one, waiting)


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while group := list(islice(source, GROUP)):
        yield group


def _prepare(one: Runner, group: list[Row]) -> None:
    """Make tensors of each input: of all at once where the task has a way, else of one after another."""
    together = Row(-1, None)
    with attempt(together):
        together.chunks = one.preprocess_all([row.item for row in group])
    for row, ready in zip_longest(group, together.chunks):
        row.seconds += together.seconds / len(group)
        with attempt(row):
            prepared = one.preprocess(row.item) if ready is None else ready
            row.chunks = prepared if one.chunked else [prepared]


def alone(one: Runner, row: Row) -> Row:
    """Run one row as a call for it would."""
    one.check_time()
    with attempt(row):
        row.output = one.run(row.item)
    return row


def _run_waiting(one: Runner, rows: list[Row]) -> Iterator[Row]:
    for stack in _stacks(one, rows):
        yield from _run_stack(one, stack)


def _stacks(one: Runner, rows: list[Row]) -> Iterator[list[Member]]:
    """Chunks of one shape, large ones first, so that a lack of memory shows at once."""
    alike: dict[tuple[Any, ...], list[Member]] = {}
    for row in rows:
        for place, chunk in enumerate(row.chunks):
            alike.setdefault(_shape(chunk), []).append((row, place))
    for members in sorted(alike.values(), key=lambda group: -_numbers(group[0][0].chunks[group[0][1]])):
        row, place = members[0]
        most = _most(one, row.chunks[place])
        yield from (members[start : start + most] for start in range(0, len(members), most))


def _run_stack(one: Runner, members: list[Member]) -> Iterator[Row]:
    """Run one stack; yield the rows that it completes."""
    one.check_time()
    members = [(row, place) for row, place in members if row.error is None and row.output is None]
    if not members:
        return
    trial = Row(-1, None)
    with attempt(trial):
        made = _forward(one, [row.chunks[place] for row, place in members])
    if trial.error is not None:  # whose fault it is shows when each runs alone
        yield from (alone(one, row) for row in {row.number: row for row, _ in members}.values())
        return
    for (row, place), outputs in zip(members, made, strict=True):
        row.made[place], row.chunks[place] = outputs, None
        row.seconds += trial.seconds / len(members)
        if len(row.made) == len(row.chunks):
            with attempt(row):
                parts = [row.made[place] for place in range(len(row.chunks))]
                row.output = one.postprocess(parts if one.chunked else parts[0])
            row.made = {}
            yield row


def _forward(one: Runner, chunks: list[Any]) -> list[Any]:
    """What the model makes of each chunk."""
    stacked = chunks[0]
    if len(chunks) > 1:
        stacked = {name: _stack([chunk[name] for chunk in chunks]) for name in chunks[0]}
    outputs = one.forward([stacked])[0] if one.chunked else one.forward(stacked)
    return [outputs] if len(chunks) == 1 else [part(outputs, place, len(chunks)) for place in range(len(chunks))]


def _stack(values: list[Any]) -> Any:
    """Tensors of shape (1, ...) as one of shape (batch, ...); of anything else a list."""
    return torch.cat(values) if isinstance(values[0], torch.Tensor) else values


def part(outputs: Any, place: int, count: int) -> Any:
    """What a stack's outputs hold of its entry `place`, in the form that those of a single input have.

    Raises:
        WorkbenchError: Something in there has not one entry for each of `count`.
    """
    if isinstance(outputs, Mapping):
        parts = {name: part(value, place, count) for name, value in outputs.items() if name != "past_key_values"}
        return type(outputs)(**parts) if isinstance(outputs, ModelOutput) else parts
    if isinstance(outputs, tuple):
        return tuple(part(value, place, count) for value in outputs)
    if isinstance(outputs, (torch.Tensor, numpy.ndarray)) and outputs.ndim and len(outputs) == count:
        return outputs[place : place + 1]
    if isinstance(outputs, list) and len(outputs) == count:
        return outputs[place]
    if outputs is None:
        return None
    raise WorkbenchError("The outputs of several inputs together cannot be told apart.", kind="code")


def _shape(chunk: Any) -> tuple[Any, ...]:
    """What chunks have in common that can be stacked."""
    return tuple(
        (name, tuple(value.shape), value.dtype) if isinstance(value, torch.Tensor) else (name,)
        for name, value in chunk.items()
    )


def _numbers(chunk: Any) -> int:
    return max((value.numel() for value in chunk.values() if isinstance(value, torch.Tensor)), default=1)


def _most(one: Runner, chunk: Any) -> int:
    """How many chunks like this one go together."""
    room = STACK_NUMBERS // max(1, _numbers(chunk))
    ids = chunk.get("input_ids")
    if isinstance(ids, torch.Tensor):
        room = STACK_TOKENS // max(1, ids.numel())
        if one.spec.output == "fills":
            room = min(room, STACK_LOGITS // (ids.numel() * one.loaded.model.config.get_text_config().vocab_size))
    return max(1, min(STACK, room))
