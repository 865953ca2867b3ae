"""Tasks that look at one image: what they share, and those that give labels, vectors, depth or another image."""

from __future__ import annotations

from typing import Any

import numpy
import torch
from PIL import Image
from transformers.image_utils import SizeDict

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.runners.base import Runner
from components.service.worker.runners.classify import OwnLabels, own_function
from components.service.worker.tensors import flatten, plain

#: Longest side that an image processor may ask for, in pixels: its file is a stranger's.
_LONGEST_SIDE = 4096
#: Longest side of the picture that shows what the model sees, in pixels.
_SHOWN_SIDE = 384
#: Most numbers in the answer of feature extraction.
_MOST_NUMBERS = 500_000
#: Most numbers a side in `predicted_depth`.
_DEPTH_SIDE = 64


class ImageRunner(Runner):
    """A task that looks at images.

    A model whose image processor and weights do not fit each other is told so, as is one whose numbers are broken.
    """

    #: Whether the answer is as large as the image, so that a large image is made smaller first.
    dense = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._unfit = (
            f"{self.loaded.name} cannot be run on this image: it may be too small or too narrow, or the model's image "
            "processor, configuration and weights do not fit each other, or not this task. Choose another image or "
            "another model."
        )
        _check_sides(self.processor, self.loaded.name)

    @property
    def processor(self) -> Any:
        """What turns images into numbers."""
        return self.loaded.pipe.image_processor

    def read(self, item: Any) -> Any:
        image = self.read_image(item)
        most, pixels = self.call.settings.dense_pixels, image.width * image.height
        if not self.dense or pixels <= most:
            return image
        share = (most / pixels) ** 0.5
        size = (max(1, int(image.width * share)), max(1, int(image.height * share)))
        self.note(
            f"The image was made smaller first, from {image.width} × {image.height} to {size[0]} × {size[1]} pixels."
        )
        return image.resize(size)

    def preprocess(self, item: Any) -> Any:
        with blaming(self._unfit, field="model"):
            return super().preprocess(item)

    def forward(self, inputs: Any) -> Any:
        with blaming(self._unfit, field="model"):
            outputs = super().forward(inputs)
        self._check_numbers(outputs)
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        with blaming(self._unfit, field="model"):
            return super().postprocess(outputs)

    def show_preprocess(self, inputs: Any) -> dict[str, Any]:
        """Also `picture`: what the model sees, as PNG in base64."""
        shown = super().show_preprocess(inputs)
        pixels = self._pixels(inputs)
        picture = None if pixels is None else seen(pixels, self.processor)
        return shown if picture is None else {**shown, "picture": plain(picture)}

    def note_preprocess(self, inputs: Any) -> str:
        pixels = self._pixels(inputs)
        return "The image becomes numbers." if pixels is None else pixel_note(pixels, self.processor)

    def _pixels(self, inputs: Any) -> torch.Tensor | None:
        tensors = flatten(self.first(inputs))
        return next((tensor for name, tensor in tensors.items() if name.split(".")[-1] == "pixel_values"), None)

    def _check_numbers(self, outputs: Any) -> None:
        """Refuse to make an answer of what is no number. Infinity may mean something: no chance at all."""
        for tensor in flatten(outputs).values():
            if tensor.is_floating_point() and bool(tensor.isnan().any()):
                self.check_finite(tensor)


class ImageClassifier(OwnLabels, ImageRunner):
    """Runs `ImageClassificationPipeline`."""

    looks = "looks at the whole image"

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        self.function = given.get("function_to_apply") or own_function(self.loaded.model.config)
        return {"top_k": 5, **given, "function_to_apply": self.function}


