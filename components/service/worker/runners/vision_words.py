"""Tasks that look for what a text names in an image."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.runners.classify import score_stage
from components.service.worker.runners.vision import ImageRunner, pixel_note
from components.service.worker.runners.vision_boxes import box_table
from components.service.worker.tensors import describe, token_rows


class WordReader(ImageRunner):
    """Reads labels as texts too."""

    def check_labels(self, length: int) -> None:
        """Refuse labels of more tokens than the model reads."""
        if self.context is not None and length > self.context:
            raise WorkbenchError(
                f"A label has {length:,} tokens with all that is put around it, and {self.loaded.name} reads at most "
                f"{self.context:,}. Shorten the labels.",
                field="parameters.candidate_labels",
            )


class WordMatcher(WordReader):
    """Runs `ZeroShotImageClassificationPipeline`."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        self._function = "sigmoid" if "siglip" in self.loaded.model.config.model_type else "softmax"
        return {"hypothesis_template": "This is a photo of {}.", **given}

    def preprocess(self, item: Any) -> Any:
        inputs = super().preprocess(item)
        self.check_labels(inputs["text_inputs"][0]["input_ids"].shape[-1])
        return inputs

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        self.check_finite(outputs["logits"])
        return outputs

    def show_preprocess(self, inputs: Any) -> dict[str, Any]:
        shown = super().show_preprocess(inputs)
        texts = inputs["text_inputs"][0]
        mask = texts["attention_mask"][0].tolist() if "attention_mask" in texts else None
        return {**shown, "tokens": token_rows(self.loaded.tokenizer, texts["input_ids"][0].tolist(), mask)}

    def note_preprocess(self, inputs: Any) -> str:
        number = len(inputs["text_inputs"][0]["input_ids"])
        return (
            f"{pixel_note(inputs['pixel_values'], self.processor)} The tokenizer turns the sentences of all {number} "
            "labels into ids; the tokens of the first are shown."
        )

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": describe(outputs),
            "note": f"{type(self.loaded.model).__name__} turns the image and each sentence into a vector; a logit says "
            "how much alike the two are.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return score_stage(outputs["logits"][0], self._function, dict(enumerate(self.parameters["candidate_labels"])))


class WordDetector(WordReader):
    """Runs `ZeroShotObjectDetectionPipeline`, which reads the image anew for each label."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"threshold": 0.1, **given}

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in parameters.items() if name != "candidate_labels"}

    def read(self, item: Any) -> Any:
        return {"image": super().read(item), "candidate_labels": self.parameters["candidate_labels"]}

    def preprocess(self, item: Any) -> Any:
        chunks = super().preprocess(item)
        self.check_labels(max(one["input_ids"].shape[-1] for one in chunks))
        return chunks

    def note_preprocess(self, inputs: Any) -> str:
        return (
            f"{pixel_note(inputs[0]['pixel_values'], self.processor)} This pipeline works in chunks, one for each "
            f"label: here {len(inputs)}, and the first is shown."
        )

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return box_table(self.loaded.pipe.postprocess(outputs, threshold=0.0), self.parameters["threshold"])
