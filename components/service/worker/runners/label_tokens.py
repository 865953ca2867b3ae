"""Token classification: a label for each token, joined into entities."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.runners.base import Runner
from components.service.worker.runners.limits import limited, note_cut, token_ids
from components.service.worker.tensors import describe

#: These look at whole words, which only the offsets of a fast tokenizer tell.
_BY_WORD = ("first", "average", "max")
_MEANING = {
    "none": "each token is an entity of its own",
    "simple": "neighbours with the same label become one entity",
    "first": "a word takes the label of its first token, and neighbours with the same label become one entity",
    "average": "the scores of a word's tokens are averaged, and neighbours with the same label become one entity",
    "max": "a word takes the label of its surest token, and neighbours with the same label become one entity",
}
_MOST_ROWS = 200


class TokenClassifier(Runner):
    """Runs `TokenClassificationPipeline`; entities are grouped, where nobody says otherwise."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = {"aggregation_strategy": "simple", **given}
        strategy, stride = used["aggregation_strategy"], used.get("stride")
        if not self.loaded.tokenizer.is_fast and (stride is not None or strategy in _BY_WORD):
            raise WorkbenchError(
                f"The tokenizer of {self.loaded.name} does not say where its tokens stand in the text, so "
                "aggregation_strategy can be none or simple only, and there is no stride. Change them.",
                field="parameters.aggregation_strategy" if strategy in _BY_WORD else "parameters.stride",
            )
        if stride is not None and strategy == "none":
            raise WorkbenchError(
                "With a stride, tokens are read twice and have to be joined: choose another aggregation_strategy "
                "than none.",
                field="parameters.aggregation_strategy",
            )
        room = None if self.context is None else self.context - self.loaded.tokenizer.num_special_tokens_to_add()
        if stride is not None and room is not None and stride >= room:
            raise WorkbenchError(
                f"The parameter stride must be under {room:,}, the tokens of a text that {self.loaded.name} reads at "
                "once.",
                field="parameters.stride",
            )
        return used

    def preprocess(self, item: Any) -> Any:
        with limited(self) as tokenizer:
            ids = token_ids(tokenizer, item)
            chunks = list(self.loaded.pipe.preprocess(item, **self._before))
        self.note_unknown(ids)
        if self.context is not None and len(ids) > self.context:
            self.parameters["max_length"] = self.context
            if "stride" not in self.parameters:
                note_cut(self, len(ids), then="the rest was left out. Give a stride to read all of it, in chunks.")
        return chunks

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        for one in outputs:
            self.check_finite(one["logits"])
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        with blaming(f"The labels in the config.json of {self.loaded.name} are not those of its weights.", "model"):
            entities = super().postprocess(outputs)
        if any(one["start"] is None for one in entities):
            self.note(
                f"The tokenizer of {self.loaded.name} does not say where its tokens stand: start and end are missing."
            )
        return entities

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        labels = self.loaded.model.config.id2label
        times = f" It was called {len(outputs)} times, once for each chunk." if len(outputs) > 1 else ""
        return {
            "tensors": describe({"logits": outputs[0]["logits"]}),
            "note": f"{type(self.loaded.model).__name__} gives each token one logit for each of {len(labels)} labels."
            + times,
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        first, labels = outputs[0], self.loaded.model.config.id2label
        scores = first["logits"][0].float().softmax(-1)
        best = scores.max(-1)
        tokens = self.loaded.tokenizer.convert_ids_to_tokens(first["input_ids"][0].tolist())
        read = zip(
            tokens, first["special_tokens_mask"][0].tolist(), best.indices.tolist(), best.values.tolist(), strict=True
        )
        rows = [[token, labels[index], score] for token, special, index, score in read if not special]
        ignored = self.parameters.get("ignore_labels", ["O"])
        return {
            "tensors": describe({"scores": scores}),
            "table": {"header": ["Token", "Label", "Score"], "rows": rows[:_MOST_ROWS]},
            "note": "softmax turns each token's logits into probabilities, and the likeliest label counts. Then "
            f"{_MEANING[self.parameters['aggregation_strategy']]}; {', '.join(ignored) or 'no label'} is left out.",
        }
