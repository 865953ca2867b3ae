"""Video classification: some frames of a video, and a logit for each label."""

from __future__ import annotations

from typing import Any

import numpy

from components.service.errors import WorkbenchError
from components.service.worker.media import read_video
from components.service.worker.runners.audio import MediaClassifier
from components.service.worker.runners.multimodal_writer import unfit


class VideoClassifier(MediaClassifier):
    """Runs `VideoClassificationPipeline` on the frames that it would choose, read within this app's limits."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        if self.loaded.pipe.image_processor is None:
            raise WorkbenchError(
                f"{self.loaded.name} reads videos with a video processor, which needs the Python package torchvision "
                "and is not supported here. Choose a model with an image processor, such as VideoMAE or TimeSformer.",
                field="model",
            )
        frames = getattr(self.loaded.model.config, "num_frames", None)
        if not isinstance(given.get("num_frames", frames), int):
            raise WorkbenchError(
                f"{self.loaded.name} does not say how many frames it looks at. Give num_frames.",
                field="parameters.num_frames",
            )
        return {"num_frames": frames, "frame_sampling_rate": 1, **super().resolve(given)}

    def preprocess(self, item: Any) -> Any:
        count, step = self.parameters["num_frames"], self.parameters["frame_sampling_rate"]
        wanted = numpy.linspace(0, count * step - 1, num=count, dtype=numpy.int64).tolist()
        video = read_video(item, wanted, self.call.settings)
        if len(video.frames) < count:
            raise WorkbenchError(
                f"The video ends after {len(video.frames)} of the {count} frames asked for, frame {wanted[-1] + 1} the "
                "last. Lower frame_sampling_rate or num_frames, or use a longer video.",
                field="parameters.frame_sampling_rate" if step > 1 else "inputs",
            )
        self._told = (
            f"{count} frames of the video, those from {video.times[0]:.2f} to {video.times[-1]:.2f} seconds, "
            "become numbers."
        )
        pipe = self.loaded.pipe
        with unfit(self):
            return pipe.image_processor(video.frames, return_tensors="pt").to(pipe.dtype)

    def note_preprocess(self, inputs: Any) -> str:  # noqa: ARG002
        return self._told
