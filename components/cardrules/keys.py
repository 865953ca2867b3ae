"""The keys of a card's metadata: which the Hub reads, how they are got wrong, and what may stand in them."""

from __future__ import annotations

#: Keys that the Hub reads in a model card.
KEYS = (
    "language", "language_bcp47", "license", "license_name", "license_link", "library_name", "pipeline_tag", "tags",
    "datasets", "metrics", "base_model", "base_model_relation", "thumbnail", "co2_eq_emissions", "widget", "inference",
    "instance_prompt", "extra_gated_prompt", "extra_gated_fields", "extra_gated_heading", "extra_gated_button_content",
    "extra_gated_description", "extra_gated_eu_disallowed", "new_version", "mask_token", "arxiv", "model-index",
    "model_name", "gated", "quantized_by", "model_creator", "prompt_template", "model_type", "eval_results", "viewer",
    "provider",
)  # fmt: skip

#: Ways in which keys are commonly got wrong.
MISSPELT = {
    "licence": "license", "licenses": "license", "lang": "language", "languages": "language", "tag": "tags",
    "dataset": "datasets", "metric": "metrics", "library": "library_name", "task": "pipeline_tag",
    "pipeline": "pipeline_tag", "basemodel": "base_model", "base_models": "base_model", "parent_model": "base_model",
    "modelindex": "model-index", "licence_name": "license_name", "licence_link": "license_link",
    "widgets": "widget", "co2": "co2_eq_emissions", "co2_emissions": "co2_eq_emissions",
}  # fmt: skip

#: What a model can be to its base model.
RELATIONS = ("adapter", "merge", "quantized", "finetune")

#: Kinds of the fields that a visitor of a gated model fills in.
GATED_FIELDS = ("text", "checkbox", "date_picker", "country", "ip_location", "select")

#: Languages that are none: source code, and many at once.
SPECIAL_LANGUAGES = ("code", "multilingual")

#: What an entry of `widget` needs, by task; of several shapes any one.
WIDGETS: dict[str, tuple[tuple[str, ...], ...]] = {
    "question-answering": (("text", "context"),),
    "table-question-answering": (("text", "table"),),
    "zero-shot-classification": (("text", "candidate_labels"),),
    "sentence-similarity": (("source_sentence", "sentences"),),
    "text-generation": (("text",), ("messages",)),
    "image-text-to-text": (("src", "text"), ("messages",), ("text",)),
    "video-text-to-text": (("src", "text"), ("messages",), ("text",)),
    "audio-text-to-text": (("src", "text"), ("messages",), ("text",)),
    "any-to-any": (("src",), ("text",), ("messages",)),
    "tabular-classification": (("structured_data",), ("table",)),
    "tabular-regression": (("structured_data",), ("table",)),
    "visual-question-answering": (("src", "text"),),
    "document-question-answering": (("src", "text"),),
    "zero-shot-image-classification": (("src", "candidate_labels"),),
    **dict.fromkeys(
        ("text-classification", "token-classification", "translation", "summarization", "feature-extraction",
         "fill-mask", "text-to-speech", "text-to-audio", "text-to-image", "text-to-video"),
        (("text",),),
    ),
    **dict.fromkeys(
        ("automatic-speech-recognition", "audio-to-audio", "audio-classification", "voice-activity-detection",
         "image-classification", "object-detection", "image-segmentation", "image-to-text", "image-to-image",
         "image-to-video", "video-classification", "depth-estimation", "image-feature-extraction",
         "mask-generation", "keypoint-detection"),
        (("src",),),
    ),
}  # fmt: skip
