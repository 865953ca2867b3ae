"""Texts into other texts, by an encoder and a decoder: summaries and translations."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSeq2SeqLM, DataCollatorForSeq2Seq, GenerationConfig

from components.service.errors import WorkbenchError
from components.service.runs import text_metrics
from components.service.runs.families.base import Prepared
from components.service.runs.families.grouped import WORST_CHARS, Grouped, length_facts, worst
from components.service.runs.families.languages import FIRST, Languages
from components.service.runs.families.remembering import RememberingTrainer
from components.service.runs.families.traced import SOURCE, TracingTrainer, untraced
from components.service.runs.rows import Row, Rows
from components.service.worker.columns import shorten

#: Settings of generation that belong to the model and its vocabulary; what else it came with was made for other texts.
_IDS = (
    "bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id", "forced_bos_token_id",
    "forced_eos_token_id", "bad_words_ids", "suppress_tokens", "begin_suppress_tokens",
)  # fmt: skip
#: How configurations call the longest text that a decoder writes; those that name none have no such limit.
_POSITIONS = ("max_decoder_position_embeddings", "max_position_embeddings")
#: Sentences that the baseline of a summary takes from the beginning of the text (the "lead").
LEAD = 3
#: Rows that are tokenized together.
BATCH = 500


class Writing(Grouped):
    """An evaluation writes each text, always the likeliest token next, as the trained model does by default."""

    auto_class = AutoModelForSeq2SeqLM
    #: The key of an answer.
    key = ""

    def load(self, path: Path, labels: Sequence[str]) -> Any:  # noqa: ARG002 - there is nothing to name
        """The model, which writes as an evaluation does."""
        model = self.pretrained(path)
        own = {name: getattr(model.generation_config, name, None) for name in _IDS}
        if own["decoder_start_token_id"] is None and own["bos_token_id"] is None:
            raise WorkbenchError(
                f"The files of {self.spec.model} do not say with which token its decoder begins "
                "(decoder_start_token_id). Choose another model.",
                field="model",
            )
        most = self._longest_target(model.config)
        model.generation_config = GenerationConfig(**own, max_new_tokens=most, num_beams=1, do_sample=False)
        return model

    def _longest_target(self, config: Any) -> int:
        sizes = [getattr(config, name, None) for name in _POSITIONS]
        return min([self.spec.max_target_length, *(size - 1 for size in sizes if isinstance(size, int) and size > 1)])

    @abstractmethod
    def prefix(self, tokenizer: Any, config: Any, columns: Mapping[str, str]) -> str:
        """What is put before each text; a tokenizer that marks languages is told them here."""

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Texts and targets tokenized, each cut at its own limit."""
        limit, most = self.limit(processor, config, longest), self._longest_target(config)
        prefix = self.prefix(processor, config, rows.columns)
        train, validation, test = (
            _encode(part, processor, prefix, limit, most, keep=part is not rows.train)
            for part in (rows.train, rows.validation, rows.test)
        )
        targets = sorted(len(example["labels"]) for example in train)
        facts = {
            **length_facts(train, limit),
            "max_target_length": most,
            "target_tokens": {"median": targets[len(targets) // 2], "longest": targets[-1], "total": sum(targets)},
            "target_at_limit": sum(length >= most for length in targets) / len(targets),
            "prefix": prefix,
            **self.measured(),
        }
        self._tokenizer = processor
        return Prepared(train, validation, test, _Collator(processor), facts)

    def measured(self) -> dict[str, Any]:
        """What is recorded of how texts are compared."""
        return {}

    def trainer(self, **options: Any) -> RememberingTrainer:
        """A Trainer that writes."""
        self._trainer = _WritingTrainer(**options)
        return self._trainer

    @abstractmethod
    def compared(self, made: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
        """The task's figures, with their intervals."""

    def metrics(self, prediction: Any) -> dict[str, float]:
        """The figures of what was written against the whole targets."""
        return self.compared(self._written(prediction), [row["target"] for row in self._trainer.evaluated])

    def _written(self, prediction: Any) -> list[str]:
        ids = np.asarray(prediction.predictions[0])
        texts = self._tokenizer.batch_decode(
            np.where(ids < 0, self._tokenizer.pad_token_id, ids), skip_special_tokens=True
        )
        return [text.strip() for text in texts]

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """What the model writes for each text.

        Raises:
            WorkbenchError: A sample is no text.
        """
        prefix = self.prefix(processor, model.config, self.spec.columns)
        limit = self.limit(processor, model.config, 10**6)
        answers = []
        for sample in samples:
            if not isinstance(sample, str):
                raise WorkbenchError("A sample is a text.", field="samples")
            inputs = processor(
                prefix + sample, truncation=True, max_length=limit, return_tensors="pt", return_token_type_ids=False
            )
            with torch.no_grad():
                ids = model.generate(**inputs.to(model.device), **self.aim())
            answers.append({self.key: processor.decode(ids[0], skip_special_tokens=True).strip()})
        return answers

    def aim(self) -> dict[str, Any]:
        """Parameters of `generate` that the task sets."""
        return {}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:  # noqa: ARG002 - the examples hold the rows
        """The rows whose targets the model holds for least likely, among those that it writes differently."""
        held: list[Row] = self._trainer.sources(self._trainer.eval_dataset)
        written, losses = self._written(output), np.asarray(output.predictions[1], dtype=float)
        wrong = np.array([text != row["target"].strip() for text, row in zip(written, held, strict=True)])
        return {"worst": [_told(held[i], written[i], float(losses[i])) for i in worst(losses, wrong)]}


class Summarization(Writing):
    """Judged by ROUGE."""

    key = "summary_text"

    def prefix(self, tokenizer: Any, config: Any, columns: Mapping[str, str]) -> str:  # noqa: ARG002
        """What the model's configuration says, as "summarize: " of T5; kept with the model, and nothing beside it."""
        own = (getattr(config, "task_specific_params", None) or {}).get("summarization") or {}
        prefix = str(own.get("prefix") or "")
        config.task_specific_params = {"summarization": {"prefix": prefix}}
        return prefix

    def compared(self, made: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
        """ROUGE-1, ROUGE-2 and ROUGE-L."""
        return text_metrics.means(text_metrics.summary_scores(made, gold))

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """What the first sentences of each text score, which summaries of news seldom beat by much."""
        leads = [" ".join(re.split(r"(?<=[.!?])\s+", row["text"].strip())[:LEAD]) for row in rows.validation]
        figures = self.compared(leads, [row["target"] for row in rows.validation])
        return {"lead": {"label": f"the first {LEAD} sentences", **figures}}


class Translation(Writing):
    """Judged by BLEU and chrF."""

    key = "translation_text"

    def prefix(self, tokenizer: Any, config: Any, columns: Mapping[str, str]) -> str:
        """The words that tell the languages, where words do; kept with the model, and no others."""
        self._languages = Languages(self.spec, columns, tokenizer, config)
        self._languages.keep(config)
        return self._languages.prefix

    def measured(self) -> dict[str, Any]:
        """The languages, the token that a translation begins with, and how sacrebleu cuts the target's into words."""
        told = self._languages
        cut = text_metrics.cut_of(told.target)
        begun = {"first_token": told.first, "first_token_by": next(iter(told.begin), None)}
        return {"languages": [told.source, told.target], **begun, "bleu_tokenizer": cut}

    def trainer(self, **options: Any) -> RememberingTrainer:
        """A Trainer of a model that begins with the token of its language, now and whenever it is loaded again."""
        model = options["model"]
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        base.generation_config.update(**self.aim())
        return super().trainer(**options)

    def aim(self) -> dict[str, Any]:
        """The token of the target language, which the model that training starts from has to be told."""
        begin = self._languages.begin
        return {FIRST: None, **begin} if begin else {}

    def compared(self, made: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
        """BLEU and chrF."""
        return text_metrics.translation_scores(made, gold, self._languages.target)

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """What the untranslated texts score: names and numbers are often the same."""
        figures = self.compared([row["text"] for row in rows.validation], [row["target"] for row in rows.validation])
        return {"copy": {"label": "the text untranslated", **figures}}


class _WritingTrainer(TracingTrainer):
    """Writes a text for each example of an evaluation, and gives each example's loss beside it."""

    def prediction_step(
        self, model: Any, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> tuple[Any, Any, Any]:
        """The batch's loss; the ids written, (batch, tokens), and the mean loss of each example's tokens, (batch,);
        the labels."""
        if prediction_loss_only:
            step: tuple[Any, Any, Any] = super().prediction_step(model, inputs, prediction_loss_only, ignore_keys)
            return step
        inputs = self._prepare_inputs(inputs)
        labels = inputs["labels"]
        with torch.no_grad():
            ids = self.model.generate(**{name: value for name, value in inputs.items() if name != "labels"})
            with self.compute_loss_context_manager():
                outputs = model(**inputs)
            losses = torch.nn.functional.cross_entropy(
                outputs.logits.float().transpose(1, 2), labels, reduction="none", ignore_index=-100
            )
        return outputs.loss.mean().detach(), (ids, losses.sum(1) / (labels != -100).sum(1)), labels


class _Collator(DataCollatorForSeq2Seq):  # type: ignore[misc]  # the library has no types
    """Pads texts and targets, each to the longest of the batch."""

    def __call__(self, features: list[dict[str, Any]], return_tensors: Any = None) -> dict[str, Any]:
        batch: dict[str, Any] = super().__call__(untraced(features), return_tensors)
        return batch


def _encode(
    rows: Sequence[Row], tokenizer: Any, prefix: str, limit: int, most: int, *, keep: bool
) -> list[dict[str, Any]]:
    encoded: list[dict[str, Any]] = []
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        texts = [prefix + row["text"] for row in part]
        batch = tokenizer(texts, truncation=True, max_length=limit, return_token_type_ids=False)
        targets = tokenizer(text_target=[row["target"] for row in part], truncation=True, max_length=most)
        for i, row in enumerate(part):
            example = {**{key: batch[key][i] for key in batch}, "labels": targets["input_ids"][i]}
            encoded.append({**example, SOURCE: row} if keep else example)
    return encoded


def _told(row: Row, written: str, loss: float) -> dict[str, Any]:
    shown = {"input": row["text"], "gold": row["target"], "answer": written}
    return {**{name: shorten(text, WORST_CHARS) for name, text in shown.items()}, "loss": loss}
