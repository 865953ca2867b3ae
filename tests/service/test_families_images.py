"""Image classifiers: trained on colours, and what they answer about pictures of any kind."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from family_parts import Trained, answers, trained
from PIL import Image
from vision_models import image_classifier

from components.service.errors import WorkbenchError
from components.service.runs.rows import Rows


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return file.getvalue()


def painted(draw: np.random.Generator, colour: str, size: tuple[int, int] = (40, 50)) -> bytes:
    values = draw.integers(0, 60, (*size, 3))
    values[..., ("red", "green", "blue").index(colour)] += 150
    file = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def seen(models_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    draw = np.random.default_rng(0)
    colours = ["blue", "green", "red"]
    train, held, test = (
        [{"image": painted(draw, c, (20 + i, 60)), "label": c} for i in range(number) for c in colours]
        for number in (20, 6, 1)
    )
    held.append({"image": painted(draw, "red"), "label": "blue"})
    path = image_classifier(models_folder / "images")
    rows = Rows(train, held, test, colours, {})
    return trained(path, "image-classification", rows, tmp_path_factory.mktemp("images"), epochs=3, rate=3e-3)


def test_images_of_any_size_are_classified(seen: Trained) -> None:
    assert seen.final["accuracy"] == pytest.approx(18 / 19)
    assert seen.final["f1_low"] < seen.final["f1"] < seen.final["f1_high"]
    assert seen.data.facts == {
        "image_size": {"height": 32, "width": 32},
        "most_pixels": 50_000_000,
        "augmentation": "none",
        "average": "macro",
    }
    assert np.array(seen.details["confusion"]).sum() == 19
    assert seen.family.baselines(seen.rows)["majority"]["accuracy"] == pytest.approx(7 / 19)


def test_the_worst_error_is_shown_as_a_small_picture(seen: Trained) -> None:
    (worst,) = seen.details["worst"]
    assert (worst["gold"], worst["answer"]) == ("blue", "red")
    head, _, data = worst["input"]["image"].partition(",")
    assert head == "data:image/jpeg;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
    assert shown.size == (50, 40)
    assert np.asarray(shown).mean((0, 1)).argmax() == 0


def test_a_picture_is_named_whether_in_base64_or_as_a_data_url(seen: Trained) -> None:
    plain = base64.b64encode(painted(np.random.default_rng(9), "green")).decode()
    one, two = answers(seen, {"image": plain}, {"image": f"data:image/png;base64,{plain}"})
    assert one == two
    assert (one[0]["label"], one[0]["score"] > 0.5) == ("green", True)
    assert sum(entry["score"] for entry in one) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ({"picture": "x"}, "A sample is"),
        ("x", "A sample is"),
        ({"image": 7}, "A sample is"),
        ({"image": "http://127.0.0.1/x.png"}, "no file in base64"),
        ({"image": base64.b64encode(png(20_000, 20_000)).decode()}, "far too large"),
        ({"image": base64.b64encode(png(9_000, 9_000)).decode()}, "9000 × 9000 pixels"),
    ],
    ids=["object", "text", "number", "address", "bomb", "large"],
)
def test_a_sample_that_is_no_picture_or_an_address_is_refused(seen: Trained, sample: Any, message: str) -> None:
    with pytest.raises(WorkbenchError, match=message):
        seen.family.predict(seen.model, seen.processor, [sample])
