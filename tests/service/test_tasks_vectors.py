"""Vectors of texts and how similar they are: held to pooling and cosines by hand."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import task_checks
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as how

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.visitor import Visitor

EMBED, SIMILAR = "feature-extraction", "sentence-similarity"
TEXT = "I love this wonderful film, said the small fox é☃."
LONG = "I love this film " * 30
SENTENCES = {"source_sentence": "I love this film", "sentences": ["I hate it", "I love this film", "the small fox"] * 7}
near = partial(task_checks.near, rel=1e-4)


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    """`local/TASK` for each task that makes vectors."""
    from text_models import MAKERS

    for task in (EMBED, SIMILAR):
        MAKERS[task](models_folder / task)
    return models_folder


@pytest.mark.parametrize(
    ("pooling", "by_hand"),
    [
        ("mean", lambda rows: [sum(column) / len(rows) for column in zip(*rows, strict=True)]),
        ("cls", lambda rows: rows[0]),
        ("last", lambda rows: rows[-1]),
        ("max", lambda rows: [max(column) for column in zip(*rows, strict=True)]),
    ],
)
def test_pooling_makes_one_vector_of_those_of_the_tokens(
    run: Callable[..., Any], pooling: str, by_hand: Callable[..., list[float]]
) -> None:
    (rows,) = run(EMBED, EMBED, TEXT)["output"]
    vector = by_hand(rows)
    assert run(EMBED, EMBED, TEXT, {"pooling": pooling})["output"] == near([vector])
    length = math.sqrt(sum(number**2 for number in vector))
    normal = run(EMBED, EMBED, TEXT, {"pooling": pooling, "normalize": True})["output"]
    assert normal == near([[number / length for number in vector]])


def test_a_long_text_is_cut_at_the_end_that_was_asked_for(run: Callable[..., Any]) -> None:
    text = "the small fox " + LONG
    right, left = (run(EMBED, EMBED, text, {"truncation_direction": side}) for side in ("right", "left"))
    assert right["output"] == run(EMBED, EMBED, "the small fox " + "I love this film " * 22)["output"]
    assert right["output"] != left["output"]
    assert "reads at most 64" in left["notes"][0]
    with pytest.raises(WorkbenchError, match="or let it be cut"):
        run(EMBED, EMBED, text, {"truncate": False})


def test_vectors_that_are_too_many_to_send_are_refused(
    settings: Settings, hub: Hub, engine: Engine, visitor: Visitor, models: Path
) -> None:
    from components.service.worker.calls import Call
    from components.service.worker.models import Models
    from components.service.worker.run import run_task

    small = replace(settings, vector_numbers=700)
    call = Call(small, Models(small, lambda _: None), lambda _: None)
    asked = {"task": EMBED, "path": str(models / EMBED), "model": "tiny", "seconds": 60.0}
    assert run_task(call, **asked, inputs="I love this film", parameters={})["output"]
    with pytest.raises(WorkbenchError, match=r"Input 2: The vectors hold .* at most 700"):
        run_task(call, **asked, inputs=[TEXT, TEXT], parameters={})


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "max"])
def test_similarity_is_the_cosine_of_vectors_made_one_by_one(
    run: Callable[..., Any], models: Path, pooling: str
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    path = models / SIMILAR
    model, tokenizer = AutoModel.from_pretrained(path), AutoTokenizer.from_pretrained(path)
    make = {
        "mean": lambda hidden: hidden.mean(0),
        "cls": lambda hidden: hidden[0],
        "last": lambda hidden: hidden[-1],
        "max": lambda hidden: hidden.max(0).values,
    }[pooling]

    def vector(text: str) -> Any:
        with torch.no_grad():
            return make(model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0])

    source = vector(SENTENCES["source_sentence"])  # type: ignore[arg-type]
    wanted = [float(torch.cosine_similarity(source, vector(text), dim=0)) for text in SENTENCES["sentences"]]
    result = run(SIMILAR, SIMILAR, SENTENCES, {"pooling": pooling})
    assert result["output"] == pytest.approx(wanted, abs=1e-5)
    assert result["output"][1] == pytest.approx(1, abs=1e-5)


@how(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=strategies.lists(strategies.sampled_from([*TEXT.split(), LONG, "☃", "你好"]), min_size=2, max_size=5))
def test_similarity_is_symmetric_and_not_changed_by_what_else_is_compared(
    run: Callable[..., Any], texts: list[str]
) -> None:
    first, *others = texts
    together = run(SIMILAR, SIMILAR, {"source_sentence": first, "sentences": others})["output"]
    assert all(-1.0001 <= number <= 1.0001 for number in together)
    back = run(SIMILAR, SIMILAR, {"source_sentence": others[-1], "sentences": [first]})["output"]
    assert back[0] == pytest.approx(together[-1], abs=1e-5)


MODULES = [{"type": "sentence_transformers.models.Transformer", "path": ""}]
POOL = {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}


@pytest.mark.parametrize(
    ("modules", "pooling", "used", "note"),
    [
        ([*MODULES, POOL], {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls", ""),
        ([*MODULES, POOL], {"pooling_mode": "lasttoken"}, "last", ""),
        ([*MODULES, POOL], {"pooling_mode_weightedmean_tokens": True}, "mean", "not known here"),
        ([*MODULES, POOL], None, "mean", "not known here"),
        ([*MODULES, POOL, {"type": "x.Dense", "path": "2_Dense"}], {"pooling_mode_max_tokens": True}, "max", "(dense)"),
        ({"not": "a list"}, None, "mean", ""),
    ],
)
def test_the_pooling_that_a_models_own_files_name_counts(
    run: Callable[..., Any], models: Path, modules: Any, pooling: Any, used: str, note: str
) -> None:
    name = f"sbert-{abs(hash(json.dumps([modules, pooling])))}"
    shutil.copytree(models / SIMILAR, models / name)
    (models / name / "modules.json").write_text(json.dumps(modules))
    (models / name / "sentence_bert_config.json").write_text('{"max_seq_length": 20}')
    if pooling is not None:
        (models / name / "1_Pooling").mkdir()
        (models / name / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    result = run(SIMILAR, name, SENTENCES)
    assert result["parameters"] == {"pooling": used, "max_length": 20}
    assert len(result["notes"]) == bool(note)
    assert note in " ".join(result["notes"])
