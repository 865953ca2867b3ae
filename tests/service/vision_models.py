"""Tiny models that look at images, made from configurations, in folders as `from_pretrained` reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from service_models import TEXTS
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedModel, PreTrainedTokenizerFast

SIDE = {"height": 32, "width": 32}
LABELS = {0: "cat", 1: "house", 2: "tree", 3: "car"}
_LAYERS = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
_IMAGES = {"image_size": 32, "patch_size": 8}


def saved(path: Path, model: PreTrainedModel, *parts: Any) -> Path:
    model.save_pretrained(path)
    for part in parts:
        part.save_pretrained(path)
    return path


def lively(model: PreTrainedModel, seed: int = 0, scale: float = 0.4) -> PreTrainedModel:
    """The model with weights so large that its answers differ from one image to another."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data.normal_(0, scale, generator=generator)
    return model.eval()


def clip_tokenizer() -> PreTrainedTokenizerFast:
    """Words as CLIP marks them: the end token has the highest id, which is how the model finds it."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["<pad>", "<unk>", "<start>"]
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=special, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator([*TEXTS, *LABELS.values(), "this is a photo of"], trainer)
    end = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens(["<end>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 2), ("<end>", end)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<start>",
        eos_token="<end>",
        model_max_length=16,
    )


def _two_towers(**more: Any) -> dict[str, Any]:
    words = clip_tokenizer()
    text = {**_LAYERS, "vocab_size": len(words), "max_position_embeddings": 16, "projection_dim": 16}
    ids = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": words.eos_token_id}
    return {
        "text_config": {**text, **ids},
        "vision_config": {**_LAYERS, **_IMAGES, "projection_dim": 16},
        "projection_dim": 16,
        **more,
    }


def image_classifier(path: Path, **config: Any) -> Path:
    given = {**_LAYERS, **_IMAGES, "id2label": LABELS, **config}
    model = transformers.ViTForImageClassification(transformers.ViTConfig(**given))
    return saved(path, lively(model), transformers.ViTImageProcessorPil(size=SIDE))


def image_encoder(path: Path) -> Path:
    """A ViT without a head, and with its pooler."""
    model = transformers.ViTModel(transformers.ViTConfig(**_LAYERS, **_IMAGES, pooler_output_size=16))
    return saved(path, lively(model), transformers.ViTImageProcessorPil(size=SIDE))


def detector(path: Path) -> Path:
    config = transformers.YolosConfig(
        **_LAYERS, image_size=[32, 32], patch_size=8, num_detection_tokens=6, id2label=LABELS,
        use_mid_position_embeddings=False,
    )  # fmt: skip
    size = {"shortest_edge": 32, "longest_edge": 48}
    return saved(
        path, lively(transformers.YolosForObjectDetection(config)), transformers.YolosImageProcessorPil(size=size)
    )


def semantic_segmenter(path: Path) -> Path:
    config = transformers.SegformerConfig(
        hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16,
        id2label=LABELS,
    )  # fmt: skip
    model = lively(transformers.SegformerForSemanticSegmentation(config))
    return saved(path, model, transformers.SegformerImageProcessorPil(size=SIDE))


def panoptic_segmenter(path: Path) -> Path:
    swin = transformers.SwinConfig(
        image_size=64, patch_size=4, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    config = transformers.Mask2FormerConfig(
        backbone_config=swin, feature_size=32, mask_feature_size=32, hidden_dim=32, encoder_feedforward_dim=32,
        encoder_layers=1, decoder_layers=2, num_attention_heads=2, dim_feedforward=32, num_queries=5, id2label=LABELS,
    )  # fmt: skip
    model = lively(transformers.Mask2FormerForUniversalSegmentation(config), seed=3)
    return saved(path, model, transformers.Mask2FormerImageProcessorPil(size={"height": 64, "width": 64}))


def depth_estimator(path: Path) -> Path:
    config = transformers.DPTConfig(
        **{**_LAYERS, "num_hidden_layers": 4}, image_size=32, patch_size=8, backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=16,
    )  # fmt: skip
    return saved(
        path,
        lively(transformers.DPTForDepthEstimation(config), scale=0.1),
        transformers.DPTImageProcessorPil(size=SIDE),
    )


def mask_generator(path: Path) -> Path:
    decoder = {"hidden_size": 16, "mlp_dim": 16, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
    config = transformers.SamConfig(
        vision_config={
            "hidden_size": 16, "output_channels": 16, "num_hidden_layers": 2, "num_attention_heads": 2, **_IMAGES,
            "window_size": 2, "global_attn_indexes": [1], "num_pos_feats": 8, "mlp_dim": 32,
        },
        prompt_encoder_config={"hidden_size": 16, **_IMAGES, "mask_input_channels": 4},
        mask_decoder_config=decoder,
    )  # fmt: skip
    processor = transformers.SamImageProcessorPil(
        size={"longest_edge": 32}, pad_size=SIDE, mask_size={"longest_edge": 16},
        mask_pad_size={"height": 16, "width": 16},
    )  # fmt: skip
    return saved(path, lively(transformers.SamModel(config)), processor)


def matcher_of_words(path: Path) -> Path:
    """A CLIP that reads 16 tokens."""
    model = transformers.CLIPModel(transformers.CLIPConfig(**_two_towers()))
    size = {"shortest_edge": 32}
    processor = transformers.CLIPImageProcessorPil(size=size, crop_size=SIDE)
    return saved(path, lively(model), processor, clip_tokenizer())


def word_detector(path: Path) -> Path:
    model = transformers.OwlViTForObjectDetection(transformers.OwlViTConfig(**_two_towers()))
    processor = transformers.OwlViTImageProcessorPil(size=SIDE)
    return saved(path, lively(model), processor, clip_tokenizer())


def keypoint_matcher(path: Path) -> Path:
    points = transformers.SuperPointConfig(
        encoder_hidden_sizes=[8, 8, 8, 8], decoder_hidden_size=16, descriptor_decoder_dim=16, max_keypoints=20,
        keypoint_threshold=0.0,
    )  # fmt: skip
    config = transformers.SuperGlueConfig(
        keypoint_detector_config=points, hidden_size=16, keypoint_encoder_sizes=[8, 16],
        gnn_layers_types=["self", "cross"], num_attention_heads=2, sinkhorn_iterations=5,
    )  # fmt: skip
    model = lively(transformers.SuperGlueForKeypointMatching(config))
    return saved(path, model, transformers.SuperGlueImageProcessorPil(size={"height": 48, "width": 64}))


def enlarger(path: Path) -> Path:
    config = transformers.Swin2SRConfig(image_size=16, embed_dim=4, depths=[1], num_heads=[1], window_size=8, upscale=2)
    model = lively(transformers.Swin2SRForImageSuperResolution(config), scale=0.1)
    return saved(path, model, transformers.Swin2SRImageProcessorPil())


#: Each model of the tests and what makes it.
MODELS: dict[str, Callable[[Path], Path]] = {
    "image-classifier": image_classifier,
    "image-encoder": image_encoder,
    "detector": detector,
    "semantic": semantic_segmenter,
    "panoptic": panoptic_segmenter,
    "depth": depth_estimator,
    "sam": mask_generator,
    "clip": matcher_of_words,
    "owl": word_detector,
    "keypoints": keypoint_matcher,
    "enlarger": enlarger,
}
