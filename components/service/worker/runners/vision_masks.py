"""Tasks that answer with masks."""

from __future__ import annotations

from typing import Any

import numpy

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.duplicates import without_duplicates
from components.service.worker.runners.vision import ImageRunner
from components.service.worker.tensors import png

#: In the order in which the pipeline chooses where nobody says.
_SUBTASKS = ("panoptic", "instance", "semantic")
#: Numbers of the masks that mask generation computes at once, in the size of the image: 400 MB.
_MASK_NUMBERS = 100_000_000
#: Masks that the model draws for each point.
_MASKS_A_POINT = 3


class MaskRunner(ImageRunner):
    """Gives `[{label, score, mask}]`, masks as black and white PNG in base64, as large as the image."""

    dense = True

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._shares: list[float] = []

    def rows(self, made: Any) -> list[dict[str, Any]]:
        """What the pipeline gives, as `[{label, score, mask}]`, masks still as images."""
        found: list[dict[str, Any]] = made
        return found

    def output(self, made: Any) -> Any:
        shown: list[dict[str, Any]] = []
        self._shares, room, rows = [], self.call.settings.media_bytes, self.rows(made)
        for row in rows:
            mask = png(row["mask"])
            room -= len(mask)
            if room < 0:
                self.note(f"Only the first {len(shown)} of {len(rows)} masks are given: together they are too large.")
                break
            self._shares.append(float(numpy.asarray(row["mask"]).astype(bool).mean()))
            shown.append({"label": row["label"], "score": row["score"], "mask": mask})
        return shown

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        rows = [
            [row["label"], "" if row["score"] is None else f"{row['score']:.4f}", f"{100 * share:.1f} %"]
            for row, share in zip(output, self._shares, strict=True)
        ]
        return {
            "tensors": [],
            "table": {"header": ["Mask", "Score", "Part of the image"], "rows": rows},
            "note": self.meaning(),
        }

    def meaning(self) -> str:
        """How the masks come about, in a sentence."""
        raise NotImplementedError


class Segmenter(MaskRunner):
    """Runs `ImageSegmentationPipeline`; the score of a semantic mask is None, as there."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        can = [one for one in _SUBTASKS if hasattr(self.processor, f"post_process_{one}_segmentation")]
        if not can:
            raise WorkbenchError(
                f"The image processor of {self.loaded.name} makes no masks. Choose another model.", field="model"
            )
        subtask = given.get("subtask", can[0])
        if subtask not in can:
            raise WorkbenchError(
                f"{self.loaded.name} cannot do {subtask} segmentation. It can do {', '.join(can)}.",
                field="parameters.subtask",
            )
        used = {**given, "subtask": subtask}
        idle = [name for name in used if name != "subtask"] if subtask == "semantic" else []
        if idle:
            self.note(f"{', '.join(idle)} had no effect: in semantic segmentation each pixel gets its likeliest label.")
        return {name: value for name, value in used.items() if name not in idle}

    def meaning(self) -> str:
        if self.parameters["subtask"] == "semantic":
            return "Each pixel gets the label with the highest logit; each label that occurs becomes a mask."
        return (
            "Each query of the model proposes a mask with a label; those that score over the threshold share the "
            "pixels among them."
        )


class MaskGenerator(MaskRunner):
    """Runs `MaskGenerationPipeline`; a mask's label is its number, since the model names nothing."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(self.processor, "generate_crop_boxes"):
            raise WorkbenchError(
                f"The image processor of {self.loaded.name} cannot cut an image into masks. Choose a SAM model.",
                field="model",
            )
        self.processor.post_process_for_mask_generation = without_duplicates
        return {"points_per_crop": 16, "points_per_batch": 64, **given}

    def preprocess(self, item: Any) -> Any:
        image = self.read(item)
        asked = self.parameters["points_per_batch"]
        most = max(1, _MASK_NUMBERS // (_MASKS_A_POINT * image.width * image.height))
        if most < asked:
            self.note(f"{most} points were computed at once, not {asked}: the image is large. The masks are the same.")
        chunks = []
        with blaming(self._unfit, field="model"):
            for chunk in self.loaded.pipe.preprocess(image, **self._before | {"points_per_batch": min(asked, most)}):
                self.check_time()
                chunks.append(chunk)
        return chunks

    def check_time(self) -> None:
        try:
            super().check_time()
        except WorkbenchError as error:
            if error.kind != "timeout":
                raise
            raise WorkbenchError(
                "The time for one call was up before the model was asked at every point. Ask at fewer points a side, "
                "without further layers of parts, or use a smaller model.",
                kind="timeout",
                field="parameters.points_per_crop",
            ) from None

    def rows(self, made: Any) -> list[dict[str, Any]]:
        from PIL import Image

        scores = made["scores"].tolist()
        return [
            {"label": f"mask {number}", "score": score, "mask": Image.fromarray(mask.astype(numpy.uint8) * 255)}
            for number, (mask, score) in enumerate(zip(made["masks"], scores, strict=True), 1)
        ]

    def note_preprocess(self, inputs: Any) -> str:
        points = sum(one["input_points"].shape[1] for one in inputs)
        return (
            "The model's image encoder has run already: its embedding of the image serves all points. A grid of "
            f"{points} points follows, in {len(inputs)} chunks, of which the first is shown."
        )

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        kept = sum(len(one["masks"]) for one in outputs)
        return {
            **shown,
            "note": f"{type(self.loaded.model).__name__} draws three masks around each point. Here the poor ones are "
            f"dropped already: {kept} are left of all {len(outputs)} chunks.",
        }

    def meaning(self) -> str:
        return "Of masks whose boxes overlap too much, only the best is kept."
