"""Text generation: `generate` calls the model once for each new token."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from transformers import StoppingCriteria, StoppingCriteriaList

from components.service.errors import WorkbenchError
from components.service.tasks.generation import SAMPLING
from components.service.worker.calls import Call
from components.service.worker.runners.base import Runner
from components.service.worker.tensors import describe, token_rows

#: What `TextGenerationPipeline` takes where neither the caller nor the model says.
_PIPELINE_TEMPERATURE = 0.7
_NEXT_TOKENS = 10


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


class Generator(Runner):
    """Runs `TextGenerationPipeline`. Where tokens are drawn and no seed is given, one is made up and stated."""

    timed_out = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._asked = dict(self.parameters)
        self._draw = Draw(self.parameters.get("seed", 0))

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = dict(given)
        used.setdefault("max_new_tokens", 50)
        used.setdefault("return_full_text", True)
        used.setdefault("do_sample", any(name in given for name in SAMPLING))
        if used["do_sample"]:
            own = self.loaded.model.generation_config.to_diff_dict()
            used.setdefault("temperature", own.get("temperature", _PIPELINE_TEMPERATURE))
            used.setdefault("seed", secrets.randbelow(2**32))
        else:
            idle = [name for name in (*SAMPLING, "seed") if used.pop(name, None) is not None]
            if set(idle) - {"seed"}:
                self.note(f"{', '.join(idle)} had no effect: do_sample is off.")
        if used.get("num_return_sequences", 1) > 1 and not used["do_sample"]:
            used["num_beams"] = max(used.get("num_beams", 1), used["num_return_sequences"])
            self.note("Several continuations without sampling come from beam search with as many beams.")
        return used

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        named = {name: value for name, value in parameters.items() if name not in {"seed", "stop"}}
        if parameters.get("stop"):
            named["stop_sequence"] = parameters["stop"]
        return named

    def preprocess(self, item: Any) -> Any:
        with self.loaded.lock:
            inputs = self.loaded.pipe.preprocess(item, **self._before)
        self.note_unknown(inputs["input_ids"][0].tolist())
        self._fit(inputs["input_ids"].shape[-1])
        return inputs

    def _fit(self, length: int) -> None:
        """Leave no more new tokens than the model's context has room for after a prompt of `length` tokens."""
        if self.context is None:
            return
        room = self.context - length
        if room < 1:
            raise WorkbenchError(
                f"The prompt has {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}, "
                "its own new tokens included. Shorten the prompt.",
                field="inputs",
            )
        for name in ("max_new_tokens", "min_new_tokens"):
            if name in self._asked:
                self.parameters[name] = self._during[name] = min(self._asked[name], room)
        if room < self._asked["max_new_tokens"]:
            self.note(
                f"{self.loaded.name} reads at most {self.context:,} tokens: there was room for {room:,} new ones."
            )

    def forward(self, inputs: Any, watch: Callable[[torch.Tensor], None] | None = None) -> Any:
        enough = Enough(self.call, self.until, watch)
        with self._draw:
            outputs = self.loaded.pipe.forward(inputs, **self._during, stopping_criteria=StoppingCriteriaList([enough]))
        self.timed_out = enough.timed_out
        if enough.timed_out:
            self.note("The time for one call was up before all tokens were there: this is what there was.")
        return outputs

    def begin_list(self) -> None:
        self._draw.begin_list()

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        logits = self._next_logits(inputs)
        added = outputs["generated_sequence"].shape[-1] - inputs["input_ids"].shape[-1]
        return {
            "tensors": [*describe(outputs), *describe({"next_token_logits": logits})],
            "next_tokens": self._likeliest(logits),
            "note": f"Here forward is generate: it called {type(self.loaded.model).__name__} once for each of the "
            f"{added} new tokens, and chose each from its logits. The probabilities of the first new token are from "
            "one more pass over the prompt, before any sampling parameter is applied.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        added = outputs["generated_sequence"][0][:, inputs["input_ids"].shape[-1] :]
        return {
            "tensors": describe({"new_ids": added[0]}),
            "tokens": token_rows(self.loaded.tokenizer, added[0].tolist()),
            "note": "The tokenizer turns the new ids back into text, special tokens left out.",
        }

    def _next_logits(self, inputs: dict[str, Any]) -> torch.Tensor:
        """The logits after the prompt, shape (1, vocabulary)."""
        model = self.loaded.model
        read = {name: inputs[name].to(model.device) for name in ("input_ids", "attention_mask") if name in inputs}
        with torch.no_grad():
            logits: torch.Tensor = model(**read).logits[:, -1]
        return logits

    def _likeliest(self, logits: torch.Tensor) -> list[dict[str, Any]]:
        probabilities = logits[0].float().softmax(-1).cpu()
        best = probabilities.topk(min(_NEXT_TOKENS, probabilities.shape[-1]))
        rows = token_rows(self.loaded.tokenizer, best.indices.tolist())
        return [
            {**row, "probability": probability} for row, probability in zip(rows, best.values.tolist(), strict=True)
        ]
