"""Texts that several visitors have written by one model at the same time: each step serves all of them.

The passes are those of transformers' continuous batching, in which texts come and go between two steps. It knows no
seed of a text's own and only three of the processors that change logits, so each text's next token is chosen here, by
the processors, the criteria and the seed that `generate` itself prepared for it.
"""

from __future__ import annotations

import copy
import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    MaxLengthCriteria,
    PreTrainedModel,
    StoppingCriteriaList,
)
from transformers.generation.configuration_utils import ContinuousBatchingConfig
from transformers.generation.continuous_batching.cb_logits_processors import ContinuousBatchingLogitsProcessor
from transformers.generation.continuous_batching.utils import find_head_dim, find_num_key_value_heads

from components.service.worker.cores import ALL

_LOG = logging.getLogger(__name__)
#: Texts that are written at the same time, and most tokens of a pass, prompts included.
SEATS = 8
_PASS_TOKENS = 512
_PAGE = 32
#: Memory for what the model has read of all texts, in bytes, which the system gives out as it is filled; a text that
#: asks for more than its share is written alone.
_CACHE_BYTES = 512 * 1024**2
_POSITIONS = 4096
#: How far a logit may be from that of the text alone, in float32.
_RELATIVE, _ABSOLUTE = 1e-3, 1e-3
#: How often one who waits looks whether the passes go on, in seconds.
_LOOK_SECONDS = 1.0


@dataclass(eq=False)
class Seat:
    """One text on its way.

    Attributes:
        ids: Prompt and new tokens, shape (1, length).
        processors, criteria: As `generate` prepared them for this text.
        sample: Whether the token is drawn; else it is the likeliest.
        drawing: A block in which it is drawn from this text's seed.
    """

    ids: torch.Tensor
    processors: LogitsProcessorList
    criteria: StoppingCriteriaList
    sample: bool
    drawing: AbstractContextManager[Any]
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def choose(self, logits: torch.Tensor) -> int:
        """The next token, from logits of shape (1, vocabulary), as `generate` chooses it; notices the end."""
        try:
            # Each is called for itself: their list looks up how at every step, which takes as long as they do.
            scores = logits
            for processor in self.processors:
                scores = processor(self.ids, scores)
            if self.sample:
                with self.drawing:
                    chosen = torch.multinomial(scores.softmax(-1), 1)
            else:
                chosen = scores.argmax(-1, keepdim=True)
            self.ids = torch.cat([self.ids, chosen], dim=-1)
            ended = [bool(criterion(self.ids, None).all()) for criterion in self.criteria]  # one tells of the step
            if any(ended):
                self.done.set()
            return int(chosen)
        except BaseException as error:  # noqa: BLE001 - it is this text's own, and told where the text is waited for
            self.error = error
            self.done.set()
            return 0


