"""Questions whose answer is a piece of a text, or that the text does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special
from transformers import AutoModelForQuestionAnswering, DataCollatorWithPadding

from components.service.errors import WorkbenchError
from components.service.runs import text_metrics
from components.service.runs.families.base import Prepared
from components.service.runs.families.grouped import WORST_CHARS, Grouped, length_facts, worst
from components.service.runs.families.remembering import RememberingTrainer
from components.service.runs.families.traced import SOURCE, TracingTrainer, untraced
from components.service.runs.rows import Row, Rows
from components.service.runs.spans import Window, best_answers, read_windows, window_sizes
from components.service.runs.tasks import LONGEST
from components.service.worker.columns import shorten
from components.service.worker.revived.question_answering import QuestionAnsweringPipeline

TASK = "question-answering"
#: Tokens that a window needs to hold a question and a piece of the context.
FEWEST = 16


class QuestionAnswering(Grouped):
    """Scores each token of the context as the begin and the end of the answer."""

    auto_class = AutoModelForQuestionAnswering
    #: Whether some questions that are trained on, or chosen by, have no answer.
    none = False

    def load(self, path: Path, labels: Sequence[str]) -> Any:  # noqa: ARG002 - the head has no names
        """The model with its head; new weights where it has none."""
        return self.pretrained(path)

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Windows of the contexts, each with its question and the place of the answer.

        Raises:
            WorkbenchError: The tokenizer does not say where a token lies in a text, or a window would be too short.
        """
        if not processor.is_fast:
            raise WorkbenchError(
                f"The tokenizer of {self.spec.model} does not tell where a token lies in a text, which finding answers "
                "needs. Choose a model with a tokenizer.json.",
                field="model",
            )
        limit = self.limit(processor, config, longest, pair=True)
        if limit < FEWEST:
            raise WorkbenchError(
                f"{limit} tokens hold no question and context. Set max_length to {FEWEST} or more.", field="max_length"
            )
        splits = {"train": rows.train, "validation": rows.validation, "test": rows.test}
        train, validation, test = (
            [
                _example(inputs, window, keep=part is not rows.train)
                for inputs, window in read_windows(part, processor, limit)
            ]
            for part in splits.values()
        )
        unanswered = {name: sum(map(_none, part)) for name, part in splits.items()}
        self.none = bool(unanswered["train"] or unanswered["validation"])
        # Kept with the model: whoever runs it knows that it may say that there is no answer.
        params = {**(getattr(config, "task_specific_params", None) or {})}
        config.task_specific_params = {**params, TASK: {"handle_impossible_answer": self.none}}
        lengths = length_facts(train, limit)
        del lengths["at_limit"]  # a long context is read in windows: nothing is cut
        facts = {
            **lengths,
            "windows": {"train": len(train), "validation": len(validation)},
            "unanswered": {name: count for name, count in unanswered.items() if count},
        }
        return Prepared(train, validation, test, _Collator(processor), facts)

    def arguments(self) -> dict[str, Any]:
        """The names of the labels, which a wrapped model does not tell."""
        return {"label_names": ["start_positions", "end_positions"]}

    def trainer(self, **options: Any) -> RememberingTrainer:
        """A Trainer that knows which windows it evaluates."""
        self._trainer = TracingTrainer(preprocess_logits_for_metrics=self.reduced, **options)
        return self._trainer

    @staticmethod
    def reduced(predictions: Any, labels: Any) -> Any:  # noqa: ARG004 - the Trainer's hook
        """What is kept of a batch's predictions: the logits of begins and of ends."""
        return predictions[:2]

    def metrics(self, prediction: Any) -> dict[str, float]:
        """Exact match and F1 of words, over rows, each with its interval."""
        windows = self._trainer.evaluated
        return text_metrics.means(text_metrics.answer_scores(self._answers(windows, prediction), _accepted(windows)))

    def _answers(self, windows: Sequence[Window], prediction: Any) -> list[str]:
        return best_answers(windows, *(np.asarray(one) for one in prediction.predictions), none=self.none)

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """For each `{"question", "context"}` its answer, `{answer, score, start, end}`; empty where there is none.

        Raises:
            WorkbenchError: A sample is of another form.
        """
        pipe = QuestionAnsweringPipeline(model=model, tokenizer=processor, device=model.device)
        known = (getattr(model.config, "task_specific_params", None) or {}).get(TASK, {})
        limit = self.limit(processor, model.config, 10**6, pair=True)
        most, stride = window_sizes(processor, limit)
        settings = {
            "max_seq_len": limit,
            "max_question_len": most,
            "doc_stride": stride,
            "max_answer_len": LONGEST,
            "handle_impossible_answer": bool(known.get("handle_impossible_answer")),
        }
        return [pipe(_asked(one), **settings) for one in samples]

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """Where some questions have no answer, what it scores to say so of all."""
        if not any(_none(row) for row in rows.validation):
            return {}
        accepted = [row["answers"]["text"] for row in rows.validation]
        scores = text_metrics.answer_scores([""] * len(accepted), accepted)
        return {"majority": {"label": "no answer", **text_metrics.means(scores)}}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:  # noqa: ARG002 - the windows hold the rows
        """The questions answered worst, by the mean loss of their windows."""
        windows = self._trainer.sources(self._trainer.eval_dataset)
        answers, accepted = self._answers(windows, output), _accepted(windows)
        wrong = np.array(text_metrics.answer_scores(answers, accepted)["f1"]) < 1.0
        places = {id(row): i for i, row in enumerate(_rows(windows))}
        losses, counts = np.zeros(len(places)), np.zeros(len(places))
        for window, loss in zip(windows, _losses(output), strict=True):
            losses[places[id(window.row)]] += loss
            counts[places[id(window.row)]] += 1
        losses /= counts
        asked = _rows(windows)
        return {"worst": [_told(asked[i], answers[i], float(losses[i])) for i in worst(losses, wrong)]}


