"""Image to image as a pipeline: an image in, a larger and sharper one out."""

from typing import Any

import numpy
from PIL import Image
from transformers import Pipeline
from transformers.image_utils import load_image


class ImageToImagePipeline(Pipeline):
    """Makes an image of an image, with a model such as Swin2SR, which enlarges it.

    `pipe(image)` gives an image, and takes no parameters.
    """

    _load_image_processor = True
    _load_processor = _load_tokenizer = _load_feature_extractor = _load_video_processor = False

    def _sanitize_parameters(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, {}, {}

    def preprocess(self, image: Any) -> dict[str, Any]:
        image = load_image(image)
        inputs = self.image_processor(images=[image], return_tensors="pt").to(self.dtype)
        return {"size": (image.height, image.width), "pixel_values": inputs["pixel_values"]}

    def _forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        outputs = self.model(inputs["pixel_values"])
        read = tuple(inputs["pixel_values"].shape[-2:])
        return {"size": inputs["size"], "read": read, "reconstruction": outputs.reconstruction}

    def postprocess(self, outputs: dict[str, Any]) -> Image.Image:
        colours = outputs["reconstruction"][0].float().clamp(0, 1).cpu().numpy()
        pixels = numpy.moveaxis((colours * 255).round().astype(numpy.uint8), 0, -1)
        # The image processor mirrored the image at its lower and right edge; that part is left out again.
        scale = pixels.shape[0] // outputs["read"][0]
        height, width = (side * scale for side in outputs["size"])
        return Image.fromarray(pixels[:height, :width])
