"""Answers in bfloat16 are those in float32 but for their last digits, and are computed so only where it is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from service_models import wordpiece
from test_together import ASKED, TEXTS
from transformers import AutoConfig

from components.service.runs.precision import WORTH, choose_precision
from components.service.settings import Settings
from components.service.snippets import snippet
from components.service.tasks import TASKS
from components.service.worker.calls import Call
from components.service.worker.models import Models
from components.service.worker.precision import LARGE, TRIED, told
from components.service.worker.run import run_task

CLASSIFY = "text-classification"
SENTENCES = TEXTS[:3] + TEXTS[4:]
#: What a score may be off by in bfloat16, of random models: with weights as a training begins with them, and with large
#: ones, which magnify each rounding.
CALM, WILD = 0.02, 0.06
ANSWERED: list[tuple[str, str, Any, dict[str, Any]]] = [
    (CLASSIFY, "service_models:classifier", SENTENCES, {"top_k": None}),
    ("token-classification", "text_models:tagger", SENTENCES[:2], {"aggregation_strategy": "none"}),
    ("zero-shot-classification", "text_models:entailer", TEXTS[0], {"candidate_labels": ["warm", "dull"]}),
    ("question-answering", "text_models:reader", ASKED[1], {"top_k": 1}),
    ("image-classification", "vision_models:image_classifier", "cat.png", {"top_k": None}),
]
_LAYERS = {"num_hidden_layers": 2, "num_attention_heads": 2}
_TEXT = {"hidden_size": 32, "intermediate_size": 64, "max_position_embeddings": 80, "pad_token_id": 0, **_LAYERS}
_IMAGE = {"image_size": 32, "patch_size": 8, "hidden_size": 32, "intermediate_size": 64, **_LAYERS}
_STAGES = {"depths": [1, 1], "hidden_sizes": [16, 32]}
#: What makes a model of each type small; those of texts that are not here are made small by `_TEXT`.
SMALL: dict[str, dict[str, Any]] = {
    "bart": {
        "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 2,
        "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64, "pad_token_id": 0,
        "eos_token_id": 3, "bos_token_id": 2, "decoder_start_token_id": 2, "forced_eos_token_id": None,
    },
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 64},
    "beit": _IMAGE, "dinov2": _IMAGE, "vit": _IMAGE,
    "deit": {**_IMAGE, "architectures": ["DeiTForImageClassification"]},
    "convnext": {**_STAGES, "num_stages": 2}, "resnet": {**_STAGES, "embedding_size": 16, "layer_type": "basic"},
    "swin": {"image_size": 32, "embed_dim": 16, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4},
}  # fmt: skip
PICTURES = {"beit", "convnext", "deit", "dinov2", "resnet", "swin", "vit"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def run(settings: Settings, models_folder: Path) -> Run:
    """Runs a task on a folder's model, in a precision."""
    workers = {}
    for precision in ("fp32", "bf16"):
        chosen = replace(settings, precision=precision)
        models = Models(chosen, lambda _: None)
        workers[precision] = Call(chosen, models, lambda _: None)

    def asked(precision: str, task: str, model: str, inputs: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        module, _, build = model.partition(":")
        path = models_folder / build
        if not path.exists():
            getattr(import_module(module), build)(path)
        given = {"path": str(path), "model": build, "inputs": inputs, "parameters": parameters}
        return run_task(workers[precision], task=task, seconds=60.0, **given)

    return asked


def close(value: Any, digits: float) -> Any:
    if isinstance(value, float):
        return pytest.approx(value, abs=digits, rel=digits)
    if isinstance(value, dict):
        return {name: close(one, digits) for name, one in value.items()}
    return [close(one, digits) for one in value] if isinstance(value, list) else value


def by_label(value: Any) -> Any:
    """Labels in an order that near ties do not change."""
    if isinstance(value, list):
        made = [by_label(one) for one in value]
        labelled = bool(made) and isinstance(made[0], dict) and "label" in made[0]
        return sorted(made, key=lambda one: one["label"]) if labelled else made
    return value


@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), ANSWERED, ids=[one[0] for one in ANSWERED])
def test_each_task_answers_as_in_float32(
    run: Run, task: str, model: str, inputs: Any, parameters: dict[str, Any]
) -> None:
    if isinstance(inputs, str) and inputs.endswith(".png"):
        from components.service.tasks.media import sample

        inputs = {"path": str(sample(inputs))}
    short, whole = (run(precision, task, model, inputs, parameters) for precision in ("bf16", "fp32"))
    assert (short["dtype"], whole["dtype"]) == ("bfloat16", "float32")
    assert by_label(short["output"]) == close(by_label(whole["output"]), WILD)
    assert short["output"] != whole["output"]
    assert "Computed in bfloat16" in short["notes"][0]
    assert not any("bfloat16" in note for note in whole["notes"])


