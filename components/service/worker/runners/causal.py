"""Text generation: a decoder continues a prompt, or answers in a chat."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import LogitsProcessor
from transformers.utils.chat_template_utils import Chat

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.runners.generate import Generator
from components.service.worker.runners.shared import Seat, Table
from components.service.worker.tensors import describe


class TextGenerator(Generator):
    """Runs `TextGenerationPipeline`; a list of messages goes through the model's chat template.

    The output is `[{"generated_text": text}]`; of a chat it is the messages with the model's own after them.
    """

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"return_full_text": True, **super().resolve(given)}

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        named = {name: value for name, value in parameters.items() if name not in {"seed", "stop"}}
        if parameters.get("stop"):
            named["stop_sequence"] = parameters["stop"]
        return named

    def read(self, item: Any) -> Any:
        if isinstance(item, str):
            return item
        if self.loaded.tokenizer.chat_template is None:
            raise WorkbenchError(
                f"{self.loaded.name} has no chat template: it was not trained for chats. Give it a text to continue, "
                "or choose a model for chats.",
                field="inputs",
            )
        if not all(isinstance(message["content"], str) for message in item):
            raise WorkbenchError("The content of each message is a text here.", field="inputs")
        return Chat(item)

    def before(self, item: Any) -> str:
        if not self.parameters["return_full_text"]:
            return ""
        if isinstance(item, str):
            return item
        return str(item[-1]["content"]) if item[-1]["role"] == "assistant" else ""

    def begin(self, inputs: Any) -> int:
        return int(inputs["input_ids"].shape[-1])

    def written(self, outputs: Any) -> torch.Tensor:
        sequences: torch.Tensor = outputs["generated_sequence"][0]
        return sequences

    def preprocess(self, item: Any) -> Any:
        with blaming(f"The chat template of {self.loaded.name} failed on these messages.", field="inputs"):
            try:
                inputs = super().preprocess(item)
            except TemplateError as error:
                raise WorkbenchError(
                    f"The chat template of {self.loaded.name} refuses these messages: {str(error)[:200]}",
                    field="inputs",
                ) from error
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

    def forward(
        self,
        inputs: Any,
        watch: Callable[[torch.Tensor], None] | None = None,
        processors: Sequence[LogitsProcessor] = (),
    ) -> Any:
        loaded = self.loaded
        if not self._shares_steps():
            return super().forward(inputs, watch, processors)
        with loaded.writing.join(loaded.model) as table, self.stopping(watch, processors) as bounds:
            shared = {} if table is None else {"custom_generate": self._at(table)}
            return loaded.pipe.forward(inputs, **self._during, **bounds, **shared)

    def _shares_steps(self) -> bool:
        """Whether the text is one, of which a step gives one token."""
        mode = self.loaded.model.generation_config.get_generation_mode()
        beams = max(self.parameters.get(name, 1) for name in ("num_beams", "num_return_sequences"))
        return beams == 1 and not self.parameters.get("stop") and mode in ("sample", "greedy_search")

    def _at(self, table: Table) -> Callable[..., Any]:
        """The loop that `generate` calls where it would call its own."""

        def decode(
            model: Any,
            input_ids: Any,
            logits_processor: Any,
            stopping_criteria: Any,
            generation_config: Any,
            **rest: Any,
        ) -> Any:
            if generation_config.return_dict_in_generate or not table.fits(generation_config.max_length):
                given = (input_ids, logits_processor, stopping_criteria, generation_config)
                return model._sample(*given, **rest)
            draws = bool(generation_config.do_sample)
            return table.write(Seat(input_ids, logits_processor, stopping_criteria, draws, self._draw))

        return decode

    def for_generate(self, inputs: Any) -> dict[str, Any]:
        read = {name: inputs[name] for name in ("input_ids", "attention_mask") if name in inputs}
        pad = self.loaded.tokenizer.pad_token_id
        return {**read, **self._during, **({} if pad is None else {"pad_token_id": pad})}

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        logits = self._next_logits(inputs)
        added = outputs["generated_sequence"].shape[-1] - self.begin(inputs)
        return {
            "tensors": [*describe(outputs), *describe({"next_token_logits": logits})],
            "next_tokens": self.likeliest(logits[0]),
            "note": f"Here forward is generate: it called {type(self.loaded.model).__name__} once for each of the "
            f"{added} new tokens, and chose each from its logits. The probabilities of the first new token are from "
            "one more pass over the prompt, before any sampling parameter is applied.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        new = self.written(outputs)[0, self.begin(inputs) :]
        return {**self.show_new(outputs, self.begin(inputs)), "tensors": describe({"new_ids": new})}

    def _next_logits(self, inputs: dict[str, Any]) -> torch.Tensor:
        """The logits after the prompt, shape (1, vocabulary)."""
        model = self.loaded.model
        read = {name: inputs[name].to(model.device) for name in ("input_ids", "attention_mask") if name in inputs}
        with torch.no_grad():
            logits: torch.Tensor = model(**read).logits[:, -1]
        return logits