class _Collator(DataCollatorWithPadding):  # type: ignore[misc]  # the library has no types
    """Pads at the end, whatever the tokenizer prefers, so that the places of the answers hold."""

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, Any]:
        before, self.tokenizer.padding_side = self.tokenizer.padding_side, "right"
        try:
            batch: dict[str, Any] = super().__call__(untraced(features))
        finally:
            self.tokenizer.padding_side = before
        return batch


def _example(inputs: dict[str, Any], window: Window, *, keep: bool) -> dict[str, Any]:
    start, end = window.place()
    return {**inputs, "start_positions": start, "end_positions": end, **({SOURCE: window} if keep else {})}


def _none(row: Row) -> bool:
    return not row["answers"]["text"]


def _rows(windows: Sequence[Window]) -> list[Row]:
    """The rows of windows, each once, in the order in which they come first."""
    return list({id(window.row): window.row for window in windows}.values())


def _accepted(windows: Sequence[Window]) -> list[list[str]]:
    return [row["answers"]["text"] for row in _rows(windows)]


def _losses(output: Any) -> np.ndarray:
    """Cross entropy of each window: the mean of that of the begin and that of the end."""
    losses = []
    for logits, places in zip(output.predictions, output.label_ids, strict=True):
        scores = special.log_softmax(np.asarray(logits, dtype=float), -1)
        losses.append(-np.take_along_axis(scores, np.asarray(places)[:, None], -1)[:, 0])
    mean: np.ndarray = np.stack(losses).mean(axis=0)
    return mean


def _told(row: Row, answer: str, loss: float) -> dict[str, Any]:
    shown = {"question": row["question"], "context": row["context"]}
    gold = row["answers"]["text"][:1] or [""]
    shortened = {role: shorten(text, WORST_CHARS) for role, text in shown.items()}
    return {"input": shortened, "gold": gold[0], "answer": answer, "loss": loss}


def _asked(sample: Any) -> dict[str, str]:
    texts = [sample.get(role) for role in ("question", "context")] if isinstance(sample, dict) else []
    asked = [text for text in texts if isinstance(text, str) and text.strip()]
    if len(asked) < 2:
        raise WorkbenchError(
            'A sample is a question with the text that answers it: {"question": "...", "context": "..."}.',
            field="samples",
        )
    return {"question": asked[0], "context": asked[1]}
