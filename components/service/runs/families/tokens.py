"""Words of a sentence into tags: named entities, chunks, parts of speech."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForTokenClassification, DataCollatorForTokenClassification

from components.service.errors import WorkbenchError
from components.service.runs.families.base import Prepared, sequence_limit
from components.service.runs.families.grouped import WORST_CHARS, Grouped, length_facts, worst
from components.service.runs.rows import Row, Rows
from components.service.runs.schemes import bioes
from components.service.runs.tags import entities, tag_details, tag_scores
from components.service.worker.columns import shorten

#: The label that the loss passes over: of special tokens, and of all tokens of a word but its first.
IGNORED = -100


@dataclass(frozen=True)
class Piece:
    """The words of a row that are in one example, by their places in the row."""

    row: Row
    places: list[int]


class TokenClassification(Grouped):
    """A tag for each word, learned and read at the word's first token; cross entropy.

    The words of a row are joined by spaces and tokenized as that text, so that a model sees in training what it will
    see of a text later (byte-level tokenizers write a word after a space differently from one at the beginning).
    """

    auto_class = AutoModelForTokenClassification

    def processor(self, path: Path) -> Any:
        """The model's tokenizer.

        Raises:
            WorkbenchError: It cannot tell which characters a token stands for.
        """
        tokenizer = super().processor(path)
        if not tokenizer.is_fast:
            raise WorkbenchError(
                f"The tokenizer of {self.spec.model} is a slow one, which cannot tell which word a token belongs to, "
                "so tags cannot be given to its tokens. Choose a model with a fast one (a tokenizer.json), such as "
                "BERT or RoBERTa.",
                field="model",
            )
        return tokenizer

    def load(self, path: Path, labels: Sequence[str]) -> Any:
        """The model with a head of as many outputs as there are tags; new weights where the shapes differ."""
        return self.load_head(path, labels)

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Tokenized rows, with the tag of each word at its first token; a long row goes on in further examples, so that
        every word is learned, or judged, once.

        Raises:
            WorkbenchError: No row has a word left that a tag could be learned of.
        """
        self.labels = rows.labels
        limit = self.limit(processor, config, longest)
        (train, learned), (validation, self.held), (test, _) = (
            self._encode(part, processor, limit) for part in (rows.train, rows.validation, rows.test)
        )
        if not train or not validation:
            raise WorkbenchError(
                "No word is left that a tag could be learned of: this model's tokenizer knows none of them. Check the "
                "column with the tokens, or choose another model.",
                field="columns.tokens",
            )
        words = sum(len(one.places) for one in learned)
        lengths = length_facts(train, limit, cut=False)
        facts = {**lengths, "examples": len(train), "words": words, "average": "micro"}
        return Prepared(train, validation, test, DataCollatorForTokenClassification(processor), facts)

    @staticmethod
    def reduced(predictions: Any, labels: Any) -> Any:
        """What is kept of a batch: the likeliest tag of each token, and the loss of its tag; both (batch, tokens)."""
        logits = Grouped.reduced(predictions, labels).float()
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), labels, ignore_index=IGNORED, reduction="none"
        )
        return logits.argmax(-1), losses

    def metrics(self, prediction: Any) -> dict[str, float]:
        """Precision, recall and F1 of entities, accuracy of words, each with its interval."""
        gold = prediction.label_ids
        return tag_scores(_at_words(gold, gold), _at_words(prediction.predictions[0], gold), self.labels)

    def baselines(self, rows: Rows) -> dict[str, Any]:
        """What always answering the commonest tag scores; where that is `O`, no entity is found."""
        ids = {label: i for i, label in enumerate(rows.labels)}
        label = Counter(tag for row in rows.train for tag in row["tags"]).most_common(1)[0][0]
        gold = [[ids[one.row["tags"][i]] for i in one.places] for one in self.held]
        return {
            "majority": {"label": label, **tag_scores(gold, [[ids[label]] * len(one) for one in gold], rows.labels)}
        }

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:
        """Figures of each type of entity, confusion of tags, worst errors (by the mean loss of a row's words)."""
        gold, ids, losses = (self.in_order(np.asarray(part)) for part in (output.label_ids, *output.predictions))
        true, ours, each = (_at_words(part, gold) for part in (gold, ids, losses))
        wrong = np.array([one != two for one, two in zip(true, ours, strict=True)])
        names = bioes(rows.labels)
        errors = []
        means = np.array([np.mean(one) for one in each])
        for i in worst(means, wrong):
            text, marked = _shown(self.held[i], [[names[tag] for tag in tags] for tags in (true[i], ours[i])])
            errors.append({"input": text, "gold": marked[0], "answer": marked[1], "loss": float(means[i])})
        return {**tag_details(true, ours, rows.labels), "worst": errors}

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """For each text, as far as the model can read it, its entities: `[{entity_group, word, start, end, score}]`.

        Places are in characters; a score is the mean probability of the words' tags.

        Raises:
            WorkbenchError: A sample is no text.
        """
        limit = sequence_limit(processor, model.config, None, 10**6)
        names = bioes([model.config.id2label[i] for i in range(model.config.num_labels)])
        return [_marked(model, processor, sample, limit, names) for sample in samples]

    def _encode(self, part: Sequence[Row], tokenizer: Any, limit: int) -> tuple[list[dict[str, Any]], list[Piece]]:
        """Examples of the rows, and which words each of them holds; one with none is left out."""
        ids = {label: i for i, label in enumerate(self.labels)}
        examples, pieces = [], []
        for start in range(0, len(part), 1000):
            texts = [" ".join(row["tokens"]) for row in part[start : start + 1000]]
            batch = tokenizer(texts, truncation=True, max_length=limit, return_overflowing_tokens=True)
            for i, number in enumerate(batch.pop("overflow_to_sample_mapping")):
                row = part[start + number]
                first = _first_tokens(batch, i, row["tokens"])
                labels = [IGNORED] * len(batch["input_ids"][i])
                for token, word in first.items():
                    labels[token] = ids[row["tags"][word]]
                if first:
                    examples.append({**{key: batch[key][i] for key in batch}, "labels": labels})
                    pieces.append(Piece(row, list(first.values())))
        return examples, pieces


