"""Text classification: logits for each label, turned into scores."""

from __future__ import annotations

import time
from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.worker.calls import Call
from components.service.worker.models import Loaded
from components.service.worker.run import Runner
from components.service.worker.tensors import describe, token_rows

_MEANING = {
    "softmax": "softmax turns the logits into probabilities that add up to 1, one for each label.",
    "sigmoid": "sigmoid turns each logit into a probability of its own; together they need not add up to 1.",
    "none": "The logits are the scores as they are.",
}


class Classifier(Runner):
    """Runs `TextClassificationPipeline`; every label is returned where `top_k` does not say how many."""

    def __init__(self, call: Call, loaded: Loaded, parameters: dict[str, Any], seconds: float) -> None:
        super().__init__(call, loaded, parameters, seconds)
        self.function = parameters.get("function_to_apply") or _own_function(loaded.model.config)
        self.parameters = {"top_k": parameters.get("top_k"), "function_to_apply": self.function}
        self._before, self._during, self._after = self.steps(**self.parameters)

    def preprocess(self, item: Any) -> Any:
        with self.loaded.lock:
            inputs = self.loaded.pipe.preprocess(item, **self._before)
            length = inputs["input_ids"].shape[-1]
            if self.context is None or length <= self.context:
                return inputs
            self.note(
                f"The text has {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}: "
                "the rest was left out."
            )
            cut = {"truncation": True, "max_length": self.context}
            self.parameters |= cut
            return self.loaded.pipe.preprocess(item, **self._before, **cut)

    def forward(self, inputs: Any) -> Any:
        outputs = self.loaded.pipe.forward(inputs, **self._during)
        if not bool(torch.isfinite(outputs["logits"]).all()):
            raise WorkbenchError(
                f"The logits of {self.loaded.name} for this text are no finite numbers: its weights are broken. "
                "Choose another model.",
                field="model",
            )
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        return self.loaded.pipe.postprocess(outputs, **self._after)

    def stages(self, item: Any) -> tuple[list[dict[str, Any]], Any]:
        times = [time.perf_counter()]
        inputs = self.preprocess(item)
        times.append(time.perf_counter())
        read = dict(inputs)  # the pipeline's forward adds to what it is given
        outputs = self.forward(inputs)
        times.append(time.perf_counter())
        output = self.postprocess(outputs)
        times.append(time.perf_counter())
        seconds = [after - before for before, after in zip(times, times[1:], strict=False)]
        return [
            self._preprocessed(seconds[0], read),
            self._forwarded(seconds[1], outputs),
            self._postprocessed(seconds[2], outputs),
        ], output

    def _preprocessed(self, seconds: float, inputs: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": "preprocess",
            "seconds": seconds,
            "tensors": describe(inputs),
            "tokens": token_rows(self.loaded.tokenizer, inputs["input_ids"][0].tolist()),
            "note": "The tokenizer turns the text into ids: a batch of one sequence, shape (batch, sequence).",
        }

    def _forwarded(self, seconds: float, outputs: Any) -> dict[str, Any]:
        return {
            "name": "forward",
            "seconds": seconds,
            "tensors": describe(outputs),
            "note": f"{type(self.loaded.model).__name__} reads all ids at once and gives one logit for each label.",
        }

    def _postprocessed(self, seconds: float, outputs: Any) -> dict[str, Any]:
        logits = outputs["logits"][0].float()
        scores = {
            "softmax": lambda: logits.softmax(-1),
            "sigmoid": logits.sigmoid,
            "none": lambda: logits,
        }[self.function]()
        labels = self.loaded.model.config.id2label
        return {
            "name": "postprocess",
            "seconds": seconds,
            "tensors": describe({"scores": scores}),
            "scores": [
                {"label": labels[index], "logit": logit, "score": score}
                for index, (logit, score) in enumerate(zip(logits.tolist(), scores.tolist(), strict=True))
            ],
            "note": _MEANING[self.function],
        }


def _own_function(config: Any) -> str:
    """What `TextClassificationPipeline` applies to this model's logits where nobody says."""
    if config.problem_type == "regression":
        return "none"
    if config.problem_type == "multi_label_classification" or config.num_labels == 1:
        return "sigmoid"
    return "softmax"
