"""Language models: the next token (causal), or masked ones."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM, DataCollatorForLanguageModeling

from components.service.errors import WorkbenchError
from components.service.runs.chats import IGNORED, Chats
from components.service.runs.encoded import Encoded
from components.service.runs.families.base import Prepared, sequence_limit
from components.service.runs.families.examples import encode
from components.service.runs.families.grouped import WORST, WORST_CHARS, Grouped, length_facts
from components.service.runs.intervals import bootstrap, named, ratio
from components.service.runs.rows import Row, Rows
from components.service.worker.columns import shorten
from components.service.worker.findings import count

#: Tokens of a block where the spec says nothing.
BLOCK = 128
#: What is left at the end of the texts becomes a block of its own if it is at least this part of one.
TAIL = 8
#: Loss from which perplexity is no longer told apart.
MOST_LOSS = 50.0
NEW_TOKENS = 40
ANY_LENGTH = 10**9
#: How many words a mask is answered with.
ANSWERS = 5

Example = dict[str, Any]


class _Language(Grouped):
    """Texts are joined by the end-of-text token and cut into blocks of one length."""

    #: Blocks are of one length anyway; chats are not.
    grouped = False
    #: Whether each text begins as the tokenizer would have it; else each block does.
    begins = False

    def load(self, path: Path, labels: Sequence[str]) -> Any:  # noqa: ARG002 - it has no classes
        """The model with its language-modelling head."""
        return self.pretrained(path)

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Blocks of equal length, or chats.

        Raises:
            WorkbenchError: The tokenizer does not fit the task, or the texts are too few.
        """
        if self.spec.learn == "assistant":
            raise WorkbenchError(
                "Only chats have an assistant to learn from. Choose the column of messages, or set learn to all.",
                field="learn",
            )
        block = sequence_limit(processor, config, self.spec.max_length or BLOCK, longest)
        splits = {"train": rows.train, "validation": rows.validation, "test": rows.test}
        blocks: dict[str, list[Example]] = {}
        lengths: dict[str, int] = {}
        for name, part in splits.items():
            ids = _joined(part, processor, self.begins, self.kept)
            lengths[name], blocks[name] = len(ids), self._blocks(ids, processor, block)
            if part and not blocks[name]:
                raise WorkbenchError(
                    f"The texts to {'train on' if name == 'train' else 'evaluate on'} hold only "
                    f"{count(len(ids), 'token', 'tokens')}. Add more of them.",
                    field="data",
                )
        sizes = sorted(len(one["input_ids"]) for one in blocks["train"])
        facts = {
            "max_length": block,
            "tokens": {"median": sizes[len(sizes) // 2], "longest": sizes[-1], "total": lengths["train"]},
            "blocks": {name: len(some) for name, some in blocks.items() if some},
            "notes": [_short(name, length, block) for name, length in lengths.items() if 0 < length < block],
        }
        return self._prepared(blocks["train"], blocks["validation"], blocks["test"], processor, facts)

    def _prepared(
        self, train: list[Example], validation: list[Example], test: list[Example], tokenizer: Any, facts: Any
    ) -> Prepared:
        self._tokenizer, self._held = tokenizer, validation
        collator = self._collator(tokenizer, [*validation, *test])
        return Prepared(train, validation, test, collator, facts)

    @abstractmethod
    def _blocks(self, ids: np.ndarray, tokenizer: Any, block: int) -> list[Example]:
        """`{input_ids}` of each block."""

    @abstractmethod
    def _collator(self, tokenizer: Any, held: list[Example]) -> Callable[[list[Example]], dict[str, Any]]:
        """Makes batches; examples that are `held` out are settled once and for all."""

    def metrics(self, prediction: Any) -> dict[str, float]:
        """Loss of a token and perplexity, e to its power, over all tokens alike, each with its interval over examples.

        The Trainer's own loss would count a short block as much as a long one.
        """
        sums = np.asarray(prediction.predictions, dtype=float)
        figures = {name: float(value[0]) for name, value in _figures(sums.sum(0, keepdims=True)).items()}
        # Of one block nothing can be said about others.
        bands = bootstrap(sums, _figures) if len(sums) > 1 else {}
        return {**figures, **named(bands)}

    def details(self, output: Any, rows: Rows) -> dict[str, Any]:  # noqa: ARG002 - blocks are made of several rows
        """The validation blocks, or chats, that the model foresees least."""
        sums = self.in_order(np.asarray(output.predictions, dtype=float))
        means = ratio(sums[:, 0], sums[:, 1])
        return {"worst": [self._told(self._held[i], float(means[i])) for i in np.argsort(-means)[:WORST]]}

    def _told(self, example: Example, loss: float) -> dict[str, Any]:
        text = shorten(self._tokenizer.decode(example["input_ids"]), WORST_CHARS)
        return {"input": text, "loss": loss}


class TextGeneration(_Language):
    """Predict each token from those before it."""

    auto_class = AutoModelForCausalLM
    begins = True

    def prepare(self, rows: Rows, processor: Any, config: Any, longest: int) -> Prepared:
        """Blocks of texts; or chats, each an example of its own, cut to the longest sequence."""
        self.chat = "messages" in rows.train[0]
        if not self.chat:
            return super().prepare(rows, processor, config, longest)
        self.grouped = True
        limit = sequence_limit(processor, config, self.spec.max_length, longest)
        chats = Chats(processor, self.spec.model, self.spec.learn)
        parts = ([row["messages"] for row in part] for part in (rows.train, rows.validation, rows.test))
        train, validation, test = (chats.encode(part, limit) for part in parts)
        learned = sum(label != IGNORED for example in train for label in example["labels"])
        facts = length_facts(train, limit)
        facts["tokens"]["learned"] = learned
        facts["chats"] = {"train": len(train), "validation": len(validation), **({"test": len(test)} if test else {})}
        facts["notes"] = [f"{count(n, 'chat is', 'chats are')} left out: {why}." for why, n in chats.left_out.items()]
        return self._prepared(train, validation, test, processor, facts)

    def _blocks(self, ids: np.ndarray, tokenizer: Any, block: int) -> list[Example]:  # noqa: ARG002
        return [{"input_ids": part} for part in cut(ids, block) if len(part) > 1]

    def _collator(self, tokenizer: Any, held: list[Example]) -> Callable[[list[Example]], dict[str, Any]]:  # noqa: ARG002
        return _Padding(tokenizer)

    @staticmethod
    def reduced(predictions: Any, labels: Any) -> Any:
        """As `_summed`; each token is foreseen at the place before it."""
        return _summed(predictions, labels, ahead=1)

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """How the model goes on from each text, or what it answers in a chat, likeliest token by token.

        A long text is cut at its beginning.
        """
        chats = Chats(processor, self.spec.model) if self._chats() else None
        limit = sequence_limit(processor, model.config, ANY_LENGTH, ANY_LENGTH)
        new = min(NEW_TOKENS, limit // 2)
        answers = []
        for text in samples:
            prompt = chats.prompt([{"role": "user", "content": text}]) if chats else processor(text)["input_ids"]
            ids = torch.tensor([(prompt or [_end(processor) or 0])[-(limit - new) :]], device=model.device)
            with torch.no_grad():
                made = model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    max_new_tokens=new,
                    do_sample=False,
                    pad_token_id=_pad(processor),
                )
            shown = made[0, ids.shape[1] :] if chats else made[0]
            answers.append({"generated_text": processor.decode(shown, skip_special_tokens=True)})
        return answers

    def _chats(self) -> bool:
        return getattr(self, "chat", bool(self.spec.columns.get("messages")))


class FillMask(_Language):
    """Predict masked tokens: 15 % of them, drawn anew for every batch; for evaluation drawn once."""

    auto_class = AutoModelForMaskedLM

    def _blocks(self, ids: np.ndarray, tokenizer: Any, block: int) -> list[Example]:
        start, end = ([i] if i is not None else [] for i in (tokenizer.cls_token_id, tokenizer.sep_token_id))
        room = block - len(start) - len(end)
        if room < 1:
            raise WorkbenchError(
                f"A block of {block} tokens has no room beside the special tokens of this model. Raise max_length.",
                field="max_length",
            )
        return [{"input_ids": np.array([*start, *part, *end], dtype=np.int32)} for part in cut(ids, room)]

    def _collator(self, tokenizer: Any, held: list[Example]) -> Callable[[list[Example]], dict[str, Any]]:
        if tokenizer.mask_token is None:
            raise WorkbenchError(
                "This model's tokenizer has no mask token, so fill-mask cannot be trained. Choose an encoder such as "
                "BERT.",
                field="model",
            )
        once = _Masking(tokenizer, self.spec.seed)
        for example in held:
            masked = once([example])
            example |= {"input_ids": masked["input_ids"][0].numpy(), "labels": masked["labels"][0].numpy()}
        return _Masking(tokenizer)

    @staticmethod
    def reduced(predictions: Any, labels: Any) -> Any:
        """As `_summed`; each token is found at its own place."""
        return _summed(predictions, labels, ahead=0)

    def predict(self, model: Any, processor: Any, samples: Sequence[Any]) -> list[Any]:
        """The likeliest tokens for the first mask of each text; nothing where there is no mask."""
        limit = sequence_limit(processor, model.config, ANY_LENGTH, ANY_LENGTH)
        answers: list[Any] = []
        for text in samples:
            inputs = processor(text, truncation=True, max_length=limit, return_tensors="pt").to(model.device)
            places = (inputs["input_ids"][0] == processor.mask_token_id).nonzero().flatten().tolist()
            if not places:
                answers.append([])
                continue
            with torch.no_grad():
                best = model(**inputs).logits[0, places[0]].float().softmax(-1).topk(ANSWERS)
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            answers.append([{"token": i, "token_str": processor.decode([i]).strip(), "score": s} for i, s in pairs])
        return answers

    def _told(self, example: Example, loss: float) -> dict[str, Any]:
        gold = [one for one in example["labels"].tolist() if one != IGNORED]
        words = shorten(self._tokenizer.decode(gold), WORST_CHARS)
        return {**super()._told(example, loss), "gold": words}


class _Padding:
    """A batch as long as its longest example. Labels are the input ids where an example has none of its own: the model
    shifts them by one itself."""

    def __init__(self, tokenizer: Any) -> None:
        self.pad = _pad(tokenizer)

    def __call__(self, examples: list[Example]) -> dict[str, Any]:
        ids = self._padded([one["input_ids"] for one in examples], self.pad)
        labels = self._padded([one.get("labels", one["input_ids"]) for one in examples], IGNORED)
        there = self._padded([np.ones(len(one["input_ids"])) for one in examples], 0)
        return {"input_ids": ids, "attention_mask": there, "labels": labels}

    @staticmethod
    def _padded(rows: Sequence[Any], value: int) -> Any:
        tensors = [torch.as_tensor(row, dtype=torch.long) for row in rows]
        return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=value)


class _Masking(_Padding):
    """Masks a batch that is not masked yet, so that every example has at least one mask."""

    def __init__(self, tokenizer: Any, seed: int | None = None) -> None:
        super().__init__(tokenizer)
        self._library = DataCollatorForLanguageModeling(tokenizer, seed=seed)
        if seed is not None:
            self._library.create_rng()
        self._mask = tokenizer.mask_token_id
        self._special = torch.tensor(tokenizer.all_special_ids)

    def __call__(self, examples: list[Example]) -> dict[str, Any]:
        batch = super().__call__(examples)
        if "labels" in examples[0]:
            return batch
        special = torch.isin(batch["input_ids"], self._special)
        inputs, labels = self._library.torch_mask_tokens(batch["input_ids"].clone(), special)
        for row in (labels == IGNORED).all(1).nonzero().flatten().tolist():
            words = (~special[row]).nonzero().flatten()
            if len(words):
                place = words[len(words) // 2]
                labels[row, place], inputs[row, place] = inputs[row, place].item(), self._mask
        return {**batch, "input_ids": inputs, "labels": labels}


def _joined(rows: Sequence[Row], tokenizer: Any, special: bool, kept: Encoded | None) -> np.ndarray:
    """The ids of all texts, with the tokenizer's special tokens or none, each with the end-of-text token after it."""
    end = _end(tokenizer)
    if not rows:
        return np.empty(0, dtype=np.int32)
    found = encode(
        tokenizer,
        [row["text"] for row in rows],
        kept=kept,
        add_special_tokens=special,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )["input_ids"]
    ids, ends = np.array(found.values), found.starts[1:]
    if end is None:
        return ids
    closed = (found.lengths() > 0) & (ids[np.maximum(ends - 1, 0)] == end if len(ids) else False)
    return np.insert(ids, ends[~closed], end)


def cut(ids: np.ndarray, block: int) -> list[np.ndarray]:
    """Blocks of one length. A shorter one at the end is left out if it is hardly worth a step, unless it is all."""
    blocks = [ids[start : start + block] for start in range(0, len(ids), block)]
    if len(blocks) > 1 and len(blocks[-1]) * TAIL < block:
        blocks.pop()
    return blocks


def _short(split: str, tokens: int, block: int) -> str:
    held = count(tokens, "token", "tokens")
    if split == "train":
        return (
            f"All texts to train on have {held} together, fewer than a block of {block}: they make one short block. "
            "Add texts, or lower max_length."
        )
    return f"The {split} texts have {held} together: one short block, whose figures say little."


def _summed(predictions: Any, labels: Any, ahead: int) -> Any:
    """(examples, 2): the summed loss of each example, in nats, and over how many tokens it is; each is foreseen so many
    places `ahead`."""
    logits = predictions[0] if isinstance(predictions, tuple) else predictions
    sums = []
    for scores, gold in zip(logits, labels, strict=True):
        right = gold[ahead:]
        loss = functional.cross_entropy(scores[: len(right)].float(), right, ignore_index=IGNORED, reduction="sum")
        sums.append(torch.stack([loss, (right != IGNORED).sum().to(loss)]))
    return torch.stack(sums)


def _figures(sums: np.ndarray) -> dict[str, np.ndarray]:
    loss = ratio(sums[:, 0], sums[:, 1])
    return {"loss": loss, "perplexity": np.exp(np.minimum(loss, MOST_LOSS))}


def _end(tokenizer: Any) -> int | None:
    """The id between two texts."""
    found: int | None = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
    return found


def _pad(tokenizer: Any) -> int:
    """The id that fills a batch up; where the tokenizer has none, any will do, since nothing looks at it."""
    return next((i for i in (tokenizer.pad_token_id, _end(tokenizer)) if i is not None), 0)