class _Choice(ContinuousBatchingLogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """Has each seat choose its token, and leaves the manager no other to take."""

    supported_kwargs: ClassVar[dict[str, type]] = {}
    ignored_kwargs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, seats: dict[str, Seat], leave: Callable[[str], None]) -> None:
        self._seats = seats
        self._leave = leave
        self._names: list[str] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        self._names = [request.state.request_id for request in requests_with_new_token]
        return torch.zeros(len(self._names), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        torch.set_num_threads(ALL)  # in the thread of the passes, which compute for everybody
        left = torch.full_like(scores, -torch.inf)
        for row, name in enumerate(self._names):
            seat = self._seats.get(name)
            if seat is None or seat.done.is_set():  # it has ended while this step was on its way
                left[row, 0] = 0
                continue
            left[row, seat.choose(scores[row : row + 1])] = 0
            if seat.done.is_set():
                self._leave(name)
        return left


class Table:
    """The texts that one model is writing.

    Raises:
        Exception: transformers does not serve this model so, or gives it other logits than it has alone.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        if model.config._attn_implementation != "sdpa":
            raise ValueError("continuous batching without flash attention asks for sdpa")
        self._seats: dict[str, Seat] = {}
        self._names = itertools.count()
        self._room = _room(model)
        asked = ContinuousBatchingConfig(
            page_size=_PAGE,
            num_blocks=self._room // _PAGE,
            max_batch_tokens=_PASS_TOKENS,
            max_requests_per_batch=SEATS,
            allow_block_sharing=False,
            use_cuda_graph=False,
            use_async_batching=False,
            auto_switch_to_flash=False,
        )
        # No end and no choice of its own: both are the seats'.
        config = GenerationConfig(do_sample=False, eos_token_id=-1, pad_token_id=0, max_new_tokens=None)
        self._manager = _twin(model).init_continuous_batching(config, asked)
        self._manager.output_router.deliver = self._failed
        processors = self._manager.logit_processor
        processors.logits_processor = LogitsProcessorList([_Choice(self._seats, self._manager.cancel_request)])
        processors.tensors_required, processors.do_processing = 1, True
        # The thread of the passes takes over from the one that starts it that it keeps no process alive.
        starter = threading.Thread(target=self._manager.start, daemon=True)
        starter.start()
        starter.join()
        try:
            _verify(self, model)
        except BaseException:
            self.close()
            raise

    def fits(self, length: int) -> bool:
        """Whether a text of so many tokens, the new ones included, has its share of the memory."""
        return length <= self._room // SEATS

    def write(self, seat: Seat) -> torch.Tensor:
        """Have the text written; gives all its ids, shape (1, length)."""
        name = str(next(self._names))
        self._seats[name] = seat
        try:
            self._manager.add_request(seat.ids[0].tolist(), request_id=name, max_new_tokens=None)
            while not seat.done.wait(_LOOK_SECONDS):
                if not self._manager.is_running():
                    raise RuntimeError("the passes have ended") from self._manager.background_thread_status.fatal_error
        finally:
            self._manager.cancel_request(name)
            del self._seats[name]
        if seat.error is not None:
            raise seat.error
        return seat.ids

    def close(self) -> None:
        """End the passes, once nobody's text is being written."""
        self._manager.stop(block=True)

    def _failed(self, output: Any) -> None:
        """What the manager could not go on with; it has nothing else to tell, since no text ends for it."""
        if (seat := self._seats.get(output.request_id)) is not None:
            seat.error = RuntimeError(output.error)
            seat.done.set()


class Writing:
    """How one model writes: a lone text by itself, as `generate` does; several at a time at a table of theirs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._writers = 0
        self._table: Table | None = None
        self._alone = False

    @contextmanager
    def join(self, model: PreTrainedModel) -> Iterator[Table | None]:
        """A block in which a text is written; gives the table, or None where it is written by itself."""
        with self._lock:
            self._writers += 1
            if self._writers > 1 and self._table is None and not self._alone:
                self._open(model)
            table = None if self._alone else self._table
        try:
            yield table
        finally:
            with self._lock:
                self._writers -= 1
                self._clear_away()

    def end(self) -> None:
        """The model is let go of: what is being written at the table is the last."""
        with self._lock:
            self._alone = True
            self._clear_away()

    def _open(self, model: PreTrainedModel) -> None:
        try:
            self._table = Table(model)
        except Exception as error:  # noqa: BLE001 - whatever keeps a model from it, each text can be written alone
            _LOG.warning("%s writes its texts one by one: %s", type(model).__name__, error)
            self._alone = True

    def _clear_away(self) -> None:
        if self._alone and self._writers == 0 and self._table is not None:
            self._table.close()
            self._table = None


def _twin(model: PreTrainedModel) -> PreTrainedModel:
    """The model once more, on the same weights, with a configuration of its own.

    For its passes continuous batching changes `is_causal` in the configuration, which a pass of another thread would
    take over.
    """
    weights = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    return copy.deepcopy(model, weights)


def _room(model: PreTrainedModel) -> int:
    """How many tokens of all texts are kept: as many as the model reads, for each seat, or what memory is for."""
    config = model.config.get_text_config()
    numbers = 2 * config.num_hidden_layers * find_num_key_value_heads(config) * find_head_dim(config)
    positions = getattr(config, "max_position_embeddings", None) or _POSITIONS
    most = min(SEATS * positions, _CACHE_BYTES // (numbers * model.dtype.itemsize))
    return _PAGE * max(SEATS, int(most // _PAGE))


class _Seen(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """Keeps the logits of each step."""

    def __init__(self) -> None:
        self.steps: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        self.steps.append(scores.clone())
        return scores


def _verify(table: Table, model: PreTrainedModel) -> None:
    """Have two texts of two tokens written at the table and hold the logits against those of each alone."""
    size = model.config.get_text_config().vocab_size
    prompts = [torch.arange(first, last, device=model.device)[None] % size for first, last in ((1, 4), (7, 13))]
    seats = [
        Seat(
            ids,
            LogitsProcessorList([_Seen()]),
            StoppingCriteriaList([MaxLengthCriteria(ids.shape[1] + 2)]),
            sample=False,
            drawing=nullcontext(),
        )
        for ids in prompts
    ]
    with ThreadPoolExecutor(len(seats)) as pool:
        written = list(pool.map(table.write, seats))
    for ids, seat in zip(written, seats, strict=True):
        with torch.inference_mode():
            alone = model(input_ids=ids[:, :-1]).logits[0, -2:].float()
        if not torch.allclose(torch.cat(seat.processors[0].steps), alone, _RELATIVE, _ABSOLUTE):
            raise ValueError("its logits differ from those of each text alone")
