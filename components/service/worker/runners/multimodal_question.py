"""Visual question answering: an answer chosen among those that the model knows, or written by it."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.media import read_image
from components.service.worker.runners.multimodal_writer import Writer, unfit
from components.service.worker.tensors import describe

#: Types of model that answer one question about one image; others want a chat, or nothing but the image.
_TYPES = ("vilt", "blip", "blip-2", "git")


class Answerer(Writer):
    """Runs this project's `VisualQuestionAnsweringPipeline`; the output is `[{score, answer}]`."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        if self.loaded.model.config.model_type not in _TYPES:
            raise WorkbenchError(
                f"{self.loaded.name} is made for conversations about images. Run it with image-text-to-text, or choose "
                "a ViLT, BLIP or GIT model that was trained to answer questions.",
                field="model",
            )
        if not self.writes:
            used = {"top_k": 5, **given}
            self.without_effect(used, ("max_new_tokens",), "this model chooses among answers")
            return used
        used = dict(given)
        self.without_effect(used, ("top_k",), "this model writes one answer")
        most = self.loaded.pipe._prepare_generate_kwargs(used).get("max_new_tokens")
        return used if most is None else {**used, "max_new_tokens": most}

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {**parameters, "do_sample": False} if self.writes else parameters

    def read(self, item: Any) -> Any:
        return {**item, "image": read_image(item["image"], self.call.settings)}

    def preprocess(self, item: Any) -> Any:
        with unfit(self):
            inputs = super().preprocess(item)
        length = inputs["input_ids"].shape[-1]
        if self.context is not None and length > self.context:
            raise WorkbenchError(
                f"The question has {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}. "
                "Shorten it.",
                field="inputs.question",
            )
        return inputs

    def forward(self, inputs: Any) -> Any:
        bounds = self.bounded() if self.writes else {}
        with self._draw, unfit(self):
            outputs = self.loaded.pipe.forward(inputs, **self._during, **bounds)
        if self.writes:
            self.told()
        else:
            self.check_finite(outputs["logits"])
        return outputs

    def note_preprocess(self, inputs: Any) -> str:  # noqa: ARG002
        return "The question becomes ids, the image numbers of shape (batch, channels, height, width)."

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        if self.writes:
            return shown | {"note": "Here forward is generate: the model is called once for each token of the answer."}
        return shown | {
            "note": "The model reads question and image together and gives a logit for each answer it knows."
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        if self.writes:
            tokens = self.loaded.tokenizer.convert_ids_to_tokens(outputs["ids"].tolist())
            rows = [[token, float(score)] for token, score in zip(tokens, outputs["scores"], strict=True)]
            note = "The tokens become text. The answer's score is the product of its tokens' probabilities."
            return {"tensors": [], "table": {"header": ["Token", "Probability"], "rows": rows}, "note": note}
        logits = outputs["logits"][0].float()
        scores, labels = logits.sigmoid(), self.loaded.model.config.id2label
        best = scores.topk(min(20, len(scores))).indices.tolist()
        return {
            "tensors": describe({"scores": scores}),
            "scores": [
                {"label": labels[one], "logit": float(logits[one]), "score": float(scores[one])} for one in best
            ],
            "note": "sigmoid turns each logit into a probability of its own; several answers may be right.",
        }
