"""Object detection: a box, a label and a score for each object."""

from __future__ import annotations

from typing import Any

from components.service.worker.runners.vision import ImageRunner

_SHOWN = 10
_HEADER = ["Label", "Score", "Left", "Top", "Right", "Bottom", "Returned"]


class Named(dict[str, Any]):
    """A model's outputs by key and by attribute, as image processors read them."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]


class Detector(ImageRunner):
    """Runs `ObjectDetectionPipeline`; boxes are in pixels of the image, as the model has them: also beyond its edge."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"threshold": 0.5, **given}

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        kind, number = type(self.loaded.model).__name__, outputs["logits"].shape[1]
        return {
            **shown,
            "note": f"{kind} always proposes {number} objects: logits for the labels of each, and a box as its middle, "
            "width and height, in parts of the image.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        proposed = self.loaded.pipe.postprocess(Named(outputs), threshold=0.0)
        return box_table(proposed, self.parameters["threshold"])


def box_table(proposed: list[dict[str, Any]], threshold: float) -> dict[str, Any]:
    """The best of all boxes that a model proposed, and whether they pass the threshold."""
    best = sorted(proposed, key=lambda row: -row["score"])
    rows = [
        [
            row["label"],
            f"{row['score']:.4f}",
            *(row["box"][edge] for edge in ("xmin", "ymin", "xmax", "ymax")),
            "yes" if row["score"] > threshold else "no",
        ]
        for row in best[:_SHOWN]
    ]
    return {
        "tensors": [],
        "table": {"header": _HEADER, "rows": rows},
        "note": f"Of {len(best)} boxes, those that score more than {threshold:g} are returned. These are the best "
        f"{len(rows)}, in pixels of the image.",
    }
