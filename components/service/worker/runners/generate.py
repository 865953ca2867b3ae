"""Tasks whose model writes one token after another: drawn from a seed, bounded, and stopped when asked."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from components.service.errors import WorkbenchError
from components.service.tasks.generation import SAMPLING
from components.service.worker.blame import blaming
from components.service.worker.calls import Call
from components.service.worker.runners.base import Runner, check_finite
from components.service.worker.tensors import token_rows

#: What `TextGenerationPipeline` takes where neither the caller nor the model says.
_PIPELINE_TEMPERATURE = 0.7
_NEXT_TOKENS = 10
#: Of these a model may not choose more than a visitor may: each costs memory as often as it is counted.
_COSTLY = ("num_beams", "num_return_sequences")
#: What a model's own settings say otherwise: lengths under other names, and whether tokens are drawn is the caller's.
_NOT_OWN = ("max_new_tokens", "min_new_tokens", "do_sample")


class Draw(TorchFunctionMode):
    """Inside, this thread's `torch.multinomial` draws from a generator of its own: the same seed draws the same
    tokens as `torch.manual_seed` would, and other threads' calls neither disturb it nor are disturbed."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed
        self._generators: dict[torch.device, torch.Generator] = {}

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if function is torch.multinomial and kwargs.get("generator") is None:
            if not bool(torch.isfinite(args[0]).all()):
                raise WorkbenchError(
                    "The model's probabilities are no finite numbers: its weights are broken, or the temperature is "
                    "too low for it. Raise the temperature or choose another model.",
                    field="model",
                )
            kwargs["generator"] = self._generator(args[0].device)
        return function(*args, **kwargs)

    def begin_list(self) -> None:
        """Draw one number, as the `DataLoader` does that a pipeline reads a list with."""
        torch.empty((), dtype=torch.int64).random_(generator=self._generator(torch.device("cpu")))

    def _generator(self, device: torch.device) -> torch.Generator:
        if device not in self._generators:
            self._generators[device] = torch.Generator(device).manual_seed(self._seed)
        return self._generators[device]


class Enough(StoppingCriteria):  # type: ignore[misc]  # transformers is not typed
    """Stops generating when nobody waits any more or the time is up; tells `watch` of each step before.

    Attributes:
        timed_out: Whether the time was up.
    """

    def __init__(self, call: Call, until: float, watch: Callable[[torch.Tensor], None] | None = None) -> None:
        self._call = call
        self._until = until
        self._watch = watch
        self.timed_out = False

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:  # noqa: ARG002
        if self._watch is not None:
            self._watch(input_ids)
        self.timed_out = self.timed_out or time.monotonic() > self._until
        stop = self.timed_out or self._call.cancelled.is_set()
        return torch.full((input_ids.shape[0],), stop, device=input_ids.device, dtype=torch.bool)


