"""Images into classes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy import special
from transformers import AutoModelForImageClassification, ImageClassificationPipeline

from components.service.errors import WorkbenchError
from components.service.runs import metrics
from components.service.runs.families.base import Family, Prepared
from components.service.runs.families.grouped import Grouped, worst
from components.service.runs.families.remembering import RememberingTrainer
from components.service.runs.rows import Row, Rows
from components.service.settings import Settings
from components.service.worker.blame import blaming
from components.service.worker.media import content, open_image
from components.service.worker.processors import load_parts

#: Most pixels of an image that is opened here. Those of the data have been held to the limit of the app before.
PIXELS = Settings.image_pixels
#: Longer side, in pixels, of the small copies that are shown of the worst errors.
THUMBNAIL = 96


class ImageClassification(Family):
    """One label an image; cross entropy over the logits of an image classification head.

    An image is prepared as the model's own processor does it, each time it is read, and is not augmented: turning or
    mirroring would change what some pictures mean.
    """

    auto_class = AutoModelForImageClassification

    def processor(self, path: Path) -> Any:
        """What turns an image into pixel values."""
        return load_parts(path, self.spec.model, ImageClassificationPipeline)["image_processor"]

    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model with a head of as many outputs as there are labels; new weights where the shapes differ."""
        return self.load_head(path, labels, "single_label_classification")

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:  # noqa: ARG002
        """The encoded images; a batch is decoded when it is made, so that the memory holds no more than one."""
        ids = {label: i for i, label in enumerate(rows.labels)}
        train, validation, test = (
            [{"image": row["image"], "labels": ids[row["label"]]} for row in part]
            for part in (rows.train, rows.validation, rows.test)
        )
        size = getattr(processor, "crop_size", None) or getattr(processor, "size", None)
        facts = {
            "image_size": dict(size) if size else None,
            "most_pixels": self.most_pixels,
            "augmentation": "none",
            "average": "macro",
        }
        return Prepared(train, validation, test, _Collator(processor, self.spec.model), facts)

    def arguments(self) -> dict[str, Any]:
        """The examples hold images, which no model reads as they are."""
        return {"remove_unused_columns": False}

    def trainer(self, **options: Any) -> RememberingTrainer:
        """The Trainer, which keeps the logits alone."""
        return super().trainer(preprocess_logits_for_metrics=Grouped.reduced, **options)

    @staticmethod
    def metrics(prediction: Any) -> dict[str, float]:
        """Accuracy, and macro precision, recall and F1, each with its interval."""
        return metrics.single(prediction.label_ids.tolist(), prediction.predictions.argmax(-1).tolist())

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """For each `{"image": base64 or data URL}` the five likeliest labels with their probabilities.

        Raises:
            WorkbenchError: A sample is of another form, or no image.
        """
        pipe = ImageClassificationPipeline(model=model, image_processor=processor, device=model.device)
        return [pipe(_sample(one)) for one in samples]

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """What always answering the commonest label scores."""
        ids = {label: i for i, label in enumerate(rows.labels)}
        train, gold = ([ids[row["label"]] for row in part] for part in (rows.train, rows.validation))
        return {"majority": metrics.majority(train, gold, rows.labels)}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:
        """Per-class figures, confusion matrix, thresholds, and the worst errors with small copies of their images."""
        gold, logits = np.asarray(output.label_ids), np.asarray(output.predictions, dtype=float)
        losses = -np.take_along_axis(special.log_softmax(logits, -1), gold[:, None], -1)[:, 0]
        predicted = logits.argmax(-1)
        shown = [
            _told(rows.validation[i], rows.labels[predicted[i]], float(losses[i]))
            for i in worst(losses, predicted != gold)
        ]
        return {**metrics.details(gold, logits, rows.labels), "worst": shown}


class _Collator:
    """Opens and prepares the images of a batch: `pixel_values`, (batch, channels, height, width), and `labels`."""

    def __init__(self, processor: Any, name: str) -> None:
        self.processor = processor
        self.name = name

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        images = [open_image(io.BytesIO(example["image"]), PIXELS, "data") for example in examples]
        with blaming(
            f"The image processor of {self.name} does not bring images to one size. Choose another model.", "model"
        ):
            batch = self.processor(images=images, return_tensors="pt")
        return {**batch, "labels": torch.tensor([example["labels"] for example in examples])}


def _sample(sample: Any) -> Image.Image:
    text = sample.get("image") if isinstance(sample, dict) else None
    if not isinstance(text, str):
        raise WorkbenchError('A sample is {"image": the picture\'s bytes in base64}.', field="samples")
    return open_image(content({"data": text.rpartition("base64,")[2]}), PIXELS, "samples")


def _told(row: Row, answer: str, loss: float) -> dict[str, Any]:
    image = open_image(io.BytesIO(row["image"]), PIXELS, "data")
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    small = io.BytesIO()
    image.save(small, "JPEG")
    url = f"data:image/jpeg;base64,{base64.b64encode(small.getvalue()).decode()}"
    return {"input": {"image": url}, "gold": row["label"], "answer": answer, "loss": loss}
