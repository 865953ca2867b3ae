"""Language models: the next token (causal), or masked ones."""

# ruff: noqa: ARG002 - a family takes what its interface gives, needed or not
from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    DataCollatorForLanguageModeling,
    default_data_collator,
)

from components.service.errors import WorkbenchError
from components.service.runs.families.base import Family, Prepared, sequence_limit
from components.service.runs.rows import Row, Rows

#: Tokens of a block where the spec says nothing.
BLOCK = 128
NEW_TOKENS = 40


class _Language(Family):
    """Texts are joined by the end-of-text token and cut into blocks of one length."""

    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model with its language-modelling head."""
        return self.auto_class.from_pretrained(
            path, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )

    def _blocks(self, rows: Sequence[Row], tokenizer: Any, block: int) -> list[dict[str, Any]]:
        end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
        ends = [] if end is None else [end]
        texts = [row["text"] for row in rows]
        encoded = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"] if texts else []
        ids = list(chain.from_iterable([*one, *ends] for one in encoded))
        whole = len(ids) - len(ids) % block if len(ids) >= block else len(ids)
        return [{"input_ids": ids[i : i + block]} for i in range(0, whole, block)]

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Blocks of equal length; what is left at the end of a split is dropped, unless it is all there is."""
        block = sequence_limit(processor, config, self.spec.max_length or BLOCK, longest)
        train, validation, test = (
            self._blocks(part, processor, block) for part in (rows.train, rows.validation, rows.test)
        )
        if not train or not validation:
            raise WorkbenchError("The texts are too few to train on. Add more of them.", field="data")
        collator = self._collator(processor, self.spec.seed, [*validation, *test])
        facts = {"max_length": block, "blocks": {"train": len(train), "validation": len(validation)}}
        return Prepared(train, validation, test, collator, facts)

    def _collator(self, tokenizer: Any, seed: int, held: list[dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        raise NotImplementedError

    def extra(self, metrics: dict[str, Any]) -> dict[str, float]:
        """Perplexity, e to the mean loss of a token."""
        loss = metrics.get("loss")
        return {"perplexity": math.exp(min(loss, 50.0))} if isinstance(loss, float) else {}


class TextGeneration(_Language):
    """Predict each token from those before it."""

    auto_class = AutoModelForCausalLM

    def _collator(self, tokenizer: Any, seed: int, held: list[dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        return _next_token

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """How the model goes on from each text, likeliest token by token."""
        answers = []
        for text in samples:
            inputs = processor(text or processor.eos_token, return_tensors="pt").to(model.device)
            with torch.no_grad():
                ids = model.generate(
                    **inputs, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=processor.eos_token_id
                )
            answers.append({"generated_text": processor.decode(ids[0], skip_special_tokens=True)})
        return answers


class FillMask(_Language):
    """Predict masked tokens: 15 % of them, drawn anew for every batch; for evaluation drawn once."""

    auto_class = AutoModelForMaskedLM

    def _blocks(self, rows: Sequence[Row], tokenizer: Any, block: int) -> list[dict[str, Any]]:
        room = block - tokenizer.num_special_tokens_to_add()
        start, end = ([i] if i is not None else [] for i in (tokenizer.cls_token_id, tokenizer.sep_token_id))
        return [{"input_ids": [*start, *b["input_ids"], *end]} for b in super()._blocks(rows, tokenizer, room)]

    def _collator(self, tokenizer: Any, seed: int, held: list[dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        if tokenizer.mask_token is None:
            raise WorkbenchError(
                "This model's tokenizer has no mask token, so fill-mask cannot be trained. Choose an encoder such as "
                "BERT.",
                field="model",
            )
        once = DataCollatorForLanguageModeling(tokenizer, seed=seed)
        for example in held:
            masked = once([{"input_ids": example["input_ids"]}])
            example |= {"input_ids": masked["input_ids"][0].tolist(), "labels": masked["labels"][0].tolist()}
        anew = DataCollatorForLanguageModeling(tokenizer)
        return _MaskCollator(anew)

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """The five likeliest tokens for the first mask of each text; nothing where there is no mask."""
        answers: list[Any] = []
        for text in samples:
            inputs = processor(text, truncation=True, return_tensors="pt").to(model.device)
            places = (inputs["input_ids"][0] == processor.mask_token_id).nonzero().flatten().tolist()
            if not places:
                answers.append([])
                continue
            with torch.no_grad():
                best = model(**inputs).logits[0, places[0]].float().softmax(-1).topk(5)
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            answers.append([{"token": i, "token_str": processor.decode([i]).strip(), "score": s} for i, s in pairs])
        return answers


class _MaskCollator:
    """Masks examples that are not masked yet."""

    def __init__(self, mask: Callable[..., dict[str, Any]]) -> None:
        self.mask = mask

    def __call__(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        if "labels" in examples[0]:
            batch: dict[str, Any] = default_data_collator(examples)
            return batch
        return self.mask(examples)


def _next_token(examples: list[dict[str, Any]]) -> dict[str, Any]:
    """Labels are the input ids: the model shifts them by one itself."""
    batch: dict[str, Any] = default_data_collator([{**e, "labels": e["input_ids"]} for e in examples])
    return batch