class Finite(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """Refuses to choose a token from logits that are broken; changes none."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:  # noqa: ARG002
        # A token that may not be chosen has minus infinity; a maximum that is no finite number is a defect.
        check_finite(scores.max(dim=-1).values, self._name)
        return scores


class Generator(Runner):
    """What all tasks that write text share. Where tokens are drawn and no seed is given, one is made up and stated.

    Attributes:
        key: Where the output has the text.
        timed_out: Whether the time was up before the text was complete.
    """

    key = "generated_text"
    timed_out = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._asked = dict(self.parameters)
        self._draw = Draw(self.parameters.get("seed", 0))

    # What a task's own runner overrides

    def own(self) -> dict[str, Any]:
        """The parameters of `generate` that the model's own files set."""
        return dict(self.loaded.model.generation_config.to_diff_dict())

    def new_tokens(self) -> int:
        """Most tokens to write where the caller does not say."""
        return 50

    def begin(self, inputs: Any) -> int:
        """How many ids stand before the new ones in what `generate` returns."""
        raise NotImplementedError

    def before(self, item: Any) -> str:  # noqa: ARG002
        """The text that the output has before the new one."""
        return ""

    def written(self, outputs: Any) -> torch.Tensor:
        """Every sequence that `generate` returned, shape (sequences, length)."""
        raise NotImplementedError

    def for_generate(self, inputs: Any) -> dict[str, Any]:
        """What `model.generate` is called with."""
        raise NotImplementedError

    # Shared

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = dict(given)
        with blaming(f"The generation settings of {self.loaded.name} are broken. Choose another model.", "model"):
            own = self.own()
        used.setdefault("max_new_tokens", min(self.new_tokens(), self.call.settings.new_tokens))
        if used.get("min_new_tokens", 0) > used["max_new_tokens"]:
            raise WorkbenchError(
                f"At least {used['min_new_tokens']} and at most {used['max_new_tokens']} new tokens cannot both be. "
                "Lower min_new_tokens or raise max_new_tokens.",
                field="parameters.min_new_tokens",
            )
        used.setdefault("do_sample", any(name in given for name in SAMPLING))
        self._resolve_sampling(used, own)
        self._resolve_own(used, own)
        if used.get("num_return_sequences", 1) > 1 and not used["do_sample"]:
            used["num_beams"] = max(used.get("num_beams", 1), used["num_return_sequences"])
            self.note("Several continuations without sampling come from beam search with as many beams.")
        if used.get("num_beams", 1) == 1:
            idle = [name for name in ("length_penalty", "early_stopping") if used.pop(name, None) is not None]
            if set(idle) & set(given):
                self.note(f"{', '.join(idle)} had no effect: there is no beam search with one beam.")
        return used

    def _resolve_sampling(self, used: dict[str, Any], own: dict[str, Any]) -> None:
        if used["do_sample"]:
            used.setdefault("temperature", own.get("temperature", _PIPELINE_TEMPERATURE))
            used.setdefault("seed", secrets.randbelow(2**32))
            return
        idle = [name for name in (*SAMPLING, "seed") if used.pop(name, None) is not None]
        if set(idle) - {"seed"}:
            self.note(f"{', '.join(idle)} had no effect: do_sample is off.")

    def _resolve_own(self, used: dict[str, Any], own: dict[str, Any]) -> None:
        """State what the model itself sets among the task's parameters."""
        idle = () if used["do_sample"] else SAMPLING
        for one in self.spec.parameters:
            value = own.get(one.name)
            if (
                value is None
                or one.name in (*_NOT_OWN, *idle)
                or one.name in used
                or one.type not in ("int", "float", "bool")
            ):
                continue
            most = one.highest(self.call.settings)
            if one.name in _COSTLY and most is not None and isinstance(value, int) and value > most:
                value = int(most)
                self.note(f"{self.loaded.name} asks for {own[one.name]:,} {one.name}; {value} were taken.")
            used[one.name] = value

    def preprocess(self, item: Any) -> Any:
        inputs = super().preprocess(item)
        self.note_unknown(inputs["input_ids"][0].tolist())
        return inputs

    def forward(
        self,
        inputs: Any,
        watch: Callable[[torch.Tensor], None] | None = None,
        processors: Sequence[LogitsProcessor] = (),
    ) -> Any:
        with self.stopping(watch, processors) as bounds:
            return self.loaded.pipe.forward(inputs, **self._during, **bounds)

    @contextmanager
    def stopping(
        self, watch: Callable[[torch.Tensor], None] | None = None, processors: Sequence[LogitsProcessor] = ()
    ) -> Iterator[dict[str, Any]]:
        """A block for `generate`, which draws from the seed in it; it gives the arguments that stop and check it.

        `processors` see the logits of each step before temperature and its kin change them.
        """
        enough = Enough(self.call, self.until, watch)
        told = (
            f"transformers could not generate with {self.loaded.name}: its generation settings, or the parameters "
            "given here, do not fit it. Change the parameters or choose another model."
        )
        # Where nothing is drawn, no call of torch is held up to look.
        with blaming(told, field="model"), self._draw if self.parameters["do_sample"] else nullcontext():
            yield {
                "stopping_criteria": StoppingCriteriaList([enough]),
                "logits_processor": LogitsProcessorList([*processors, Finite(self.loaded.name)]),
            }
        self.timed_out = enough.timed_out
        if enough.timed_out:
            self.note("The time for one call was up before all tokens were there: this is what there was.")

    def begin_list(self) -> None:
        self._draw.begin_list()

    def decode(self, ids: list[int]) -> str:
        """New ids as text, special tokens left out."""
        text: str = self.loaded.tokenizer.decode(
            ids,
            skip_special_tokens=True,
            clean_up_tokenization_spaces=self.parameters.get("clean_up_tokenization_spaces"),
        )
        return text

    def ends(self, number: int) -> bool:
        """Whether a token ends the text."""
        end = self.loaded.model.generation_config.eos_token_id
        return number in (end if isinstance(end, list) else [end])

    def likeliest(self, logits: torch.Tensor) -> list[dict[str, Any]]:
        """The rows of the ten likeliest tokens, each with its `probability`; `logits` has shape (vocabulary,)."""
        probabilities = logits.float().softmax(-1).cpu()
        best = probabilities.topk(min(_NEXT_TOKENS, probabilities.shape[-1]))
        rows = token_rows(self.loaded.tokenizer, best.indices.tolist())
        return [
            {**row, "probability": probability} for row, probability in zip(rows, best.values.tolist(), strict=True)
        ]

    def show_new(self, outputs: Any, begin: int) -> dict[str, Any]:
        """The new tokens of the first sequence, as `postprocess` reads them."""
        new = self.written(outputs)[0, begin:].tolist()
        return {
            "tensors": [],
            "tokens": token_rows(self.loaded.tokenizer, new),
            "note": "The tokenizer turns the new ids back into text, special tokens left out.",
        }
