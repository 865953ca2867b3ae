"""Tiny models that write text, in folders as `from_pretrained` reads them: one of each way of telling languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from service_models import TEXTS, byte_level, generator
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MBartConfig,
    MBartForConditionalGeneration,
    MBartTokenizer,
    NllbTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

_BART = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "init_std": 0.5,
}
#: What T5's own configurations hold for the tasks that it was trained on, at the size of these models.
T5_TASKS = {
    "summarization": {
        "prefix": "summarize: ",
        "num_beams": 2,
        "max_length": 12,
        "min_length": 5,
        "length_penalty": 2.0,
    },
    "translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 10},
    "translation_en_to_de": {"prefix": "translate English to German: ", "max_length": 10},
}
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'tool' %}{{ raise_exception('No tools here') }}{% endif %}"
    "{{ message.role }}: {{ message.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)


def _unigram() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=48
    )


def _save(model: PreTrainedModel, tokenizer: Any, path: Path) -> Path:
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def t5(path: Path, **config: Any) -> Path:
    """A T5 of one layer that reads 48 tokens; `task_specific_params` as the first T5 models have them."""
    torch.manual_seed(0)
    tokenizer = _unigram()
    given = {"task_specific_params": T5_TASKS, **config}
    made = T5Config(
        vocab_size=len(tokenizer),
        d_model=16,
        d_kv=8,
        d_ff=32,
        num_layers=1,
        num_heads=2,
        initializer_factor=5.0,
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
        **given,
    )
    return _save(T5ForConditionalGeneration(made), tokenizer, path)


def bart(path: Path, **config: Any) -> Path:
    """A BART of one layer, whose own files ask for two beams."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    tokenizer.pad_token = "<|endoftext|>"
    made = BartConfig(
        vocab_size=len(tokenizer),
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
        decoder_start_token_id=0,
        **_BART,
        **config,
    )
    model = BartForConditionalGeneration(made)
    model.generation_config.num_beams = 2
    return _save(model, tokenizer, path)


def _sentencepiece(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(folder / "spm"),
        vocab_size=120,
        minloglevel=2,
        hard_vocab_limit=False,
    )
    return folder / "spm.model"


def _pieces(spm: Path) -> list[str]:
    read = sentencepiece.SentencePieceProcessor(model_file=str(spm))
    return [read.id_to_piece(number) for number in range(3, read.get_piece_size())]


def marian(path: Path, targets: tuple[str, ...] = ()) -> Path:
    """A Marian of one layer; with `targets`, one that is told the language to write by a token such as `>>fra<<`."""
    torch.manual_seed(0)
    spm = _sentencepiece(path)
    words = ["</s>", "<unk>", *(f">>{code}<<" for code in targets), *_pieces(spm), "<pad>"]
    (path / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    for name in ("source.spm", "target.spm"):
        (path / name).write_bytes(spm.read_bytes())
    (path / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "MarianTokenizer", "source_lang": "en", "target_lang": "fr", "model_max_length": 48}
        )
    )
    pad = len(words) - 1
    config = MarianConfig(
        vocab_size=len(words),
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        bos_token_id=0,
        forced_eos_token_id=0,
        **_BART,
    )
    MarianMTModel(config).save_pretrained(path)
    return path


def m2m100(path: Path) -> Path:
    """An M2M100 of one layer, which is told the language to write by a forced first token."""
    torch.manual_seed(0)
    spm = _sentencepiece(path)
    words = ["<s>", "<pad>", "</s>", "<unk>", *_pieces(spm)]
    (path / "words.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    tokenizer = M2M100Tokenizer(str(path / "words.json"), str(spm), model_max_length=48)
    config = M2M100Config(vocab_size=len(words) + 110, **_BART)
    return _save(M2M100ForConditionalGeneration(config), tokenizer, path)


def nllb(path: Path) -> Path:
    """An NLLB tokenizer around an mBART of one layer."""
    torch.manual_seed(0)
    words = ["<s>", "<pad>", "</s>", "<unk>", "▁", *sorted({letter for text in TEXTS for letter in text})]
    tokenizer = NllbTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])
    tokenizer.model_max_length = 48
    config = MBartConfig(vocab_size=len(tokenizer), decoder_start_token_id=2, **_BART)
    model = MBartForConditionalGeneration(config)
    model.final_logits_bias[0, len(words) :] = -50.0  # else it writes little but languages
    return _save(model, tokenizer, path)


def mbart(path: Path) -> Path:
    """A first mBART of one layer, whose decoder starts from the language to write."""
    torch.manual_seed(0)
    words = ["<s>", "<pad>", "</s>", "<unk>", *_pieces(_sentencepiece(path))]
    tokenizer = MBartTokenizer(vocab=[(word, -float(number)) for number, word in enumerate(words)])
    tokenizer.model_max_length = 48
    config = MBartConfig(vocab_size=len(tokenizer), decoder_start_token_id=0, forced_bos_token_id=0, **_BART)
    return _save(MBartForConditionalGeneration(config), tokenizer, path)


def chat(path: Path) -> Path:
    """The tiny GPT-2 with a chat template, which refuses messages of tools."""
    tokenizer = byte_level()
    tokenizer.chat_template = CHAT_TEMPLATE
    generator(path)
    tokenizer.save_pretrained(path)
    return path