@pytest.mark.parametrize("kind", sorted(TRIED))
def test_each_type_of_model_gives_the_logits_of_float32(kind: str) -> None:
    torch.manual_seed(0)
    tokenizer = wordpiece()
    picture = kind in PICTURES
    config = AutoConfig.for_model(kind, **(SMALL.get(kind) or {"vocab_size": len(tokenizer), **_TEXT}))
    if not picture:
        config.vocab_size = len(tokenizer)
    auto = transformers.AutoModelForImageClassification if picture else transformers.AutoModelForSequenceClassification
    model = auto.from_config(config).eval()
    texts = tokenizer(SENTENCES, padding=True, return_tensors="pt")
    inputs = {"pixel_values": torch.randn(2, 3, 32, 32)} if picture else dict(texts)
    if kind in ("bart", "distilbert", "modernbert"):
        inputs.pop("token_type_ids", None)
    with torch.inference_mode():
        whole = model(**inputs).logits
        model = model.to(torch.bfloat16)
        half = {name: value.bfloat16() if value.is_floating_point() else value for name, value in inputs.items()}
        short = model(**half).logits
    assert short.dtype == torch.bfloat16
    assert short.float().tolist() == close(whole.tolist(), CALM)


def test_the_code_of_a_view_computes_in_bfloat16_too(
    run: Run, run_snippet: Callable[..., Any], settings: Settings, models_folder: Path
) -> None:
    commit = ("0" * 40, '\n    revision="' + "0" * 40 + '",')
    made = run("bf16", CLASSIFY, "service_models:classifier", TEXTS[0], {"top_k": None})
    facts = {name: made[name] for name in ("dtype", "auto_class", "parameters")}
    asked = {"task": CLASSIFY, "model": "local/classifier", "commit": commit[0], "inputs": TEXTS[0], **facts}
    for view in ("pipeline", "stages"):
        code = snippet(view, asked, settings.endpoint)
        assert 'dtype="bfloat16"' in code
        code = code.replace(commit[1], "").replace('"local/classifier"', f'"{models_folder / "classifier"}"')
        assert by_label(run_snippet(code)) == close(by_label(made["output"]), 0.005), code


def test_models_of_two_types_are_compared_each_in_its_own(settings: Settings) -> None:
    models = [
        {"model": "a/large", "commit": "1" * 40, "dtype": "bfloat16"},
        {"model": "a/small", "commit": "2" * 40, "dtype": "float32"},
    ]
    code = snippet("compare", {"task": CLASSIFY, "models": models, "inputs": ["I love it"]}, settings.endpoint)
    compile(code, "compare", "exec")
    assert "for model_id, commit, dtype in models:" in code
    assert "dtype=dtype" in code
    assert code.index('"bfloat16"') < code.index('"a/small"') < code.index('"float32"')


@pytest.mark.parametrize(
    ("precision", "task", "kind", "parameters"),
    [
        ("fp32", CLASSIFY, "bert", LARGE),
        ("auto", CLASSIFY, "bert", LARGE - 1),
        ("bf16", "text-generation", "bert", LARGE),
        ("bf16", "fill-mask", "bert", LARGE),
        ("bf16", "feature-extraction", "bert", LARGE),
        ("bf16", CLASSIFY, "gpt2", LARGE),
    ],
)
def test_all_else_is_computed_in_float32(
    settings: Settings, precision: str, task: str, kind: str, parameters: int
) -> None:
    assert task in TASKS
    assert told(replace(settings, precision=precision), task, kind, parameters) == ""


def test_large_models_take_what_was_measured_to_be_quicker(settings: Settings, tmp_path: Path) -> None:
    said = told(replace(settings, home=tmp_path), CLASSIFY, "bert", LARGE)
    steady = (tmp_path / "precision.json").exists()
    measured = choose_precision("auto", tmp_path / "precision.json")["speedup"]
    if steady:
        assert (f"{measured:.1f} times as fast" in said) == (measured >= WORTH)
