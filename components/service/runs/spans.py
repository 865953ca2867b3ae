"""Long contexts read in windows that overlap, and the answer that a model's scores over all of them speak for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.service.runs.remedies import Row
from components.service.runs.tasks import LONGEST, STRIDE, TRIED

#: Rows that are tokenized together.
BATCH = 500


@dataclass(frozen=True)
class Window:
    """A part of a context as a model reads it, together with the question.

    Attributes:
        row: The row it belongs to.
        offsets: Where each token lies in the context, in characters, shape (tokens, 2); -1 for tokens outside of it.
        null: The token that stands for no answer: [CLS] of BERT, the first one where there is none such.
    """

    row: Row
    offsets: np.ndarray
    null: int

    def place(self) -> tuple[int, int]:
        """First and last token of the row's first answer; twice `null` where the window does not hold it whole."""
        answers = self.row["answers"]
        if not answers["text"]:
            return self.null, self.null
        start = answers["answer_start"][0]
        end = start + len(answers["text"][0])
        begins, ends = self.offsets[:, 0], self.offsets[:, 1]
        tokens = np.flatnonzero((begins < end) & (ends > start) & (begins < ends))
        if not len(tokens) or begins[tokens[0]] > start or ends[tokens[-1]] < end:
            return self.null, self.null
        return int(tokens[0]), int(tokens[-1])


def window_sizes(tokenizer: Any, limit: int) -> tuple[int, int]:
    """The most tokens of a question, and those that neighbouring windows of `limit` tokens share."""
    room = limit - tokenizer.num_special_tokens_to_add(pair=True)
    return room // 2, min(STRIDE, room // 4)


def read_windows(rows: Sequence[Row], tokenizer: Any, limit: int) -> Iterator[tuple[dict[str, Any], Window]]:
    """The model inputs of every window of every row, not yet padded, with the window."""
    first = tokenizer.padding_side == "right"  # where padding comes first, so does the context
    most, stride = window_sizes(tokenizer, limit)
    for begin in range(0, len(rows), BATCH):
        part = rows[begin : begin + BATCH]
        questions = _cut([row["question"].strip() for row in part], tokenizer, most)
        contexts = [row["context"] for row in part]
        encoded = tokenizer(
            *((questions, contexts) if first else (contexts, questions)),
            truncation="only_second" if first else "only_first",
            max_length=limit,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        names = [name for name in tokenizer.model_input_names if name in encoded]
        for i, ids in enumerate(encoded["input_ids"]):
            offsets = np.array(encoded["offset_mapping"][i], dtype=np.int32).reshape(-1, 2)
            offsets[[part != int(first) for part in encoded.sequence_ids(i)]] = -1
            null = ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in ids else 0
            row = part[encoded["overflow_to_sample_mapping"][i]]
            yield {name: encoded[name][i] for name in names}, Window(row, offsets, null)


def _cut(questions: list[str], tokenizer: Any, most: int) -> list[str]:
    """The questions, each with so many tokens at most."""
    offsets = tokenizer(questions, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    return [
        question if len(places) <= most else question[: places[most - 1][1]]
        for question, places in zip(questions, offsets, strict=True)
    ]


def best_answers(windows: Sequence[Window], starts: np.ndarray, ends: np.ndarray, *, none: bool) -> list[str]:
    """The answer to each row's question, in the order in which the rows come first.

    Of each window the likeliest begins and ends are paired; the pair with the highest sum of logits over all windows
    of a row is its answer (as in the evaluation of Devlin et al., 2018).

    Args:
        windows: The windows, those of a row in any places.
        starts: Logit of each token to begin the answer, (windows, tokens); tokens beyond a window's own do not count.
        ends: The same for its end.
        none: Whether there may be no answer: it is empty where the lowest of the windows' null scores is higher.
    """
    found: dict[int, tuple[float, str]] = {}
    nulls: dict[int, float] = {}
    for window, start, end in zip(windows, starts, ends, strict=True):
        key = id(window.row)
        best = _best(window, start[: len(window.offsets)], end[: len(window.offsets)])
        found[key] = max(found.get(key, best), best, key=lambda one: one[0])
        null = float(start[window.null] + end[window.null])
        nulls[key] = min(nulls.get(key, null), null)
    return ["" if none and nulls[key] > score else text for key, (score, text) in found.items()]


def _best(window: Window, start: np.ndarray, end: np.ndarray) -> tuple[float, str]:
    """The score and text of the best answer in a window; minus infinity where it holds no context."""
    inside = np.flatnonzero(window.offsets[:, 1] > window.offsets[:, 0])
    firsts = inside[np.argsort(-start[inside], kind="stable")[:TRIED]]
    lasts = inside[np.argsort(-end[inside], kind="stable")[:TRIED]]
    apart = lasts[None] - firsts[:, None]
    scores = np.where((apart >= 0) & (apart < LONGEST), start[firsts][:, None] + end[lasts][None], -np.inf)
    if not np.isfinite(scores).any():
        return -np.inf, ""
    i, j = np.unravel_index(scores.argmax(), scores.shape)
    text: str = window.row["context"][window.offsets[firsts[i], 0] : window.offsets[lasts[j], 1]]
    return float(scores[i, j]), text.strip()
