"""Many inputs through a model together, with the results that each would have alone.

Inputs whose tensors have one shape are stacked as they are: no position is moved, no attention mask has to be trusted,
and models without a pad token are served too. Texts of nearly one length are padded to the longest of them where that
is quicker than a pass of their own (`padding`). A pipeline's chunks are stacked across its inputs.
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
from components.service.worker.padding import alike, may_pad, pad, unpad
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
#: Padding that costs less than another pass over the model, in tokens: its weights are read in the time of so many, and
#: its layers are called in the time of so many numbers by its parameters.
SPARE_TOKENS, SPARE_NUMBERS = 24, 50_000_000
#: Inputs that are prepared at once, of which an image may take a megabyte.
GROUP = 64
#: Inputs that wait in memory for others of their shape, in numbers.
WAITING_NUMBERS = 50_000_000


@dataclass
class Row:
    """One input on its way.

    Attributes:
        one: What runs it; rows that are run together may each have a runner of their own, with equal parameters.
        number: Its place in the batch.
        item: The checked input.
        chunks: Its tensors; one entry where the pipeline does not work in chunks.
        made: What the model made of each chunk.
        output: The task's output.
        error: Why there is none.
        seconds: Its own time, and its share of the time of the stacks that it was in.
    """

    one: Runner
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


def run_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Run every row, all of one task and model, and yield each when it is done, in the order that is quickest.

    Raises:
        WorkbenchError: The time was up (`kind="timeout"`), or nobody waits any more.
    """
    waiting: list[Row] = []
    numbers = 0
    for group in _groups(rows):
        if group[0].one.spec.name not in STACKED:
            yield from map(alone, group)
            continue
        group[0].one.check_time()
        _prepare(group)
        yield from (row for row in group if row.error is not None)
        waiting += [row for row in group if row.error is None]
        numbers += sum(_numbers(chunk) for row in group for chunk in row.chunks)
        if numbers > WAITING_NUMBERS:
            yield from _run_waiting(waiting)
            waiting, numbers = [], 0
    yield from _run_waiting(waiting)


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while group := list(islice(source, GROUP)):
        yield group


def _prepare(group: list[Row]) -> None:
    """Make tensors of each input: of all at once where the task has a way, else of one after another."""
    one = group[0].one
    together = Row(one, -1, None)
    if all(row.one is one for row in group):  # else each runner takes its own notes
        with attempt(together):
            together.chunks = one.preprocess_all([row.item for row in group])
    for row, ready in zip_longest(group, together.chunks):
        row.seconds += together.seconds / len(group)
        with attempt(row):
            prepared = row.one.preprocess(row.item) if ready is None else ready
            row.chunks = prepared if one.chunked else [prepared]


def alone(row: Row) -> Row:
    """Run one row as a call for it would."""
    row.one.check_time()
    with attempt(row):
        row.output = row.one.run(row.item)
    return row


def _run_waiting(rows: list[Row]) -> Iterator[Row]:
    for stack in _stacks(rows):
        yield from _run_stack(stack)


def _stacks(rows: list[Row]) -> Iterator[list[Member]]:
    """Chunks that go together, large ones first, so that a lack of memory shows at once."""
    groups: dict[tuple[Any, ...], list[Member]] = {}
    for row in rows:
        for place, chunk in enumerate(row.chunks):
            groups.setdefault(_shape(chunk), []).append((row, place))
    for members in _joined(sorted(groups.values(), key=lambda group: -_numbers(_chunk(group[0])))):
        most = _most(members[0][0].one, _chunk(members[0]))
        yield from (members[start : start + most] for start in range(0, len(members), most))


def _joined(groups: list[list[Member]]) -> Iterator[list[Member]]:
    """Groups of one shape each, those in one whose padding costs less than a pass of their own."""
    stack: list[Member] = []
    for group in groups:
        if stack and not _may_join(stack[0], group):
            yield stack
            stack = []
        stack = stack + group
    if stack:
        yield stack


def _may_join(first: Member, group: list[Member]) -> bool:
    one, longest, chunk = first[0].one, _chunk(first), _chunk(group[0])
    if longest.keys() != chunk.keys() or not all(may_pad(one, each) for each in (longest, chunk)):
        return False
    spare = SPARE_TOKENS + SPARE_NUMBERS / one.loaded.model.num_parameters()
    return bool(len(group) * (longest["input_ids"].shape[1] - chunk["input_ids"].shape[1]) <= spare)


def _chunk(member: Member) -> Any:
    row, place = member
    return row.chunks[place]


def _run_stack(members: list[Member]) -> Iterator[Row]:
    """Run one stack; yield the rows that it completes."""
    members = [(row, place) for row, place in members if row.error is None and row.output is None]
    if not members:
        return
    trial = Row(members[0][0].one, -1, None)
    trial.one.check_time()
    with attempt(trial):
        made = _forward(trial.one, [_chunk(member) for member in members])
    if trial.error is not None:  # whose fault it is shows when each runs alone
        yield from map(alone, {row.number: row for row, _ in members}.values())
        return
    for (row, place), outputs in zip(members, made, strict=True):
        row.made[place], row.chunks[place] = outputs, None
        row.seconds += trial.seconds / len(members)
        if len(row.made) == len(row.chunks):
            with attempt(row):
                parts = [row.made[place] for place in range(len(row.chunks))]
                row.output = row.one.postprocess(parts if row.one.chunked else parts[0])
            row.made = {}
            yield row


def _forward(one: Runner, chunks: list[Any]) -> list[Any]:
    """What the model makes of each chunk, of which the first is the longest."""
    if len(chunks) == 1:
        return [_pass(one, chunks[0])]
    if _shape(chunks[0]) == _shape(chunks[-1]):
        return _pass_together(one, chunks)
    loaded, untried = one.loaded, one.loaded.takes_padding is None
    if untried:
        loaded.takes_padding = False  # until it is seen to
    made = _pass_together(one, pad(loaded, chunks))
    made = [unpad(one.spec.name, outputs, chunk) for outputs, chunk in zip(made, chunks, strict=True)]
    if untried:
        loaded.takes_padding = alike(made[-1], _pass(one, chunks[-1]))
    if not loaded.takes_padding:
        raise WorkbenchError("This model reads the padding of a text.", kind="code")
    return made


def _pass_together(one: Runner, chunks: list[Any]) -> list[Any]:
    outputs = _pass(one, {name: _stack([chunk[name] for chunk in chunks]) for name in chunks[0]})
    return [part(outputs, place, len(chunks)) for place in range(len(chunks))]


def _pass(one: Runner, chunk: Any) -> Any:
    """One pass through the model. A pipeline may change what it is given."""
    return one.forward([dict(chunk)])[0] if one.chunked else one.forward(dict(chunk))


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
