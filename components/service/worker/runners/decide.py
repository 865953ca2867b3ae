"""Decisions: the probability of each option of a question, read from one pass over the prompt."""

from __future__ import annotations

from typing import Any

from transformers.decision.template_utils import parse_questions

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.runners.base import Runner
from components.service.worker.tensors import describe, token_rows

_MOST_QUESTIONS = 20


class Decider(Runner):
    """Runs `DecisionPipeline`. Images are not taken: their addresses would be fetched."""

    def preprocess(self, item: Any) -> Any:
        questions = item["questions"]
        if isinstance(questions, dict) and len(questions) > _MOST_QUESTIONS:
            raise WorkbenchError(
                f"There are {len(questions)} questions; at most {_MOST_QUESTIONS} are answered in one call.",
                field="inputs.questions",
            )
        try:
            parse_questions(questions, self.loaded.pipe.decision_config)
        except ValueError as error:
            raise WorkbenchError(f"{error}", field="inputs.questions") from None
        with blaming(
            f"{self.loaded.name} has no chat template, or one that does not take this question. Choose a model that "
            "was trained to chat or to decide.",
            field="model",
        ):
            inputs = super().preprocess(item)
        for read, _ in inputs["prompts"]:
            self._check_length(read["input_ids"].shape[-1])
        return inputs

    def _check_length(self, length: int) -> None:
        if self.context is not None and length > self.context:
            raise WorkbenchError(
                f"With the question the situation has {length:,} tokens, and {self.loaded.name} reads at most "
                f"{self.context:,}. Shorten it.",
                field="inputs.state",
            )

    def forward(self, inputs: Any) -> Any:
        scores: list[Any] = []
        for prompt in inputs["prompts"]:
            self.check_time()
            with blaming(
                f"{self.loaded.name} cannot score these options: their labels are no single tokens for it, or it is of "
                "a kind that transformers' pipeline does not take. Choose another model.",
                field="model",
            ):
                scores += super().forward({"prompts": [prompt]})["scores"]
        for group in scores:
            for one in group:
                self.check_finite(one)
        return {"prompts": inputs["prompts"], "scores": scores}

    def show_preprocess(self, inputs: Any) -> dict[str, Any]:
        read, _ = inputs["prompts"][0]
        several = f" There are {len(inputs['prompts'])}, and the first is shown." if len(inputs["prompts"]) > 1 else ""
        return {
            "tensors": describe(read),
            "tokens": token_rows(self.loaded.tokenizer, read["input_ids"][0].tolist()),
            "note": "The situation and the question become a prompt that asks for the label of an option; marks say "
            f"after how many tokens that label is due.{several}",
        }

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        times = f" It was called {len(outputs['prompts'])} times." if len(outputs["prompts"]) > 1 else ""
        kept = (
            "its head scores each option at the mark"
            if hasattr(self.loaded.model, "decide")
            else "of the logits of the next token, those of the options' labels are kept"
        )
        return {
            "tensors": describe({"scores": outputs["scores"][0]}),
            "note": f"{type(self.loaded.model).__name__} writes nothing: it passes over the prompt once, and {kept}."
            f"{times}",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        _, questions = outputs["prompts"][0]
        first, logits = questions[0], outputs["scores"][0][0].float().reshape(-1)
        scores = logits.softmax(-1)
        rows = zip(first.options, first.labels, logits.tolist(), scores.tolist(), strict=True)
        return {
            "tensors": describe({"probabilities": scores}),
            "scores": [
                {"label": f"{label}: {option}", "logit": logit, "score": score} for option, label, logit, score in rows
            ],
            "note": f"softmax over the options of {first.name!r} turns their logits into probabilities.",
        }
