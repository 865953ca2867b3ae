"""Models with random weights, and the tokenizers learned for them: what training starts from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import (
    BertTokenizer,
    CamembertConfig,
    CamembertForMaskedLM,
    CamembertTokenizer,
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    ModernBertConfig,
    ModernBertForMaskedLM,
    ResNetConfig,
    ResNetForImageClassification,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
    ViTImageProcessorPil,
    set_seed,
)

SEED = 20260
#: Characters that always have a token of their own, so that few texts give an unknown one.
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()[]<>{}-–&%$€#@/*+=_~|\\^`"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Spread of the random weights: about 1 / sqrt(hidden size); with the usual 0.02 so narrow a model learns late.
INITIAL = 0.06
END, PAD = "<|endoftext|>", "<|pad|>"


def encoder(texts: Sequence[str], folder: Path) -> None:
    """A ModernBERT (Warner et al. 2024) of three layers over a lower-cased WordPiece vocabulary.

    Its rotary positions let it read texts longer than the blocks it was trained on, and its classifier averages over
    all tokens, so that a few rows are enough to fine-tune it.
    """
    ModernBertForMaskedLM(reader(texts, folder)).save_pretrained(folder)


def reader(texts: Sequence[str], folder: Path, *, pieces: int = 2500, cased: bool = False) -> ModernBertConfig:
    """Save a WordPiece vocabulary for the texts; gives the configuration of a small ModernBERT, and sets the seed."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    learn = trainers.WordPieceTrainer(
        vocab_size=pieces,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        initial_alphabet=list(CHARACTERS + CAPITALS if cased else CHARACTERS),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, learn)
    inputs = ["input_ids", "attention_mask"]
    lower = {"do_lower_case": False} if cased else {}
    vocabulary = _vocabulary(tokenizer)
    BertTokenizer(vocab=vocabulary, model_max_length=256, model_input_names=inputs, **lower).save_pretrained(folder)
    set_seed(SEED)
    start, end, pad = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
    return ModernBertConfig(
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


def writer(texts: Sequence[str], folder: Path, *, pieces: int, longest: int) -> None:
    """A T5 (Raffel et al. 2020) of two encoder and two decoder layers over a Unigram vocabulary of `pieces` tokens.

    Args:
        longest: Tokens that it reads at most, and writes at most.
    """
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    learn = trainers.UnigramTrainer(
        vocab_size=pieces, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, learn)
    vocabulary = [tuple(entry) for entry in json.loads(tokenizer.to_str())["model"]["vocab"]]
    T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=longest).save_pretrained(folder)
    set_seed(SEED)
    config = T5Config(
        vocab_size=len(vocabulary),
        d_model=96,
        d_kv=24,
        d_ff=256,
        num_heads=4,
        num_layers=2,
        num_decoder_layers=2,
        relative_attention_max_distance=64,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    model = T5ForConditionalGeneration(config)
    # So small a model sometimes falls into a loop over the pieces of a name.
    model.generation_config = GenerationConfig(
        pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, max_new_tokens=64, no_repeat_ngram_size=4
    )
    model.save_pretrained(folder)


def french(texts: Sequence[str], folder: Path, *, pieces: int) -> CamembertForMaskedLM:
    """Save a Unigram vocabulary for the texts; gives a CamemBERT (Martin et al. 2020) of three layers."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    learn = trainers.UnigramTrainer(
        vocab_size=pieces,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, learn)
    vocabulary = [tuple(entry) for entry in json.loads(tokenizer.to_str())["model"]["vocab"]]
    CamembertTokenizer(vocab=vocabulary, additional_special_tokens=[], model_max_length=126).save_pretrained(folder)
    set_seed(SEED)
    config = CamembertConfig(
        vocab_size=len(vocabulary),
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=128,
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=INITIAL,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    return CamembertForMaskedLM(config)


def viewer(labels: Sequence[str], side: int) -> tuple[ResNetForImageClassification, ViTImageProcessorPil]:
    """A ResNet (He et al. 2016) of four basic layers for pictures of `side` pixels, and what prepares them."""
    set_seed(SEED)
    config = ResNetConfig(
        embedding_size=24,
        hidden_sizes=[24, 48, 80, 128],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    return ResNetForImageClassification(config), ViTImageProcessorPil(size={"height": side, "width": side})


def _vocabulary(tokenizer: Tokenizer) -> dict[str, int]:
    return dict(sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1]))
