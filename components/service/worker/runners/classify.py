"""Text classification: logits for each label, turned into scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from components.service.worker.runners.base import Runner
from components.service.worker.tensors import describe

#: What each function does, in plain words.
MEANING = {
    "softmax": "softmax turns the logits into probabilities that add up to 1, one for each label.",
    "sigmoid": "sigmoid turns each logit into a probability of its own; together they need not add up to 1.",
    "none": "The logits are the scores as they are.",
}


class OwnLabels(Runner):
    """Gives a logit for each of the model's own labels, of which `function` makes scores.

    Attributes:
        function: `softmax`, `sigmoid` or `none`.
        looks: How the model looks at its input, in words.
    """

    function: str
    looks: str

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        self.check_finite(outputs["logits"])
        return outputs

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        kind = type(self.loaded.model).__name__
        told = f"{kind} {self.looks} and gives one logit for each label."
        return {**super().show_forward(inputs, outputs), "note": told}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return score_stage(outputs["logits"][0], self.function, self.loaded.model.config.id2label)


class Classifier(OwnLabels):
    """Runs `TextClassificationPipeline`; every label is returned where `top_k` does not say how many."""

    looks = "reads all ids at once"

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        self.function = given.get("function_to_apply") or own_function(self.loaded.model.config)
        return {"top_k": given.get("top_k"), "function_to_apply": self.function}

    def preprocess(self, item: Any) -> Any:
        with self.loaded.lock:
            inputs = self.loaded.pipe.preprocess(item, **self._before)
            self.note_unknown(inputs["input_ids"][0].tolist())
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

    def preprocess_all(self, items: list[Any]) -> list[Any]:
        """All texts in one call of the tokenizer, which has threads for that; pairs, and texts to be cut, are left."""
        if not all(isinstance(item, str) for item in items):
            return super().preprocess_all(items)
        with self.loaded.lock:
            encoded = self.loaded.tokenizer(items, **self._before)
        prepared: list[Any] = []
        for place, ids in enumerate(encoded["input_ids"]):
            fits = self.context is None or len(ids) <= self.context
            prepared.append({name: torch.tensor([encoded[name][place]]) for name in encoded} if fits else None)
            if fits:
                self.note_unknown(ids)
        return prepared


def score_stage(logits: torch.Tensor, function: str, labels: Mapping[int, str]) -> dict[str, Any]:
    """From logits, shape (labels,), to scores: the tensor, a row for each label, and what the function does."""
    logits = logits.float()
    scores = {"softmax": logits.softmax(-1), "sigmoid": logits.sigmoid(), "none": logits}[function]
    return {
        "tensors": describe({"scores": scores}),
        "scores": [
            {"label": labels[index], "logit": logit, "score": score}
            for index, (logit, score) in enumerate(zip(logits.tolist(), scores.tolist(), strict=True))
        ],
        "note": MEANING[function],
    }


def own_function(config: Any) -> str:
    """What the classification pipelines apply to a model's logits where nobody says."""
    if config.problem_type == "regression":
        return "none"
    if config.problem_type == "multi_label_classification" or config.num_labels == 1:
        return "sigmoid"
    return "softmax"
