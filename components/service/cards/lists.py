"""What the Hub knows: metadata keys, licences, tasks. A snapshot of November 2026; what is newer is a warning only.

Sources: the Hub's documentation of model cards and licences, and the tasks of huggingface.js.
"""

from __future__ import annotations

#: Keys that the Hub reads in a model card.
KEYS = (
    "language", "license", "license_name", "license_link", "library_name", "pipeline_tag", "tags", "datasets",
    "metrics", "base_model", "base_model_relation", "thumbnail", "co2_eq_emissions", "widget", "inference",
    "instance_prompt", "extra_gated_prompt", "extra_gated_fields", "extra_gated_heading", "extra_gated_button_content",
    "extra_gated_description", "new_version", "mask_token", "arxiv", "model-index", "model_name", "gated",
    "quantized_by", "model_creator", "prompt_template", "model_type", "eval_results", "viewer", "provider",
)  # fmt: skip

#: Ways in which keys are commonly got wrong.
MISSPELT = {
    "licence": "license", "licenses": "license", "lang": "language", "languages": "language", "tag": "tags",
    "dataset": "datasets", "metric": "metrics", "library": "library_name", "task": "pipeline_tag",
    "pipeline": "pipeline_tag", "basemodel": "base_model", "base_models": "base_model", "parent_model": "base_model",
    "modelindex": "model-index", "licence_name": "license_name", "licence_link": "license_link",
}  # fmt: skip

LICENSES = (
    "apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m", "bigscience-bloom-rail-1.0",
    "bigcode-openrail-m", "openrail++", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause",
    "bsd-3-clause-clear", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
    "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0",
    "cdla-permissive-1.0", "cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1",
    "eupl-1.2", "agpl-3.0", "gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc",
    "h-research", "intel-research", "lppl-1.3c", "ms-pl", "apple-ascl", "apple-amlr", "mpl-2.0", "odc-by", "odbl",
    "openmdw-1.0", "openrail-m", "osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl",
    "lgpl-lr", "deepfloyd-if-license", "fair-noncommercial-research-license", "llama2", "llama3", "llama3.1",
    "llama3.2", "llama3.3", "llama4", "grok2-community", "gemma", "unknown", "other",
)  # fmt: skip

PIPELINE_TAGS = (
    "text-classification", "token-classification", "table-question-answering", "question-answering",
    "zero-shot-classification", "translation", "summarization", "feature-extraction", "text-generation", "fill-mask",
    "sentence-similarity", "text-to-speech", "text-to-audio", "automatic-speech-recognition", "audio-to-audio",
    "audio-classification", "audio-text-to-text", "voice-activity-detection", "depth-estimation",
    "image-classification", "object-detection", "image-segmentation", "text-to-image", "image-to-text",
    "image-to-image", "image-to-video", "unconditional-image-generation", "video-classification",
    "reinforcement-learning", "robotics", "tabular-classification", "tabular-regression", "tabular-to-text",
    "table-to-text", "multiple-choice", "text-ranking", "text-retrieval", "time-series-forecasting", "text-to-video",
    "image-text-to-text", "image-text-to-image", "image-text-to-video", "visual-question-answering",
    "document-question-answering", "zero-shot-image-classification", "graph-ml", "mask-generation",
    "zero-shot-object-detection", "text-to-3d", "image-to-3d", "image-feature-extraction", "video-text-to-text",
    "keypoint-detection", "visual-document-retrieval", "any-to-any", "video-to-video", "other",
)  # fmt: skip

RELATIONS = ("adapter", "merge", "quantized", "finetune")

#: Languages that people write out instead of giving the code.
LANGUAGES = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt",
    "chinese": "zh", "japanese": "ja", "korean": "ko", "russian": "ru", "arabic": "ar", "hindi": "hi", "dutch": "nl",
    "polish": "pl", "turkish": "tr", "ukrainian": "uk", "norwegian": "no", "swedish": "sv", "danish": "da",
    "finnish": "fi", "czech": "cs", "greek": "el", "hungarian": "hu", "romanian": "ro", "vietnamese": "vi",
}  # fmt: skip

#: What a card should tell, each with words that its heading may have.
SECTIONS = (
    ("Model description", ("description", "model details", "about", "overview", "summary")),
    ("Intended uses and limitations", ("intended use", "uses", "use cases", "direct use")),
    ("How to use", ("how to use", "how to get started", "get started", "usage", "quickstart", "example")),
    ("Limitations and bias", ("bias", "risks", "ethical")),
    ("Training data", ("training data", "training and evaluation data", "dataset", "data")),
    ("Training procedure", ("training procedure", "training details", "hyperparameters", "how it was trained")),
    ("Variables and metrics", ("metrics", "variables")),
    ("Evaluation results", ("evaluation", "results", "performance", "benchmark")),
)
