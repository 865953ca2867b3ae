"""Tasks that look at images, by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.steps import (
    LOAD_IMAGE,
    Called,
    CallOf,
    Steps,
    StepsOf,
    file_name,
    file_names,
    reading,
)

_PARTS = {"image_processor": "AutoImageProcessor"}
_WORDS = {**_PARTS, "tokenizer": "AutoTokenizer"}
#: The worker's own last step of mask generation: the file stands alone, so its text is the snippet's.
_DUPLICATES = Path(__file__).parents[2] / "worker" / "duplicates.py"
_PREPROCESS = (
    "# preprocess: from the image to numbers, shape (batch, channels, height, width)\n"
    'inputs = image_processor(images=[image], return_tensors="pt").to(model.dtype)\n'
    'print(inputs["pixel_values"].shape)'
)
_SIZES = "[(image.height, image.width)]"


def _looked(body: list[str], item: Any, parts: dict[str, str] = _PARTS, imports: tuple[str, ...] = ()) -> Steps:
    return Steps([reading("image", item, "image"), *body], parts, imports=(*imports, LOAD_IMAGE))


def _forward(note: str, line: str = "outputs = model(**inputs)") -> str:
    return f"# forward: {note}\nwith torch.no_grad():\n    {line}"


def _classify(item: Any, used: dict[str, Any]) -> Steps:
    scores = {
        "softmax": "logits.softmax(dim=-1)[0]",
        "sigmoid": "logits.sigmoid()[0]",
        "none": "logits[0]",
        None: "(logits.sigmoid() if model.config.num_labels == 1 else logits.softmax(dim=-1))[0]",
    }[used.get("function_to_apply")]
    body = [
        _PREPROCESS,
        _forward(
            "from numbers to one logit for each label, shape (batch, labels)", "logits = model(**inputs).logits.float()"
        ),
        "# postprocess: from logits to scores\n"
        f"scores = {scores}.tolist()\n"
        'result = [{"label": model.config.id2label[i], "score": s} for i, s in enumerate(scores)]\n'
        f'result = sorted(result, key=lambda one: one["score"], reverse=True)[:{used["top_k"]}]\nprint(result)',
    ]
    return _looked(body, item)


_BOX = '"box": dict(zip(("xmin", "ymin", "xmax", "ymax"), box.int().tolist()))'


def _detect(item: Any, used: dict[str, Any]) -> Steps:
    body = [
        _PREPROCESS,
        _forward("for each proposed object, logits for its label and a box in parts of the image"),
        "# postprocess: boxes in pixels, of those that score enough\n"
        f"found = image_processor.post_process_object_detection(\n    outputs, {used['threshold']}, {_SIZES}\n)[0]\n"
        "result = [\n"
        '    {"label": model.config.id2label[label.item()], "score": score.item(), ' + _BOX + "}\n"
        '    for score, label, box in zip(found["scores"], found["labels"], found["boxes"])\n]\nprint(result)',
    ]
    return _looked(body, item)


_MASK = "Image.fromarray(({}).numpy().astype(numpy.uint8) * 255)"
_PIL = "from PIL import Image"


def _segment(item: Any, used: dict[str, Any]) -> Steps:
    subtask = used.pop("subtask", "panoptic")
    read = f"image_processor.post_process_{subtask}_segmentation"
    if subtask == "semantic":
        after = (
            "# postprocess: each pixel's likeliest label; a mask for each label that occurs\n"
            f"labels = {read}(outputs, target_sizes={_SIZES})[0]\n"
            "result = [\n"
            '    {"label": model.config.id2label[number], "score": None, "mask": '
            + _MASK.format("labels == number")
            + "}\n    for number in labels.unique().tolist()\n]\nprint(result)"
        )
    else:
        thresholds = call(read, Name("outputs"), **used, target_sizes=Name(_SIZES))
        after = (
            "# postprocess: the masks that score enough share the pixels among them\n"
            f"found = {thresholds}[0]\n"
            "result = [\n    {\n"
            '        "label": model.config.id2label[one["label_id"]],\n'
            '        "score": one["score"],\n'
            '        "mask": ' + _MASK.format('found["segmentation"] == one["id"]') + ",\n    }\n"
            '    for one in found["segments_info"]\n]\nprint(result)'
        )
    return _looked(
        [_PREPROCESS, _forward("masks and labels that the model proposes"), after], item, imports=("import numpy", _PIL)
    )


def _depth(item: Any, used: dict[str, Any]) -> Steps:  # noqa: ARG001
    body = [
        _PREPROCESS,
        _forward("a number for each place of the image"),
        "# postprocess: in the size of the image, and as a grey image\n"
        f"depth = image_processor.post_process_depth_estimation(outputs, {_SIZES})[0]"
        '["predicted_depth"]\n'
        "grey = (depth - depth.min()) / (depth.max() - depth.min())\n"
        'picture = Image.fromarray((grey * 255).numpy().astype("uint8"))\n'
        f"{_REDUCED}\nprint(result)",
    ]
    return _looked(body, item, imports=(_PIL,))


#: As `DepthEstimator` of the worker gives it.
_REDUCED = (
    "every = -(-max(depth.shape) // 64)  # not every number\n"
    'result = {"predicted_depth": depth[::every, ::every], "depth": picture}'
)


def _features(item: Any, used: dict[str, Any]) -> Steps:
    taken = "outputs.pooler_output" if used.get("pool") else "outputs[0]"
    body = [
        _PREPROCESS,
        _forward("the hidden states of the last layer, shape (batch, parts, hidden)"),
        f"# postprocess: as nested lists\nresult = {taken}.tolist()\nprint({taken}.shape)",
    ]
    return _looked(body, item)


def _enlarge(item: Any, used: dict[str, Any]) -> Steps:  # noqa: ARG001
    body = [
        _PREPROCESS,
        _forward("the larger image, colours from 0 to 1", "larger = model(**inputs).reconstruction[0].clamp(0, 1)"),
        "# postprocess: colours from 0 to 255, without what the image processor added at the border\n"
        'scale = larger.shape[-1] // inputs["pixel_values"].shape[-1]\n'
        "larger = larger[:, : image.height * scale, : image.width * scale]\n"
        "pixels = (larger * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()\n"
        "result = Image.fromarray(pixels)\nprint(result.size)",
    ]
    return _looked(body, item, imports=(_PIL,))


def _match_words(item: Any, used: dict[str, Any]) -> Steps:
    template = used.get("hypothesis_template", "This is a photo of {}.")
    body = [
        f"labels = {literal(used.get('candidate_labels', []))}\n"
        f"sentences = [{literal(template)}.format(label) for label in labels]",
        f"{_PREPROCESS}\n"
        'is_siglip = "siglip" in model.config.model_type  # trained on texts of one length\n'
        'length = {"padding": "max_length", "max_length": 64, "truncation": True}\n'
        'texts = tokenizer(sentences, return_tensors="pt", **(length if is_siglip else {"padding": True}))\n'
        'print(texts["input_ids"].shape)',
        _forward(
            "how much alike the image and each sentence are", "logits = model(**texts, **inputs).logits_per_image"
        ),
        "# postprocess: from logits to scores\n"
        "scores = (logits.sigmoid() if is_siglip else logits.softmax(dim=-1))[0].tolist()\n"
        'result = [{"label": label, "score": score} for label, score in zip(labels, scores)]\n'
        'result = sorted(result, key=lambda one: one["score"], reverse=True)\nprint(result)',
    ]
    return _looked(body, item, _WORDS)


def _find_words(item: Any, used: dict[str, Any]) -> Steps:
    limit = "" if used.get("top_k") is None else f"[:{used['top_k']}]"
    body = [
        f"{_PREPROCESS}\nresult = []",
        "# forward and postprocess, one label after another\n"
        f"for label in {literal(used.get('candidate_labels', []))}:\n"
        '    text = tokenizer(label, return_tensors="pt")\n'
        "    with torch.no_grad():\n        outputs = model(**text, **inputs)\n"
        "    found = image_processor.post_process_object_detection(\n"
        f"        outputs, {used['threshold']}, torch.tensor({_SIZES})\n    )[0]\n"
        '    for score, box in zip(found["scores"], found["boxes"]):\n'
        '        result.append({"label": label, "score": score.item(), ' + _BOX + "})",
        f'result = sorted(result, key=lambda one: one["score"], reverse=True){limit}\nprint(result)',
    ]
    return _looked(body, item, _WORDS)


def _match_points(item: Any, used: dict[str, Any]) -> Steps:
    both = item if isinstance(item, list) and len(item) == 2 else [None, None]
    body = [
        "\n".join(reading(f"image_{number}", one, f"image-{number}") for number, one in enumerate(both)),
        "# preprocess: both images as numbers, shape (batch, 2, channels, height, width)\n"
        'inputs = image_processor(images=[image_0, image_1], return_tensors="pt").to(model.dtype)\n'
        'print(inputs["pixel_values"].shape)',
        _forward("points in both images, and which belong together"),
        "# postprocess: the places in pixels, of the pairs that score enough\n"
        "sizes = [[(image_0.height, image_0.width), (image_1.height, image_1.width)]]\n"
        f"found = image_processor.post_process_keypoint_matching(outputs, sizes, {used['threshold']})[0]\n"
        "result = [\n    {\n"
        '        "keypoint_image_0": dict(zip("xy", point_0.tolist())),\n'
        '        "keypoint_image_1": dict(zip("xy", point_1.tolist())),\n'
        '        "score": score.item(),\n    }\n'
        "    for point_0, point_1, score in zip(\n"
        '        found["keypoints0"], found["keypoints1"], found["matching_scores"]\n    )\n]\n'
        'result = sorted(result, key=lambda one: one["score"], reverse=True)\nprint(result)',
    ]
    return Steps(body, _PARTS, imports=(LOAD_IMAGE,))


_KEEP = ("pred_iou_thresh", "stability_score_thresh", "stability_score_offset")
_GRID = {
    "crops_n_layers": ("crop_n_layers", 0),
    "crop_overlap_ratio": ("overlap_ratio", 512 / 1500),
    "points_per_crop": ("points_per_crop", 32),
    "crop_n_points_downscale_factor": ("crop_n_points_downscale_factor", 1),
}


def _without_duplicates() -> str:
    text = _DUPLICATES.read_text(encoding="utf-8").partition("\n\n")[2].rstrip()
    return f"{text}\n\n\n# transformers calls torchvision for what the functions above do."


def _cut_out(item: Any, used: dict[str, Any]) -> Steps:
    grid = {name: used.get(given, otherwise) for given, (name, otherwise) in _GRID.items()}
    keep = {name: used[name] for name in _KEEP if name in used}
    crops = call("image_processor.generate_crop_boxes", Name("image"), Name("side"), **grid)
    filtered = call(
        "image_processor.filter_masks", *map(Name, ("masks[0]", "outputs.iou_scores[0]", "whole", "boxes[crop]")),
        indent=8, **keep,
    )  # fmt: skip
    body = [
        "# preprocess: a grid of points; the image as numbers, for each crop of it\n"
        'side = image_processor.size.get("longest_edge") or image_processor.size["height"]\n'
        f"boxes, points, crops, ones = {crops}\n"
        'inputs = image_processor(images=crops, return_tensors="pt").to(model.dtype)\n'
        'print(inputs["pixel_values"].shape, points.shape)',
        "# forward: three masks around each point, of which the poor ones are dropped\n"
        'kept, whole = [], inputs["original_sizes"][0].tolist()\n'
        f"some = {used['points_per_batch']}\n"
        "for crop in range(len(crops)):\n"
        "    with torch.no_grad():\n"
        '        seen = model.get_image_embeddings(inputs["pixel_values"][crop : crop + 1])\n'
        "    for first in range(0, points.shape[1], some):\n"
        "        here = (slice(None), slice(first, first + some), slice(crop, crop + 1))\n"
        "        with torch.no_grad():\n"
        "            outputs = model(\n"
        "                input_points=points[here], input_labels=ones[here], image_embeddings=seen\n            )\n"
        "        masks = image_processor.post_process_masks(\n"
        '            outputs.pred_masks, inputs["original_sizes"][crop : crop + 1].tolist(), binarize=False,\n'
        '            reshaped_input_sizes=inputs["reshaped_input_sizes"][crop : crop + 1].tolist(),\n'
        "        )\n"
        f"        kept.append({filtered})",
        "# postprocess: of masks whose boxes overlap too much, only the best\n"
        "masks = [mask for one in kept for mask in one[0]]\n"
        "scores, found = (torch.cat([one[part] for one in kept]) for part in (1, 2))\n"
        f"masks, scores, _, _ = without_duplicates(masks, scores, found, {used.get('crops_nms_thresh', 0.7)})\n"
        f"{_NUMBERED}\nprint(len(result))",
    ]
    return _looked(body, item, imports=(_PIL, _without_duplicates(), ""))


_NUMBERED = (
    "result = [\n"
    '    {"label": f"mask {number}", "score": score, "mask": Image.fromarray(mask.astype("uint8") * 255)}\n'
    "    for number, (mask, score) in enumerate(zip(masks, scores.tolist()), 1)\n]"
)


def _call_detector(inputs: Any, used: dict[str, Any]) -> Called:
    """Its pipeline takes several images only with labels of their own each."""
    labels = used.pop("candidate_labels", [])
    if not isinstance(inputs, list):
        return Called(call("pipe", file_name(inputs, "image"), candidate_labels=labels, **used))
    asked = [{"image": file_name(one, "image"), "candidate_labels": labels} for one in inputs]
    return Called(call("pipe", asked, **used))


def _call_matcher(inputs: Any, used: dict[str, Any]) -> Called:
    before = (
        "# This pipeline hands over (width, height) where its image processor reads (height, width).\n"
        "read = pipe.preprocess\n\n\n"
        "def preprocess(images, **given):\n"
        "    made = read(images, **given)\n"
        '    return {**made, "target_sizes": [size[::-1] for size in made["target_sizes"]]}\n\n\n'
        "pipe.preprocess = preprocess"
    )
    return Called(call("pipe", file_names(inputs, "image"), **used), before)


def _call_depth(inputs: Any, used: dict[str, Any]) -> Called:
    after = f'depth, picture = result["predicted_depth"], result["depth"]\n{_REDUCED}'
    several = isinstance(inputs, list)
    return Called(call("pipe", file_names(inputs, "image"), **used), after="" if several else after)


def _call_cutter(inputs: Any, used: dict[str, Any]) -> Called:
    before = "pipe.image_processor.post_process_for_mask_generation = without_duplicates"
    after = "" if isinstance(inputs, list) else f'masks, scores = result["masks"], result["scores"]\n{_NUMBERED}'
    return Called(call("pipe", file_names(inputs, "image"), **used), before, after, (_PIL, _without_duplicates(), ""))


VISION_STEPS: dict[str, StepsOf] = {
    "image-classification": _classify,
    "object-detection": _detect,
    "image-segmentation": _segment,
    "depth-estimation": _depth,
    "mask-generation": _cut_out,
    "zero-shot-image-classification": _match_words,
    "zero-shot-object-detection": _find_words,
    "image-feature-extraction": _features,
    "keypoint-matching": _match_points,
    "image-to-image": _enlarge,
}

VISION_CALLS: dict[str, CallOf] = {
    "zero-shot-object-detection": _call_detector,
    "keypoint-matching": _call_matcher,
    "depth-estimation": _call_depth,
    "mask-generation": _call_cutter,
}
