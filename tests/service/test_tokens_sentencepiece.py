"""Tokenizers that are stored as SentencePiece models, without a tokenizer.json: converted, or used as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.service.engine import Engine
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tokens import Tokens
from components.service.visitor import Visitor

sentencepiece = pytest.importorskip("sentencepiece", reason="transformers reads .model files with sentencepiece")

TEXT = "Once upon  a naïve ½ time 你好 👩\u200d👧 small\nfox."
#: Folder -> how the model is trained, its file, the tokenizer's class, the architecture, the kind, whether it is fast.
MODELS: dict[str, tuple[dict[str, Any], str, str, str, str, bool]] = {
    "t5": ({"model_type": "unigram", "vocab_size": 100}, "spiece.model", "T5Tokenizer", "t5", "Unigram", True),
    "llama": (
        {"model_type": "bpe", "vocab_size": 400, "byte_fallback": True},
        "tokenizer.model",
        "LlamaTokenizer",
        "llama",
        "BPE with byte fallback",
        True,
    ),
    "speecht5": (
        {"model_type": "char", "vocab_size": 100},
        "spm_char.model",
        "SpeechT5Tokenizer",
        "speecht5",
        "SentencePiece",
        False,
    ),
}


@pytest.fixture(scope="module")
def tokens(settings: Settings, hub: Hub, engine: Engine, models_folder: Path) -> Tokens:
    from service_models import TEXTS

    for name, (training, file, cls, architecture, _, _) in MODELS.items():
        folder = models_folder / name
        folder.mkdir()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([*TEXTS, "你好,世界。 naïve café"] * 5),
            model_prefix=str(folder / "trained"),
            hard_vocab_limit=False,
            minloglevel=2,
            **training,
        )
        (folder / "trained.model").rename(folder / file)
        (folder / "trained.vocab").unlink()
        (folder / "config.json").write_text(json.dumps({"model_type": architecture}))
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": cls}))
    return Tokens(settings, hub, engine)


@pytest.mark.parametrize("name", MODELS)
def test_a_sentencepiece_model_is_inspected_as_any_other(
    tokens: Tokens, visitor: Visitor, models_folder: Path, name: str
) -> None:
    from transformers import AutoTokenizer

    *_, kind, fast = MODELS[name]
    seen = tokens.tokenize(f"local/{name}", TEXT, visitor=visitor)
    own = AutoTokenizer.from_pretrained(models_folder / name)
    assert (seen["kind"], seen["fast"]) == (kind, fast)
    assert [token["id"] for token in seen["tokens"]] == own(TEXT)["input_ids"]
    assert seen["matches_encode"]
    assert seen["offsets"] == ("tokenizer" if fast else "computed")
    assert all(replay["agrees"] is not False for stage in seen["stages"] for replay in stage.get("replays", []))
    assert tokens.search_vocabulary(f"local/{name}", "o", visitor=visitor)["total"] > 0
