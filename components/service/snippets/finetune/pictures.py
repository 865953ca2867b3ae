"""Scripts for images into classes."""

from __future__ import annotations

import inspect

from components.service.settings import Settings
from components.service.snippets.finetune.inlined import inlined
from components.service.snippets.finetune.labels import chosen, figures, head, measures
from components.service.snippets.finetune.recipe import Plan, Recipe
from components.service.snippets.finetune.tables import format_of, has_images, of_texts
from components.service.worker.columns import label_name

_MODEL = "AutoModelForImageClassification"
_LABELLED = ["from collections.abc import Sequence", "from typing import Any"]


def image_classification(plan: Plan) -> Recipe:
    """A head whose outputs are classes; images are kept as they are encoded, and opened batch by batch."""
    columns = plan.spec["columns"]
    image, label = columns.get("image", "image"), columns.get("label", "label")
    rows, imports = _reading(plan)
    most = plan.facts.get("most_pixels") or Settings.image_pixels
    formats, _ = inlined("components.service.worker.media", "FORMATS")
    scaled, _ = inlined("components.service.worker.media", "_eight_bits")
    return Recipe(
        metric=chosen(plan, ("f1", "accuracy", "precision", "recall", "loss")),
        columns={} if has_images(plan.spec["data"]) else {"IMAGE": image, "LABEL": label},
        rows=f"\n{formats}\n\n{_OPENS}{rows}",
        group='row["label"]',
        model=_PROCESSOR + head(_MODEL, "single"),
        inputs=f"\n{scaled.replace('numpy.', 'np.')}\n\n{_INPUTS}{figures(plan)}",
        names=("AutoImageProcessor", _MODEL),
        imports=(*imports, *measures(plan), "import io", "import numpy as np", "from PIL import Image, ImageOps"),
        constants={"MOST_PIXELS": most},
        grouped=False,
        lengths=None,
        processor="processor",
        arguments={"remove_unused_columns": False},
    )


def _reading(plan: Plan) -> tuple[str, list[str]]:
    """Defines `rows_of`."""
    data = plan.spec["data"]
    if has_images(data):
        return _rows("(FOLDER / name).read_bytes()", "labels.get(name)", each="name"), []
    image, label = "encoded(row[IMAGE])", "label_name(row[LABEL], names)"
    if of_texts(data):
        return _WRITTEN + _rows(image, "row[LABEL].strip()"), ["import base64"]
    named = f"\n\n{inspect.getsource(label_name)}\n"
    if "dataset" not in data and format_of(data) != "parquet":
        return _WRITTEN + named + _rows(image, label, _NAMES), ["import base64", *_LABELLED]
    # The bytes of an image are compared and kept, not its pixels.
    more = ["import datasets", "from pathlib import Path", *_LABELLED]
    return _ENCODED + named + _rows(image, label, _NAMES + _UNOPENED), more


def _rows(image: str, label: str, first: str = "", each: str = "row") -> str:
    return _ROWS.format(first=first, image=image, label=label, each=each)


_OPENS = '''
def opens(image):
    """Whether an encoded image is of a known format, not too large, and can be read to its end."""
    try:
        file = Image.open(io.BytesIO(image), formats=FORMATS)
        if file.width * file.height > MOST_PIXELS:
            return False
        file.load()
    except Exception:  # over a broken file Pillow raises errors of many kinds
        return False
    return True
'''

_WRITTEN = '''

def encoded(cell):
    """The image file that is written out in a cell: data:image/png;base64, and so on."""
    return base64.b64decode(str(cell).partition("base64,")[2])
'''

_ENCODED = '''

def encoded(cell):
    """The image file of a cell, or of the path in it."""
    if cell is None:
        return b""
    return cell["bytes"] or Path(cell["path"]).read_bytes()
'''

_NAMES = '    names = getattr(split.features[LABEL], "names", None) or []\n'

_UNOPENED = "    split = split.cast_column(IMAGE, datasets.Image(decode=False))\n"

_ROWS = '''

def rows_of(split):
    """The images that can be opened and have a label, each as its file."""
{first}    rows = [{{"image": {image}, "label": {label}}} for {each} in split]
    return [row for row in rows if row["label"] and opens(row["image"])]'''

_PROCESSOR = """processor = AutoImageProcessor.from_pretrained(MODEL, revision=REVISION)
set_seed(SEED)  # the new head's weights are drawn from it
"""

_INPUTS = '''
def opened(image):
    """An image in RGB, turned as its camera says."""
    return _eight_bits(ImageOps.exif_transpose(Image.open(io.BytesIO(image)))).convert("RGB")


def encode(rows):
    """Image and label of each row; an image is opened when its batch is made, since all would fill the memory."""
    return [{"image": row["image"], "labels": LABELS.index(row["label"])} for row in rows]


def collate(examples):
    """Pixel values as the model's processor makes them, (batch, channels, height, width), and labels."""
    batch = processor(images=[opened(example["image"]) for example in examples], return_tensors="pt")
    return {**batch, "labels": torch.tensor([example["labels"] for example in examples])}
'''
