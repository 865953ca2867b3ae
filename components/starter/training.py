"""Training of what the app's own runs have no task for: rows as the models read them, and one `Trainer` for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import (
    DataCollatorForLanguageModeling,
    DataCollatorForSeq2Seq,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

from components.starter.reviews import SEED
from components.starter.workshop import Fitted, Schedule

#: How much closer a text must be to its own group than to others.
TEMPERATURE = 0.1
Rows = list[dict[str, Any]]


def fill_masks(model: Any, tokenizer: Any, texts: Sequence[str], schedule: Schedule, out: Path) -> Fitted:
    """Teach to guess masked tokens, 30 in a hundred: more than usual, since the texts are short."""
    rows = [{"input_ids": ids} for ids in tokenizer(list(texts), truncation=True)["input_ids"]]
    return _fit(model, tokenizer, rows, DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.3), schedule, out)


def write_texts(model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], schedule: Schedule, out: Path) -> Fitted:
    """Teach an encoder-decoder to write the second text of a pair from the first."""
    sources, targets = zip(*pairs, strict=True)
    inputs = tokenizer(list(sources), truncation=True)
    labels = tokenizer(text_target=list(targets), truncation=True)["input_ids"]
    rows = [{"input_ids": ids, "labels": wanted} for ids, wanted in zip(inputs["input_ids"], labels, strict=True)]
    return _fit(model, tokenizer, rows, DataCollatorForSeq2Seq(tokenizer, model), schedule, out)


def tag_words(model: Any, tokenizer: Any, texts: Sequence[Any], schedule: Schedule, out: Path) -> Fitted:
    """Teach tags: each text has `words` and `tags`, ids of labels; only the first piece of a word is asked for."""
    encoded = tokenizer([list(text.words) for text in texts], is_split_into_words=True, truncation=True)
    rows = []
    for index, text in enumerate(texts):
        places = encoded.word_ids(index)
        tags = [
            -100 if place is None or place == before else text.tags[place]
            for before, place in zip([None, *places], places, strict=False)
        ]
        rows.append({"input_ids": encoded["input_ids"][index], "labels": tags})
    return _fit(model, tokenizer, rows, DataCollatorForTokenClassification(tokenizer), schedule, out)


def find_answers(model: Any, tokenizer: Any, asked: Sequence[Any], schedule: Schedule, out: Path) -> Fitted:
    """Teach where an answer stands: each item has `question`, `context`, and `start` and `end` in its characters."""
    encoded = tokenizer([item.question for item in asked], [item.context for item in asked])
    rows = []
    for index, item in enumerate(asked):
        first, last = encoded.char_to_token(index, item.start, 1), encoded.char_to_token(index, item.end - 1, 1)
        rows.append({"input_ids": encoded["input_ids"][index], "start_positions": first, "end_positions": last})
    return _fit(model, tokenizer, rows, DataCollatorWithPadding(tokenizer), schedule, out)


def judge_pairs(
    model: Any, tokenizer: Any, pairs: Sequence[tuple[str, str, int]], schedule: Schedule, out: Path
) -> Fitted:
    """Teach a label to each pair of premise and hypothesis."""
    premises, hypotheses, labels = zip(*pairs, strict=True)
    ids = tokenizer(list(premises), list(hypotheses))["input_ids"]
    rows = [{"input_ids": one, "labels": label} for one, label in zip(ids, labels, strict=True)]
    return _fit(model, tokenizer, rows, DataCollatorWithPadding(tokenizer), schedule, out)


def gather_texts(model: Any, tokenizer: Any, texts: Sequence[tuple[str, int]], schedule: Schedule, out: Path) -> Fitted:
    """Teach an encoder to lay texts of one group close together (supervised contrastive loss, Khosla et al. 2020)."""
    encoded = tokenizer([text for text, _ in texts])["input_ids"]
    rows = [{"input_ids": ids, "labels": group} for ids, (_, group) in zip(encoded, texts, strict=True)]
    return _fit(model, tokenizer, rows, DataCollatorWithPadding(tokenizer), schedule, out, trainer=_Gathering)


def mean_vectors(model: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """The mean of a text's last hidden states, as vectors of length 1 (texts x hidden size)."""
    hidden = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"][..., None]
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


class _Gathering(Trainer):
    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        groups = inputs.pop("labels")
        vectors = mean_vectors(model, inputs)
        oneself = torch.eye(len(groups), dtype=torch.bool)
        chances = (vectors @ vectors.T / TEMPERATURE).masked_fill(oneself, -1e9).log_softmax(-1)
        friends = (groups[:, None] == groups[None]) & ~oneself
        return -(chances * friends).sum(-1).div(friends.sum(-1).clamp(min=1)).mean()


def see_pictures(model: Any, processor: Any, rows: Sequence[tuple[Any, int]], schedule: Schedule, out: Path) -> Fitted:
    """Teach an image classifier pictures with the ids of their labels."""
    pixels = processor([picture for picture, _ in rows], return_tensors="pt")["pixel_values"]
    items = [{"pixel_values": one, "labels": label} for one, (_, label) in zip(pixels, rows, strict=True)]
    return _fit(model, processor, items, default_data_collator, schedule, out)


def _fit(
    model: Any,
    processor: Any,
    rows: Rows,
    collate: Callable[..., Any],
    schedule: Schedule,
    out: Path,
    *,
    trainer: type[Trainer] = Trainer,
) -> Fitted:
    set_seed(SEED)
    arguments = TrainingArguments(
        output_dir=str(out),
        per_device_train_batch_size=schedule.batch_size,
        num_train_epochs=schedule.epochs,
        learning_rate=schedule.learning_rate,
        warmup_steps=0.05,
        weight_decay=0.01,
        train_sampling_strategy="group_by_length" if "input_ids" in rows[0] else "random",
        remove_unused_columns=False,
        use_cpu=True,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        logging_steps=200,
        seed=SEED,
    )
    begun = time.monotonic()
    work = trainer(model=model, args=arguments, train_dataset=rows, data_collator=collate)
    loss = work.train().training_loss
    seconds = time.monotonic() - begun
    model.save_pretrained(out)
    processor.save_pretrained(out)
    return Fitted(out, model.num_parameters(), len(rows), seconds, loss, schedule)
