"""Models with random weights, and the tokenizers learned for them: what training starts from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertTokenizer,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    ModernBertConfig,
    ModernBertForMaskedLM,
    set_seed,
)

SEED = 20260
#: Characters that always have a token of their own, so that few texts give an unknown one.
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()[]<>{}-–&%$€#@/*+=_~|\\^`"
#: Spread of the random weights: about 1 / sqrt(hidden size); with the usual 0.02 so narrow a model learns late.
INITIAL = 0.06
END, PAD = "<|endoftext|>", "<|pad|>"


def encoder(texts: Sequence[str], folder: Path) -> None:
    """A ModernBERT (Warner et al. 2024) of three layers over a lower-cased WordPiece vocabulary.

    Its rotary positions let it read texts longer than the blocks it was trained on, and its classifier averages over
    all tokens, so that a few rows are enough to fine-tune it.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    learn = trainers.WordPieceTrainer(
        vocab_size=2500,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        initial_alphabet=list(CHARACTERS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, learn)
    inputs = ["input_ids", "attention_mask"]
    BertTokenizer(vocab=_vocabulary(tokenizer), model_max_length=256, model_input_names=inputs).save_pretrained(folder)
    set_seed(SEED)
    start, end, pad = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
    config = ModernBertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=256,
        local_attention=32,
        classifier_pooling="mean",
        initializer_range=INITIAL,
        pad_token_id=pad,
        bos_token_id=start,
        eos_token_id=end,
        cls_token_id=start,
        sep_token_id=end,
    )
    ModernBertForMaskedLM(config).save_pretrained(folder)


def stories(texts: Sequence[str], folder: Path) -> None:
    """A GPT-2 of two layers over a byte-level BPE vocabulary (Radford et al. 2019), 256 positions."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    learn = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, learn)
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    GPT2Tokenizer(vocab=_vocabulary(tokenizer), merges=merges, pad_token=PAD, model_max_length=256).save_pretrained(
        folder
    )
    set_seed(SEED)
    end, pad = (tokenizer.token_to_id(token) for token in (END, PAD))
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_positions=256,
        n_embd=128,
        n_layer=2,
        n_head=4,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=pad,
        initializer_range=INITIAL,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    model = GPT2LMHeadModel(config)
    model.generation_config = GenerationConfig(bos_token_id=end, eos_token_id=end, pad_token_id=pad, max_new_tokens=60)
    model.save_pretrained(folder)


def _vocabulary(tokenizer: Tokenizer) -> dict[str, int]:
    return dict(sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1]))
