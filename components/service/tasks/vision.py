"""Tasks that look at images."""

from __future__ import annotations

from components.service.tasks.spec import Example, InputSpec, ParameterSpec, TaskSpec

_IMAGE = InputSpec("image", "Image", "image")
_CAT, _STREET = {"sample": "cat.png"}, {"sample": "street.png"}
_FUNCTION = ParameterSpec(
    "function_to_apply",
    "choice",
    None,
    "What turns logits into scores; the model's own choice where not given.",
    choices=("softmax", "sigmoid", "none"),
)
_MASK_EDGE = ParameterSpec(
    "mask_threshold", "float", 0.5, "A pixel belongs to a mask from this probability on.", 0.0, 1.0
)


def _threshold(default: float) -> ParameterSpec:
    return ParameterSpec("threshold", "float", default, "Only what scores more than this is returned.", 0.0, 1.0)


def _labels(most: int) -> ParameterSpec:
    return ParameterSpec(
        "candidate_labels", "list", None, "What to look for: labels in your own words.", 1, most, required=True
    )


IMAGE_CLASSIFICATION = TaskSpec(
    name="image-classification",
    title="Image classification",
    summary="Gives an image one of the labels that the model was trained on, with a score for each.",
    inputs=(_IMAGE,),
    parameters=(
        ParameterSpec("top_k", "int", 5, "How many labels to return, best first.", 1, 1000),
        _FUNCTION,
    ),
    output="labels",
    auto_classes=("AutoModelForImageClassification",),
    head="image classification head",
    examples=(_CAT, _STREET),
    starter_model="starter/pictures",
    hub_model="google/vit-base-patch16-224",
    runner="vision:ImageClassifier",
)

OBJECT_DETECTION = TaskSpec(
    name="object-detection",
    title="Object detection",
    summary="Finds the objects in an image: a box, a label and a score for each.",
    inputs=(_IMAGE,),
    parameters=(_threshold(0.5),),
    output="boxes",
    auto_classes=("AutoModelForObjectDetection",),
    head="object detection head",
    examples=(_STREET, _CAT),
    hub_model="hustvl/yolos-tiny",
    runner="vision_boxes:Detector",
)

IMAGE_SEGMENTATION = TaskSpec(
    name="image-segmentation",
    title="Image segmentation",
    summary="Says of every pixel of an image what it belongs to: a mask for each thing or kind of thing.",
    inputs=(_IMAGE,),
    parameters=(
        ParameterSpec(
            "subtask",
            "choice",
            None,
            "Kinds of things (semantic), single things (instance) or both (panoptic); the first of panoptic, instance "
            "and semantic that the model can do where not given.",
            choices=("semantic", "instance", "panoptic"),
        ),
        _threshold(0.9),
        _MASK_EDGE,
        ParameterSpec(
            "overlap_mask_area_threshold",
            "float",
            0.5,
            "A mask of which less than this share is left, since others lie over it, is dropped.",
            0.0,
            1.0,
        ),
    ),
    output="masks",
    auto_classes=(
        "AutoModelForImageSegmentation",
        "AutoModelForSemanticSegmentation",
        "AutoModelForInstanceSegmentation",
        "AutoModelForUniversalSegmentation",
    ),
    head="segmentation head",
    examples=(_STREET, _CAT),
    hub_model="nvidia/segformer-b0-finetuned-ade-512-512",
    runner="vision_masks:Segmenter",
)

DEPTH_ESTIMATION = TaskSpec(
    name="depth-estimation",
    title="Depth estimation",
    summary="Says of every pixel of an image how near it is.",
    inputs=(_IMAGE,),
    parameters=(),
    output="depth",
    auto_classes=("AutoModelForDepthEstimation",),
    head="depth estimation head",
    examples=(_STREET, _CAT),
    hub_model="depth-anything/Depth-Anything-V2-Small-hf",
    runner="vision:DepthEstimator",
)

MASK_GENERATION = TaskSpec(
    name="mask-generation",
    title="Mask generation",
    summary="Cuts an image into all the things it can find, without naming them: a mask for each.",
    inputs=(_IMAGE,),
    parameters=(
        ParameterSpec(
            "points_per_crop", "int", 16, "The model is asked at a grid of this many points a side.", 1, 64
        ),
        ParameterSpec("points_per_batch", "int", 64, "Points that are computed at once.", 1, 256),
        ParameterSpec(
            "pred_iou_thresh", "float", 0.88, "Only masks that the model itself thinks this good are kept.", 0.0, 1.0
        ),
        ParameterSpec(
            "stability_score_thresh", "float", 0.95, "Only masks that change no more than this allows when their edge "
            "is drawn a little tighter or wider are kept.", 0.0, 1.0,
        ),
        ParameterSpec(
            "stability_score_offset", "int", 1, "How much tighter and wider the edge is drawn for that, in logits.",
            0, 10,
        ),
        ParameterSpec(
            "crops_n_layers", "int", 0, "How many times the image is also read in parts, four times as many each time.",
            0, 2,
        ),
        ParameterSpec("crop_overlap_ratio", "float", None, "The share by which such parts overlap.", 0.0, 0.9),
        ParameterSpec(
            "crop_n_points_downscale_factor", "int", 1, "The grid of points is this much coarser in each layer of "
            "parts.", 1, 4,
        ),
        ParameterSpec(
            "crops_nms_thresh", "float", 0.7, "Of masks whose boxes overlap more than this, only the best is kept.",
            0.0, 1.0,
        ),
    ),
    output="masks",
    auto_classes=("AutoModelForMaskGeneration",),
    head="head that draws masks around points",
    examples=(_STREET, _CAT),
    hub_model="facebook/sam-vit-base",
    runner="vision_masks:MaskGenerator",
)  # fmt: skip