class FeatureExtractor(ImageRunner):
    """Runs `ImageFeatureExtractionPipeline`. Gives (1, parts, hidden) numbers, or (1, hidden) with `pool`; of models
    that keep the image's rows and columns, (1, channels, rows, columns)."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("pool") and self.loaded.untrained:
            raise WorkbenchError(
                f"The files of {self.loaded.name} have no pooler: its weights would be random. Turn pool off, or "
                "choose another model.",
                field="parameters.pool",
            )
        return {"pool": False, **given}

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        if self.parameters["pool"] and "pooler_output" not in outputs:
            raise WorkbenchError(f"{self.loaded.name} has no pooler. Turn pool off.", field="parameters.pool")
        numbers = outputs["pooler_output"] if self.parameters["pool"] else outputs[0]
        if numbers.numel() > _MOST_NUMBERS:
            raise WorkbenchError(
                f"{self.loaded.name} gives {numbers.numel():,} numbers for an image, more than the "
                f"{_MOST_NUMBERS:,} that are shown here. Turn pool on, or choose another model.",
                field="model",
            )
        return outputs

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        kind = type(self.loaded.model).__name__
        return {**shown, "note": f"{kind} has no head: what it gives are the hidden states of its last layer."}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        if self.parameters["pool"]:
            return {"tensors": [], "note": "The pooler's vector is the answer: one for the whole image."}
        return {"tensors": [], "note": "The first tensor that the model gave is the answer, as nested lists."}


class DepthEstimator(ImageRunner):
    """Runs `DepthEstimationPipeline`. Of `predicted_depth`, which has a number for every pixel, at most 64 × 64 are
    given, evenly spaced; `depth` is the whole of it as a grey image. Whether near is light is up to the model: most
    give a nearness without unit, some a distance in metres."""

    dense = True

    def postprocess(self, outputs: Any) -> Any:
        with numpy.errstate(invalid="ignore", divide="ignore"):  # the same depth everywhere is 0 / 0
            return super().postprocess(outputs)

    def output(self, made: Any) -> Any:
        depth = made["predicted_depth"].squeeze()
        step = -(-max(depth.shape) // _DEPTH_SIDE)
        if step > 1:
            self.note(f"predicted_depth holds every {step}th number of every {step}th row; the image holds them all.")
        return {"predicted_depth": plain(depth[::step, ::step]), "depth": plain(made["depth"])}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": [],
            "note": "The numbers are brought to the size of the image: black is the smallest, white the largest.",
        }


class Enlarger(ImageRunner):
    """Runs the revived `ImageToImagePipeline`."""

    def read(self, item: Any) -> Any:
        image = self.read_image(item)
        most = self.call.settings.enlarge_pixels
        if image.width * image.height > most:
            raise WorkbenchError(
                f"The image has {image.width} × {image.height} pixels; at most {most:,} can be worked on here, such as "
                f"{int(most**0.5)} × {int(most**0.5)}. Cut a part out of it.",
                field="inputs",
            )
        return image

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": [],
            "note": "Numbers from 0 to 1 become colours from 0 to 255; what was added at the border is cut off.",
        }


def seen(pixels: torch.Tensor, processor: Any) -> Image.Image | None:
    """What a model sees, as a picture: the numbers with the processor's mean and spread taken out again.

    Args:
        pixels: Shape (..., channels, height, width); the first image is taken. With 1 or 3 channels.
    """
    image = pixels.reshape(-1, *pixels.shape[-3:])[0].float().cpu() if pixels.dim() >= 3 else pixels
    if image.dim() != 3 or image.shape[0] not in (1, 3) or not image.numel():
        return None
    mean, spread = (getattr(processor, name, None) for name in ("image_mean", "image_std"))
    if getattr(processor, "do_normalize", False) and mean and spread and len(mean) == len(spread) == image.shape[0]:
        image = image * torch.tensor(spread)[:, None, None] + torch.tensor(mean)[:, None, None]
    values = (image.nan_to_num().clamp(0, 1) * 255).round().byte().numpy()
    picture = Image.fromarray(values[0] if len(values) == 1 else values.transpose(1, 2, 0))
    picture.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    return picture


def pixel_note(pixels: torch.Tensor, processor: Any) -> str:
    """What the image processor did, in a sentence, from its own switches."""
    height, width = pixels.shape[-2:]
    channels = "one channel" if pixels.shape[-3] == 1 else f"{pixels.shape[-3]} channels"
    done = [
        word
        for switch, word in (
            ("do_resize", "resized"),
            ("do_center_crop", "cropped to its middle"),
            ("do_pad", "padded at the border"),
            ("do_rescale", "scaled from 0 … 255 to 0 … 1"),
            ("do_normalize", "shifted and scaled by the mean and spread of the pictures that the model learned from"),
        )
        if getattr(processor, switch, False)
    ]
    steps = f": {', '.join(done)}" if done else ""
    return f"The image processor makes numbers of the image{steps}. It is {width} × {height} now, with {channels}."


def _check_sides(processor: Any, name: str) -> None:
    for part in ("size", "crop_size", "pad_size"):
        sizes = getattr(processor, part, None)
        sides = vars(sizes).values() if isinstance(sizes, SizeDict) else (sizes,)
        longest = max((side for side in sides if isinstance(side, (int, float))), default=0)
        if longest > _LONGEST_SIDE:
            raise WorkbenchError(
                f"The image processor of {name} asks for images of {longest:,} pixels a side, more than the "
                f"{_LONGEST_SIDE:,} allowed here. Choose another model.",
                field="model",
            )