def _first_tokens(batch: Any, row: int, words: Sequence[str]) -> dict[int, int]:
    """The first token of each word that has one of its own, and the word's place, from a batch of joined words."""
    found: dict[int, int] = {}
    start = 0
    for place, word in enumerate(words):
        token = batch.char_to_token(row, start) if word else None
        if token is not None:
            found.setdefault(token, place)
        start += len(word) + 1
    return found


def _at_words(values: np.ndarray, gold: np.ndarray) -> list[list[Any]]:
    """Of each row the values at its words, from arrays (rows, tokens)."""
    return [one[tags != IGNORED].tolist() for one, tags in zip(values, gold, strict=True)]


def _shown(piece: Piece, tagged: Sequence[Sequence[str]]) -> tuple[str, list[list[dict[str, Any]]]]:
    """The words of an example as a text of at most `WORST_CHARS`, and the entities in it that each tagging marks."""
    words = [piece.row["tokens"][place] for place in piece.places]
    starts = [0, *accumulate(len(word) + 1 for word in words)]
    text = " ".join(words)
    marked: list[list[dict[str, Any]]] = []
    for tags in tagged:
        spans = [(kind, starts[first], starts[last + 1] - 1) for kind, first, last in entities(tags)]
        marked.append([_entity(text, *span) for span in spans if span[-1] < WORST_CHARS])
    return shorten(text, WORST_CHARS), marked


def _entity(text: str, kind: str, start: int, end: int, **more: float) -> dict[str, Any]:
    return {"entity_group": kind, "word": text[start:end], "start": start, "end": end, **more}


def _marked(model: Any, tokenizer: Any, text: Any, limit: int, names: Sequence[str]) -> list[dict[str, Any]]:
    if not isinstance(text, str):
        raise WorkbenchError("A sample is a text.", field="samples")
    inputs = tokenizer(text, truncation=True, max_length=limit, return_offsets_mapping=True, return_tensors="pt")
    offsets = inputs.pop("offset_mapping")[0].tolist()
    words = _words(text, offsets, inputs.word_ids())
    with torch.no_grad():
        best = model(**inputs.to(model.device)).logits[0].float().softmax(-1).max(-1)
    found = []
    for kind, first, last in entities([names[int(best.indices[token])] for token, _, _ in words]):
        some = words[first : last + 1]
        score = float(best.values[[token for token, _, _ in some]].mean())
        found.append(_entity(text, kind, some[0][1], some[-1][2], score=score))
    return found


def _words(text: str, offsets: Sequence[tuple[int, int]], ids: Sequence[int | None]) -> list[tuple[int, int, int]]:
    """First token, start and end of each word: one begins where the pre-tokenizer says so, and after each space."""
    words: list[tuple[int, int, int]] = []
    before = None
    for token, ((start, end), word) in enumerate(zip(offsets, ids, strict=True)):
        piece = text[start:end]
        if word is None or not piece.strip():
            continue
        begin = start + len(piece) - len(piece.lstrip())
        if word != before or text[begin - 1 : begin].isspace():
            words.append((token, begin, end))
        else:
            words[-1] = (*words[-1][:2], end)
        before = word
    return words
