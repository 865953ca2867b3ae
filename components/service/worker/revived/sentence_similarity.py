"""Sentence similarity as a pipeline: the cosine of the angle between the vectors of two sentences."""

from collections.abc import Iterator
from typing import Any

import torch
from transformers.pipelines.base import ChunkPipeline

#: Sentences that go through the model at once.
BATCH = 16


class SentenceSimilarityPipeline(ChunkPipeline):
    """Compares sentences with one sentence by the vectors that a model without a head gives them.

    `pipe({"source_sentence": ..., "sentences": [...]}, **parameters)` gives one number from -1 to 1 for each sentence.
    A sentence's vector is made of those of its tokens by `pooling`: their `mean` (Reimers and Gurevych 2019), that of
    the first token (`cls`) or of the `last`, or the largest of each number (`max`). Sentences are cut at `max_length`
    tokens.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_feature_extractor = _load_video_processor = False

    def _sanitize_parameters(
        self, pooling: str | None = None, max_length: int | None = None
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        before = {} if max_length is None else {"max_length": max_length}
        return before, {} if pooling is None else {"pooling": pooling}, {}

    def preprocess(self, inputs: dict[str, Any], max_length: int | None = None) -> Iterator[dict[str, Any]]:
        texts = [inputs["source_sentence"], *inputs["sentences"]]
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        for begin in range(0, len(texts), BATCH):
            batch = texts[begin : begin + BATCH]
            encoded = self.tokenizer(
                batch,
                padding=True,
                truncation=True,
                max_length=max_length,
                return_attention_mask=True,
                return_tensors="pt",
            )
            yield {**encoded, "is_last": begin + BATCH >= len(texts)}

    def _forward(self, inputs: dict[str, Any], pooling: str = "mean") -> dict[str, Any]:
        read = {name: value for name, value in inputs.items() if name != "is_last"}
        model = self.model.get_encoder() if self.model.config.is_encoder_decoder else self.model
        hidden = model(**read)[0]
        return {"vectors": pool(hidden, read["attention_mask"], pooling), "is_last": inputs["is_last"]}

    def postprocess(self, outputs: list[dict[str, Any]]) -> list[float]:
        vectors = torch.cat([one["vectors"] for one in outputs]).float()
        vectors = torch.nn.functional.normalize(vectors, dim=-1)
        similarities: list[float] = (vectors[1:] @ vectors[0]).tolist()
        return similarities


def pool(hidden: torch.Tensor, attention_mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """One vector for each sentence, shape (batch, hidden), from one for each token, shape (batch, sequence, hidden)."""
    mask = attention_mask[..., None].to(hidden.dtype)
    if pooling == "mean":
        return (hidden * mask).sum(1) / mask.sum(1)
    if pooling == "max":
        return hidden.masked_fill(mask == 0, -torch.inf).max(1).values
    places = torch.arange(hidden.shape[1], device=hidden.device)
    read = attention_mask.bool()
    if pooling == "cls":
        place = torch.where(read, places, hidden.shape[1]).min(1).values
    else:
        place = torch.where(read, places, -1).max(1).values
    return hidden[torch.arange(len(hidden), device=hidden.device), place]
