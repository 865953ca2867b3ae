"""Tiny models that hear or speak, built from configurations, in folders as `from_pretrained` reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from service_models import byte_level, wordpiece
from transformers import (
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapProcessor,
    EncodecConfig,
    EncodecFeatureExtractor,
    MusicgenConfig,
    MusicgenDecoderConfig,
    MusicgenForConditionalGeneration,
    MusicgenProcessor,
    T5Config,
    VitsConfig,
    VitsModel,
    VitsTokenizer,
    Wav2Vec2Config,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    Wav2Vec2ForSequenceClassification,
    Wav2Vec2Processor,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizerFast,
)

LABELS = {0: "music", 1: "speech", 2: "noise"}


def wav2vec2_config(**more: Any) -> Wav2Vec2Config:
    return Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(16, 16),
        conv_kernel=(10, 8),
        conv_stride=(10, 8),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        initializer_range=0.5,
        **more,
    )


def audio_classifier(path: Path, **config: Any) -> Path:
    """A Wav2Vec2 of one layer with three labels."""
    torch.manual_seed(0)
    given = {"id2label": LABELS, "classifier_proj_size": 16, **config}
    Wav2Vec2ForSequenceClassification(wav2vec2_config(**given)).save_pretrained(path)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=False).save_pretrained(path)
    return path


def ctc(path: Path) -> Path:
    """A Wav2Vec2 of one layer that spells with a handful of letters."""
    torch.manual_seed(0)
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"abcdefgh"]
    path.mkdir(parents=True)
    (path / "vocab.json").write_text(json.dumps({letter: place for place, letter in enumerate(letters)}))
    tokenizer = Wav2Vec2CTCTokenizer(str(path / "vocab.json"))
    extractor = Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(path)
    config = wav2vec2_config(vocab_size=len(letters), pad_token_id=0)
    Wav2Vec2ForCTC(config).save_pretrained(path)
    return path


def whisper(path: Path, languages: bool = True) -> Path:
    """A Whisper of one layer that knows two languages, or only one and says nothing of it."""
    torch.manual_seed(0)
    base = byte_level()
    special = ["<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>"]
    special += ["<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    times = [f"<|{place * 0.02:.2f}|>" for place in range(1501)]
    base.add_special_tokens({"additional_special_tokens": special})
    base.add_tokens(times)
    base.save_pretrained(path)
    tokenizer = WhisperTokenizerFast(tokenizer_file=str(path / "tokenizer.json"), pad_token="<|endoftext|>")
    extractor = WhisperFeatureExtractor(feature_size=8)
    WhisperProcessor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(path)
    ids = dict(zip(special, tokenizer.convert_tokens_to_ids(special), strict=True))
    config = WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=8,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=ids["<|startoftranscript|>"],
        init_std=0.5,
        max_target_positions=64,
    )
    model = WhisperForConditionalGeneration(config)
    made = model.generation_config
    made._from_model_config = False  # else it is made anew from the configuration when it is read
    made.no_timestamps_token_id = ids["<|notimestamps|>"]
    made.max_initial_timestamp_index = 50
    made.alignment_heads = [[0, 0], [0, 1]]
    if languages:
        made.is_multilingual = True
        made.lang_to_id = {name: ids[name] for name in ("<|en|>", "<|de|>")}
        made.task_to_id = {name: ids[f"<|{name}|>"] for name in ("transcribe", "translate")}
    else:
        made.is_multilingual = False
    model.save_pretrained(path)
    return path


def clap(path: Path) -> Path:
    """A CLAP of one layer, which hears one second."""
    torch.manual_seed(0)
    tokenizer = wordpiece()
    layer = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
    text = {**layer, "vocab_size": len(tokenizer), "num_hidden_layers": 1, "projection_dim": 16, "pad_token_id": 0}
    sound = {
        "patch_embeds_hidden_size": 8,
        "hidden_size": 16,
        "depths": [1, 1],
        "num_attention_heads": [1, 1],
        "window_size": 4,
        "spec_size": 32,
        "num_mel_bins": 16,
        "num_hidden_layers": 2,
        "projection_dim": 16,
        "patch_size": 2,
        "patch_stride": [2, 2],
        "aff_block_r": 2,
    }
    ClapModel(ClapConfig(text_config=text, audio_config=sound, projection_dim=16)).save_pretrained(path)
    extractor = ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=8000,
        hop_length=250,
        fft_window_size=256,
        max_length_s=1,
        frequency_max=4000,
        truncation="rand_trunc",
        padding="repeatpad",
    )
    ClapProcessor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(path)
    return path


def speaker(path: Path) -> Path:
    """A VITS of one layer that speaks small letters, 16,000 samples a second."""
    torch.manual_seed(0)
    path.mkdir(parents=True)
    letters = ["<unk>", *"abcdefghijklmnopqrstuvwxyz '"]
    (path / "vocab.json").write_text(json.dumps({letter: place for place, letter in enumerate(letters)}))
    VitsTokenizer(str(path / "vocab.json"), pad_token="<unk>", phonemize=False, is_uroman=False).save_pretrained(path)
    config = VitsConfig(
        vocab_size=len(letters),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        ffn_dim=16,
        flow_size=16,
        spectrogram_bins=9,
        prior_encoder_num_flows=2,
        prior_encoder_num_wavenet_layers=1,
        duration_predictor_num_flows=2,
        depth_separable_num_layers=1,
        duration_predictor_filter_channels=16,
        upsample_initial_channel=16,
        upsample_rates=[8, 4],
        upsample_kernel_sizes=[16, 8],
        resblock_kernel_sizes=[3],
        resblock_dilation_sizes=[[1, 3]],
        posterior_encoder_num_wavenet_layers=1,
    )
    VitsModel(config).save_pretrained(path)
    return path


def musicgen(path: Path) -> Path:
    """A MusicGen of one layer that makes 320 samples a second."""
    torch.manual_seed(0)
    tokenizer = wordpiece()
    small = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 16}
    text = T5Config(vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    codec = EncodecConfig(
        sampling_rate=320,
        upsampling_ratios=[4, 4],
        num_filters=4,
        hidden_size=8,
        codebook_size=16,
        codebook_dim=8,
        num_lstm_layers=1,
        target_bandwidths=[0.16],
        num_residual_layers=1,
        norm_type="weight_norm",
    )
    decoder = MusicgenDecoderConfig(
        **small, vocab_size=16, ffn_dim=16, num_codebooks=2, audio_channels=1, pad_token_id=16, bos_token_id=16
    )
    config = MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=codec.to_dict(), decoder=decoder.to_dict())
    model = MusicgenForConditionalGeneration(config)
    model.generation_config.update(
        do_sample=True, guidance_scale=3.0, max_length=60, decoder_start_token_id=16, pad_token_id=16, bos_token_id=16
    )
    model.save_pretrained(path)
    extractor = EncodecFeatureExtractor(sampling_rate=320)
    MusicgenProcessor(feature_extractor=extractor, tokenizer=tokenizer).save_pretrained(path)
    return path
