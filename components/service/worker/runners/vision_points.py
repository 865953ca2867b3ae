"""Keypoint matching: the points that two images of one scene share."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.runners.vision import ImageRunner
from components.service.worker.tensors import describe


class KeypointMatcher(ImageRunner):
    """Runs `KeypointMatchingPipeline`, with the sizes of the images as its image processor reads them.

    The pipeline of transformers 5.23 hands over (width, height) where (height, width) is read, so that it misplaces
    every point of an image that is not square.
    """

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"threshold": 0.0, **given}

    def read(self, item: Any) -> Any:
        if len(item) != 2:
            raise WorkbenchError(f"Two images are matched here, and {len(item)} were given.", field="inputs")
        return [self.read_image(one) for one in item]

    def preprocess(self, item: Any) -> Any:
        inputs = super().preprocess(item)
        return {**inputs, "target_sizes": [(height, width) for width, height in inputs["target_sizes"]]}

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": describe(outputs["model_outputs"]),
            "note": f"{type(self.loaded.model).__name__} finds points in both images, places from 0 to 1, and for each "
            "the number of its partner in the other image, or -1.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        least = self.parameters["threshold"]
        return {
            "tensors": [],
            "note": f"{len(output)} pairs score more than {least:g}; their places are in pixels now.",
        }
