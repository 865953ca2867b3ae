"""The spec of a run: every field is checked before anything starts, and it comes back from its own JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from run_parts import spec

from components.service.errors import WorkbenchError
from components.service.runs.spec import RunSpec
from components.service.settings import Settings

BAD_SPECS: list[tuple[dict[str, Any], str]] = [
    ({"task": "object-detection"}, "task"),
    ({"task": None}, "task"),
    ({"model": ""}, "model"),
    ({"model": 5}, "model"),
    ({"data": {}}, "data"),
    ({"data": "local/data"}, "data"),
    ({"data": {"dataset": "a/b", "text": "x"}}, "data"),
    ({"data": {"text": "a", "path": "/etc/passwd"}}, "data"),
    ({"data": {"text": 3}}, "data"),
    ({"columns": {"label": "label", "image": "x"}}, "columns.image"),
    ({"columns": {"text": 3}}, "columns.text"),
    ({"columns": {"text": "text", "label": "text"}}, "columns"),
    ({"columns": ["text"]}, "columns"),
    ({"epochs": 0}, "epochs"),
    ({"epochs": 10**9}, "epochs"),
    ({"epochs": 1.5}, "epochs"),
    ({"epochs": True}, "epochs"),
    ({"epochs": "3"}, "epochs"),
    ({"epochs": float("nan")}, "epochs"),
    ({"batch_size": 10**6}, "batch_size"),
    ({"learning_rate": float("inf")}, "learning_rate"),
    ({"learning_rate": float("nan")}, "learning_rate"),
    ({"learning_rate": -1}, "learning_rate"),
    ({"learning_rate": "fast"}, "learning_rate"),
    ({"max_length": 10**6}, "max_length"),
    ({"max_length": 0}, "max_length"),
    ({"seed": -1}, "seed"),
    ({"seed": 2**40}, "seed"),
    ({"validation": 1.0}, "validation"),
    ({"validation": 2.5}, "validation"),
    ({"warmup": 2}, "warmup"),
    ({"problem": "many"}, "problem"),
    ({"metric": "bleu"}, "metric"),
    ({"remedies": ["drop_everything"]}, "remedies"),
    ({"method": "qlora"}, "method"),
    ({"patience": 2, "keep": "last"}, "patience"),
    ({"clipping": -1}, "clipping"),
    ({"lora_rank": 0}, "lora_rank"),
    ({"track": "a\nb"}, "track"),
    ({"precision": "fp8"}, "precision"),
    ({"keep": "all"}, "keep"),
    ({"schedule": []}, "schedule"),
    ({"samples": "text"}, "samples"),
    ({"samples": ["x"] * 9}, "samples"),
    ({"name": "a\nb"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"revision": 3}, "revision"),
    ({"learning_rat": 1e-3}, "learning_rat"),
    ({"token": "hf_abc"}, "token"),
    ({"output_dir": "/tmp"}, "output_dir"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_SPECS)
def test_a_bad_spec_names_its_field(settings: Settings, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(WorkbenchError) as told:
        RunSpec.from_dict(spec(**changes), settings)
    assert told.value.field == field


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epochs": -1}, "Epochs must be a whole number from 1 to 100; this is -1."),
        ({"epochs": "three"}, "Epochs must be a whole number from 1 to 100; this is 'three'."),
        ({"epochs": 10**400}, "Epochs must be a whole number from 1 to 100; this is far too large."),
        ({"learning_rate": 0}, "Learning rate must be a number from 0.000000001 to 1; this is 0."),
        ({"learning_rate": 10**400}, "Learning rate must be a number from 0.000000001 to 1; this is far too large."),
        ({"warmup": 1.5}, "Warmup must be a number from 0 to 0.9; this is 1.5."),
        ({"batch_size": float("nan")}, "Batch size must be a whole number from 1 to 256; this is nan."),
    ],
)
def test_a_number_out_of_range_is_refused_in_a_plain_sentence(
    settings: Settings, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(WorkbenchError) as told:
        RunSpec.from_dict(spec(**changes), settings)
    assert (told.value.message, told.value.field) == (sentence, next(iter(changes)))


def test_a_spec_comes_back_from_its_own_json(settings: Settings) -> None:
    made = RunSpec.from_dict(spec(samples=["a"], epochs=2.0), settings)
    assert RunSpec.from_dict(json.loads(json.dumps(made.to_dict())), settings) == made
