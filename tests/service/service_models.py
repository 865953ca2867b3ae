"""Tiny models with tokenizers trained on a few lines, in folders as `from_pretrained` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

TEXTS = [
    "Once upon a time there was a small model that loved to read.",
    "I love this film, it is wonderful and warm.",
    "I hate this so much! It is awful, dull and far too long.",
    "Using a Transformer network is simple, said the small fox.",
] * 4


#: What the library's trainer for WordPiece once made of these texts; it makes something else of them each time.
_PIECES = """
[PAD] [UNK] [CLS] [SEP] [MASK]
! , . a c d e f g h i k l m n o p r s t u v w x ##h ##a ##t ##i ##m ##e ##r ##n ##s ##f ##o ##c ##w ##u ##l ##d
##g ##p ##x ##k ##v th is lo ##er ##nd ##ul and it sm to wa ##at ##al ##im ##is ##rm ##ng ##ful ##ve this love
smal small aw dul fa fi fo hat mo mu ne on re sa so sim tr tim us up wo ##an ##ad ##tw ##id ##ing ##el ##rk ##sf
##on ##orm ##ork ##ch ##ce ##lm ##le ##del ##ple the ther that long ##erful ##nderful too was warm loved awful
dull far film fox hate model much netw once read said simple tran time using upon wonderful ##sform there
network transform transformer
"""


def wordpiece() -> PreTrainedTokenizerFast:
    vocabulary = {piece: number for number, piece in enumerate(_PIECES.split())}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=64,
    )


def byte_level() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        model_max_length=128,
    )


def bert_config(tokenizer: PreTrainedTokenizerFast, **more: Any) -> BertConfig:
    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        **more,
    )


def classifier(path: Path, **config: Any) -> Path:
    """A BERT of two layers with three labels, which reads 64 tokens."""
    torch.manual_seed(0)
    tokenizer = wordpiece()
    labels = {0: "negative", 1: "neutral", 2: "positive"}
    given = {"id2label": labels, "initializer_range": 0.5, **config}
    BertForSequenceClassification(bert_config(tokenizer, **given)).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def generator(path: Path) -> Path:
    """A GPT-2 of two layers, which reads 128 tokens."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=128,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=0.5,
    )
    GPT2LMHeadModel(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path
