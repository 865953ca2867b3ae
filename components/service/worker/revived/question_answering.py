"""Extractive question answering as a pipeline: the answer is a piece of the text, found by its first and last token."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from transformers.pipelines.base import ChunkPipeline


class QuestionAnsweringPipeline(ChunkPipeline):
    """Answers a question from a text with a model that scores each token as an answer's begin and end.

    `pipe({"question": ..., "context": ...}, **parameters)` gives `{score, start, end, answer}`, or a list of them
    where there are several; `start` and `end` count characters of the context. A context that is too long is read in
    chunks of `max_seq_len` tokens (384 at most), the question included, that share `doc_stride` tokens (128 at most).
    `top_k` answers of `max_answer_len` tokens at most are returned, with `handle_impossible_answer` also the empty
    one; with `align_to_words` they are widened to whole words. `max_question_len` cuts the question.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_feature_extractor = _load_video_processor = False

    def _sanitize_parameters(
        self,
        doc_stride: int | None = None,
        max_question_len: int | None = None,
        max_seq_len: int | None = None,
        **after: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        before = {"doc_stride": doc_stride, "max_question_len": max_question_len, "max_seq_len": max_seq_len}
        return {name: value for name, value in before.items() if value is not None}, {}, after

    def preprocess(
        self,
        example: dict[str, str],
        doc_stride: int | None = None,
        max_question_len: int | None = None,
        max_seq_len: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        question, context = example["question"], example["context"]
        if max_question_len is not None:
            question = self._cut(question, max_question_len)
        max_seq_len = max_seq_len or min(self.tokenizer.model_max_length, 384)
        question_first = self.tokenizer.padding_side == "right"
        encoded = self.tokenizer(
            *((question, context) if question_first else (context, question)),
            truncation="only_second" if question_first else "only_first",
            max_length=max_seq_len,
            stride=min(max_seq_len // 2, 128) if doc_stride is None else doc_stride,
            return_overflowing_tokens=True,
        )
        context_index = 1 if question_first else 0
        for index, encoding in enumerate(encoded.encodings):
            chunk = {name: encoded[name][index] for name in self.tokenizer.model_input_names if name in encoded}
            yield {
                **{name: torch.tensor([value]) for name, value in chunk.items()},
                "in_context": np.array([one == context_index for one in encoding.sequence_ids]),
                "encoding": encoding,
                "context_index": context_index,
                "context": context,
                "is_last": index == len(encoded.encodings) - 1,
            }

    def _cut(self, text: str, most: int) -> str:
        offsets = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return text if len(offsets) <= most else text[: offsets[most - 1][1]]

    def _forward(self, inputs: dict[str, Any]) -> dict[str, Any]:
        read = {name: inputs[name] for name in self.tokenizer.model_input_names if name in inputs}
        output = self.model(**read)
        return {**inputs, "start_logits": output["start_logits"], "end_logits": output["end_logits"]}

    def postprocess(
        self,
        outputs: list[dict[str, Any]],
        top_k: int = 1,
        handle_impossible_answer: bool = False,
        max_answer_len: int = 15,
        align_to_words: bool = True,
    ) -> dict[str, Any] | list[dict[str, Any]]:
        answers: list[dict[str, Any]] = []
        none = 1.0
        for output in outputs:
            starts, ends, null = self.probabilities(output)
            none = min(none, null)
            # Some candidates become the same answer when they are widened to words.
            wanted = 2 * top_k + 10 if align_to_words else top_k
            for first, last, score in self._spans(starts, ends, max_answer_len, wanted):
                start, end = self._characters(output, first, last, align_to_words)
                text = output["context"][start:end]
                same = next((one for one in answers if one["answer"].lower() == text.lower()), None)
                if same is None:
                    answers.append({"score": score, "start": start, "end": end, "answer": text})
                else:
                    same["score"] += score
        if handle_impossible_answer:
            answers.append({"score": none, "start": 0, "end": 0, "answer": ""})
        answers = sorted(answers, key=lambda one: one["score"], reverse=True)[:top_k]
        return answers[0] if len(answers) == 1 else answers

    def probabilities(self, output: dict[str, Any]) -> tuple[Any, Any, float]:
        """For one chunk the probability of each token to begin and to end the answer, and that there is none.

        That there is none is what the first special token says ([CLS] of BERT), which takes part in both softmaxes.
        """
        ids = output["input_ids"][0].tolist()
        special = [index for index, one in enumerate(ids) if one == self.tokenizer.cls_token_id]
        allowed = output["in_context"].copy()
        allowed[special] = True
        both = []
        for name in ("start_logits", "end_logits"):
            logits = np.where(allowed, output[name][0].float().numpy(), -10000.0)
            scores = np.exp(logits - logits.max())
            both.append(scores / scores.sum())
        starts, ends = both
        place = special[0] if special else 0
        null = float(starts[place] * ends[place])
        return np.where(output["in_context"], starts, 0.0), np.where(output["in_context"], ends, 0.0), null

    def _spans(self, starts: Any, ends: Any, longest: int, wanted: int) -> Iterator[tuple[int, int, float]]:
        """The likeliest spans: first and last token, and the product of their probabilities."""
        longest = min(longest, len(starts))
        padded = np.concatenate([ends, np.zeros(longest - 1)])
        scores = np.stack([starts * padded[more : more + len(starts)] for more in range(longest)], axis=1)
        best = np.argsort(-scores, axis=None, kind="stable")[:wanted]
        for first, more in zip(*np.unravel_index(best, scores.shape), strict=True):
            if scores[first, more] > 0:
                yield int(first), int(first + more), float(scores[first, more])

    def _characters(self, output: dict[str, Any], first: int, last: int, align_to_words: bool) -> tuple[int, int]:
        """Where a span of tokens begins and ends in the context, in characters."""
        encoding = output["encoding"]
        words = encoding.token_to_word(first), encoding.token_to_word(last)
        if align_to_words and None not in words:
            spans = [encoding.word_to_chars(word, sequence_index=output["context_index"]) for word in words]
            if None not in spans:
                return spans[0][0], spans[1][1]
        return encoding.offsets[first][0], encoding.offsets[last][1]
