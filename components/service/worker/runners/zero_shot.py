"""Zero-shot classification: does the text entail a sentence made of each label?"""

from __future__ import annotations

import math
from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.runners.base import Runner
from components.service.worker.runners.limits import limited, note_cut, token_ids
from components.service.worker.tensors import describe


class ZeroShotClassifier(Runner):
    """Runs `ZeroShotClassificationPipeline`; its `{sequence, labels, scores}` become the Hub's `[{label, score}]`."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        labels = self.loaded.model.config.id2label
        if self.loaded.pipe.entailment_id == -1:
            shown = ", ".join(str(label) for label in list(labels.values())[:5])
            raise WorkbenchError(
                f"{self.loaded.name} was not trained on entailment: none of its labels ({shown}) is called "
                "entailment. Choose a zero-shot-classification model.",
                field="model",
            )
        tokenizer = self.loaded.tokenizer
        if tokenizer.pad_token is None and tokenizer.eos_token is None:
            raise WorkbenchError(
                f"The tokenizer of {self.loaded.name} has neither a padding nor an end token. Choose another model.",
                field="model",
            )
        return {"hypothesis_template": "This example is {}.", "multi_label": False, **given}

    def preprocess(self, item: Any) -> Any:
        with limited(self) as tokenizer:
            ids = token_ids(tokenizer, item)
            longest = max(len(token_ids(tokenizer, item, self._hypothesis(label))) for label in self._labels)
            chunks = list(self.loaded.pipe.preprocess(item, **self._before))
        self.note_unknown(ids)
        if self.context is not None and longest > self.context:
            self.parameters["max_length"] = self.context
            note_cut(self, longest, "With a label's sentence the text", "the end of the text was left out.")
        if self.context is not None and any(one["input_ids"].shape[-1] > self.context for one in chunks):
            raise WorkbenchError(
                f"A label's sentence alone has more than the {self.context:,} tokens that {self.loaded.name} reads. "
                "Shorten the labels.",
                field="parameters.candidate_labels",
            )
        return chunks

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        for one in outputs:
            self.check_finite(one["logits"])
        return outputs

    def output(self, made: Any) -> list[dict[str, Any]]:
        if not all(map(math.isfinite, made["scores"])):
            raise WorkbenchError(
                f"The logits of {self.loaded.name} are too large to become probabilities: its weights are broken. "
                "Choose another model.",
                field="model",
            )
        return [{"label": label, "score": score} for label, score in zip(made["labels"], made["scores"], strict=True)]

    @property
    def _labels(self) -> list[str]:
        labels: list[str] = self.parameters["candidate_labels"]
        return labels

    def _hypothesis(self, label: str) -> str:
        template: str = self.parameters["hypothesis_template"]
        return template.format(label)

    def note_preprocess(self, inputs: Any) -> str:
        return (
            f"Each label becomes a sentence, such as {self._hypothesis(self._labels[0])!r}. The text and that sentence "
            f"become the ids of a pair, once for each of {len(inputs)} labels; the first is shown."
        )

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        names = list(self.loaded.model.config.id2label.values())
        rows = [[one["candidate_label"], *one["logits"][0].float().tolist()] for one in outputs]
        return {
            "tensors": describe({"logits": outputs[0]["logits"]}),
            "table": {"header": ["Label", *map(str, names)], "rows": rows},
            "note": f"{type(self.loaded.model).__name__} was called {len(outputs)} times, once for each label: does "
            "the sentence follow from the text? One logit for each of its own labels says so.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        logits = {one["candidate_label"]: one["logits"][0, self.loaded.pipe.entailment_id].item() for one in outputs}
        alone = self.parameters["multi_label"] or len(outputs) == 1
        meaning = (
            "For each label by itself, softmax over entailment and contradiction gives its score; together they need "
            "not add up to 1."
            if alone
            else "softmax over the entailment logits of all labels gives scores that add up to 1."
        )
        return {
            "tensors": [],
            "scores": [{**one, "logit": logits[one["label"]]} for one in output],
            "note": meaning,
        }
