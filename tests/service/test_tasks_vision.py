"""Tasks that look at images: equal to the raw pipelines, seen from inside, written as Python, refused in sentences."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image
from task_checks import alike

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.tasks import TASKS
from components.service.tasks.media import SAMPLES, check_media
from components.service.tasks.vision import VISION_TASKS
from components.service.visitor import Visitor


def in_base64(image: Image.Image) -> str:
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return base64.b64encode(sink.getvalue()).decode()


CAT, STREET = {"sample": "cat.png"}, {"sample": "street.png"}
#: The cat's head, for the tasks whose work grows with the image.
SMALL = in_base64(Image.open(SAMPLES / "cat.png").convert("RGB").resize((80, 80)).crop((18, 2, 62, 32)))
VIEWS = [{"sample": "view-left.png"}, {"sample": "view-right.png"}]
WORDS = {"candidate_labels": ["cat", "house", "a small model"]}
#: Tiny models score little; the points of a small grid are enough.
POINTS = {"points_per_crop": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}

#: (task, model, inputs, parameters)
CASES = [
    ("image-classification", "image-classifier", CAT, {}),
    ("image-classification", "image-classifier", STREET, {"top_k": 2, "function_to_apply": "sigmoid"}),
    ("image-classification", "image-classifier", CAT, {"top_k": 9, "function_to_apply": "none"}),
    ("object-detection", "detector", STREET, {"threshold": 0.2}),
    ("object-detection", "detector", CAT, {"threshold": 1.0}),
    ("image-segmentation", "semantic", STREET, {}),
    ("image-segmentation", "panoptic", STREET, {"threshold": 0.1}),
    ("image-segmentation", "panoptic", CAT, {"subtask": "instance", "threshold": 0.1, "mask_threshold": 0.3}),
    ("image-segmentation", "panoptic", CAT, {"subtask": "semantic"}),
    ("image-segmentation", "panoptic", CAT, {"threshold": 0.1, "overlap_mask_area_threshold": 0.9}),
    ("depth-estimation", "depth", STREET, {}),
    ("mask-generation", "sam", SMALL, POINTS),
    ("mask-generation", "sam", SMALL, {**POINTS, "crops_n_layers": 1, "points_per_batch": 7, "crops_nms_thresh": 0.3}),
    ("zero-shot-image-classification", "clip", CAT, WORDS),
    ("zero-shot-image-classification", "clip", CAT, {**WORDS, "hypothesis_template": "{}!"}),
    ("zero-shot-object-detection", "owl", STREET, WORDS),
    ("zero-shot-object-detection", "owl", CAT, {**WORDS, "threshold": 0.6, "top_k": 2}),
    ("image-feature-extraction", "image-encoder", CAT, {}),
    ("image-feature-extraction", "image-encoder", CAT, {"pool": True}),
    ("image-feature-extraction", "image-classifier", CAT, {}),
    ("keypoint-matching", "keypoints", VIEWS, {}),
    ("keypoint-matching", "keypoints", VIEWS[::-1], {"threshold": 0.06}),
    ("image-to-image", "enlarger", SMALL, {}),
]
IDS = [f"{number}-{task}" for number, (task, *_) in enumerate(CASES)]


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    """`local/NAME`: the tiny models of this file."""
    from vision_models import MODELS

    for name, make in MODELS.items():
        make(models_folder / name)
    return models_folder


def picture(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def file_of(value: dict[str, str]) -> str:
    return str(SAMPLES / value["sample"])


def files_of(inputs: Any, folder: Path) -> dict[str, Path]:
    """The files of inputs under the names that a snippet gives them."""
    if isinstance(inputs, str):
        (folder / "image").write_bytes(base64.b64decode(inputs))
        return {"image": folder / "image"}
    files = inputs if isinstance(inputs, list) else [inputs]
    return {f"file{number}": Path(file_of(one)) for number, one in enumerate(files)}


# The same as the raw pipelines


@pytest.fixture(scope="module")
def raw(models: Path) -> Callable[..., Any]:
    """transformers' own pipeline, and what it gives in the form of the Hub's task specification."""
    from transformers import pipeline

    from components.service.worker.tensors import plain

    def call(task: str, model: str, inputs: Any, parameters: dict[str, Any]) -> Any:
        pipe = pipeline(task, model=str(models / model), device="cpu")
        files = [file_of(one) for one in inputs] if isinstance(inputs, list) else file_of(inputs)
        made = pipe(files, **parameters)
        if task == "depth-estimation":
            step = -(-max(made["predicted_depth"].shape) // 64)
            made["predicted_depth"] = made["predicted_depth"][::step, ::step]
        return plain(made)

    return call


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters"),
    [case for case in CASES if case[0] not in ("mask-generation", "keypoint-matching", "image-to-image")],
)
def test_a_result_is_the_raw_pipelines(
    run: Callable[..., Any], raw: Callable[..., Any], task: str, model: str, inputs: Any, parameters: dict[str, Any]
) -> None:
    result = run(task, model, inputs, parameters)
    assert result["output"] == raw(task, model, inputs, parameters)
    if task not in ("image-to-image", "keypoint-matching"):
        with Image.open(file_of(inputs)) as image:
            assert result["image_sizes"] == [list(image.size)]


def test_points_are_the_raw_pipelines_on_square_images(run: Callable[..., Any], models: Path, tmp_path: Path) -> None:
    from transformers import pipeline

    from components.service.worker.tensors import plain

    for name in ("view-left.png", "view-right.png"):
        with Image.open(SAMPLES / name) as image:
            image.resize((90, 90)).save(tmp_path / name)
    files = [str(tmp_path / "view-left.png"), str(tmp_path / "view-right.png")]
    result = run("keypoint-matching", "keypoints", [{"file": one} for one in files])
    assert len(result["output"]) > 3
    assert result["output"] == plain(pipeline("keypoint-matching", model=str(models / "keypoints"))(files))


def test_points_of_wide_images_lie_within_them(run: Callable[..., Any]) -> None:
    result = run("keypoint-matching", "keypoints", VIEWS)
    (width, height), _ = result["image_sizes"]
    assert (width, height) == (320, 240)
    for row in result["output"]:
        for key in ("keypoint_image_0", "keypoint_image_1"):
            assert 0 <= row[key]["x"] < width
            assert 0 <= row[key]["y"] < height
    assert max(row["keypoint_image_0"]["x"] for row in result["output"]) > height


def test_a_point_has_one_partner_at_most_and_the_surest_come_first(run: Callable[..., Any]) -> None:
    rows = run("keypoint-matching", "keypoints", VIEWS)["output"]
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    for key in ("keypoint_image_0", "keypoint_image_1"):
        assert len({(row[key]["x"], row[key]["y"]) for row in rows}) == len(rows)
    cut = run("keypoint-matching", "keypoints", VIEWS, {"threshold": scores[1]})["output"]
    assert cut == [row for row in rows if row["score"] > scores[1]]


def test_an_enlarged_image_is_what_the_model_draws_without_the_border(run: Callable[..., Any], models: Path) -> None:
    import torch
    from transformers import AutoModelForImageToImage

    image = picture(SMALL)
    result = run("image-to-image", "enlarger", SMALL)
    pixels = torch.from_numpy(numpy.asarray(image) / 255).float().permute(2, 0, 1)[None]
    # As the image processor pads: to the next multiple of 8, mirrored.
    padded = torch.from_numpy(numpy.pad(pixels.numpy(), ((0, 0), (0, 0), (0, 2), (0, 4)), mode="symmetric"))
    with torch.no_grad():
        drawn = AutoModelForImageToImage.from_pretrained(models / "enlarger")(padded).reconstruction[0]
    expected = (drawn.clamp(0, 1)[:, :60, :88] * 255).round().byte().permute(1, 2, 0).numpy()
    made = numpy.asarray(picture(result["output"]))
    assert made.shape == (60, 88, 3)
    assert numpy.abs(made.astype(int) - expected.astype(int)).max() <= 1


# Masks


def test_masks_around_points_are_named_by_number_the_best_first(run: Callable[..., Any]) -> None:
    all_of_them = run("mask-generation", "sam", SMALL, {**POINTS, "crops_nms_thresh": 1.0})["output"]
    rows = run("mask-generation", "sam", SMALL, {**POINTS, "crops_nms_thresh": 0.5})["output"]
    assert len(all_of_them) > len(rows) > 0
    assert rows[0]["mask"] == all_of_them[0]["mask"]
    scores = [row["score"] for row in all_of_them]
    assert scores == sorted(scores, reverse=True)
    assert [row["label"] for row in all_of_them[:2]] == ["mask 1", "mask 2"]
    mask = numpy.asarray(picture(rows[0]["mask"]))
    assert mask.shape == (30, 44)
    assert set(numpy.unique(mask)) == {0, 255}


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7, 1.0])
def test_duplicates_are_dropped_one_by_one_from_the_best_on(threshold: float) -> None:
    import torch

    from components.service.worker.duplicates import without_duplicates

    draw = torch.Generator().manual_seed(1)
    corners = torch.randint(0, 20, (30, 2), generator=draw)
    boxes = torch.cat([corners, corners + torch.randint(0, 12, (30, 2), generator=draw)], dim=1)
    scores = torch.rand(30, generator=draw)
    masks = [{"size": [2, 3], "counts": [number % 6, 6 - number % 6]} for number in range(30)]
    found, best, lengths, kept = without_duplicates(masks, scores, boxes, threshold)

    def shared(one: list[int], other: list[int]) -> float:
        wide, high = (max(0, min(one[i + 2], other[i + 2]) - max(one[i], other[i])) for i in (0, 1))
        areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
        return wide * high / (sum(areas) - wide * high) if sum(areas) else 0.0

    expected: list[int] = []
    for number in sorted(range(30), key=lambda number: -scores[number]):
        if all(shared(boxes[number].tolist(), boxes[other].tolist()) <= threshold for other in expected):
            expected.append(number)
    assert best.tolist() == scores[expected].tolist()
    assert kept.tolist() == boxes[expected].tolist()
    assert lengths == [masks[number] for number in expected]
    assert [int(mask.sum()) for mask in found] == [6 - number % 6 for number in expected]


def test_run_lengths_go_down_the_columns() -> None:
    from components.service.worker.duplicates import mask_of

    assert mask_of({"size": [2, 3], "counts": [1, 3, 2]}).astype(int).tolist() == [[0, 1, 0], [1, 1, 0]]
    assert mask_of({"size": [2, 2], "counts": [0, 4]}).all()


def test_a_large_image_is_made_smaller_before_it_is_answered_pixel_by_pixel(run: Callable[..., Any]) -> None:
    large = in_base64(Image.radial_gradient("L").resize((2000, 1440)))
    for task, model in (("image-segmentation", "semantic"), ("depth-estimation", "depth")):
        result = run(task, model, large)
        assert result["notes"][0] == "The image was made smaller first, from 2000 × 1440 to 1666 × 1200 pixels."
        made = result["output"][0]["mask"] if task == "image-segmentation" else result["output"]["depth"]
        assert picture(made).size == (1666, 1200)
    assert result["notes"][1] == "predicted_depth holds every 27th number of every 27th row; the image holds them all."
    assert len(result["output"]["predicted_depth"]) == 45


def test_thresholds_have_no_effect_on_kinds_of_things(run: Callable[..., Any]) -> None:
    result = run("image-segmentation", "semantic", CAT, {"threshold": 0.3, "mask_threshold": 0.2})
    assert result["notes"][0].startswith("threshold, mask_threshold had no effect")
    assert result["parameters"] == {"subtask": "semantic"}


# What passes between the steps


@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), CASES, ids=IDS)
def test_the_stages_lead_to_the_output(
    inference: Inference,
    visitor: Visitor,
    run: Callable[..., Any],
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    seen = inference.run_stages(task, f"local/{model}", inputs, parameters, visitor=visitor)
    whole = run(task, model, inputs, parameters)
    assert seen["output"] == whole["output"]
    assert seen.get("image_sizes") == whole["image_sizes"]
    before, during, after = seen["stages"]
    assert during["tensors"]
    assert all(stage["note"].endswith(".") for stage in (before, during, after))
    if task == "mask-generation":
        assert "image_embeddings" in [tensor["name"] for tensor in before["tensors"]]
    else:
        shape = next(tensor for tensor in before["tensors"] if tensor["name"].endswith("pixel_values"))["shape"]
        assert picture(before["picture"]).size == (shape[-1], shape[-2])
    if "table" in after:
        assert all(len(row) == len(after["table"]["header"]) for row in after["table"]["rows"])
    json.dumps(seen, allow_nan=False)


def test_what_the_model_sees_is_the_image_in_its_size(inference: Inference, visitor: Visitor) -> None:
    seen = inference.run_stages("image-classification", "local/image-classifier", CAT, visitor=visitor)
    shown = numpy.asarray(picture(seen["stages"][0]["picture"]), int)
    with Image.open(SAMPLES / "cat.png") as image:
        small = numpy.asarray(image.convert("RGB").resize((32, 32), Image.Resampling.BILINEAR), int)
    assert numpy.abs(shown - small).max() <= 1
    scores = seen["stages"][2]["scores"]
    assert {row["label"]: row["score"] for row in scores} == pytest.approx(
        {row["label"]: row["score"] for row in seen["output"]}
    )


def test_the_boxes_below_the_threshold_are_seen_too(inference: Inference, visitor: Visitor) -> None:
    seen = inference.run_stages("object-detection", "local/detector", STREET, {"threshold": 0.4}, visitor=visitor)
    rows = seen["stages"][2]["table"]["rows"]
    assert len(rows) == 6
    assert [row[-1] for row in rows].count("yes") == len(seen["output"])
    assert "no" in [row[-1] for row in rows]


def test_words_are_shown_as_tokens_beside_the_image(inference: Inference, visitor: Visitor) -> None:
    for task, model in (("zero-shot-image-classification", "clip"), ("zero-shot-object-detection", "owl")):
        seen = inference.run_stages(task, f"local/{model}", CAT, WORDS, visitor=visitor)
        tokens = seen["stages"][0]["tokens"]
        assert tokens[0]["token"] == "<start>"
        assert "cat" in "".join(token["text"].strip() for token in tokens)


# As Python


@pytest.mark.parametrize("view", ["pipeline", "stages"])
@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), CASES, ids=IDS)
def test_a_snippet_gives_what_was_shown(
    run: Callable[..., Any],
    run_snippet: Callable[..., Any],
    models: Path,
    tmp_path: Path,
    view: str,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    shown = run(task, model, inputs, parameters)
    asked = {**shown, "model": str(models / model), "commit": None, "inputs": inputs}
    code = snippet(view, asked, HUGGING_FACE)
    result = run_snippet(code, **files_of(inputs, tmp_path))
    assert alike(result, shown["output"], same_picture), code


def same_picture(one: str, other: str) -> bool:
    """Whether two texts are equal, or two pictures in base64 but for a little noise."""
    if len(one) <= 60:
        return one == other
    pixels = [numpy.asarray(picture(text), int) for text in (one, other)]
    return pixels[0].shape == pixels[1].shape and bool(numpy.abs(pixels[0] - pixels[1]).mean() < 1)


def test_a_snippet_of_several_images_names_them_all(run_snippet: Callable[..., Any], models: Path) -> None:
    asked = {
        "task": "zero-shot-object-detection",
        "model": str(models / "owl"),
        "inputs": [CAT, STREET],
        "parameters": WORDS,
    }
    result = run_snippet(
        snippet("pipeline", asked, HUGGING_FACE), cat=SAMPLES / "cat.png", street=SAMPLES / "street.png"
    )
    assert len(result) == 2
    base = {"task": "image-classification", "model": "a/b", "inputs": ["aGVsbG8=" * 1000, CAT]}
    assert 'pipe(["image", "cat.png"], top_k=5)' in snippet("pipeline", base, HUGGING_FACE)


# The registry


@pytest.mark.parametrize("spec", VISION_TASKS, ids=lambda spec: spec.name)
def test_every_example_is_a_sample_that_the_task_takes(spec: Any, settings: Settings) -> None:
    for number in range(len(spec.examples)):
        example = spec.example(number)
        for value in example.inputs if isinstance(example.inputs, list) else [example.inputs]:
            assert Path(check_media(value, "image", settings, "inputs")["path"]).is_file()
        spec.check_parameters(example.parameters, settings)


def test_ten_tasks_look_at_images() -> None:
    assert len(VISION_TASKS) == 10
    assert all(TASKS[spec.name] is spec for spec in VISION_TASKS)


# Refused in sentences


@pytest.fixture(scope="module")
def odd_models(models: Path) -> Path:
    """Models that do not do: of other parts, without a part, or broken."""
    import torch
    from safetensors.torch import load_file, save_file

    def changed(name: str, like: str, file: str, **values: Any) -> Path:
        shutil.copytree(models / like, models / name)
        path = models / name / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
        return models / name

    shutil.copytree(models / "image-classifier", models / "blind")
    (models / "blind" / "preprocessor_config.json").unlink()
    changed("vast", "image-classifier", "preprocessor_config.json", size={"height": 90_000, "width": 90_000})
    changed("misfit", "image-classifier", "preprocessor_config.json", size={"height": 64, "width": 64})
    changed("unheard", "image-classifier", "preprocessor_config.json", image_processor_type="MartianImageProcessor")
    changed("newer", "sam", "preprocessor_config.json", image_processor_type="Sam2ImageProcessor")
    timm = {"model_type": "timm_backbone", "backbone": "resnet50", "out_indices": [1, 2, 3, 4]}
    detr = {"architectures": ["DetrForObjectDetection"], "model_type": "detr", "backbone_config": timm}
    changed("timm", "detector", "config.json", **detr)
    broken = changed("nan-image", "image-classifier", "config.json") / "model.safetensors"
    weights = load_file(broken)
    save_file({name: torch.full_like(one, float("nan")) for name, one in weights.items()}, broken, {"format": "pt"})
    return models


@pytest.mark.parametrize(
    ("task", "model", "words"),
    [
        ("image-classification", "image-encoder", ["base model (ViTModel)", "no image classification head"]),
        ("image-classification", "detector", ["object-detection model", "run it with object-detection"]),
        ("object-detection", "image-classifier", ["image-classification model"]),
        ("image-classification", "blind", ["no preprocessor_config.json"]),
        ("image-classification", "vast", ["90,000 pixels a side"]),
        ("image-classification", "misfit", ["do not fit each other"]),
        ("image-classification", "nan-image", ["no finite numbers"]),
        ("image-feature-extraction", "clip", ["cannot be run on this image"]),
        ("image-classification", "unheard", ["image processor that could not be loaded"]),
        ("mask-generation", "newer", ["package torchvision, which is not installed"]),
        ("object-detection", "timm", ["package timm, which is not installed"]),
    ],
)
def test_a_model_that_does_not_do_is_refused(
    run: Callable[..., Any], odd_models: Path, task: str, model: str, words: list[str]
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, CAT)
    assert caught.value.field == "model", caught.value.message
    for word in words:
        assert word in caught.value.message
    assert str(odd_models) not in caught.value.message


def test_a_pooler_that_was_never_trained_is_not_used(run: Callable[..., Any]) -> None:
    with pytest.raises(WorkbenchError, match="have no pooler") as caught:
        run("image-feature-extraction", "image-classifier", CAT, {"pool": True})
    assert caught.value.field == "parameters.pool"


ZERO = "zero-shot-image-classification"


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "field", "words"),
    [
        ("image-classification", "image-classifier", None, {}, "inputs", "no image yet"),
        ("image-classification", "image-classifier", "http://127.0.0.1/cat.png", {}, "inputs", "not fetched"),
        ("image-classification", "image-classifier", "aGVsbG8=", {}, "inputs", "no image that can be opened"),
        ("image-classification", "image-classifier", [CAT, "aGVsbG8="], {}, "inputs", "no image that can be opened"),
        ("image-classification", "image-classifier", {"sample": "melody.ogg"}, {}, "inputs", "no image"),
        ("image-classification", "image-classifier", CAT, {"top_k": 0}, "parameters.top_k", "from 1 to 1000"),
        ("image-classification", "image-classifier", CAT, {"topk": 1}, "parameters.topk", "no parameter 'topk'"),
        ("object-detection", "detector", CAT, {"threshold": 1.5}, "parameters.threshold", "from 0 to 1"),
        ("image-segmentation", "semantic", CAT, {"subtask": "panoptic"}, "parameters.subtask", "can do semantic"),
        ("image-segmentation", "semantic", CAT, {"subtask": "all"}, "parameters.subtask", "must be one of"),
        ("depth-estimation", "depth", CAT, {"scale": 1}, "parameters.scale", "no parameter 'scale'"),
        ("mask-generation", "sam", CAT, {"points_per_batch": 0}, "parameters.points_per_batch", "from 1 to 256"),
        ("mask-generation", "sam", CAT, {"crops_n_layers": 9}, "parameters.crops_n_layers", "from 0 to 2"),
        (ZERO, "clip", CAT, {}, "parameters.candidate_labels", "needs candidate labels"),
        (ZERO, "clip", CAT, {"candidate_labels": []}, "parameters.candidate_labels", "from 1 to 100 entries"),
        (ZERO, "clip", CAT, {"candidate_labels": ["a " * 50]}, "parameters.candidate_labels", "at most 16"),
        (ZERO, "clip", CAT, {**WORDS, "hypothesis_template": "A photo"}, "parameters.hypothesis_template", "{} in it"),
        (ZERO, "clip", CAT, {**WORDS, "hypothesis_template": "{:>99999999}"}, "parameters.hypothesis_template", "{}"),
        (ZERO, "clip", CAT, {**WORDS, "hypothesis_template": "{0.__class__}"}, "parameters.hypothesis_template", "{}"),
        ("zero-shot-object-detection", "owl", CAT, {}, "parameters.candidate_labels", "needs candidate labels"),
        (
            "zero-shot-object-detection",
            "owl",
            CAT,
            {"candidate_labels": ["house " * 30]},
            "parameters.candidate_labels",
            "reads at most 16",
        ),
        ("keypoint-matching", "keypoints", CAT, {}, "inputs", "list of two"),
        ("keypoint-matching", "keypoints", [CAT], {}, "inputs", "list of two"),
        ("keypoint-matching", "keypoints", [CAT, CAT, CAT], {}, "inputs", "3 were given"),
        ("keypoint-matching", "keypoints", [CAT, "xy"], {}, "inputs", "no file in base64|no image"),
        ("image-to-image", "enlarger", {"sample": "invoice.png"}, {}, "inputs", "at most 262,144 can be worked on"),
        ("image-to-image", "enlarger", CAT, {"prompt": "a dog"}, "parameters.prompt", "no parameter 'prompt'"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_field(
    run: Callable[..., Any], task: str, model: str, inputs: Any, parameters: Any, field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, inputs, parameters)
    assert caught.value.field == field, caught.value.message
    assert any(one in caught.value.message for one in words.split("|")), caught.value.message


def test_too_many_points_end_in_a_sentence_when_the_time_is_up(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, models: Path
) -> None:
    hurried = Inference(replace(settings, call_seconds=1e-6), hub, engine)
    with pytest.raises(WorkbenchError, match="at every point") as caught:
        hurried.run_task("mask-generation", "local/sam", CAT, {"crops_n_layers": 2}, visitor=visitor)
    assert (caught.value.kind, caught.value.field) == ("timeout", "parameters.points_per_crop")
