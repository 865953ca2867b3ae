"""Tiny models that read text, one for each task that judges it or answers from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from service_models import bert_config, byte_level, wordpiece
from transformers import (
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    BertModel,
    JevConfig,
    JevForDecision,
    Qwen2Config,
    Qwen2ForCausalLM,
    T5Config,
    T5Model,
    TapasConfig,
    TapasForQuestionAnswering,
    TapasTokenizer,
)

NAMES = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC"}
ENTAILMENT = {0: "contradiction", 1: "neutral", 2: "entailment"}
LABELS = {label: number for number, label in ENTAILMENT.items()}
_CHAT = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def _bert(kind: Any, path: Path, **config: Any) -> Path:
    torch.manual_seed(0)
    tokenizer = wordpiece()
    kind(bert_config(tokenizer, **{"initializer_range": 0.5, **config})).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def tagger(path: Path) -> Path:
    return _bert(BertForTokenClassification, path, id2label=NAMES)


def masked(path: Path, **config: Any) -> Path:
    return _bert(BertForMaskedLM, path, **config)


def entailer(path: Path) -> Path:
    return _bert(BertForSequenceClassification, path, id2label=ENTAILMENT, label2id=LABELS)


def encoder(path: Path) -> Path:
    return _bert(BertModel, path)


def reader(path: Path) -> Path:
    return _bert(BertForQuestionAnswering, path)


def table_reader(path: Path) -> Path:
    """A TAPAS of one layer with four aggregations, whose answers differ from table to table."""
    torch.manual_seed(0)
    path.mkdir(parents=True, exist_ok=True)
    known = wordpiece().get_vocab()
    words = [*sorted(known, key=lambda token: known[token]), "[EMPTY]"]
    (path / "vocab.txt").write_text("\n".join(words))
    TapasTokenizer(path / "vocab.txt", model_max_length=64).save_pretrained(path)
    config = TapasConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        num_aggregation_labels=4,
        aggregation_labels={0: "NONE", 1: "SUM", 2: "AVERAGE", 3: "COUNT"},
        no_aggregation_label_index=0,
        initializer_range=0.5,
        cell_selection_preference=0.2,
    )
    TapasForQuestionAnswering(config).save_pretrained(path)
    return path


def two_sided(path: Path) -> Path:
    """A T5 without a head, whose decoder wants ids of its own."""
    tokenizer = wordpiece()
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    T5Model(T5Config(vocab_size=len(tokenizer), **sizes)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def decider(path: Path) -> Path:
    """A Qwen2 of one layer that chats, for which each label of an option is one token."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    tokenizer.add_tokens(["Yes", "No"])
    tokenizer.chat_template = _CHAT
    tokenizer.model_max_length = 1024
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=32,
        max_position_embeddings=1024,
        initializer_range=0.5,
        bos_token_id=0,
        eos_token_id=0,
    )
    Qwen2ForCausalLM(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def judge(path: Path) -> Path:
    """A JEV: the decider's body with a head that scores options."""
    decider(path)
    body = Qwen2Config.from_pretrained(path).to_dict()
    config = JevConfig(hidden_size=32, text_config=body, initializer_range=0.5)
    JevForDecision(config).save_pretrained(path)
    return path


#: What makes the model of each task.
MAKERS: dict[str, Callable[[Path], Path]] = {
    "token-classification": tagger,
    "fill-mask": masked,
    "zero-shot-classification": entailer,
    "feature-extraction": encoder,
    "sentence-similarity": encoder,
    "question-answering": reader,
    "table-question-answering": table_reader,
    "decision": decider,
}


def changed(path: Path, file: str, **values: Any) -> None:
    """Overwrite values of one of a model's JSON files."""
    whole = json.loads((path / file).read_text()) if (path / file).is_file() else {}
    (path / file).write_text(json.dumps({**whole, **values}))
