"""Texts, or pairs of texts, into one class, any number of labels, or a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import special
from transformers import AutoModelForSequenceClassification, DataCollatorWithPadding

from components.service.errors import WorkbenchError
from components.service.runs import metrics
from components.service.runs.checks import check_metric
from components.service.runs.families.base import Prepared, sequence_limit
from components.service.runs.families.examples import Examples, encode
from components.service.runs.families.grouped import WORST_CHARS, Grouped, length_facts, worst
from components.service.runs.rows import Row, Rows
from components.service.runs.spec import RunSpec
from components.service.runs.tasks import BY_PROBLEM
from components.service.worker.columns import shorten

#: transformers' name of each kind of labels: it decides the loss (cross entropy, binary cross entropy, squared error).
PROBLEM_TYPES = {
    "single": "single_label_classification",
    "multi": "multi_label_classification",
    "regression": "regression",
}


class TextClassification(Grouped):
    """A sequence classification head whose outputs are classes, labels or one number."""

    auto_class = AutoModelForSequenceClassification

    def __init__(self, spec: RunSpec) -> None:
        super().__init__(spec)
        self.problem = "single" if spec.problem == "auto" else spec.problem

    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model with a head of the labels, or of one number; of `auto` the loss is settled by `prepare`."""
        problem = self.spec.problem if labels else "regression"
        return self.load_head(path, labels, PROBLEM_TYPES.get(problem))

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Tokenized, truncated, not yet padded: a batch is padded to its own longest row.

        Raises:
            WorkbenchError: The chosen metric is none of this kind of labels, or no token of a text would be left.
        """
        self.problem = rows.problem
        config.problem_type = PROBLEM_TYPES[self.problem]
        check_metric(self.metric, self.problem)
        limit = self.limit(processor, config, longest, pair="text_pair" in rows.train[0])
        parts = (self._encode(part, processor, limit, rows) for part in (rows.train, rows.validation, rows.test))
        train, validation, test = parts
        facts = length_facts(train, limit)
        if self.problem != "regression":
            facts["average"] = "macro"
        return Prepared(train, validation, test, DataCollatorWithPadding(processor), facts)

    @property
    def metric(self) -> str:
        """What the best checkpoint is chosen by: the kind of labels has a default of its own."""
        return self.spec.metric or BY_PROBLEM[self.problem][0]

    def metrics(self, prediction: Any) -> dict[str, float]:
        """The figures of an evaluation by the kind of labels, each with its interval."""
        gold, logits = prediction.label_ids, prediction.predictions
        if self.problem == "regression":
            return metrics.regression(gold.astype(float), logits[:, 0].astype(float))
        if self.problem == "multi":
            return metrics.multi(gold.astype(int), _chosen(logits))
        return metrics.single(gold.tolist(), logits.argmax(-1).tolist())

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """For each text or pair its labels with their probabilities, likeliest first; or `{"score": number}`.

        Raises:
            WorkbenchError: A sample is neither a text nor `{"text": text, "text_pair": text}`.
        """
        limit = sequence_limit(processor, model.config, None, 10**6)
        answers: list[Any] = []
        for sample in samples:
            inputs = processor(*_texts(sample), truncation=True, max_length=limit, return_tensors="pt")
            with torch.no_grad():
                logits = model(**inputs.to(model.device)).logits[0].float()
            if model.config.num_labels == 1:
                answers.append({"score": logits[0].item()})
                continue
            several = model.config.problem_type == PROBLEM_TYPES["multi"]
            scores = (logits.sigmoid() if several else logits.softmax(-1)).tolist()
            named = [{"label": model.config.id2label[i], "score": score} for i, score in enumerate(scores)]
            answers.append(sorted(named, key=lambda entry: -entry["score"]))
        return answers

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """What always answering the commonest label, the commonest set of labels, or the mean scores."""
        train, gold = (self._targets(part, rows) for part in (rows.train, rows.validation))
        if self.problem == "single":
            return {"majority": metrics.majority(train, gold, rows.labels)}
        if self.problem == "multi":
            common = Counter(tuple(one) for one in train).most_common(1)[0][0]
            label = ", ".join(name for name, on in zip(rows.labels, common, strict=True) if on) or "no label"
            figures = metrics.multi(np.array(gold, dtype=int), np.tile(np.array(common, dtype=int), (len(gold), 1)))
            return {"majority": {"label": label, **figures}}
        mean = float(np.mean(train))
        figures = metrics.regression(np.array(gold), np.full(len(gold), mean))
        # A constant is correlated with nothing.
        errors = {name: value for name, value in figures.items() if name.startswith(("mse", "mae"))}
        return {"mean": {"value": mean, **errors}}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:
        """Per-class figures, confusion matrix, thresholds, and the worst errors."""
        gold, logits = (self.in_order(np.asarray(part)) for part in (output.label_ids, output.predictions))
        if self.problem == "regression":
            error = (logits[:, 0] - gold) ** 2
            answers = [float(one) for one in logits[:, 0]]
            return {"worst": _worst(rows, error, error > 0, answers)}
        if self.problem == "multi":
            return self._label_details(gold.astype(int), logits.astype(float), rows)
        losses = -np.take_along_axis(special.log_softmax(logits.astype(float), -1), gold[:, None], -1)[:, 0]
        predicted = logits.argmax(-1)
        told = [rows.labels[i] for i in predicted]
        found = metrics.details(gold, logits, rows.labels)
        return {**found, "worst": _worst(rows, losses, predicted != gold, told)}

    def _label_details(self, gold: np.ndarray, logits: np.ndarray, rows: Rows) -> dict[str, Any]:
        predicted = _chosen(logits)
        losses = -(gold * special.log_expit(logits) + (1 - gold) * special.log_expit(-logits)).mean(-1)
        told = [[name for name, on in zip(rows.labels, one, strict=True) if on] for one in predicted]
        return {
            "per_class": metrics.label_figures(gold, predicted, rows.labels),
            "thresholds": metrics.label_thresholds(gold, special.expit(logits)),
            "worst": _worst(rows, losses, (predicted != gold).any(-1), told),
        }

    def _targets(self, part: Sequence[Row], rows: Rows) -> list[Any]:
        """The labels of rows as the loss takes them: an id, a 0.0 or 1.0 for each label, or a number."""
        ids = {label: i for i, label in enumerate(rows.labels)}
        if self.problem == "single":
            return [ids[row["label"]] for row in part]
        if self.problem == "multi":
            chosen = ({ids[label] for label in row["label"]} for row in part)
            return [[float(i in some) for i in range(len(ids))] for some in chosen]
        return [float(row["label"]) for row in part]

    def _encode(self, part: Sequence[Row], tokenizer: Any, limit: int, rows: Rows) -> Examples:
        texts = [row["text"] for row in part]
        pairs = [row["text_pair"] for row in part] if part and "text_pair" in part[0] else None
        columns = encode(tokenizer, texts, pairs, self.kept, truncation=True, max_length=limit)
        return Examples({**columns, "labels": np.array(self._targets(part, rows))}, len(part))


def _chosen(logits: np.ndarray) -> np.ndarray:
    """1 for each label whose probability is at least one half."""
    return (logits >= 0).astype(int)


def _texts(sample: Any) -> tuple[str, str | None]:
    text, pair = (sample.get("text"), sample.get("text_pair") or None) if isinstance(sample, dict) else (sample, None)
    if not isinstance(text, str) or not isinstance(pair, str | None):
        raise WorkbenchError(
            'A sample is a text, or two in an object: {"text": "...", "text_pair": "..."}.', field="samples"
        )
    return text, pair


def _worst(rows: Rows, losses: np.ndarray, wrong: np.ndarray, answers: Sequence[Any]) -> list[dict[str, Any]]:
    found = []
    for i in worst(losses, wrong):
        row = rows.validation[i]
        texts = {role: shorten(row[role], WORST_CHARS) for role in ("text", "text_pair") if role in row}
        shown = texts if "text_pair" in texts else texts["text"]
        found.append({"input": shown, "gold": row["label"], "answer": answers[i], "loss": float(losses[i])})
    return found
