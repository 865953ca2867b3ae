"""Texts, or pairs of texts, into classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding

from components.service.runs import metrics
from components.service.runs.families.base import Family, Prepared, sequence_limit
from components.service.runs.rows import Row, Rows


class TextClassification(Family):
    """One label a row; cross entropy over the logits of a sequence classification head."""

    auto_class = AutoModelForSequenceClassification
    grouped = True

    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model with a head of as many outputs as there are labels; new weights where the shapes differ."""
        return self.auto_class.from_pretrained(
            path,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            problem_type="single_label_classification",
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
        )

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Tokenized, truncated, not yet padded: a batch is padded to its own longest row."""
        if processor.pad_token is None:
            processor.pad_token = processor.eos_token
        config.pad_token_id = processor.pad_token_id
        limit = sequence_limit(processor, config, self.spec.max_length, longest)
        ids = {label: i for i, label in enumerate(rows.labels)}
        train = _encode(rows.train, processor, limit, ids)
        lengths = sorted(len(row["input_ids"]) for row in train)
        facts = {
            "max_length": limit,
            "tokens": {"median": lengths[len(lengths) // 2], "longest": lengths[-1], "total": sum(lengths)},
            "at_limit": sum(length >= limit for length in lengths) / len(lengths),
        }
        return Prepared(
            train,
            _encode(rows.validation, processor, limit, ids),
            _encode(rows.test, processor, limit, ids),
            DataCollatorWithPadding(processor),
            facts,
        )

    @staticmethod
    def metrics(prediction: Any) -> dict[str, float]:
        """Accuracy with its interval, macro F1."""
        gold = prediction.label_ids.tolist()
        return metrics.scores(gold, _logits(prediction.predictions).argmax(-1).tolist())

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """For each text its labels with their probabilities, likeliest first."""
        limit = sequence_limit(processor, model.config, None, 10**6)
        answers = []
        for text in samples:
            inputs = processor(text, truncation=True, max_length=limit, return_tensors="pt").to(model.device)
            with torch.no_grad():
                scores = model(**inputs).logits[0].float().softmax(-1).tolist()
            named = [{"label": model.config.id2label[i], "score": score} for i, score in enumerate(scores)]
            answers.append(sorted(named, key=lambda entry: -entry["score"]))
        return answers

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """What always answering the commonest label scores."""
        ids = {label: i for i, label in enumerate(rows.labels)}
        train, gold = ([ids[row["label"]] for row in part] for part in (rows.train, rows.validation))
        return {"majority": metrics.majority(train, gold, rows.labels)}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:
        """Per-class figures, confusion matrix, thresholds."""
        return metrics.details(np.asarray(output.label_ids), _logits(output.predictions), rows.labels)


def _encode(rows: Sequence[Row], tokenizer: Any, limit: int, ids: dict[str, int]) -> list[dict[str, Any]]:
    encoded: list[dict[str, Any]] = []
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        pairs = [row["text_pair"] for row in part] if "text_pair" in part[0] else None
        batch = tokenizer([row["text"] for row in part], pairs, truncation=True, max_length=limit)
        for i, row in enumerate(part):
            encoded.append({**{key: batch[key][i] for key in batch}, "labels": ids[row["label"]]})
    return encoded


def _logits(predictions: Any) -> np.ndarray:
    """Logits of an evaluation; some models give more after them."""
    return np.asarray(predictions[0] if isinstance(predictions, tuple) else predictions)