ZERO_SHOT_IMAGE_CLASSIFICATION = TaskSpec(
    name="zero-shot-image-classification",
    title="Zero-shot image classification",
    summary="Says which of your own labels fits an image best.",
    inputs=(_IMAGE,),
    parameters=(
        _labels(100),
        ParameterSpec(
            "hypothesis_template", "str", "This is a photo of {}.", "The sentence that each label is put into, at {}.",
            placeholder="{}",
        ),
    ),
    output="labels",
    auto_classes=("AutoModelForZeroShotImageClassification",),
    head="pair of encoders for images and texts",
    examples=(
        Example(_CAT, {"candidate_labels": ["a cat", "a dog", "a bird"]}),
        Example(_STREET, {"candidate_labels": ["a street", "a kitchen", "a beach"], "hypothesis_template": "{}"}),
    ),
    hub_model="openai/clip-vit-base-patch32",
    runner="vision_words:WordMatcher",
)  # fmt: skip

ZERO_SHOT_OBJECT_DETECTION = TaskSpec(
    name="zero-shot-object-detection",
    title="Zero-shot object detection",
    summary="Finds what you name in an image: a box, a label and a score for each.",
    inputs=(_IMAGE,),
    parameters=(
        _labels(32),
        _threshold(0.1),
        ParameterSpec("top_k", "int", None, "How many boxes to return, best first; all where not given.", 1, 1000),
    ),
    output="boxes",
    auto_classes=("AutoModelForZeroShotObjectDetection",),
    head="head that finds what a text names",
    examples=(
        Example(_STREET, {"candidate_labels": ["a car", "a bus", "a dog", "a tree"]}),
        Example(_CAT, {"candidate_labels": ["a cat", "an eye"]}),
    ),
    hub_model="google/owlvit-base-patch32",
    runner="vision_words:WordDetector",
)

IMAGE_FEATURE_EXTRACTION = TaskSpec(
    name="image-feature-extraction",
    title="Image feature extraction",
    summary="Turns an image into vectors that say what is in it: one for each part of the image, or one for all.",
    inputs=(_IMAGE,),
    parameters=(
        ParameterSpec("pool", "bool", False, "One vector for the whole image, from the model's pooler."),
    ),
    output="vectors",
    auto_classes=("AutoModel",),
    head="base model",
    examples=(_CAT, _STREET),
    starter_model="starter/pictures",
    hub_model="google/vit-base-patch16-224",
    runner="vision:FeatureExtractor",
)  # fmt: skip

KEYPOINT_MATCHING = TaskSpec(
    name="keypoint-matching",
    title="Keypoint matching",
    summary="Finds the points that two images of one scene share.",
    inputs=(InputSpec("images", "Two images", "image", help="Two views of one scene.", several=True),),
    parameters=(_threshold(0.0),),
    output="matches",
    auto_classes=("AutoModelForKeypointMatching",),
    head="head that matches points",
    examples=([{"sample": "view-left.png"}, {"sample": "view-right.png"}],),
    hub_model="magic-leap-community/superglue_outdoor",
    runner="vision_points:KeypointMatcher",
)

IMAGE_TO_IMAGE = TaskSpec(
    name="image-to-image",
    title="Image to image",
    summary="Makes a new image from an image, such as a larger and sharper one.",
    inputs=(_IMAGE,),
    parameters=(),
    output="image",
    auto_classes=("AutoModelForImageToImage",),
    head="head that draws an image",
    examples=(_CAT,),
    hub_model="caidas/swin2SR-classical-sr-x2-64",
    runner="vision:Enlarger",
    revived=True,
)

VISION_TASKS = (
    IMAGE_CLASSIFICATION,
    OBJECT_DETECTION,
    IMAGE_SEGMENTATION,
    DEPTH_ESTIMATION,
    ZERO_SHOT_IMAGE_CLASSIFICATION,
    ZERO_SHOT_OBJECT_DETECTION,
    MASK_GENERATION,
    KEYPOINT_MATCHING,
    IMAGE_FEATURE_EXTRACTION,
    IMAGE_TO_IMAGE,
)
