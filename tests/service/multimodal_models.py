"""Tiny models that read images, sounds or videos with text, in folders as `from_pretrained` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from service_models import byte_level, wordpiece
from transformers import (
    BartConfig,
    BartForCausalLM,
    BlipConfig,
    BlipForConditionalGeneration,
    BlipForQuestionAnswering,
    BlipImageProcessorPil,
    BlipProcessor,
    CLIPImageProcessorPil,
    DonutImageProcessorPil,
    DonutProcessor,
    DonutSwinConfig,
    DonutSwinModel,
    GitConfig,
    GitForCausalLM,
    GitProcessor,
    LayoutLMConfig,
    LayoutLMForQuestionAnswering,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    VideoMAEConfig,
    VideoMAEForVideoClassification,
    VideoMAEImageProcessorPil,
    ViltConfig,
    ViltForQuestionAnswering,
    ViltImageProcessorPil,
    ViltProcessor,
    VisionEncoderDecoderModel,
    WhisperFeatureExtractor,
)

LAYER = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
SQUARE = {"height": 32, "width": 32}
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}MEDIA{% endif %}{% endfor %} "
    "{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)


def videomae(path: Path) -> Path:
    """A VideoMAE of one layer that looks at four frames."""
    torch.manual_seed(0)
    labels = {0: "rolling", 1: "jumping", 2: "resting"}
    config = VideoMAEConfig(**LAYER, image_size=32, num_frames=4, id2label=labels, initializer_range=0.5)
    VideoMAEForVideoClassification(config).save_pretrained(path)
    VideoMAEImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE).save_pretrained(path)
    return path


def layoutlm(path: Path) -> Path:
    """A LayoutLM of one layer that reads 64 tokens."""
    torch.manual_seed(0)
    tokenizer = wordpiece()
    config = LayoutLMConfig(**LAYER, vocab_size=len(tokenizer), max_position_embeddings=64, initializer_range=0.5)
    LayoutLMForQuestionAnswering(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def donut(path: Path) -> Path:
    """A Donut of one layer."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    tokenizer.add_special_tokens(
        {"pad_token": "<pad>", "eos_token": "</s>", "additional_special_tokens": ["<s_docvqa>", "<s_answer>"]}
    )
    encoder = DonutSwinConfig(image_size=[32, 32], embed_dim=8, depths=[1, 1], num_heads=[1, 1], window_size=4)
    decoder = BartConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=16,
        max_position_embeddings=128,
        is_decoder=True,
        add_cross_attention=True,
    )
    model = VisionEncoderDecoderModel(encoder=DonutSwinModel(encoder), decoder=BartForCausalLM(decoder))
    model.config.decoder_start_token_id = model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.decoder_start_token_id = tokenizer.pad_token_id
    model.save_pretrained(path)
    images = DonutImageProcessorPil(size=SQUARE, do_align_long_axis=False)
    DonutProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(path)
    return path


def vilt(path: Path) -> Path:
    """A ViLT of one layer that knows six answers."""
    torch.manual_seed(0)
    tokenizer = wordpiece()
    answers = dict(enumerate(["yes", "no", "a cat", "a dog", "two", "red"]))
    config = ViltConfig(
        **LAYER,
        vocab_size=len(tokenizer),
        image_size=32,
        patch_size=16,
        max_position_embeddings=40,
        id2label=answers,
        initializer_range=0.5,
    )
    ViltForQuestionAnswering(config).save_pretrained(path)
    images = ViltImageProcessorPil(size={"shortest_edge": 32})
    ViltProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(path)
    return path


def _blip(path: Path, kind: Any) -> Path:
    torch.manual_seed(0)
    tokenizer = wordpiece()
    text = {
        **LAYER,
        "vocab_size": len(tokenizer),
        "encoder_hidden_size": 16,
        "projection_dim": 16,
        "max_position_embeddings": 64,
        "bos_token_id": 2,
        "eos_token_id": 3,
        "sep_token_id": 3,
        "pad_token_id": 0,
    }
    vision = {**LAYER, "image_size": 32, "patch_size": 16, "projection_dim": 16}
    kind(BlipConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(path)
    BlipProcessor(image_processor=BlipImageProcessorPil(size=SQUARE), tokenizer=tokenizer).save_pretrained(path)
    return path


def blip(path: Path) -> Path:
    """A BLIP of one layer that writes captions."""
    return _blip(path, BlipForConditionalGeneration)


def blip_vqa(path: Path) -> Path:
    """A BLIP of one layer that answers questions."""
    return _blip(path, BlipForQuestionAnswering)


def git(path: Path) -> Path:
    """A GIT of one layer."""
    torch.manual_seed(0)
    tokenizer = wordpiece()
    vision = {**LAYER, "image_size": 32, "patch_size": 16}
    config = GitConfig(
        **LAYER,
        vision_config=vision,
        vocab_size=len(tokenizer),
        max_position_embeddings=64,
        initializer_range=0.5,
        bos_token_id=2,
        eos_token_id=3,
        pad_token_id=0,
    )
    GitForCausalLM(config).save_pretrained(path)
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE)
    GitProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(path)
    return path


def llava(path: Path) -> Path:
    """A LLaVA of one layer, which converses and reads 128 tokens."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    tokenizer.add_special_tokens({"pad_token": "<pad>", "additional_special_tokens": ["<image>"]})
    place = tokenizer.convert_tokens_to_ids("<image>")
    text = {**LAYER, "model_type": "llama", "vocab_size": len(tokenizer), "max_position_embeddings": 128}
    vision = {**LAYER, "model_type": "clip_vision_model", "image_size": 32, "patch_size": 16, "projection_dim": 16}
    config = LlavaConfig(
        text_config={**text, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": tokenizer.pad_token_id},
        vision_config=vision,
        image_token_index=place,
        vision_feature_layer=-1,
    )
    LlavaForConditionalGeneration(config).save_pretrained(path)
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE),
        tokenizer=tokenizer,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT.replace("MEDIA", "<image>"),
    ).save_pretrained(path)
    return path


def qwen_audio(path: Path) -> Path:
    """A Qwen2-Audio of one layer, which converses about sounds."""
    torch.manual_seed(0)
    tokenizer = byte_level()
    tokenizer.add_special_tokens({"pad_token": "<pad>", "additional_special_tokens": ["<|AUDIO|>"]})
    tokenizer.model_max_length = 4096
    place = tokenizer.convert_tokens_to_ids("<|AUDIO|>")
    text = {**LAYER, "model_type": "qwen2", "vocab_size": len(tokenizer), "num_key_value_heads": 2}
    sound = {
        "model_type": "qwen2_audio_encoder",
        "num_mel_bins": 8,
        "d_model": 16,
        "encoder_layers": 1,
        "encoder_attention_heads": 2,
        "encoder_ffn_dim": 16,
    }
    config = Qwen2AudioConfig(
        text_config={**text, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": tokenizer.pad_token_id},
        audio_config=sound,
        audio_token_index=place,
    )
    Qwen2AudioForConditionalGeneration(config).save_pretrained(path)
    Qwen2AudioProcessor(
        feature_extractor=WhisperFeatureExtractor(feature_size=8),
        tokenizer=tokenizer,
        chat_template=CHAT.replace("MEDIA", "<|AUDIO|>"),
    ).save_pretrained(path)
    return path
